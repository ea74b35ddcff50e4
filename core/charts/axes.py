"""Axes whose ends and ticks are worked out here, so that a figure is drawn in one go."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

STEPS = ((1, 1.5, 2, 3, 4, 5, 6, 7, 8), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
"""Ticks within a decade, the most first."""

NEAREST = 0.13
"""Share of the axis between two ticks, at least: their numbers have room on a telephone."""


def log_axis(values: Sequence[float], show: Callable[[float], str]) -> dict[str, Any]:
    """Return a logarithmic axis that holds *values*, or a linear one from zero where not all are above zero."""
    low, high = min(values), max(values)
    if low <= 0:
        return {"type": "linear", "range": [-0.05 * (high or 1), 1.1 * (high or 1)], "automargin": False}
    pad = max(0.08, 0.07 * math.log10(high / low))
    ends = math.log10(low) - pad, math.log10(high) + pad
    ticks = ticks_between(10 ** ends[0], 10 ** ends[1])
    return {
        "type": "log",
        "range": list(ends),
        "tickvals": ticks,
        "tickangle": 0,
        "ticktext": [show(tick) for tick in ticks],
        "automargin": False,
        "zeroline": False,
    }


def ticks_between(low: float, high: float) -> list[float]:
    """Return round numbers from *low* to *high*: as many of each decade as have room.

    >>> ticks_between(80, 1200), ticks_between(1, 1e9)
    ([100.0, 200.0, 500.0, 1000.0], [1.0, 100.0, 10000.0, 1000000.0, 100000000.0])
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    room = NEAREST * math.log10(high / low)
    for steps in STEPS:
        found = [step * 10.0**power for power in powers for step in steps]
        inside = [tick for tick in found if low <= tick <= high * (1 + 1e-9)]
        if all(math.log10(after / before) >= room for before, after in pairwise(inside)):
            return inside or [math.sqrt(low * high)]
    return inside[:: math.ceil(room / math.log10(inside[1] / inside[0]))]
