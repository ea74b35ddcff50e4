"""The speed of one deployment under one load: what the `speed` verb answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from core.memory.deployment import Deployment
from core.memory.serving import size_serving
from core.speed.bands import Kind, band
from core.speed.constants import constants_of, span_of
from core.speed.device import DeviceRates
from core.speed.profile import profile_of
from core.speed.roofline import StepTime
from core.speed.serving import USUAL_CHUNK, Load, closed_loop, static_batch

Mode = Literal["closed_loop", "static_batch", "offline", "single"]
Bound = Literal["memory", "compute", "overhead", "network"]


@dataclass(frozen=True)
class Workload:
    """What is asked of a deployment; see the `speed` verb of the README.

    `version` is the engine's version or a date as the request states it, None for recent versions at large.
    """

    mode: Mode
    input_tokens: int
    output_tokens: int
    concurrency: int = 1
    max_batch: int | None = None
    prefill_chunk: int | None = None
    overlap: bool = False
    version: str | None = None


@dataclass(frozen=True)
class Estimate:
    """Seconds and tokens per second, each with the band in which eight of ten measurements of its kind lie.

    `batch` requests run at once on the whole deployment; `held` is how many its cache holds (None: the memory is
    not known). `shares` are those of memory, compute, overhead and network in all passes of a request.
    """

    deployment: Deployment
    workload: Workload
    rates: DeviceRates
    values: dict[str, float]
    bands: dict[str, tuple[float, float]]
    batch: int
    held: float | None
    step: float
    shares: dict[Bound, float]
    era: str

    @property
    def gpus(self) -> int:
        """GPUs of the whole deployment, replicas included."""
        layout = self.deployment.layout
        return layout.tp * layout.pp * layout.dp

    @property
    def bound(self) -> Bound:
        """What takes the largest share of the time."""
        return max(self.shares, key=lambda name: self.shares[name])


def estimate(deployment: Deployment, rates: DeviceRates, workload: Workload) -> Estimate:
    """Return how fast *deployment* serves *workload* on GPUs with *rates*.

    Raises:
        BadRequest: a layout that cannot be.
    """
    memory = size_serving(deployment)
    held = None if memory.pool is None else memory.mean_requests
    device = deployment.device.id if deployment.device else None
    constants = constants_of(deployment.engine.name, workload.version, device)
    profile = profile_of(deployment.model, deployment.weights, deployment.kv, deployment.layout)
    layout = deployment.layout
    batch, waiting = _running(deployment, workload, held)
    load = Load(
        input=float(workload.input_tokens),
        output=float(workload.output_tokens),
        concurrency=float(batch),
        replicas=1.0 if layout.attention_dp else float(layout.dp),
        chunk=float(workload.prefill_chunk or USUAL_CHUNK),
        overlap=float(workload.overlap),
    )
    together = workload.mode in ("static_batch", "single")
    speed = (static_batch if together else closed_loop)(profile, rates, constants, load)
    values = {
        "prefill_s": float(speed.prefill),
        "tpot_s": float(speed.per_token),
        # Requests beyond those that run wait for their turn.
        "request_s": float(speed.request) * waiting,
        "output_tokens_per_s": float(speed.throughput),
    }
    era = era_of(deployment.engine.name, workload.version)
    kind = Kind(era, workload.mode, deployment.model.is_moe, batch / layout.dp)
    bands = {name: band(kind, name, value) for name, value in values.items()}
    return Estimate(
        deployment,
        workload,
        rates,
        values,
        bands,
        batch,
        held,
        float(speed.step.total),
        _shares(speed.whole),
        era,
    )


def era_of(engine: str, version: str | None) -> str:
    """Return which measurements are like *engine* at *version*: recent, older, local or none of them."""
    span = span_of(engine, version)
    return next((name for name in ("older", "local", "unmeasured") if span.get(name)), "recent")


def _running(deployment: Deployment, workload: Workload, held: float | None) -> tuple[int, float]:
    """Return how many requests run at once, and how many times longer a request takes because of waiting."""
    room = math.inf if held is None or held < 1 else math.floor(held)
    if workload.mode == "offline":
        if held is not None and held < 1:
            return 1, 1.0
        most = workload.max_batch or deployment.sequences * deployment.layout.dp
        return int(max(1, min(room, most))), 1.0
    if workload.mode != "closed_loop":
        return workload.concurrency, 1.0
    running = int(min(room, workload.concurrency))
    return running, workload.concurrency / running


def _shares(whole: StepTime) -> dict[Bound, float]:
    parts: dict[Bound, float] = {
        "memory": float(whole.memory),
        "compute": float(whole.compute),
        "overhead": float(whole.overhead),
        "network": float(whole.network),
    }
    total = sum(parts.values())
    return {name: part / total for name, part in parts.items()}
