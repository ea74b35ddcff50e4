"""Parts and limits of a bar of memory: segments, and lines to labels that do not meet, built without annotations.

As annotations of Plotly's they take a large part of the time that drawing takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.quantities import GIB

BAR_TOP, FIRST_FLAG, NEXT_FLAG, CEILING = 0.5, 0.66, 0.19, 1.2
"""Heights on the vertical axis, whose bar reaches from -0.5 to 0.5."""

HEIGHT = 196
"""Pixels of a bar with its limits and axis."""

Mark = tuple[float, str, str]
"""A limit: bytes, label, colour."""


NARROW = 0.045
"""Share of the axis below which a segment has no room for its label."""


def bar(segments: Sequence[dict[str, Any]], marks: list[Mark], end: float) -> dict[str, Any]:
    """Return data and layout of a bar of *segments* with its limits *marks*, on an axis that ends at *end* GiB.

    Limits are shapes and their labels one trace of text, the legend is left to the page: as annotations and a
    legend of Plotly's they take half of the time that drawing takes.
    """
    return {
        "data": [*segments, pole_labels(marks, end)],
        "layout": {
            "height": HEIGHT,
            "barmode": "stack",
            "bargap": 0,
            "margin": {"l": 2, "r": 2, "t": 4, "b": 26},
            "xaxis": gib_axis(end),
            "yaxis": {"range": [-0.5, CEILING], "visible": False, "fixedrange": True, "automargin": False},
            "showlegend": False,
            "hovermode": "closest",
            "shapes": poles(marks, end),
        },
    }


def axis_end(stack: Sequence[tuple[str, float]], marks: list[Mark]) -> float:
    """Return where the axis ends, in GiB: a little behind the bar and all limits; *stack* has (name, bytes)."""
    return 1.02 * max(sum(size for _, size in stack), *(place for place, _, _ in marks), 0.0) / GIB


def gib_axis(end: float) -> dict[str, Any]:
    """Return an axis of GiB from 0 to *end*."""
    return {
        "range": [0, end],
        "ticksuffix": " GiB",
        "nticks": 9,
        "automargin": False,
        "showgrid": False,
        "zeroline": False,
        "ticks": "outside",
    }


def segment(
    size: float, amount: str, end: float, label: str, color: str, *, opacity: float, pale: bool
) -> dict[str, Any]:
    """Return *size* bytes as a part of the bar, on an axis that ends at *end* GiB; *amount* is what it is in words.

    On a *pale* colour the amount is written in the colour of text.
    """
    return {
        "type": "bar",
        "orientation": "h",
        "x": [size / GIB],
        "y": [0],
        "name": label,
        # A label that has no room anyway is not laid out either.
        "text": [amount if size / GIB > NARROW * end else ""],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "insidetextfont": {"size": 12, **({"color": "token:text"} if pale else {})},
        "marker": {"color": color, "opacity": opacity, "line": {"width": 0}},
        "hovertemplate": f"{label}: {amount}<extra></extra>",
    }


def _is_far(marks: list[Mark], end: float) -> bool:
    """Return whether the limits leave room for their labels on the left."""
    return bool(marks) and marks[0][0] / GIB > 0.35 * end


def _flags(marks: list[Mark], end: float) -> list[float]:
    """Return the heights of the limits' labels, so that no label meets another or a pole.

    Labels to the left rise to the right; labels to the right rise to the left, clear of the poles behind them.
    """
    heights = [FIRST_FLAG + NEXT_FLAG * number for number in range(len(marks))]
    return heights if _is_far(marks, end) else heights[::-1]


def poles(marks: list[Mark], end: float) -> list[dict[str, Any]]:
    """Return *marks* as lines from the foot of the bar to their labels, on an axis that ends at *end* GiB."""
    return [
        {
            "type": "line",
            "x0": place / GIB,
            "x1": place / GIB,
            "y0": -BAR_TOP,
            "y1": height,
            "line": {"color": color, "width": 2, "dash": "dash" if color == "token:warn" else "solid"},
        }
        for (place, _, color), height in zip(marks, _flags(marks, end), strict=True)
    ]


def pole_labels(marks: list[Mark], end: float) -> dict[str, Any]:
    """Return the labels of *marks* as one trace of text, on the side of their poles where there is room."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": [place / GIB for place, _, _ in marks],
        "y": _flags(marks, end),
        "text": [f"\u00a0{label}\u00a0" for _, label, _ in marks],
        "textposition": "middle left" if _is_far(marks, end) else "middle right",
        "textfont": {"size": 12},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }
