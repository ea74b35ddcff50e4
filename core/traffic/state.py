"""Traffic from the numbers that a person states, checked field by field."""

from __future__ import annotations

import math

from core.errors import BadRequest
from core.traffic.day import HOURS
from core.traffic.lengths import Lengths
from core.traffic.traffic import SECONDS, Traffic

LEAST_RATE, MOST_RATE = 1e-6, 1e6
"""Requests per second that can be planned for: three a month, and more than all public services together."""


def traffic_of(
    rate: float,
    input: Lengths,  # noqa: A002 - the name of the field
    output: Lengths,
    *,
    per: str = "second",
    peak: float = 1.0,
    prefix_hits: float = 0.0,
) -> Traffic:
    """Return the traffic of *rate* requests per second, minute, hour or day on average.

    Raises:
        BadRequest: a value out of range, with the name of its field.
    """
    if per not in SECONDS:
        raise BadRequest("traffic.per", field="per", value=per, choices=", ".join(SECONDS))
    _check(f"requests_per_{per}", rate, LEAST_RATE * SECONDS[per], MOST_RATE * SECONDS[per])
    if not 1.0 <= peak <= HOURS:
        raise BadRequest("traffic.peak", field="peak_factor", value=peak, most=HOURS)
    _check("prefix_cache_hit_rate", prefix_hits, 0.0, 1.0)
    for field, lengths in (("input_tokens", input), ("output_tokens", output)):
        _check(field, lengths.mean, 1.0, 1e8)
    return Traffic(rate / SECONDS[per], input, output, peak, prefix_hits)


def _check(field: str, value: float, least: float, most: float) -> None:
    if not (math.isfinite(value) and least <= value <= most):
        raise BadRequest("traffic.range", field=field, name=field, value=value, least=least, most=most)
