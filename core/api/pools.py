"""The answer of the `speed` verb for pools that process prompts and decode apart."""

from __future__ import annotations

from typing import Any

from core.api.requests import Disaggregated, PoolRequest, SpeedRequest
from core.api.speed import figures, loaded, rates_of, workload_of
from core.errors import BadRequest, PlannerError
from core.memory.layout import check_layout
from core.speed.estimate import Mode, Workload
from core.speed.pools import PoolPlan, PoolsEstimate, PoolShare, estimate_pools
from core.speed.reasons import reasons_of_pools


def pools_of(request: SpeedRequest, pools: Disaggregated) -> PoolsEstimate:
    """Return the speed of *pools*, each of which is *request* with what it states itself.

    Raises:
        PlannerError: as for `speed_of`, a mode that pools do not have, or limits that cannot be met.
    """
    workload = workload_of(request, _mode(request))
    return estimate_pools(
        _plan(request, workload, "prefill", pools.prefill),
        _plan(request, workload, "decode", pools.decode),
        workload,
        gpus=pools.max_gpus,
        per_token=pools.max_tpot_s,
    )


def _mode(request: SpeedRequest) -> Mode:
    """Return the mode: a closed loop where a concurrency or a single request is stated, else as many as fit."""
    if request.mode == "static_batch":
        raise BadRequest("request.pools_mode", field="mode")
    if request.mode == "single" and (request.concurrency or 1) > 1:
        raise BadRequest("request.single", field="concurrency", concurrency=request.concurrency)
    if request.mode == "single":
        return "closed_loop"
    return request.mode or ("closed_loop" if request.concurrency else "offline")


def _plan(request: SpeedRequest, workload: Workload, name: str, pool: PoolRequest) -> PoolPlan:
    """Return the replicas of pool *name*; faults name the field inside it."""
    stated = {field: value for field, value in pool if value is not None and field != "replicas"}
    own = request.model_copy(update=stated)
    try:
        deployment = loaded(own, workload)
        check_layout(deployment.model, deployment.layout)
        return PoolPlan(deployment, rates_of(own, deployment), pool.replicas)
    except PlannerError as error:
        if error.field in stated:
            error.field = f"disaggregated.{name}.{error.field}"
        raise


def pools_answer(found: PoolsEstimate) -> dict[str, Any]:
    """Return the contract's answer of the `speed` verb, with what each pool has."""
    return {
        **figures(found),
        "transfer_s": found.transfer,
        "pools": {"prefill": _share(found.prefill), "decode": _share(found.decode)},
        "reasons": [str(sentence) for sentence in reasons_of_pools(found)],
    }


def _share(pool: PoolShare) -> dict[str, float]:
    return {"replicas": pool.replicas, "gpus": pool.gpus, "utilisation": pool.used}
