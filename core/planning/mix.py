"""Several ways to pay for one load: some servers all day, the rest by the hour, as a day asks for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.catalog import known_accelerator
from core.cost.assumptions import Assumptions
from core.cost.bill import Bill, bill, mixed
from core.cost.cashflow import present_value
from core.cost.months import Flow, months
from core.cost.quote import Quote
from core.cost.renting import MONTH
from core.cost.tokens import MILLION, SECONDS
from core.planning.day import replicas_for
from core.planning.fair import Answer
from core.planning.quoted import Enough
from core.traffic.day import HOURS, typical_day

TRIED = 100
"""Numbers of servers that are kept all day of which the cheapest is looked for, at most."""


@dataclass(frozen=True)
class Mix:
    """Servers of `base` all day, and of `rest` in the hours in which the load asks for more.

    kept     servers of `base`
    hours    servers of `rest` in each hour of a day of the first month, midnight first
    yearly, present, per_million   US dollars: mean of a year, all payments as of today, a million tokens; without
                traffic to the outside and storage
    """

    base: Quote
    rest: Quote
    kept: int
    hours: tuple[int, ...]
    bill: Bill
    yearly: float
    present: float
    per_million: float

    @property
    def most(self) -> int:
        """Servers of `rest` in the busiest hour."""
        return max(self.hours)

    @property
    def hours_per_day(self) -> float:
        """Hours a day that a server of `rest` runs on average; 0 where none does."""
        return sum(self.hours) / self.most if self.most else 0.0


def bases(answer: Answer) -> tuple[int, ...]:
    """Return the quotes that can serve the load in some number and have another beside them for the busy hours."""
    return tuple(place for place in range(len(answer.quotes)) if rests(answer, place))


def rests(answer: Answer, base: int) -> tuple[int, ...]:
    """Return the quotes of the GPU of *base* that are rented by the hour, in servers that hold a replica's group."""
    enough, gpu = answer.capabilities[base].enough, _gpu(answer.quotes[base])
    load = answer.loads[base]
    if enough is None or gpu is None or load is None or load.rate is None:
        return ()
    group = enough.plan.deployment.layout.tp
    return tuple(
        place
        for place, quote in enumerate(answer.quotes)
        if quote.kind in ("on_demand", "spot") and quote.period == "hour"
        if _gpu(quote) == gpu and quote.gpus_per_node >= group
    )


def usual(answer: Answer) -> tuple[int, int] | None:
    """Return the cheapest base, those with a term or of one's own first, and its cheapest rest; None without one."""
    found = bases(answer)
    bound = [place for place in found if answer.quotes[place].kind in ("reserved", "purchase")]
    if not found:
        return None
    base = cheapest(answer, bound or found)
    return base, usual_rest(answer, rests(answer, base))


def usual_rest(answer: Answer, places: Sequence[int]) -> int:
    """Return the cheapest of the rents at *places*: on demand where one is, for spot may be taken away when busy."""
    return cheapest(answer, [place for place in places if answer.quotes[place].kind == "on_demand"] or places)


def cheapest(answer: Answer, places: Sequence[int]) -> int:
    """Return which of the quotes at *places* has the cheapest hour of a GPU."""
    return min(places, key=lambda place: float(answer.comparison.rows[place].gpu_hour))


def mix(answer: Answer, base: int, rest: int, kept: int | None = None) -> Mix | None:
    """Return *kept* servers of quote *base* all day and of *rest* when busy; None: as many as cost least.

    The hours are those of a typical day with the peak of the workload, and grow with the load. None where *rest*
    is not one of the `rests` of *base*.
    """
    enough, load = answer.capabilities[base].enough, answer.loads[base]
    if enough is None or load is None or load.rate is None or rest not in rests(answer, base):
        return None
    one, other = answer.quotes[base], answer.quotes[rest]
    asked = _Asked.of(enough, float(load.rate), answer.comparison.assumptions)
    most = math.ceil(float(asked.gpus.max()) / one.gpus_per_node)
    tried: Sequence[int] = _numbers(most) if kept is None else (kept,)
    return min((_paid(one, other, number, asked) for number in tried), key=lambda found: found.present)


def _gpu(quote: Quote) -> str | None:
    record = known_accelerator(quote.gpu)
    return None if record is None else record.id


def _numbers(most: int) -> list[int]:
    """Return numbers from 0 to *most*, all or TRIED of them."""
    return sorted({round(number) for number in np.linspace(0, most, min(most + 1, TRIED))})


@dataclass(frozen=True)
class _Asked:
    """What is asked for: `gpus` that serve each hour of a day, months (column 0 the first day, none) by hours.

    each       requests/s beyond which the queue of one of them grows without end
    millions   of tokens in all months
    """

    gpus: Flow
    rate: float
    each: float
    millions: float
    assumptions: Assumptions

    @classmethod
    def of(cls, enough: Enough, rate: float, assumptions: Assumptions) -> _Asked:
        """Return what a mean of *rate* requests/s in the first month asks for."""
        plan, time = enough.plan, months(assumptions.horizon_months)
        speed = float(np.asarray(assumptions.speed))
        grown = rate * (1.0 + np.asarray(assumptions.growth)) ** (np.maximum(time.index - 1.0, 0.0) / 12.0)
        day = np.array(typical_day(min(plan.traffic.peak, float(HOURS))))
        replicas = [[replicas_for(now * one, enough.takes * speed) for one in day] for now in grown]
        gpus = (np.array(replicas) + plan.spare) * plan.gpus_per_replica * (time.index > 0)[:, None]
        each = plan.service.stable / (plan.replicas * plan.gpus_per_replica) * speed
        tokens = plan.traffic.input.mean + plan.traffic.output.mean
        millions = float((grown * time.share).sum()) * MONTH * SECONDS * tokens / MILLION
        return cls(gpus, rate, each, millions, assumptions)


def _paid(base: Quote, rest: Quote, kept: int, asked: _Asked) -> Mix:
    """Return *kept* servers of *base* all day, with as many of *rest* beside them as each hour asks for."""
    here = kept * base.gpus_per_node
    more = np.ceil(np.maximum(asked.gpus - here, 0.0) / rest.gpus_per_node)
    running = here + rest.gpus_per_node * float(more[1].mean())
    own = replace(asked.assumptions, utilisation=min(asked.rate / (asked.each * running), 1.0))
    parts = [bill(replace(_alone(rest, 1), hours_per_day=24.0), own)]
    shares: list[float | Flow] = [more.mean(axis=1)]
    if kept:
        parts.append(bill(_alone(base, kept), own))
        shares.append(1.0)
    joined = mixed(parts, shares)
    return Mix(
        base=base,
        rest=rest,
        kept=kept,
        hours=tuple(int(count) for count in more[1]),
        bill=joined,
        yearly=float(joined.yearly),
        present=float(present_value(joined.total, asked.assumptions.discount_rate)),
        per_million=float(joined.total.sum()) / asked.millions,
    )


def _alone(quote: Quote, nodes: int) -> Quote:
    """Return *nodes* servers of *quote* without traffic and storage, which are the same however servers are paid."""
    return replace(quote.of_nodes(nodes), egress_usd_gb=0.0, storage_usd_gb_month=0.0)
