"""The figures of a plan as they are printed: no more digits than their bands support, "unstable" beyond the load."""

from __future__ import annotations

import math

from core.memory.headline import Estimate
from core.planning.result import Plan
from core.quantities import format_digits, format_seconds
from core.text import text


def is_stable(plan: Plan) -> bool:
    """Return whether the load of the busiest hour is below the one at which queues grow without end."""
    return plan.service.rate < plan.service.stable and all(map(math.isfinite, plan.service.ttft.values()))


def estimate(plan: Plan, name: str, share: float = 0.99) -> Estimate:
    """Return *name* (ttft, tpot, request) in seconds with its band; of `ttft` that at *share*, the asked one."""
    service = plan.service
    value = {"ttft": service.ttft[share], "tpot": service.tpot, "request": service.request}[name]
    return Estimate(value, *service.bands.get(name, (value, value)))


def shown(plan: Plan, name: str, language: str, share: float = 0.99) -> str:
    """Return *name* as it is printed; `ttft` at another than the asked share has the digits of the asked one."""
    if not is_stable(plan):
        return text("plan_page.unstable", language)
    found = estimate(plan, name, share)
    return _spell(name, found.value, min(3, found.digits))


def ranged(plan: Plan, name: str, share: float = 0.99) -> str | None:
    """Return the ends of the band, "190 – 310 ms"; None where there is none, or no end."""
    found = estimate(plan, name, share)
    if not is_stable(plan) or not found.high > found.low or not math.isfinite(found.high):
        return None
    digits = min(3, found.digits)
    low, high = _spell(name, found.low, digits), _spell(name, found.high, digits)
    if low.split()[1] == high.split()[1]:
        low = low.split()[0]
    return f"{low} – {high}"


def _spell(name: str, seconds: float, digits: int) -> str:
    """Return a latency in the unit that people use for its kind: whole requests take seconds."""
    return f"{format_digits(seconds, digits)} s" if name == "request" else format_seconds(seconds, digits)


def utilisation(plan: Plan) -> str:
    """Return the share of the stable load that is used, in per cent."""
    return f"{plan.service.utilisation:.0%}"


def percentile(share: float) -> str:
    """Return *share* as people say it.

    >>> percentile(0.99), percentile(0.5)
    ('P99', 'P50')
    """
    return f"P{format_digits(share * 100, 3).removesuffix('.0')}"
