"""An indicator over time: its series, the bands in which it is flagged, and the lines of capacity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.charts.gpu_heatmap import escaped
from core.monitoring.wording import printed
from core.quantities import GIB
from core.text import text

HEIGHT = 210
MOST_SERIES = 12
"""Curves that can be followed by eye; of more, those that end highest and lowest are drawn."""
COLORS = ("first", "second", "fourth", "third", "fifth")
DASHES = ("solid", "dash", "dot")


@dataclass(frozen=True)
class Band:
    """Values that are flagged: from `low` to `high`, either of which may be infinite; `bad` or a warning."""

    low: float
    high: float
    bad: bool = False


@dataclass(frozen=True)
class Line:
    """A height that means something, such as the share of memory that an engine reserves."""

    height: float
    label: str


@dataclass(frozen=True)
class Timeline:
    """What is drawn: `times` (n,) in unix seconds, `values` (series, n) with NaN in gaps, from `start` to `end`."""

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    names: Sequence[str]
    unit: str
    title: str
    start: float
    end: float
    bands: Sequence[Band] = ()
    lines: Sequence[Line] = ()
    stale: bool = False


def timeline(shown: Timeline, offset_s: float = 0.0, language: str = "en") -> dict[str, Any]:
    """Return the figure. *offset_s* is what the reader's clock is ahead of UTC, so that the axis tells their time."""
    kept = drawn(shown)
    top, bottom = _ends(shown, kept)
    scale = 1 / GIB if shown.unit == "bytes" else 1.0
    return {
        "data": [_curve(shown, index, place, offset_s, scale) for place, index in enumerate(kept)],
        "layout": {
            "height": HEIGHT,
            "margin": {"l": 66, "r": 10, "t": 8, "b": 24},
            "uirevision": f"{shown.title}{round(shown.end - shown.start)}",
            "xaxis": {
                "type": "date",
                "range": [(shown.start + offset_s) * 1000, (shown.end + offset_s) * 1000],
                "nticks": 6,
                "showgrid": False,
                "automargin": False,
            },
            "yaxis": {"range": [bottom * scale, top * scale], "automargin": False, "zeroline": False}
            | _ticks(shown.unit, bottom, top, scale),
            "hovermode": "x" if len(kept) == 1 else "closest",
            "showlegend": False,
            "shapes": [
                *(shape for band in shown.bands for shape in _band(band, bottom, top, scale)),
                *(_line(line.height * scale, "token:muted", "dash") for line in shown.lines),
            ],
            "annotations": [_note(line, scale) for line in shown.lines if bottom <= line.height <= top],
        },
        "legend": _legend(shown, kept, language),
    }


def timeline_alt(shown: Timeline, language: str = "en") -> str:
    """Return the sentence for `timeline`: the last values, or that there are none."""
    last = _last(shown.values)
    measured = last[~np.isnan(last)]
    if not measured.size:
        return text("monitor_chart.timeline_alt_none", language, title=shown.title)
    return text(
        "monitor_chart.timeline_alt",
        language,
        title=shown.title,
        count=len(shown.names),
        low=printed(float(measured.min()), shown.unit),
        high=printed(float(measured.max()), shown.unit),
    )


def drawn(shown: Timeline) -> list[int]:
    """Return which series are drawn: all, or of many those whose last values are the highest and the lowest."""
    count = len(shown.names)
    if count <= MOST_SERIES:
        return list(range(count))
    order = [int(place) for place in np.argsort(np.nan_to_num(_last(shown.values), nan=-math.inf))]
    half = MOST_SERIES // 2
    return sorted({*order[:half], *order[-half:]})


def _last(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the last value of each series that is a number, NaN where none is."""
    count, length = values.shape
    if not length:
        return np.full(count, np.nan)
    known = ~np.isnan(values)
    place = length - 1 - np.argmax(known[:, ::-1], axis=1)
    found: NDArray[np.float64] = values[np.arange(count), place]
    return found


def _ends(shown: Timeline, kept: Sequence[int]) -> tuple[float, float]:
    """Return top and bottom of the axis: they hold the curves, the lines, and the limits that are near."""
    values = shown.values[list(kept)] if kept else shown.values
    measured = values[~np.isnan(values)]
    highest = max([float(measured.max()) if measured.size else 0.0, *(line.height for line in shown.lines)])
    lowest = min(0.0, float(measured.min()) if measured.size else 0.0)
    if shown.unit == "celsius" and measured.size:
        lowest = max(0.0, float(measured.min()) - 10)
    limits = [edge for band in shown.bands for edge in (band.low, band.high) if math.isfinite(edge)]
    near = [edge for edge in limits if edge <= 3 * highest or not highest]
    top = max([highest * 1.08, *(edge * 1.12 for edge in near)])
    if shown.unit == "ratio":
        top = min(top, 1.04) if highest <= 1 else top
    return top if top > lowest else lowest + 1.0, lowest


def _ticks(unit: str, bottom: float, top: float, scale: float) -> dict[str, Any]:
    """Return round ticks, printed as readings are."""
    step = _step((top - bottom) / 5, unit)
    first = math.ceil(bottom / step)
    heights = [step * number for number in range(first, math.floor(top / step + 1e-9) + 1)]
    return {
        "tickvals": [height * scale for height in heights],
        "ticktext": [_tick(height, unit) for height in heights],
    }


def _tick(height: float, unit: str) -> str:
    """Return a round number as an axis has room for it.

    >>> _tick(20_000.0, "tokens/s"), _tick(0.5, "ratio"), _tick(1.5, "s"), _tick(20 * GIB, "bytes")
    ('20k tok/s', '50 %', '1,500 ms', '20 GiB')
    """
    if unit == "bytes":
        return f"{height / GIB:,.6g} GiB"
    if abs(height) < 10_000 or unit == "s":
        return printed(height, unit)
    return printed(round(height / 1000), unit).replace(" ", "k ", 1)


def _step(least: float, unit: str) -> float:
    unit_size = GIB if unit == "bytes" else 1.0
    power: float = 10.0 ** math.floor(math.log10(least / unit_size)) * unit_size
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * 0.999)


def _curve(shown: Timeline, index: int, place: int, offset_s: float, scale: float) -> dict[str, Any]:
    values = shown.values[index]
    color = "muted" if shown.stale else COLORS[place % len(COLORS)]
    name = escaped(shown.names[index])
    return {
        "type": "scatter",
        "mode": "lines",
        "x": (shown.times + offset_s) * 1000,
        "y": values * scale,
        "name": name,
        "text": [f"{name}<br>{printed(float(value), shown.unit)}" for value in values],
        "hovertemplate": "%{x|%H:%M:%S}<br>%{text}<extra></extra>",
        "line": {"color": f"token:{color}", "width": 2, "dash": DASHES[place // len(COLORS) % len(DASHES)]},
        "connectgaps": False,
    }


def _band(band: Band, bottom: float, top: float, scale: float) -> list[dict[str, Any]]:
    """Return the area of a band, and the limit at which it begins; nothing where it lies outside the axis."""
    low, high = max(band.low, bottom), min(band.high, top)
    if low >= high:
        return []
    color = "token:limit" if band.bad else "token:warn"
    area = {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": low * scale,
        "y1": high * scale,
        "fillcolor": color,
        "opacity": 0.13,
        "line": {"width": 0},
        "layer": "below",
    }
    edges = [edge for edge in (band.low, band.high) if bottom < edge < top]
    return [area, *(_line(edge * scale, color, "dot") for edge in edges)]


def _line(height: float, color: str, dash: str) -> dict[str, Any]:
    line = {"color": color, "width": 1.5, "dash": dash}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height, "line": line}


def _note(line: Line, scale: float) -> dict[str, Any]:
    return {
        "text": escaped(line.label),
        "xref": "paper",
        "x": 1,
        "y": line.height * scale,
        "xanchor": "right",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 11},
        "bgcolor": "token:ground",
        "borderpad": 1,
    }


def _legend(shown: Timeline, kept: Sequence[int], language: str) -> list[dict[str, Any]]:
    if len(kept) < 2:
        return []
    last = _last(shown.values)
    listed = [
        {
            "color": "token:muted" if shown.stale else f"token:{COLORS[place % len(COLORS)]}",
            "opacity": 1,
            "text": f"{shown.names[index]} {printed(float(last[index]), shown.unit)}",
        }
        for place, index in enumerate(kept)
    ]
    left_out = len(shown.names) - len(kept)
    if left_out:
        more = text("monitor_chart.left_out", language, count=left_out)
        listed.append({"color": "token:free", "opacity": 1, "text": more})
    return listed


def clock(at: float, offset_s: float = 0.0) -> str:
    """Return the time of day of unix time *at* on the reader's clock.

    >>> clock(1_700_000_000), clock(1_700_000_000, 3600)
    ('22:13', '23:13')
    """
    return datetime.fromtimestamp(at + offset_s, UTC).strftime("%H:%M")
