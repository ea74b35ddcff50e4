"""What a million tokens cost for each quote, by how much of the time its GPUs work."""

from __future__ import annotations

import math
from typing import Any

from core.charts.axes import log_axis
from core.charts.quotes_axes import color_of, legend_of, line_of, shown
from core.planning.fair import LOADS, Answer
from core.quantities import format_usd, short_usd
from core.text import text

HEIGHT = 380


def utilisation(answer: Answer, language: str = "en") -> dict[str, Any]:
    """Return the figure: a curve for each quote that holds the model, with a point at its load."""
    drawn = _drawn(answer)
    if not drawn:
        return {"data": [], "layout": {"height": HEIGHT}}
    heights = [float(usd) for curve in drawn.values() for usd in curve]
    axis = log_axis(heights, short_usd)
    data = [_curve(answer, place, curve, language) for place, curve in drawn.items()]
    return {
        "data": [*data, *(_point(answer, place, language) for place in drawn)],
        "layout": {
            "height": HEIGHT,
            "margin": {"l": 64, "r": 16, "t": 14, "b": 48},
            "xaxis": {
                "range": [0, 1.02],
                "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1.0],
                "ticktext": ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"],
                "title": {"text": text("chart.used", language), "standoff": 8},
                "automargin": False,
                "showgrid": False,
            },
            "yaxis": {**axis, "title": {"text": text("chart.per_million", language), "standoff": 6}},
            "hovermode": "closest",
            "showlegend": False,
        },
        "legend": legend_of(answer, list(drawn)),
    }


def utilisation_alt(answer: Answer, language: str = "en") -> str:
    """Return the sentence for `utilisation`: the cost at a tenth of the time and at all of it."""
    parts = ", ".join(
        text(
            "chart.utilisation_part",
            language,
            name=answer.quotes[place].name,
            tenth=format_usd(curve[LOADS.index(0.1)]),
            all=format_usd(curve[-1]),
        )
        for place, curve in _drawn(answer).items()
    )
    return text("chart.utilisation_alt" if parts else "chart.utilisation_alt_none", language, parts=parts)


def _drawn(answer: Answer) -> dict[int, list[float]]:
    """Return the curves of the quotes that hold the model."""
    found = {place: answer.by_load(place) for place in shown(answer)}
    return {place: [float(usd) for usd in curve] for place, curve in found.items() if curve is not None}


def _curve(answer: Answer, place: int, curve: list[float], language: str) -> dict[str, Any]:
    name = answer.quotes[place].name
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(LOADS),
        "y": curve,
        "name": name,
        "text": [
            text("chart.used_told", language, name=name, used=f"{share:.0%}", usd=format_usd(usd))
            for share, usd in zip(LOADS, curve, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "line": line_of(place),
    }


def _point(answer: Answer, place: int, language: str) -> dict[str, Any]:
    """Return the point of the load; one beyond what the GPUs serve lies at their limit."""
    used = min(answer.used(place) or 0.0, 1.0)
    usd = answer.tokens(place) or math.nan
    name = answer.quotes[place].name
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [used],
        "y": [usd],
        "name": f"{name}: now",
        "text": [text("chart.used_told", language, name=name, used=f"{used:.0%}", usd=format_usd(usd))],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": color_of(place), "size": 11, "line": {"color": "token:text", "width": 2}},
        "cliponaxis": False,
    }
