"""Which of several plans comes first, and which no other beats in both cost and latency."""

from __future__ import annotations

import math
from collections.abc import Iterable

from core.planning.question import Objective
from core.planning.result import Plan


def _or_last(value: float | None) -> float:
    """Return *value*, and infinity where nobody knows it."""
    return math.inf if value is None else value


def _value(plan: Plan, objective: Objective, share: float) -> float:
    """Return what *objective* minimises."""
    if objective == "latency":
        return plan.service.ttft[share]
    if objective == "throughput":
        return -plan.tokens_per_s_per_gpu
    return _or_last(plan.usd_per_hour if objective == "cost" else plan.kwh_per_million_tokens)


def ranked(plans: Iterable[Plan], objective: Objective, share: float) -> list[Plan]:
    """Return *plans*, the best first: by *objective*, then cost, GPUs and the time of a request.

    Plans without a price come after those with one where cost counts.
    """
    return sorted(
        plans,
        key=lambda plan: (
            _value(plan, objective, share),
            _or_last(plan.usd_per_hour),
            plan.gpus,
            plan.service.request,
            plan.id,
        ),
    )


def best_of_each(plans: Iterable[Plan]) -> list[Plan]:
    """Return the first plan of every model and accelerator, in the order of *plans*."""
    found: dict[tuple[str, str], Plan] = {}
    for plan in plans:
        found.setdefault((plan.deployment.model.name, plan.record.id), plan)
    return list(found.values())


def pareto_front(plans: Iterable[Plan], share: float) -> list[Plan]:
    """Return the plans that no other beats in both cost and TTFT at *share*, by rising cost.

    Plans without a price are left out.
    """
    front: list[Plan] = []
    priced = [plan for plan in plans if plan.usd_per_hour is not None]
    for plan in sorted(priced, key=lambda one: (_or_last(one.usd_per_hour), one.service.ttft[share], one.id)):
        if not front or plan.service.ttft[share] < front[-1].service.ttft[share]:
            front.append(plan)
    return front
