"""What is gathered, copied or dequantised for a moment: unsharded layers, 16-bit copies, one 4-bit weight."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.memory.training.run import DTYPE_BYTES, TrainingRun
from core.memory.training.shapes import (
    Stage,
    end_parameters,
    groups_held,
    head_of,
    held,
    layer_kinds,
    layer_parameters,
    share,
)
from core.memory.training.states import frozen_bytes, is_sharded_master


@dataclass(frozen=True)
class Transient:
    """Bytes while layers run, and the gradients of the head that the backward pass makes first."""

    layers: float
    head_gradient: float


def transient(run: TrainingRun, stage: Stage) -> Transient:
    """Return the buffers of one rank of *stage* that hold copies of weights."""
    size = _gathered(run, stage) + _dequantised(run)
    head = 0.0
    if run.method == "full" and stage.last and not run.grads_persist:
        group = head_of(run.model)
        head = math.prod(group.shape) * share(group, run.layout) * DTYPE_BYTES[run.precision.weights]
    return Transient(size, head)


def _gathered(run: TrainingRun, stage: Stage) -> float:
    compute = DTYPE_BYTES[run.precision.weights]
    everything = held(groups_held(run, stage), run.layout)
    if run.layout.zero == 3 and run.layout.shards > 1:
        return _unsharded(run, stage, compute)
    if not is_sharded_master(run):
        return _streamed(run, stage, compute) if run.offload in ("parameters", "all") else 0.0
    # 16-bit copies of all weights: FSDP that does not reshard, or the weight cache of autocast.
    copies = compute * everything
    if run.layout.pp > 1 and run.layout.zero and run.method == "full":
        copies += DTYPE_BYTES[run.precision.grads] * everything  # gradients are reduced once, after the last
    return copies


def _unsharded(run: TrainingRun, stage: Stage, compute: float) -> float:
    """Return what ZeRO 3 has gathered: some layers, the gradients of one, and embedding and head."""
    layout, model = run.layout, run.model
    layer = layer_parameters(model, layout, experts=True)
    ends = end_parameters(model, layout, stage)
    if run.method != "full":
        everything = sum(frozen_bytes(run, stage))
        per_layer = max(everything - compute * ends, 0.0) / max(1, len(stage.layers))
        return min(everything, float(run.framework.constant("gathers_frozen")) * per_layer + compute * ends)
    gradients = layer * (compute + DTYPE_BYTES[run.precision.grads])
    gathered = float(run.framework.constant("gathers")) * layer * compute + gradients + compute * ends
    everything = held(groups_held(run, stage), layout) * compute
    return min(gathered, everything + gradients)


def _streamed(run: TrainingRun, stage: Stage, compute: float) -> float:
    """Return the layers that are on the GPU for a moment while the others are offloaded."""
    layer = layer_parameters(run.model, run.layout, experts=True) * compute
    return float(run.framework.constant("gathers")) * layer + compute * end_parameters(
        run.model, run.layout, stage
    )


def _dequantised(run: TrainingRun) -> float:
    """Return the largest weight of the base in the format of the computation, while it is used."""
    if run.base is None or not run.base.covers:
        return 0.0
    groups = [group for kind in layer_kinds(run.model) for group in kind.groups]
    quantised = [group for group in groups if group.is_matrix and run.base.encoding(group) is not None]
    if run.framework.constant("quantises_head"):
        quantised.append(head_of(run.model))
    largest = max((math.prod(group.shape) * share(group, run.layout) for group in quantised), default=0.0)
    return largest * run.compute_bytes
