"""What each quote may cost: a bar for eight of ten draws, a thin line for nine of ten, and the middle."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.charts.quotes_axes import color_of, short_name, shown, usd_axis
from core.cost.uncertainty import Measure
from core.planning.fair import Answer
from core.quantities import format_usd
from core.text import text

ROW = 52
SPACE = 64
LONGEST = 30


def spread(answer: Answer, measure: Measure, language: str = "en") -> dict[str, Any]:
    """Return the figure: the percentiles of `fair.SHARES` of each quote that *measure* is known of."""
    rows = drawn(answer, measure)
    if not rows:
        return {"data": [], "layout": {"height": SPACE}}
    top = 1.08 * max(values[-1] for values in rows.values())
    title = text("chart.per_million" if measure == "per_million" else "chart.usd_year", language)
    return {
        "data": [
            trace
            for row, (place, values) in enumerate(rows.items())
            for trace in _range((answer.quotes[place].name, place), row, values, language)
        ],
        "layout": {
            "height": SPACE + ROW * len(rows),
            "margin": {"l": 8, "r": 16, "t": 12, "b": 44},
            "xaxis": {**usd_axis(top), "title": {"text": title, "standoff": 8}},
            "yaxis": {
                "range": [len(rows) - 0.5, -0.5],
                "tickvals": list(range(len(rows))),
                "ticktext": [short_name(answer.quotes[place].name, LONGEST) for place in rows],
                "automargin": True,
                "showgrid": False,
                "ticks": "",
            },
            "hovermode": "closest",
            "showlegend": False,
        },
    }


def spread_alt(answer: Answer, measure: Measure, language: str = "en") -> str:
    """Return the sentence for `spread`: the middle of each quote and where eight of ten draws lie."""
    parts = ", ".join(
        text(
            "chart.spread_part",
            language,
            name=answer.quotes[place].name,
            middle=format_usd(values[2]),
            low=format_usd(values[1]),
            high=format_usd(values[3]),
        )
        for place, values in drawn(answer, measure).items()
    )
    return text("chart.spread_alt", language, parts=parts or "–")


def drawn(answer: Answer, measure: Measure) -> dict[int, list[float]]:
    """Return the percentiles of the quotes of which *measure* is known."""
    found = {place: answer.spreads[measure][place] for place in shown(answer)}
    return {
        place: [float(usd) for usd in values] for place, values in found.items() if np.isfinite(values).all()
    }


def _range(quote: tuple[str, int], row: int, values: list[float], language: str) -> list[dict[str, Any]]:
    """Return the lines and the mark of a *quote*, its name and place, in *row*."""
    name, place = quote
    told = text(
        "chart.spread_told",
        language,
        name=name,
        **dict(zip(("p5", "p10", "p50", "p90", "p95"), map(format_usd, values), strict=True)),
    )
    color = color_of(place)
    common = {"type": "scatter", "text": told, "hovertemplate": "%{text}<extra></extra>"}
    return [
        {
            **common,
            "mode": "lines",
            "x": [values[0], values[4]],
            "y": [row] * 2,
            "line": {"color": color, "width": 2},
        },
        {
            **common,
            "mode": "lines",
            "x": [values[1], values[3]],
            "y": [row] * 2,
            "line": {"color": color, "width": 14},
        },
        {
            **common,
            "mode": "markers",
            "x": [values[2]],
            "y": [row],
            "marker": {
                "color": "token:text",
                "symbol": "line-ns",
                "size": 20,
                "line": {"color": "token:text", "width": 3},
            },
        },
    ]
