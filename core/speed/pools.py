"""The speed of a deployment whose prompts are processed on one pool of replicas and decoded on another."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core.errors import BadRequest
from core.memory.deployment import Deployment
from core.memory.layout import Layout
from core.memory.serving import size_serving
from core.speed.bands import Kind, band
from core.speed.constants import constants_of
from core.speed.device import DeviceRates
from core.speed.disaggregated import Flow, Pool, decode_step_at, flow, matched, transfer_seconds
from core.speed.estimate import Bound, Workload, era_of, held_of, load_of, shares_of
from core.speed.profile import cached_bytes, profile_of
from core.speed.serving import prompts_of
from core.speed.speculation import drafting_profile


@dataclass(frozen=True)
class PoolPlan:
    """Replicas of a pool, each a *deployment* on GPUs with *rates*; None: as many as match the other pool best."""

    deployment: Deployment
    rates: DeviceRates
    replicas: int | None = None

    @property
    def gpus(self) -> int:
        """GPUs of one replica, independent copies (dp) included."""
        layout = self.deployment.layout
        return layout.tp * layout.pp * layout.dp


@dataclass(frozen=True)
class PoolShare:
    """What a pool has in an estimate: replicas and GPUs, requests that run on one replica, share of its rate used."""

    plan: PoolPlan
    replicas: int
    batch: float
    used: float
    held: float | None

    @property
    def gpus(self) -> int:
        """GPUs of the whole pool."""
        return self.replicas * self.plan.gpus


@dataclass(frozen=True)
class PoolsEstimate:
    """Seconds and rates as of `estimate.Estimate`, of both pools together.

    `prefill_s` includes `transfer`, the seconds in which the `sent` bytes of a prompt's cache move.
    """

    workload: Workload
    prefill: PoolShare
    decode: PoolShare
    values: dict[str, float]
    bands: dict[str, tuple[float, float]]
    transfer: float
    sent: float
    step: float
    shares: dict[Bound, float]
    era: str

    @property
    def gpus(self) -> int:
        """GPUs of both pools."""
        return self.prefill.gpus + self.decode.gpus

    @property
    def batch(self) -> int:
        """Requests that decode at once on the whole deployment."""
        return max(1, round(self.decode.batch * self.decode.replicas))

    @property
    def bound(self) -> Bound:
        """What takes the largest share of the time."""
        return max(self.shares, key=lambda name: self.shares[name])


def estimate_pools(
    prefill: PoolPlan, decode: PoolPlan, workload: Workload, *, gpus: int | None, per_token: float | None
) -> PoolsEstimate:
    """Return how fast *prefill* and *decode* replicas serve *workload* together.

    At most *gpus* GPUs in all where replicas are left open, and at most *per_token* seconds a token.

    Raises:
        BadRequest: a layout that cannot be, too few GPUs for one replica of each, or a time that cannot be met.
    """
    feeding, first_held = _pool(prefill, replace(workload, speculation=None))
    pool, held = _pool(decode, workload)
    whole = profile_of(prefill.deployment.model, prefill.deployment.weights, decode.deployment.kv, Layout())
    transfer = float(transfer_seconds(feeding, pool, whole))
    run = _runner(feeding, pool, workload, transfer, per_token)
    counts = matched(feeding, pool, (prefill.replicas, decode.replicas), gpus, run)
    if counts is None:
        raise _too_few(prefill, decode, gpus)
    found = run((float(counts[0]), float(counts[1])))
    batch = float(found.batch[0])
    shares = (
        PoolShare(prefill, counts[0], 1.0, float(found.prefill_used[0]), first_held),
        PoolShare(decode, counts[1], batch, float(found.decode_used[0]), held),
    )
    return _estimate(workload, shares, (feeding, pool), found, float(cached_bytes(whole, feeding.load.input)))


def _pool(plan: PoolPlan, workload: Workload) -> tuple[Pool, float | None]:
    """Return one replica of *plan* under *workload*, and how many requests its cache holds."""
    deployment = plan.deployment
    profile = profile_of(deployment.model, deployment.weights, deployment.kv, deployment.layout)
    speculation = workload.speculation
    drafting = drafting_profile(deployment, speculation) if speculation else None
    held = held_of(size_serving(deployment), workload, profile, drafting)
    device = deployment.device.id if deployment.device else None
    constants = constants_of(deployment.engine.name, workload.version, device)
    limit = workload.max_batch or deployment.sequences * deployment.layout.dp
    most = max(1.0, min(math.inf if held is None else math.floor(held), limit))
    load = load_of(deployment, workload, 1, drafting)
    return Pool(profile, plan.rates, constants, load, float(plan.gpus), most), held


def _runner(
    feeding: Pool, pool: Pool, workload: Workload, transfer: float, per_token: float | None
) -> Callable[[tuple[Any, Any]], Flow]:
    """Return the flow of replica counts under *workload*.

    Raises:
        BadRequest: one request alone takes longer than *per_token* seconds a token.
    """
    alone = float(decode_step_at(pool, 1.0).total / pool.load.tokens_per_step)
    if per_token is not None and alone > per_token:
        raise BadRequest(
            "request.tpot_target", field="disaggregated.max_tpot_s", least=alone * 1e3, target=per_token * 1e3
        )
    requests = math.inf if workload.mode == "offline" else float(workload.concurrency)

    def run(replicas: tuple[Any, Any]) -> Flow:
        return flow(
            feeding, pool, replicas, transfer=transfer, requests=requests, per_token=per_token or math.inf
        )

    return run


def _too_few(prefill: PoolPlan, decode: PoolPlan, gpus: int | None) -> BadRequest:
    needed = (prefill.replicas or 1) * prefill.gpus + (decode.replicas or 1) * decode.gpus
    return BadRequest("request.pools_gpus", field="disaggregated.max_gpus", needed=needed, most=gpus or 0)


def _estimate(
    workload: Workload,
    shares: tuple[PoolShare, PoolShare],
    pools: tuple[Pool, Pool],
    found: Flow,
    sent: float,
) -> PoolsEstimate:
    """Return the values of *found*; requests beyond those that fit wait for their turn."""
    feeding, pool = pools
    rate, prompt, transfer = (float(value) for value in (found.rate[0], found.prompt, found.transfer))
    per_token = float(found.per_token[0])
    alone = prompt + transfer + workload.output_tokens * per_token
    request = alone if workload.mode == "offline" else max(alone, workload.concurrency / rate)
    values = {
        "prefill_s": prompt + transfer,
        "tpot_s": per_token,
        "request_s": request,
        "output_tokens_per_s": rate * workload.output_tokens,
    }
    deployment = shares[1].plan.deployment
    era = era_of(deployment.engine.name, workload.version)
    kind = Kind(era, workload.mode, deployment.model.is_moe, max(1.0, shares[1].batch / deployment.layout.dp))
    step = decode_step_at(pool, shares[1].batch)
    steps = workload.output_tokens / float(pool.load.tokens_per_step)
    prompts = prompts_of(feeding.profile, feeding.device, feeding.constants, feeding.load, 1.0)
    return PoolsEstimate(
        workload,
        *shares,
        values,
        {name: band(kind, name, value) for name, value in values.items()},
        transfer,
        sent,
        float(step.total),
        shares_of(prompts.plus(step.times(steps))),
        era,
    )
