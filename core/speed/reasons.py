"""What an estimate of speed rests on, in words: one sentence each."""

from __future__ import annotations

import numpy as np

from core.quantities import GIB
from core.speed.constants import span_of
from core.speed.disaggregated import DECODE_SHARE, PREFILL_SHARE
from core.speed.estimate import Estimate
from core.speed.pools import PoolsEstimate
from core.speed.profile import FORMATS, profile_of
from core.text import Sentence, say

FULL = 0.97
"""Share of its rate from which on a pool is said to limit the other."""

_BOUND = {
    "memory": say("speed.bound_memory"),
    "compute": say("speed.bound_compute"),
    "overhead": say("speed.bound_overhead"),
    "network": say("speed.bound_network"),
}


def reasons_of(found: Estimate) -> list[Sentence]:
    """Return what binds first, then what does not fit, then assumptions."""
    return [*_time(found), *_shortcuts(found), *_room(found), *_assumptions(found)]


def reasons_of_pools(found: PoolsEstimate) -> list[Sentence]:
    """Return what binds, which pool limits the other, what does not fit, then assumptions."""
    return [*_time(found), *_pools(found), *_pool_room(found), *_pool_assumptions(found)]


def _pools(found: PoolsEstimate) -> list[Sentence]:
    used = {"prefill": found.prefill.used, "decode": found.decode.used}
    full = max(used, key=lambda name: used[name])
    key = f"speed.pools_{full}" if used[full] > FULL else "speed.pools_load"
    return [
        say(
            key,
            prefills=found.prefill.replicas,
            prefill_gpus=found.prefill.gpus,
            prefill_used=found.prefill.used,
            decodes=found.decode.replicas,
            decode_gpus=found.decode.gpus,
            decode_used=found.decode.used,
            batch=found.decode.batch,
        ),
        say("speed.transfer", gib=found.sent / GIB, milliseconds=found.transfer * 1e3),
    ]


def _pool_room(found: PoolsEstimate) -> list[Sentence]:
    tokens = found.workload.input_tokens + found.workload.output_tokens
    sentences = []
    for pool in (found.prefill, found.decode):
        device = pool.plan.deployment.device
        if pool.held is None or device is None:
            return [say("speed.no_memory")]
        if pool.held < 1:
            sentences.append(say("speed.no_room", gpu=device.name, tokens=tokens))
    return sentences[:1]


def _pool_assumptions(found: PoolsEstimate) -> list[Sentence]:
    engine = found.decode.plan.deployment.engine
    sentences = [say("speed.pools_shares", prefill=PREFILL_SHARE, decode=DECODE_SHARE)]
    if found.workload.speculation:
        sentences.append(say("speed.speculation_unmeasured"))
    if found.era == "unmeasured":
        sentences.append(say("speed.unmeasured", engine=engine.label))
    return [*found.decode.plan.deployment.model.warnings, *sentences]


def _time(found: Estimate | PoolsEstimate) -> list[Sentence]:
    shares = say(
        "speed.shares",
        step=found.step * 1e3,
        batch=found.batch,
        **{str(name): share for name, share in found.shares.items()},
    )
    return [_BOUND[found.bound], shares]


def _shortcuts(found: Estimate) -> list[Sentence]:
    """Return what a prefix cache spares, and what speculation brings and whether it pays."""
    sentences, workload = [], found.workload
    if workload.cached:
        new = max(1, round(workload.input_tokens * (1 - workload.cached)))
        sentences.append(say("speed.cached", share=workload.cached, new=new, tokens=workload.input_tokens))
    if workload.speculation and found.gain:
        pays = "speed.speculation" if found.gain.faster >= 1 else "speed.speculation_slower"
        sentences.append(
            say(
                pays,
                drafts=workload.speculation.drafts,
                acceptance=workload.speculation.acceptance,
                tokens=found.gain.tokens,
                longer=found.gain.longer,
                faster=found.gain.faster,
                batch=found.batch,
            )
        )
        sentences.append(say("speed.speculation_unmeasured"))
    return sentences


def _room(found: Estimate) -> list[Sentence]:
    deployment, wanted = found.deployment, found.workload.concurrency
    tokens = found.workload.input_tokens + found.workload.output_tokens
    if found.held is None or deployment.device is None:
        return [say("speed.no_memory")]
    if found.held < 1:
        return [say("speed.no_room", gpu=deployment.device.name, tokens=tokens)]
    if found.workload.mode == "offline":
        return [say("speed.offline", batch=found.batch, held=int(found.held), tokens=tokens)]
    if found.held < wanted:
        waits = "speed.waits" if found.workload.mode == "closed_loop" else "speed.no_static_room"
        return [Sentence(waits, {"held": int(found.held), "tokens": tokens, "requests": wanted})]
    return []


def _assumptions(found: Estimate) -> list[Sentence]:
    deployment, version = found.deployment, found.workload.version
    label = deployment.engine.label
    sentences = list(deployment.model.warnings)
    if found.era == "unmeasured":
        sentences.append(say("speed.unmeasured", engine=label))
    elif found.era == "local":
        sentences.append(say("speed.local", engine=label))
    elif found.era == "older":
        sentences.append(say("speed.older", engine=label, version=version))
    elif version is None:
        sentences.append(say("speed.any_version", engine=label))
    elif span_of(deployment.engine.name, version):
        sentences.append(say("speed.newer", engine=label, version=version))
    if deployment.layout.pp > 1:
        sentences.append(say("speed.pipeline"))
    if _is_unpacked(found):
        sentences.append(say("speed.unpacked", format=deployment.weights.label))
    return sentences


def _is_unpacked(found: Estimate) -> bool:
    """Return whether some quantised weights are multiplied at the rate of 16 bit."""
    deployment, peaks = found.deployment, found.rates.peaks
    profile = profile_of(deployment.model, deployment.weights, deployment.kv, deployment.layout)
    used = (profile.dense_flops + profile.expert_flops) > 0
    quantised = np.arange(len(FORMATS)) > 0
    return bool(np.any(used & quantised & (peaks <= peaks[0])))
