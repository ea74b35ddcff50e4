"""The answer of the `size` verb."""

from __future__ import annotations

from typing import Any

from core.memory.bands import band
from core.memory.deployment import Deployment
from core.memory.reasons import reasons_of
from core.memory.serving import ServingMemory, size_serving
from core.quantities import GIB


def size_answer(deployment: Deployment) -> dict[str, Any]:
    """Return the contract's answer of the `size` verb; sizes in GiB, figures per GPU of the most loaded rank."""
    memory = size_serving(deployment)
    model = deployment.model
    text_only = not deployment.engine.fact("towers", True)
    pool = memory.pool
    parts = {part.name: part.bytes / GIB for part in memory.parts}
    return {
        "parameters_total": sum(group.parameters for group in model.text_groups)
        if text_only
        else model.parameters,
        "parameters_active": model.active_parameters,
        "weights_gib": parts["weights"],
        "activation_gib": parts["activation"],
        "runtime_gib": parts["runtime"],
        "cuda_graph_gib": parts["cuda_graph"],
        "kv_bytes_per_token": _rate(memory),
        "kv_pool_gib": pool.bytes / GIB if pool else None,
        "kv_capacity_tokens": pool.tokens if pool else None,
        "checkpoint_gib": memory.checkpoint / GIB,
        "fits": memory.starts if pool else None,
        "reasons": [str(sentence) for sentence in reasons_of(memory)],
        "band": _bands(memory),
    }


def _rate(memory: ServingMemory) -> float:
    """Return the cache's bytes per token: the engine's own ratio where layers differ, else the exact sum."""
    return memory.rate


def _bands(memory: ServingMemory) -> dict[str, list[float]]:
    values = {
        "activation_gib": memory.part("activation").bytes / GIB,
        "weights_gib": memory.part("weights").bytes / GIB,
    }
    if memory.pool and memory.pool.tokens > 0:
        values["kv_capacity_tokens"] = float(memory.pool.tokens)
    return {name: list(band(memory.deployment, name, value)) for name, value in values.items()}
