"""The shape of a day: how the rate of each hour compares with the mean of the day."""

from __future__ import annotations

import math

from core.errors import BadRequest

HOURS = 24

BUSIEST = 15
"""The hour, from 0 to 23, in which a typical day is busiest. Assumption: afternoon of the users' own time zone."""


def typical_day(peak: float) -> tuple[float, ...]:
    """Return the rate of 24 hours, midnight first, as multiples of their mean; the largest is *peak*.

    A raised cosine: 1 + (peak - 1) cos(phi), which touches zero at night where the peak is 2. Higher peaks take
    a power of it, (1 + cos(phi))^k, which makes the day shorter. An assumption, for traffic without a trace.

    Raises:
        BadRequest: *peak* is not from 1 to 24: all requests of a day in one hour.

    >>> [round(rate, 2) for rate in typical_day(1.5)[:4]]
    [0.65, 0.57, 0.52, 0.5]
    """
    if not 1.0 <= peak <= HOURS:
        raise BadRequest("traffic.peak", field="peak_factor", value=peak, most=HOURS)
    cosines = [math.cos(2.0 * math.pi * (hour - BUSIEST) / HOURS) for hour in range(HOURS)]
    if peak <= 2.0:
        return tuple(1.0 + (peak - 1.0) * cosine for cosine in cosines)
    halves = [max(0.0, 0.5 * (1.0 + cosine)) for cosine in cosines]
    low, high = 0.0, 10.0
    for _ in range(60):  # the peak grows with log(power)
        middle = 0.5 * (low + high)
        if _mean(halves, math.exp(middle)) * peak > 1.0:
            low = middle
        else:
            high = middle
    power = math.exp(high)
    rates = [half**power for half in halves]
    total = sum(rates) / HOURS
    return tuple(rate / total for rate in rates)


def _mean(halves: list[float], power: float) -> float:
    return math.fsum(half**power for half in halves) / HOURS
