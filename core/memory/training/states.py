"""Weights, gradients and optimizer states of one rank, after ZeRO and offload."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from core.architecture import Model
from core.architecture.formats import WeightFormat
from core.memory.training.adapters import adapters_held, trained_embeddings
from core.memory.training.optimizers import adapter_state, mean_state
from core.memory.training.run import DTYPE_BYTES, TrainingLayout, TrainingRun
from core.memory.training.shapes import Stage, groups_held, held, parameters, share, stage_groups


@dataclass(frozen=True)
class States:
    """Bytes on one rank that last from step to step, and what a step allocates beside them.

    `gradients` are those of a whole backward pass; `parameters` is the count on the rank before ZeRO, `host` the
    bytes of what is offloaded, in the memory of the server.
    """

    weights: float
    gradients: float
    optimizer: float
    step: float
    parameters: float
    host: float = 0.0


SUB_GROUP = 4e9
"""Bytes of gradients in fp32 that DeepSpeed's ZeRO 3 updates at a time. Source: `sub_group_size` = 1e9 elements."""


def is_sharded_master(run: TrainingRun) -> bool:
    """Whether the fp32 weights are the master copy, and layers compute in 16-bit copies of them."""
    return run.precision.master == "sharded"


def weight_bytes(run: TrainingRun) -> float:
    """Return the bytes of a stored weight that is trained."""
    return 4.0 if is_sharded_master(run) else DTYPE_BYTES[run.precision.weights]


@lru_cache(maxsize=4096)
def _frozen(
    model: Model,
    stage: Stage,
    layout: TrainingLayout,
    base: WeightFormat,
    *,
    wide: float,
    head: bool,
    untied: bool,
) -> tuple[float, float]:
    """Return (dense, expert) bytes of frozen weights in *base*; what it leaves alone has *wide* bytes."""
    dense = experts = 0.0
    encoding = base.covers.get("mlp") or base.covers.get("expert")
    for group, count in stage_groups(model, stage, untied=untied):
        part = share(group, layout)
        covered = base.encoding(group)
        if covered is None and head and group.role == "head" and group.is_matrix:
            covered = encoding
        if covered is None:
            size = parameters(group) * wide
        else:
            size = covered.bytes(group.shape[0], group.shape[1]) * group.copies
        if group.role == "expert":
            experts += count * size * part
        else:
            dense += count * size * part
    return dense, experts


def frozen_bytes(run: TrainingRun, stage: Stage) -> tuple[float, float]:
    """Return (dense, expert) bytes of the frozen weights of *stage* on one rank before ZeRO."""
    compute = 4.0 if is_sharded_master(run) else DTYPE_BYTES[run.precision.weights]
    if run.base is None:
        groups = groups_held(run, stage)
        return (
            compute * held(((g, n) for g, n in groups if g.role != "expert"), run.layout),
            compute * held(((g, n) for g, n in groups if g.role == "expert"), run.layout),
        )
    wide = 4.0 if run.upcast else DTYPE_BYTES[run.precision.weights]
    head, untied = (bool(run.framework.constant(name)) for name in ("quantises_head", "unties"))
    return _frozen(run.model, stage, run.layout, run.base, wide=wide, head=head, untied=untied)


def _divisors(run: TrainingRun, level: int) -> tuple[float, float]:
    """Return by how much ZeRO of *level* divides dense and expert parameters."""
    layout = run.layout
    # FSDP shards all three even where weights stay gathered between forward and backward (ZeRO 2).
    needed = min(level, 2) if is_sharded_master(run) else level
    if layout.zero < needed:
        return 1.0, 1.0
    return float(layout.shards), float(layout.expert_shards)


def _divided(run: TrainingRun, level: int, dense: float, experts: float) -> float:
    by_dense, by_experts = _divisors(run, level)
    return dense / by_dense + experts / by_experts


def states(run: TrainingRun, stage: Stage) -> States:
    """Return weights, gradients and optimizer states of one rank of *stage*."""
    found = _full(run, stage) if run.method == "full" else _adapted(run, stage)
    if run.offload is None:
        return found
    weights = 0.0 if run.offload in ("parameters", "all") else found.weights
    gradients = 0.0 if run.offload == "all" else found.gradients
    host = found.optimizer + (found.weights - weights) + (found.gradients - gradients)
    return States(weights, gradients, 0.0, 0.0, found.parameters, host)


def _full(run: TrainingRun, stage: Stage) -> States:
    counts = [
        (group, n * parameters(group) * share(group, run.layout)) for group, n in groups_held(run, stage)
    ]
    dense = [(group, count) for group, count in counts if group.role != "expert"]
    experts = [(group, count) for group, count in counts if group.role == "expert"]
    number = sum(count for _, count in dense), sum(count for _, count in experts)
    weights = _divided(run, 3, *(weight_bytes(run) * n for n in number))
    gradients = _divided(run, 2, *(DTYPE_BYTES[run.precision.grads] * n for n in number))
    updated = _updated_dtype(run)
    master = 0.0 if is_sharded_master(run) else DTYPE_BYTES[run.precision.master]
    kept = mean_state(run.optimizer, dense, updated), mean_state(run.optimizer, experts, updated)
    optimizer = _divided(run, 1, *(each[0] + master * n for each, n in zip(kept, number, strict=True)))
    step = _divided(run, 1, kept[0][1], kept[1][1]) if run.framework.constant("foreach") else 0.0
    if run.framework.constant("step_gradients") and run.precision.master == "fp32":
        copy = _divided(run, 1, *(4 * n for n in number))
        step += min(copy, SUB_GROUP) if run.layout.zero == 3 else copy
    if run.trainable is not None:  # some weights are frozen
        part = min(1.0, run.trainable / max(1, run.model.parameters))
        gradients, optimizer, step = gradients * part, optimizer * part, step * part
    if run.optimizer.fused_backward and not run.grads_persist:
        gradients, step = gradients / max(1, len(stage.layers)), step / max(1, len(stage.layers))
    return States(weights, gradients, optimizer, step, sum(number))


def _updated_dtype(run: TrainingRun) -> str:
    """Return the format of the copy that the optimizer updates."""
    if is_sharded_master(run):
        return "fp32"
    return run.precision.weights if run.precision.master == "none" else run.precision.master


def _adapted(run: TrainingRun, stage: Stage) -> States:
    """Return the states where the base is frozen: those of the base, of adapters, and of trained embeddings."""
    dense, experts = frozen_bytes(run, stage)
    adapters, ends = adapters_held(run, stage), trained_embeddings(run, stage)
    dtype = run.adapters.dtype if run.adapters else "bf16"
    own = "fp32" if is_sharded_master(run) else run.precision.weights
    size, end_size = DTYPE_BYTES[dtype], DTYPE_BYTES[own]
    each, end = adapter_state(run.optimizer, dtype), adapter_state(run.optimizer, own)
    weights = _divided(run, 3, dense + size * adapters + end_size * ends, experts)
    gradients = _divided(run, 2, size * adapters + end_size * ends, 0.0)
    optimizer = _divided(run, 1, each.resident * adapters + end.resident * ends, 0.0)
    step = _divided(run, 1, each.temporary * adapters + end.temporary * ends, 0.0)
    if not run.framework.constant("foreach"):
        step = 0.0
    number = held(groups_held(run, stage), run.layout) + adapters + ends
    return States(weights, gradients, optimizer, step, number)
