"""The two charts of a report as inline SVG, so that the file needs no script. Colours are those of page.css."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.quantities import short_usd
from core.report.markup import Html, element, joined

COLOURS = 8
"""Colours of page.css; further quotes begin again, with broken lines."""

WIDTH, HEIGHT = 760.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 12.0, 12.0, 34.0
BAR = 34.0
NAME = 190.0
LONGEST = 26


def line_chart(title: str, axis: str, names: Sequence[str], lines: Sequence[Sequence[float]]) -> Html:
    """Return *lines* of US dollars by month as curves, with a legend of *names*; *axis* says what months are.

    A curve that does not begin at 0 month by month is drawn as it is: point m is month m.
    """
    last = max(len(line) for line in lines) - 1
    low, high, step = scale(min(0.0, *(min(line) for line in lines)), max(max(line) for line in lines))

    def x(month: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * month / max(last, 1)

    def y(usd: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - usd) / (high - low)

    parts = [_level(y(low + step * at), short_usd(low + step * at)) for at in range(_count(low, high, step))]
    every = max(1, 12 * math.ceil(last / 120))
    parts += [_label(x(month), HEIGHT - 16, f"{month}", "middle") for month in range(0, last + 1, every)]
    parts.append(_label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 2, axis, "middle"))
    for at, line in enumerate(lines):
        points = " ".join(f"{x(month):.1f},{y(usd):.1f}" for month, usd in enumerate(line))
        parts.append(element("polyline", points=points, class_=_series(at)))
    return joined([_svg(title, HEIGHT, parts), _legend(names)])


def bar_chart(
    title: str, names: Sequence[str], usd: Sequence[float], bands: Sequence[tuple[float, float]] | None
) -> Html:
    """Return *usd* as bars with *names* before them, and thin lines from the low to the high of *bands*."""
    ends = [one for band in bands or () for one in band]
    low, high, step = scale(min(0.0, *usd, *ends), max(*usd, *ends, 0.0))
    height = TOP + BAR * len(usd) + BOTTOM

    def x(value: float) -> float:
        return NAME + (WIDTH - NAME - 4 * RIGHT) * (value - low) / (high - low)

    parts = []
    for at in range(_count(low, high, step)):
        place = x(low + step * at)
        parts.append(element("line", x1=place, x2=place, y1=TOP, y2=height - BOTTOM, class_="grid"))
        parts.append(_label(place, height - 14, short_usd(low + step * at), "middle"))
    for at, value in enumerate(usd):
        top = TOP + BAR * at
        parts.append(_label(NAME - 8, top + BAR / 2 + 4, _short(names[at]), "end"))
        start, end = sorted((x(0.0), x(value)))
        bar = {"x": start, "y": top + 7, "width": end - start, "height": BAR - 14}
        parts.append(element("rect", class_=_series(at), **bar))
        if bands is not None:
            parts += _whisker(x(bands[at][0]), x(bands[at][1]), top + BAR / 2)
    return _svg(title, height, parts)


def scale(low: float, high: float, count: int = 5) -> tuple[float, float, float]:
    """Return a round low, high and step of an axis for values from *low* to *high*.

    >>> scale(0.0, 930_000.0)
    (0.0, 1000000.0, 200000.0)
    """
    width = high - low if high > low else 1.0
    rough = width / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in (1.0, 2.0, 2.5, 5.0, 10.0) if power * one >= rough * 0.999)
    return math.floor(low / step) * step, math.ceil((low + width) / step - 1e-9) * step, step


def _count(low: float, high: float, step: float) -> int:
    return round((high - low) / step) + 1


def _series(at: int) -> str:
    return f"s{at % COLOURS}" + (" broken" if at >= COLOURS else "")


def _svg(title: str, height: float, parts: Sequence[Html]) -> Html:
    return element(
        "svg",
        element("title", title),
        *parts,
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_label=title,
    )


def _level(y: float, text: str) -> Html:
    line = element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid")
    return joined([line, _label(LEFT - 6, y + 4, text, "end")])


def _label(x: float, y: float, text: str, anchor: str) -> Html:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)


def _whisker(low: float, high: float, y: float) -> list[Html]:
    ends = [element("line", x1=one, x2=one, y1=y - 5, y2=y + 5, class_="whisker") for one in (low, high)]
    return [element("line", x1=low, x2=high, y1=y, y2=y, class_="whisker"), *ends]


def _legend(names: Sequence[str]) -> Html:
    key = [element("li", element("span", class_=f"key {_series(at)}"), name) for at, name in enumerate(names)]
    return element("ul", *key, class_="legend")


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
