"""What the figures of quotes share: the colour and dash of each quote, lines, notes, and a linear axis of dollars."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, takewhile
from math import floor, log10
from typing import Any

from core.planning.fair import Answer
from core.quantities import short_usd

COLORS = ("token:first", "token:second", "token:third", "token:fourth", "token:fifth")
DASHES = ("solid", "dash", "dot", "dashdot")
MOST = 8
"""Quotes that a figure shows: more could not be told apart."""


def shown(answer: Answer, also: tuple[int, int] | None = None) -> list[int]:
    """Return MOST quotes that a figure shows, in the order of the table: those of *also*, then the cheapest."""
    first = dict.fromkeys((*(also or ()), *answer.order))
    return sorted(list(first)[:MOST])


def short_name(name: str, most: int) -> str:
    """Return *name* in *most* signs: what is left out is in the middle, for names often differ at their ends.

    >>> short_name("Northern Cloud, framework agreement, lot 12", 24)
    'Northern Cloud,…t, lot 12'
    """
    tail = most * 2 // 5
    return name if len(name) <= most + 1 else f"{name[: most - tail].rstrip()}…{name[-tail:].lstrip()}"


def color_of(place: int) -> str:
    """Return the colour of quote *place*, the same in all figures."""
    return COLORS[place % len(COLORS)]


def line_of(place: int) -> dict[str, Any]:
    """Return how the curve of quote *place* is drawn; those of like colour differ in their dashes."""
    dash = DASHES[(place % len(COLORS) + place // len(COLORS)) % len(DASHES)]
    return {"color": color_of(place), "width": 2.5, "dash": dash}


def legend_of(answer: Answer, places: Sequence[int]) -> list[dict[str, Any]]:
    """Return the legend of the quotes at *places*."""
    return [
        {"color": color_of(place), "opacity": 1, "text": short_name(answer.quotes[place].name, 60)}
        for place in places
    ]


def usd_axis(top: float, bottom: float = 0.0) -> dict[str, Any]:
    """Return a linear axis from *bottom* to *top* US dollars, with four to seven round ticks."""
    span = top - bottom or 1.0
    power = 10.0 ** floor(log10(span / 4))
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= span / 6)
    first = -floor(-bottom / step)
    ticks = list(takewhile(lambda tick: tick <= top, (round(number * step, 12) for number in count(first))))
    return {
        "range": [bottom, top],
        "tickvals": ticks,
        "ticktext": [f"−{short_usd(-tick)}" if tick < 0 else short_usd(tick) for tick in ticks],
        "automargin": False,
        "zeroline": False,
    }


def mark(text: str, x: float, y: float, share: float) -> dict[str, Any]:
    """Return a note with an arrow at a point that lies at *share* of the axis, so that a narrow figure holds it.

    In the first quarter it begins right of the point, near the end it ends left of it, else it stands above.
    """
    anchor, away = ("left", 40) if share < 0.25 else ("right", -40) if share > 0.8 else ("center", -30)
    return {
        "text": text,
        "x": x,
        "y": y,
        "ax": away,
        "ay": -46,
        "xanchor": anchor,
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 1.5,
        "arrowcolor": "token:text",
        "font": {"size": 13},
        "bgcolor": "token:ground",
        "borderpad": 2,
    }
