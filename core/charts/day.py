"""A day of a plan: requests by the hour against what its replicas serve, with the line that the headroom draws."""

from __future__ import annotations

from typing import Any

from core.planning.day import DayCurve
from core.quantities import format_digits
from core.text import text

HEIGHT = 320
TICKS = range(0, 25, 4)


def day(curve: DayCurve, language: str = "en") -> dict[str, Any]:
    """Return the figure: the load as an area of steps, the stable load, the headroom's line, hours above it."""
    top = 1.18 * max(curve.stable, *curve.rate)
    return {
        "data": [_load(curve, language)],
        "layout": {
            "height": HEIGHT,
            "margin": {"l": 60, "r": 16, "t": 12, "b": 46},
            "xaxis": {
                "range": [0, 24],
                "tickvals": list(TICKS),
                "ticktext": [f"{hour}:00" for hour in TICKS],
                "title": {"text": text("chart.hour", language), "standoff": 8},
                "automargin": False,
                "showgrid": False,
            },
            "yaxis": {
                "range": [0, top],
                "nticks": 6,
                "title": {"text": text("chart.requests_per_s", language), "standoff": 6},
                "automargin": False,
            },
            "hovermode": "closest",
            "showlegend": False,
            "shapes": [
                *(_band(hour, top) for hour in curve.above),
                _line(curve.stable, "token:limit", "solid"),
                _line(curve.line, "token:warn", "dash"),
            ],
            "annotations": [
                _note(curve.stable, text("chart.stable_load", language, rate=format_digits(curve.stable, 2))),
                *(
                    [_note(curve.line, text("chart.headroom", language, rate=format_digits(curve.line, 2)))]
                    if curve.stable - curve.line > 0.07 * top
                    else []
                ),
            ],
        },
    }


def _load(curve: DayCurve, language: str) -> dict[str, Any]:
    rates = [*curve.rate, curve.rate[-1]]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(range(25)),
        "y": rates,
        "name": text("chart.load", language),
        "text": [
            text(
                "chart.hour_told",
                language,
                start=hour % 24,
                end=hour % 24 + 1,
                rate=format_digits(rate, 2),
                used=f"{rate / curve.stable:.0%}",
                needed=curve.needed[hour % 24],
                replicas=curve.replicas,
            )
            for hour, rate in enumerate(rates)
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": "token:first", "width": 2.5, "shape": "hv"},
        "fill": "tozeroy",
        "fillcolor": "token:area",
    }


def _line(height: float, color: str, dash: str) -> dict[str, Any]:
    line = {"color": color, "width": 2, "dash": dash}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height, "line": line}


def _band(hour: int, top: float) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": hour,
        "x1": hour + 1,
        "y0": 0,
        "y1": top,
        "fillcolor": "token:warn",
        "opacity": 0.16,
        "line": {"width": 0},
        "layer": "below",
    }


def _note(height: float, label: str) -> dict[str, Any]:
    return {
        "text": label,
        "xref": "paper",
        "x": 0,
        "y": height,
        "xanchor": "left",
        "yanchor": "bottom",
        "xshift": 4,
        "showarrow": False,
        "font": {"size": 12},
        "borderpad": 0,
    }
