"""A day of a plan: how full its replicas are hour by hour, and how many would be enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import BadRequest
from core.planning.result import Plan
from core.traffic.day import HOURS, typical_day


@dataclass(frozen=True)
class DayCurve:
    """The hours of a day, midnight first; each tuple has 24 entries.

    rate         requests/s that arrive in the hour on average
    stable       requests/s at which the queue of all serving replicas would grow without end
    line         requests/s that the headroom allows: what the plan is sized for
    utilisation  rate / stable
    needed       serving replicas that would be enough, at least 1; `replicas` run all day
    above        hours (0 to 23) whose rate is above the line
    """

    rate: tuple[float, ...]
    stable: float
    line: float
    utilisation: tuple[float, ...]
    needed: tuple[int, ...]
    replicas: int
    above: tuple[int, ...]

    @property
    def mean_utilisation(self) -> float:
        """Utilisation of the whole day."""
        return sum(self.utilisation) / len(self.utilisation)

    @property
    def saved(self) -> float:
        """Share of the replica-hours that would not run if replicas followed the hours exactly, 0 to 1."""
        followed = sum(min(count, self.replicas) for count in self.needed)
        return 1.0 - followed / (self.replicas * len(self.needed))


def day_of(plan: Plan, multipliers: Sequence[float] | None = None, headroom: float = 0.2) -> DayCurve:
    """Return the day of *plan* whose hours have *multipliers* times the mean rate of its traffic.

    By default they are those of a typical day with the peak of the traffic.
    *headroom* is that of the question: the share of the stable load that stays free. What a replica counts as
    taking is said by `takes`.

    Raises:
        BadRequest: there are not 24 multipliers, or one is negative or not finite.
    """
    if multipliers is None:
        multipliers = typical_day(min(plan.traffic.peak, float(HOURS)))
    if len(multipliers) != HOURS or not all(math.isfinite(one) and one >= 0 for one in multipliers):
        raise BadRequest("plan.multipliers", field="multipliers", hours=HOURS)
    service = plan.service
    rate = tuple(plan.traffic.rate * float(one) for one in multipliers)
    line = service.stable * (1.0 - headroom)
    each = takes(plan, headroom)
    return DayCurve(
        rate=rate,
        stable=service.stable,
        line=line,
        utilisation=tuple(one / service.stable for one in rate),
        needed=tuple(replicas_for(one, each) for one in rate),
        replicas=plan.replicas,
        above=tuple(hour for hour, one in enumerate(rate) if one > line * (1.0 + 1e-9)),
    )


def takes(plan: Plan, headroom: float) -> float:
    """Return the requests/s that one replica of *plan* takes with the share *headroom* of its load left free.

    Where latency and not the headroom decided how many replicas there are, what one takes in the busiest hour of
    the plan, for which latency is known to be kept.
    """
    rate, line = plan.service.rate, plan.service.stable * (1.0 - headroom) / plan.replicas
    return line if replicas_for(rate, line) >= plan.replicas else rate / plan.replicas


def replicas_for(rate: float, each: float) -> int:
    """Return how many replicas that take *each* requests/s serve *rate* requests/s: one at least.

    >>> replicas_for(10.0, 2.5), replicas_for(0.0, 2.5)
    (4, 1)
    """
    return max(1, math.ceil(rate / each * (1.0 - 1e-9)))
