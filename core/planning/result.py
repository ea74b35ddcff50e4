"""What the search answers: ranked plans, a reason for each accelerator without one, and what would admit one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from core.catalog import Accelerator
from core.cost.prices import Price
from core.memory.deployment import Deployment
from core.planning.question import Question
from core.text import Sentence
from core.traffic import Traffic

HOURS_PER_MONTH = 730.0
"""365 x 24 / 12."""


@dataclass(frozen=True)
class Service:
    """How the replicas of a plan (without spare ones) serve the busiest hour.

    rate         requests/s that arrive at all replicas together
    stable       requests/s at which their queue would grow without end
    concurrency  requests that run at once on one replica, and `slots` that it can run at most
    ttft         seconds to the first token by share of the requests (0.5, 0.95, 0.99)
    tpot         mean seconds per output token
    request      mean seconds from arrival to the last token
    bound        what takes most of the time: memory, compute, overhead or network
    bands        (low, high) by name: ttft (of the asked share), tpot, request, stable
    """

    rate: float
    stable: float
    concurrency: float
    slots: float
    ttft: Mapping[float, float]
    tpot: float
    request: float
    bound: str
    bands: Mapping[str, tuple[float, float]]

    @property
    def utilisation(self) -> float:
        """Share of the stable load that is used."""
        return self.rate / self.stable


@dataclass(frozen=True)
class Plan:
    """One way to serve the traffic: `replicas` copies of `deployment` for the load, and `spare` ones beside them.

    `price` is that of the cheapest offer for these replicas (None: nobody states one), `instances` how many of it
    are rented, `usd_per_hour` what all of them cost, `watts` what the GPUs draw at full load.
    """

    deployment: Deployment
    record: Accelerator
    traffic: Traffic
    replicas: int
    spare: int
    service: Service
    price: Price | None
    instances: int | None
    usd_per_hour: float | None
    watts: float | None

    @property
    def gpus_per_replica(self) -> int:
        """GPUs of one replica."""
        return self.deployment.layout.gpus

    @property
    def gpus(self) -> int:
        """GPUs of all replicas, spare ones included."""
        return (self.replicas + self.spare) * self.gpus_per_replica

    @property
    def usd_per_month(self) -> float | None:
        """Cost of a month of 730 hours, in US dollars."""
        return None if self.usd_per_hour is None else self.usd_per_hour * HOURS_PER_MONTH

    @property
    def usd_per_million_tokens(self) -> float | None:
        """Cost of a million tokens, prompt and answer, at the mean rate of the traffic."""
        if self.usd_per_hour is None:
            return None
        return self.usd_per_hour / (self.traffic.rate * 3600 * self.traffic.tokens) * 1e6

    @property
    def tokens_per_s_per_gpu(self) -> float:
        """Output tokens that each GPU of the serving replicas makes per second at the stable load."""
        return self.service.stable * self.traffic.output.mean / (self.replicas * self.gpus_per_replica)

    @property
    def kwh_per_million_tokens(self) -> float | None:
        """Energy of a million tokens at the mean rate, GPUs alone, at their full power: an upper bound."""
        if self.watts is None:
            return None
        return self.watts / 1000 / (self.traffic.rate * 3600 * self.traffic.tokens) * 1e6

    @cached_property
    def id(self) -> str:
        """Name of what was chosen, the same in every run: model, accelerator, engine, formats and layout."""
        layout = self.deployment.layout
        ranks = f"tp{layout.tp}-pp{layout.pp}-dp{layout.dp}-ep{layout.ep}"
        deployment = self.deployment
        chosen = (self.record.id, deployment.engine.name, deployment.weights.id, deployment.kv.name, ranks)
        return "/".join((deployment.model.name.replace("/", "--"), *chosen))


@dataclass(frozen=True)
class Rejection:
    """An accelerator that no plan uses, and why.

    `stage` is how far it came: filter, price, engine, format, layout, memory, latency, load, count or budget.
    """

    record: Accelerator
    stage: str
    reason: Sentence


@dataclass(frozen=True)
class Relaxation:
    """One constraint that, loosened alone to `needed`, admits a plan; None: no value of it does.

    `field` is the constraint's name in a request, `given` its value there. `reason` says what, by how much, and
    with which accelerator.
    """

    field: str
    given: float
    needed: float
    reason: Sentence


@dataclass(frozen=True)
class Planned:
    """The answer to a question.

    `plans` has the best plan of every model and accelerator, in the order of the question's objective.
    `alternatives` are all plans that were worked out, those of `plans` among them, and `front` the ones of them
    that no other beats in both cost and latency (TTFT at the asked share), by rising cost. `relaxations` are only
    worked out where there is no plan. `deployments` were evaluated in all.
    """

    question: Question
    plans: tuple[Plan, ...]
    alternatives: tuple[Plan, ...]
    front: tuple[Plan, ...]
    rejections: tuple[Rejection, ...]
    relaxations: tuple[Relaxation, ...]
    notes: tuple[Sentence, ...]
    deployments: int

    @property
    def best(self) -> Plan | None:
        """The first plan, if there is one."""
        return self.plans[0] if self.plans else None
