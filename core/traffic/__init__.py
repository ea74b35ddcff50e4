"""What is asked of a deployment: how many requests a second, when, and how long they are."""

from core.traffic.day import typical_day
from core.traffic.lengths import Lengths, fixed, from_values, lognormal
from core.traffic.presets import Preset, presets
from core.traffic.state import traffic_of
from core.traffic.trace import Fault, Trace, read_trace
from core.traffic.traffic import Traffic

__all__ = [
    "Fault",
    "Lengths",
    "Preset",
    "Trace",
    "Traffic",
    "fixed",
    "from_values",
    "lognormal",
    "presets",
    "read_trace",
    "traffic_of",
    "typical_day",
]
