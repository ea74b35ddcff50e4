"""The peak of a training step: components in each phase, and the phase that needs the most."""

from __future__ import annotations

from dataclasses import dataclass

from core.memory.training.activations import Keeping, Kept, keeping, kept, kept_selectively
from core.memory.training.adapters import trainable_parameters
from core.memory.training.frameworks import quantiser_constants
from core.memory.training.loss import logit_bytes
from core.memory.training.run import DTYPE_BYTES, TrainingRun
from core.memory.training.shapes import LayerKind, Stage, groups_held, held, layer_kinds, share, stages_asked
from core.memory.training.states import States, states
from core.memory.training.transient import transient
from core.quantities import GIB

COMPONENTS = ("weights", "gradients", "optimizer", "activations", "logits", "transient")
"""What fills a GPU that trains, as the answer names it."""

Components = dict[str, float]

HOST_PER_GPU = 256 * GIB
"""Memory of a server for each of its GPUs. Source: NVIDIA DGX A100 and DGX H100 user guides, 2 TB for eight."""


@dataclass(frozen=True)
class TrainingMemory:
    """Memory of one GPU of the most loaded stage, in bytes.

    `phases` are load, forward, loss, backward, step, each with its components; `peak_phase` needs the most.
    `allocated` is what the framework's tensors take at the peak, `reserved` what its allocator holds for them,
    `process` what the driver counts: with the CUDA context and the network's buffers. `host` is what offload puts
    into the memory of the server, for each of its GPUs.
    """

    run: TrainingRun
    stage: Stage
    phases: dict[str, Components]
    peak_phase: str
    allocated: float
    reserved: float
    process: float
    trainable: int
    host: float

    @property
    def components(self) -> Components:
        """The components at the peak."""
        return self.phases[self.peak_phase]

    @property
    def fits(self) -> bool | None:
        """Whether the process fits on the device, and what is offloaded in its server; None without a device."""
        if self.run.device is None:
            return None
        return self.process <= self.run.device.usable and self.host <= HOST_PER_GPU


@dataclass(frozen=True)
class LayerBytes:
    """Activations of a stage: `waiting` for the backward pass, `working` in the layer that goes backward.

    `beyond` is what the layer at work takes beyond what had waited of it.
    """

    waiting: float
    working: float
    beyond: float


def _scores(run: TrainingRun, kind: LayerKind, name: str) -> float:
    """Return the bytes a token of attention scores, which only eager attention makes."""
    if run.attention == "fused":
        return 0.0
    queries = kind.find("attention.q") or kind.find("attention.q_b")
    part = share(queries, run.layout) if queries else 1.0
    each = float(run.framework.constant(name))
    return each * run.model.heads * part * run.sequence * run.compute_bytes / 2


def layer_bytes(run: TrainingRun, stage: Stage) -> LayerBytes:
    """Return the activations of one micro-batch in the layers of *stage*, and of the layer that is recomputed."""
    how, tokens, layout = keeping(run), run.tokens, run.layout
    stream = run.model.hidden * (4.0 if run.upcast else run.compute_bytes) / (layout.tp if layout.sp else 1)
    waiting = working = beyond = 0.0
    for kind in layer_kinds(run.model):
        count = sum(1 for layer in kind.layers if layer in stage.layers)
        if not count:
            continue
        plain = tokens * _whole(run, kind, how).per_token(layout)
        every = plain + tokens * _scores(run, kind, "scores_kept_dropout" if run.dropout else "scores_kept")
        some = tokens * (_selected(run, kind, how).per_token(layout))
        full = min(tokens * stream, every)
        live = plain * float(run.framework.constant("recompute"))
        live += tokens * _scores(run, kind, "scores_live_upcast" if run.upcast else "scores_live")
        some = min(max(some, full), every)
        each = {"none": every, "selective": some, "full": full, "full+offload": 0.0}[run.checkpointing]
        live = max(live, every)
        waiting += count * each
        working, beyond = max(working, live), max(beyond, live - each)
    return LayerBytes(waiting, working, beyond)


def _whole(run: TrainingRun, kind: LayerKind, how: Keeping) -> Kept:
    return kept(run.model, kind, how, run.layout)


def _selected(run: TrainingRun, kind: LayerKind, how: Keeping) -> Kept:
    return kept_selectively(kind, how, run.model.hidden, run.layout)


def in_flight(run: TrainingRun, stage: Stage) -> float:
    """Return how many micro-batches of the whole stage wait for their backward pass.

    One forward, one backward: as many as stages follow, itself included. Interleaved: chunks of 1 / vpp of the
    stage's layers. Source: Megatron-LM core/pipeline_parallel/schedules.py (warm-up micro-batches).
    """
    layout, batches = run.layout, run.accumulation
    if layout.pp == 1:
        return 1.0
    after = layout.pp - stage.number
    if layout.vpp == 1:
        return float(min(after, batches))
    chunks = min(2 * (after - 1) + (layout.vpp - 1) * layout.pp + 1, batches * layout.vpp)
    return chunks / layout.vpp


def phases_of(run: TrainingRun, stage: Stage) -> dict[str, Components]:
    """Return the components in each phase of a step on *stage*."""
    kept_states, buffers, logits = states(run, stage), transient(run, stage), logit_bytes(run, stage)
    layers, waiting_batches = layer_bytes(run, stage), in_flight(run, stage)
    activations = layers.waiting * waiting_batches
    ends = 2 * run.compute_bytes * run.model.hidden * run.tokens  # the input of the head and its gradient
    persist = kept_states.gradients if run.grads_persist else 0.0
    quantiser = quantiser_constants(run.quantiser).get("overhead_gib", 0)
    overhead = (float(run.framework.constant("overhead_gib")) + float(quantiser)) * GIB
    copies, head = buffers.layers + overhead, buffers.head_gradient
    all_gradients = kept_states.gradients
    return {
        "load": _load(run, stage, kept_states, overhead),
        "forward": _components(kept_states, persist, activations + ends, logits.forward, copies),
        "loss": _components(kept_states, persist, activations + ends / 2, logits.backward, copies + head),
        # Activations shrink while gradients grow, so one of the two ends is the worst.
        "backward": _worse(
            _components(kept_states, persist, activations + layers.beyond, logits.after, copies),
            _components(kept_states, all_gradients, layers.working, logits.after, copies),
        ),
        "step": _components(kept_states, all_gradients, 0.0, 0.0, kept_states.step + overhead),
    }


def _components(
    kept_states: States, gradients: float, activations: float, logits: float, buffers: float
) -> Components:
    values = (kept_states.weights, gradients, kept_states.optimizer, activations, logits, buffers)
    return dict(zip(COMPONENTS, values, strict=True))


def _worse(*ends: Components) -> Components:
    return max(ends, key=lambda parts: sum(parts.values()))


def _load(run: TrainingRun, stage: Stage, kept_states: States, overhead: float) -> Components:
    """Return what the start takes: the whole model on every GPU where the framework shards it afterwards."""
    whole = kept_states.weights
    if run.framework.constant("load") == "whole" and run.layout.zero == 3 and run.layout.shards > 1:
        size = DTYPE_BYTES[run.precision.weights]
        whole += size * held(groups_held(run, stage), run.layout)
    parts = _components(kept_states, 0.0, 0.0, 0.0, overhead)
    return parts | {"weights": whole, "optimizer": 0.0}


def size_training(run: TrainingRun) -> TrainingMemory:
    """Return the memory of the most loaded GPU of *run*, in bytes."""
    best: tuple[float, Stage, dict[str, Components], str] | None = None
    for stage in stages_asked(run):
        phases = phases_of(run, stage)
        totals = {name: sum(parts.values()) for name, parts in phases.items()}
        peak = max(totals, key=lambda name: totals[name])
        if best is None or totals[peak] > best[0]:
            best = (totals[peak], stage, phases, peak)
    assert best is not None  # noqa: S101 - there is always a stage
    allocated, stage, phases, peak = best
    sharded = run.layout.zero == 3 and run.layout.shards > 1
    reserved = allocated * float(run.framework.constant("reserved_sharded" if sharded else "reserved"))
    context = float(run.framework.constant("context_gib")) * GIB
    if run.layout.gpus > 1:
        context += float(run.framework.constant("network_gib")) * GIB
    return TrainingMemory(
        run,
        stage,
        phases,
        peak,
        allocated,
        reserved,
        reserved + context,
        trainable_parameters(run),
        states(run, stage).host,
    )
