"""Data to Plotly figures: pure functions that return {"data", "layout"} and name colours by their role.

A colour such as "token:weights" is painted for the light or the dark theme where the figure is drawn.
Figures are plain dicts, built in one go: building them piece by piece takes ten times as long.
"""

from core.charts.day import day
from core.charts.memory_bar import memory_bar
from core.charts.memory_curve import memory_curve
from core.charts.pareto import pareto

__all__ = ["day", "memory_bar", "memory_curve", "pareto"]
