"""A plan's time to first token once more, by simulation: both are told where they disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.planning.question import SHARES
from core.planning.result import Plan
from core.speed.constants import constants_of
from core.speed.device import published_rates
from core.speed.profile import profile_of
from core.speed.serving import Load
from core.speed.simulation import Sampled, simulate

REQUESTS = 3000
"""Requests that are simulated."""

TOLERANCE = 0.15
"""Share by which formula and simulation may differ, beyond twice the standard error of the latter."""


@dataclass(frozen=True)
class Check:
    """Time to first token in seconds by share of the requests: of the formula, and of the simulation."""

    formula: Mapping[float, float]
    simulation: Mapping[float, Sampled]

    def differs(self, share: float) -> bool:
        """Return whether the two disagree at *share*."""
        found = self.simulation[share]
        return abs(self.formula[share] - found.value) > TOLERANCE * found.value + 2.0 * found.error


def simulated(plan: Plan, requests: int = REQUESTS) -> Check:
    """Return how *requests* requests fare on one replica of *plan* in the busiest hour, pass by pass."""
    deployment, service = plan.deployment, plan.service
    profile = profile_of(deployment.model, deployment.weights, deployment.kv, deployment.layout)
    shares = tuple(sorted({*SHARES, *service.ttft}))
    found = simulate(
        profile,
        published_rates(plan.record),
        constants_of(deployment.engine.name, None, plan.record.id),
        Load(1.0, 1.0, 1.0, chunk=float(deployment.batched_tokens), cached=plan.traffic.prefix_hits),
        plan.traffic,
        slots=service.slots,
        arrival=service.rate / plan.replicas,
        count=requests,
        quantiles=shares,
    )
    return Check(service.ttft, found.ttft)
