"""What is asked of the search: models, traffic, latency to keep, and what may be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.architecture import Model
from core.traffic import Traffic

Objective = Literal["cost", "latency", "throughput", "energy"]
OBJECTIVES: tuple[Objective, ...] = ("cost", "latency", "throughput", "energy")

CHECKPOINT = "checkpoint"
"""Among weight formats: the one that the model is published in."""

ENGINES = ("vllm", "sglang", "tensorrt-llm")
"""Engines that serve many requests at once and whose speed was measured."""

SHARES = (0.5, 0.95, 0.99)
"""Shares of the requests for which latency is told: P50, P95, P99."""


@dataclass(frozen=True)
class Targets:
    """Latency to keep in the busiest hour, in seconds; None: any.

    `ttft` holds for `share` of the requests (0.99: P99), queueing included. `tpot` is the mean time per output
    token, `request` the mean time from arrival to the last token.
    """

    ttft: float | None = None
    share: float = 0.99
    tpot: float | None = None
    request: float | None = None


@dataclass(frozen=True)
class Limits:
    """What a plan may use. None: anything.

    headroom    share of the stable load that stays free in the busiest hour, 0 to 0.9
    spare       replicas beyond those that the load needs: 1 survives the loss of one (N+1)
    gpus_per_replica, gpus   the most GPUs of one replica, and of the whole plan
    accelerators, vendors    catalogue ids and makers that come into question
    clouds, regions          where GPUs may be rented
    owned       GPUs at hand by accelerator id; where given, nothing else is used
    budget      US dollars a month
    """

    headroom: float = 0.2
    spare: int = 0
    gpus_per_replica: int = 16
    gpus: int | None = None
    accelerators: tuple[str, ...] | None = None
    vendors: tuple[str, ...] | None = None
    clouds: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None
    owned: Mapping[str, int] = field(default_factory=dict)
    budget: float | None = None


@dataclass(frozen=True)
class Choices:
    """What the search may vary.

    `weights` are format ids or CHECKPOINT, `kv` format ids or None for the engine's default, `tensor_parallel`
    degrees (None: all that suit), `context` the longest request in tokens (None: from the traffic).
    """

    engines: tuple[str, ...] = ENGINES
    weights: tuple[str, ...] = (CHECKPOINT, "fp8")
    kv: tuple[str | None, ...] = (None,)
    tensor_parallel: tuple[int, ...] | None = None
    context: int | None = None


@dataclass(frozen=True)
class Pricing:
    """Which prices count: `on_demand` or `spot` offers, replaced by `stated` US dollars per GPU-hour by accelerator."""

    kind: Literal["on_demand", "spot"] = "on_demand"
    stated: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """A workload and its constraints. Each of `models` could serve all of the `traffic`."""

    models: tuple[Model, ...]
    traffic: Traffic
    targets: Targets = Targets()
    limits: Limits = field(default_factory=Limits)
    choices: Choices = Choices()
    pricing: Pricing = field(default_factory=Pricing)
    rank_by: Objective = "cost"
