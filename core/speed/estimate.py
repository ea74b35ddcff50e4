"""The speed of one deployment under one load: what the `speed` verb answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from core.memory.deployment import Deployment
from core.memory.serving import ServingMemory, size_serving
from core.speed.bands import Kind, band
from core.speed.constants import constants_of, span_of
from core.speed.device import DeviceRates
from core.speed.profile import StepProfile, profile_of
from core.speed.roofline import StepTime
from core.speed.serving import USUAL_CHUNK, Load, Speed, closed_loop, static_batch
from core.speed.speculation import Speculation, drafting_profile, room_share

Mode = Literal["closed_loop", "static_batch", "offline", "single"]
Bound = Literal["memory", "compute", "overhead", "network"]


@dataclass(frozen=True)
class Workload:
    """What is asked of a deployment; see the `speed` verb of the README.

    `version` is the engine's version or a date as the request states it, None for recent versions at large.
    `cached` (0 to 1) is the share of each prompt that a prefix cache holds.
    """

    mode: Mode
    input_tokens: int
    output_tokens: int
    concurrency: int = 1
    max_batch: int | None = None
    prefill_chunk: int | None = None
    overlap: bool = False
    version: str | None = None
    cached: float = 0.0
    speculation: Speculation | None = None


@dataclass(frozen=True)
class Gain:
    """What speculation brings: tokens of a step, and its time and the token rate against a step without drafts."""

    tokens: float
    longer: float
    faster: float


@dataclass(frozen=True)
class Estimate:
    """Seconds and tokens per second, each with the band in which eight of ten measurements of its kind lie.

    `batch` requests run at once on the whole deployment; `held` is how many its cache holds (None: the memory is
    not known). `shares` are those of memory, compute, overhead and network in all passes of a request. `gain` is
    that of speculation where it is asked for.
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
    gain: Gain | None = None

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
    profile = profile_of(deployment.model, deployment.weights, deployment.kv, deployment.layout)
    drafting = drafting_profile(deployment, workload.speculation) if workload.speculation else None
    held = held_of(size_serving(deployment), workload, profile, drafting)
    device = deployment.device.id if deployment.device else None
    constants = constants_of(deployment.engine.name, workload.version, device)
    batch, waiting = _running(deployment, workload, held)
    load = load_of(deployment, workload, batch, drafting)
    run = static_batch if workload.mode in ("static_batch", "single") else closed_loop
    speed = run(profile, rates, constants, load)
    gain = None
    if workload.speculation:
        gain = _gain(load, speed, run(profile, rates, constants, replace(load, drafts=0.0, drafting=None)))
    values = {
        "prefill_s": float(speed.prefill),
        "tpot_s": float(speed.per_token),
        # Requests beyond those that run wait for their turn.
        "request_s": float(speed.request) * waiting,
        "output_tokens_per_s": float(speed.throughput),
    }
    era = era_of(deployment.engine.name, workload.version)
    kind = Kind(era, workload.mode, deployment.model.is_moe, batch / deployment.layout.dp)
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
        shares_of(speed.whole),
        era,
        gain,
    )


def load_of(deployment: Deployment, workload: Workload, batch: int, drafting: StepProfile | None) -> Load:
    """Return *workload* with *batch* requests running on *deployment*; *drafting* proposes drafts, if any are asked."""
    layout, speculation = deployment.layout, workload.speculation
    return Load(
        input=float(workload.input_tokens),
        output=float(workload.output_tokens),
        concurrency=float(batch),
        replicas=1.0 if layout.attention_dp else float(layout.dp),
        chunk=float(workload.prefill_chunk or USUAL_CHUNK),
        overlap=float(workload.overlap),
        cached=workload.cached,
        drafts=float(speculation.drafts) if speculation else 0.0,
        acceptance=speculation.acceptance if speculation else 0.0,
        drafting=drafting,
    )


def held_of(
    memory: ServingMemory, workload: Workload, profile: StepProfile, drafting: StepProfile | None
) -> float | None:
    """Return how many requests the caches of all ranks hold; None where the memory is not known."""
    if memory.pool is None:
        return None
    if workload.speculation is None or drafting is None:
        return memory.mean_requests
    tokens = float(workload.input_tokens + workload.output_tokens)
    head = workload.speculation.method == "draft"
    return memory.mean_requests * room_share(profile, drafting, memory.pool.bytes, tokens, head=head)


def _gain(load: Load, with_drafts: Speed, without: Speed) -> Gain:
    return Gain(
        tokens=float(load.tokens_per_step),
        longer=float(with_drafts.step.total / without.step.total),
        faster=float(without.per_token / with_drafts.per_token),
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


def shares_of(whole: StepTime) -> dict[Bound, float]:
    """Return which shares of the seconds of *whole* the limits take."""
    parts: dict[Bound, float] = {
        "memory": float(whole.memory),
        "compute": float(whole.compute),
        "overhead": float(whole.overhead),
        "network": float(whole.network),
    }
    total = sum(parts.values())
    return {name: part / total for name, part in parts.items()}
