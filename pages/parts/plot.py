"""plot(figure, key, alt): a Plotly figure that keeps its zoom while its numbers change.

`st.plotly_chart` builds a new chart whenever the figure changes: the zoom is lost and it takes twice the
time. This component hands the figure to `Plotly.react` (plot.js), follows the light or the dark theme,
and has a sentence for those who cannot see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import plotly
import plotly.graph_objects as go
import streamlit as st

SCRIPT = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
ADDRESS = f"vendor/plotly-{version('plotly')}.min.js"
"""Where app.py serves `SCRIPT`, relative to the dashboard; the version lets a browser keep it for ever."""

_component = st.components.v2.component(
    "planner_plot",
    html=(
        '<div class="planner-plot" data-testid="plot" style="width: 100%"></div>'
        '<ul class="planner-legend" data-testid="legend" hidden></ul>'
    ),
    js=Path(__file__).with_name("plot.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # plotly.js keeps its style sheet in the document
)


def plot(
    figure: go.Figure | Mapping[str, Any],
    key: str,
    alt: str,
    height: int | None = None,
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """Draw *figure* in place of the one that the last run drew under the same *key*.

    Args:
        figure: a Figure, or a mapping with "data" and "layout". A colour such as "token:weights" stands
            for a role, which plot.js paints for the light or the dark theme. "legend", a list of {"color",
            "opacity", "text"}, is written below the figure: it wraps on a narrow screen, and takes a
            tenth of the time that Plotly's legend takes.
        key: unique on its page, and the same in each run.
        alt: one sentence with what the figure shows, for screen readers.
        height: pixels; without it the height of the figure's layout, or 320.
        on_pick: called before the next run with the `customdata` of a point that was clicked.
    """
    content = figure.to_plotly_json() if isinstance(figure, go.Figure) else figure
    layout = dict(content.get("layout") or {})
    # Without a template: the theme is applied where the figure is drawn, and Plotly's own is 7 kB.
    layout.pop("template", None)
    height = height or int(layout.pop("height", None) or 320)
    layout["height"] = height
    spec = {
        "alt": alt,
        "height": height,
        "address": ADDRESS,
        "figure": {"data": content.get("data") or [], "layout": layout},
        "legend": content.get("legend") or [],
    }
    content = orjson.dumps(spec, option=orjson.OPT_SERIALIZE_NUMPY, default=_plain)
    _component(key=key, data=content, on_picked_change=lambda: _tell(key, on_pick))


def _tell(key: str, on_pick: Callable[[str], None] | None) -> None:
    picked = getattr(st.session_state.get(key), "picked", None)
    if on_pick is not None and picked:
        on_pick(str(picked))


def _plain(value: Any) -> Any:
    """Return a value that orjson does not know, such as a pandas Series, as a list or a number."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be drawn")
