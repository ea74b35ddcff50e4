"""What the GPUs of a quote can do for a workload: hold the model, keep the targets, and how much they serve."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from core.catalog import known_accelerator
from core.cost.quote import MOST_NODES, Quote
from core.cost.tokens import Workload
from core.errors import PlannerError
from core.planning.day import takes
from core.planning.question import Question, Targets
from core.planning.result import Plan, Planned
from core.planning.search import plan
from core.text import Sentence, say

State = Literal["keeps", "small", "late", "none", "unknown"]
"""keeps: holds the model and serves the load within the targets; small: only a smaller load; late: holds the model
but misses the targets; none: does not hold or run the model; unknown: the GPU is not in the catalogue."""

DEGREES = (1, 2, 4, 8, 16, 32)
TRICKLE = 1e-4
"""Share of the load at which nothing waits: what is too slow then is too slow at any load."""


@dataclass(frozen=True)
class Enough:
    """The plan that serves the load with the fewest GPUs of a kind, and requests/s that one of its replicas takes."""

    plan: Plan
    takes: float

    def nodes(self, gpus_per_node: int) -> int:
        """Return how many servers with *gpus_per_node* GPUs it takes."""
        return math.ceil(self.plan.gpus / gpus_per_node)

    def workload(self, gpus: int, rate: float | None) -> Workload:
        """Return what *gpus* GPUs of its kind serve, *rate* requests/s."""
        copies = max(gpus // self.plan.gpus_per_replica - self.plan.spare, 1)
        stable = self.plan.service.stable / self.plan.replicas * copies
        return Workload(self.plan.traffic.input.mean, self.plan.traffic.output.mean, stable, rate)


@dataclass(frozen=True)
class Capability:
    """What the GPUs of a quote can do.

    plan     the layout that serves most with all of its GPUs; None where none holds the model
    copies   how many of its replicas all GPUs make
    stable   requests/s beyond which the queues of all GPUs together grow without end
    reason   why it does not keep the targets; None where it does
    enough   what would serve the load with GPUs of its kind, however many; None where nothing would
    """

    state: State
    plan: Plan | None = None
    copies: int = 0
    stable: float | None = None
    reason: Sentence | None = None
    enough: Enough | None = None

    def workload(self, rate: float | None) -> Workload | None:
        """Return what the GPUs are to serve, *rate* requests/s; None where they serve nothing."""
        if self.plan is None or not self.stable:
            return None
        traffic = self.plan.traffic
        return Workload(traffic.input.mean, traffic.output.mean, self.stable, rate)


def capability(quote: Quote, question: Question) -> Capability:
    """Return what the GPUs of *quote* can do for the workload of *question*; who owns them does not matter.

    Tensor-parallel groups stay within a server. Limits of price, maker and region do not apply.
    """
    record = known_accelerator(quote.gpu)
    if record is None:
        return Capability("unknown", reason=say("quotes_page.fit_unknown", gpu=quote.gpu))
    asked = _asked(quote, question, record.id)
    try:
        found = plan(asked)
        if found.best is not None:
            return replace(_most(quote, found, "keeps", None), enough=_enough(found))
        light = plan(replace(asked, traffic=replace(asked.traffic, rate=asked.traffic.rate * TRICKLE)))
        if light.best is not None:
            most = _asked(quote.of_nodes(MOST_NODES), question, record.id)
            return replace(_small(quote, light, question), enough=_enough(plan(most)))
        slow = plan(replace(light.question, targets=Targets()))
    except PlannerError as error:
        return Capability("none", reason=error.sentence)
    if slow.best is not None:
        return _most(quote, slow, "late", _why(light, record.id))
    return Capability("none", reason=_why(slow, record.id))


def _asked(quote: Quote, question: Question, gpu: str) -> Question:
    """Return *question* for the GPUs of *quote* alone."""
    limits = replace(
        question.limits,
        owned={gpu: quote.gpus},
        gpus_per_replica=min(question.limits.gpus_per_replica, quote.gpus),
        gpus=None,
        accelerators=None,
        vendors=None,
        clouds=None,
        regions=None,
        budget=None,
    )
    degrees = question.choices.tensor_parallel or DEGREES
    inside = tuple(ranks for ranks in degrees if ranks <= quote.gpus_per_node) or (1,)
    return replace(question, limits=limits, choices=replace(question.choices, tensor_parallel=inside))


def _copies(quote: Quote, one: Plan) -> int:
    return max(quote.gpus // one.gpus_per_replica - one.spare, 1)


def _stable(quote: Quote, one: Plan) -> float:
    return one.service.stable / one.replicas * _copies(quote, one)


def _most(quote: Quote, found: Planned, state: State, reason: Sentence | None) -> Capability:
    """Return the plan of *found* that serves most with all GPUs of *quote*."""
    best = max(found.alternatives, key=lambda one: _stable(quote, one))
    return Capability(state, best, _copies(quote, best), _stable(quote, best), reason)


def _small(quote: Quote, light: Planned, question: Question) -> Capability:
    found = _most(quote, light, "small", None)
    usable = (found.stable or 0.0) * (1.0 - question.limits.headroom)
    values = {"peak": question.traffic.peak_rate, "usable": usable, "gpus": quote.gpus}
    return replace(found, reason=say("quotes_page.fit_small", **values))


def _enough(found: Planned) -> Enough | None:
    """Return the plan of *found* with the fewest GPUs."""
    least = min(found.alternatives, key=lambda one: one.gpus, default=None)
    return None if least is None else Enough(least, takes(least, found.question.limits.headroom))


def _why(found: Planned, gpu: str) -> Sentence | None:
    """Return why *found* has no plan for *gpu*."""
    return next((one.reason for one in found.rejections if one.record.id == gpu), None)
