"""The servers that run in each hour of a day: those that are kept all day, and the rest on top of them."""

from __future__ import annotations

from typing import Any

from core.charts.quotes_axes import COLORS, short_name
from core.planning.mix import Mix
from core.quantities import format_usd
from core.text import text
from core.traffic.day import HOURS

HEIGHT = 280
TICKS = range(0, HOURS + 1, 4)


def mix(found: Mix, language: str = "en") -> dict[str, Any]:
    """Return the figure: bars of 24 hours, midnight first."""
    kept = (found.kept,) * HOURS
    top = 1.12 * max(found.kept + found.most, 1)
    step = max(1, round(top / 5))
    return {
        "data": [
            _bars(kept, found.base.name, COLORS[0], language),
            _bars(found.hours, found.rest.name, COLORS[1], language),
        ],
        "layout": {
            "height": HEIGHT,
            "margin": {"l": 56, "r": 16, "t": 14, "b": 48},
            "barmode": "stack",
            "bargap": 0.12,
            "xaxis": {
                "range": [0, HOURS],
                "tickvals": list(TICKS),
                "ticktext": [f"{hour}:00" for hour in TICKS],
                "title": {"text": text("chart.hour", language), "standoff": 8},
                "automargin": False,
                "showgrid": False,
            },
            "yaxis": {
                "range": [0, top],
                "tickvals": list(range(0, int(top) + 1, step)),
                "title": {"text": text("chart.servers", language), "standoff": 6},
                "automargin": False,
            },
            "hovermode": "closest",
            "showlegend": False,
        },
        "legend": [
            {"color": color, "opacity": 1, "text": text(f"chart.{key}", language, name=short_name(name, 60))}
            for color, key, name, count in (
                (COLORS[0], "all_day", found.base.name, found.kept),
                (COLORS[1], "when_busy", found.rest.name, found.most),
            )
            if count
        ],
    }


def mix_alt(found: Mix, language: str = "en") -> str:
    """Return the sentence for `mix`: how many servers run all day, how many more when busy, and what a year costs."""
    return text(
        "chart.mix_alt",
        language,
        kept=found.kept,
        base=found.base.name,
        most=found.most,
        rest=found.rest.name,
        usd=format_usd(found.yearly),
    )


def _bars(counts: tuple[int, ...], name: str, color: str, language: str) -> dict[str, Any]:
    told = [
        text("chart.servers_told", language, start=hour, end=hour + 1, count=count, name=name)
        for hour, count in enumerate(counts)
    ]
    return {
        "type": "bar",
        "x": [hour + 0.5 for hour in range(HOURS)],
        "y": list(counts),
        "name": name,
        "text": told,
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": color},
    }
