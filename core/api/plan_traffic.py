"""The traffic that a request of the `plan` verb describes: stated, of a preset, or measured by a trace."""

from __future__ import annotations

from core.api.plan_request import LEAST_REQUESTS, MOST_REQUESTS, PlanRequest
from core.api.requests import Spread
from core.errors import BadRequest
from core.traffic import Lengths, Traffic, fixed, lognormal
from core.traffic.traffic import SECONDS

RATES = {f"requests_per_{unit}": seconds for unit, seconds in SECONDS.items()}
"""Fields that state a rate, and the seconds of their unit."""


def traffic_of(request: PlanRequest) -> Traffic:
    """Return the traffic of *request*.

    Raises:
        BadRequest: no rate or several, no lengths, or values that do not go together.
    """
    return Traffic(
        rate=_rate(request),
        input=_lengths("input_tokens", request.input_tokens),
        output=_lengths("output_tokens", request.output_tokens),
        peak=request.peak_factor or 1.0,
        prefix_hits=request.prefix_cache_hit_rate or 0.0,
    )


def _rate(request: PlanRequest) -> float:
    """Return the mean requests per second that *request* states."""
    given = [name for name in RATES if getattr(request, name) is not None]
    if len(given) > 1:
        raise BadRequest("plan.two_rates", field=given[1], given=", ".join(given))
    if not given:
        raise BadRequest("plan.no_rate", field="requests_per_second", choices=", ".join(RATES))
    stated = float(getattr(request, given[0]))
    rate = stated / RATES[given[0]]
    peak = rate * (request.peak_factor or 1.0)
    if rate < LEAST_REQUESTS or peak > MOST_REQUESTS:
        raise BadRequest(
            "plan.absurd_rate",
            field=given[0],
            value=stated,
            rate=rate,
            peak=peak,
            least=LEAST_REQUESTS,
            most=MOST_REQUESTS,
        )
    return rate


def _lengths(field: str, given: float | Spread | None) -> Lengths:
    if given is None:
        raise BadRequest("plan.no_lengths", field=field)
    if isinstance(given, Spread):
        return lognormal(given.mean, given.p95, field=f"{field}.p95")
    return fixed(given)
