"""What would make a training run smaller: every lever alone, with the memory that it saves and its price in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from core.architecture.formats import weight_format
from core.errors import PlannerError
from core.memory.training.check import check_run
from core.memory.training.peak import TrainingMemory, size_training
from core.memory.training.run import Adapters, Checkpointing, Offload, Precision, TrainingRun
from core.speed.training import seconds_per_token
from core.text import Sentence, say


@dataclass(frozen=True)
class Lever:
    """One change of a run. `keeps_training`: the same parameters are trained on the same sequences."""

    name: str
    sentence: Sentence
    run: TrainingRun
    keeps_training: bool = True


@dataclass(frozen=True)
class Pulled:
    """A lever with its effect: bytes of the process saved, times longer for each token, times as many GPU-hours."""

    lever: Lever
    memory: TrainingMemory
    saved: float
    time: float
    gpu_hours: float

    @property
    def fits(self) -> bool | None:
        """Whether the changed run fits on its device."""
        return self.memory.fits


def _said(name: str, run: TrainingRun, *, keeps_training: bool = True, **values: object) -> Lever:
    return Lever(name, say(f"training.lever.{name}", **values), run, keeps_training)


def smaller_batch(run: TrainingRun) -> Iterator[Lever]:
    """Halve the micro-batch and double the micro-batches of a step, down to one sequence."""
    half = run.micro_batch // 2
    if run.micro_batch > 1:
        yield _said("micro_batch", batched(run, half), batch=half)
    if run.micro_batch > 3:
        yield _said("micro_batch", batched(run, 1), batch=1)


def batched(run: TrainingRun, batch: int) -> TrainingRun:
    """Return *run* with micro-batches of *batch* sequences and about the same effective batch."""
    return replace(run, micro_batch=batch, accumulation=-(-run.micro_batch * run.accumulation // batch))


def shorter_sequence(run: TrainingRun) -> Iterator[Lever]:
    """Halve the sequence."""
    half = run.sequence // 2
    if half >= 128 and half % run.layout.cp == 0:
        yield _said("sequence", replace(run, sequence=half), keeps_training=False, tokens=half)


_ORDER: tuple[Checkpointing, ...] = ("none", "selective", "full", "full+offload")


def stronger_checkpointing(run: TrainingRun) -> Iterator[Lever]:
    """Keep fewer activations, and compute them again."""
    for kind in _ORDER[_ORDER.index(run.checkpointing) + 1 :]:
        name = {"full+offload": "checkpointing_offload"}.get(kind, f"checkpointing_{kind}")
        yield _said(name, replace(run, checkpointing=kind))


def smaller_states(run: TrainingRun) -> Iterator[Lever]:
    """Keep optimizer states in fewer bits, or step inside the backward pass."""
    state = run.optimizer.state
    for smaller in {"fp32": ("bf16", "8bit"), "bf16": ("8bit",), "paged": ("8bit",)}.get(state, ()):
        changed = replace(run, optimizer=replace(run.optimizer, state=smaller))
        yield _said(f"state_{smaller}", changed)
    if not run.optimizer.fused_backward and run.accumulation == 1 and run.layout.gpus == 1:
        yield _said("fused_backward", replace(run, optimizer=replace(run.optimizer, fused_backward=True)))


def sharding(run: TrainingRun) -> Iterator[Lever]:
    """Shard more over the data-parallel ranks."""
    if run.layout.shards > 1:
        for level in range(run.layout.zero + 1, 4):
            yield _said(
                f"zero_{level}", replace(run, layout=replace(run.layout, zero=level)), gpus=run.layout.shards
            )


def offloading(run: TrainingRun) -> Iterator[Lever]:
    """Keep optimizer states, or weights too, in the memory of the host."""
    kinds: dict[Offload | None, tuple[Offload, ...]] = {
        None: ("optimizer", "parameters", "all"),
        "optimizer": ("parameters", "all"),
        "parameters": ("all",),
        "all": (),
    }
    for kind in kinds[run.offload]:
        yield _said(f"offload_{kind}", replace(run, offload=kind))


def relaid(run: TrainingRun, tp: int, pp: int) -> TrainingRun | None:
    """Return *run* on the same GPUs with *tp* and *pp*, or None where they do not divide them or the model."""
    layout = run.layout
    if layout.gpus % (tp * pp * layout.cp):
        return None
    dp = layout.gpus // (tp * pp * layout.cp)
    shards = dp * layout.cp
    zero = layout.zero if shards > 1 else 0
    ep = next((n for n in range(layout.ep, 0, -1) if shards * tp % (n * layout.etp) == 0), 1)
    changed = replace(
        layout, dp=dp, tp=tp, pp=pp, sp=tp > 1, zero=zero, ep=ep, vpp=layout.vpp if pp > 1 else 1
    )
    # A step needs as many micro-batches as stages, or most of them wait.
    accumulation = (
        max(pp, -(-run.accumulation * layout.dp // dp)) if pp > 1 else -(-run.accumulation * layout.dp // dp)
    )
    return checked(replace(run, layout=changed, accumulation=accumulation))


def checked(run: TrainingRun) -> TrainingRun | None:
    """Return *run*, or None where it cannot be started."""
    try:
        check_run(run)
    except PlannerError:
        return None
    return run


def splitting(run: TrainingRun) -> Iterator[Lever]:
    """Divide each layer over GPUs of one server, or the layers over stages."""
    layout = run.layout
    for ranks in (2, 4, 8):
        if ranks > layout.tp:
            changed = relaid(run, ranks, layout.pp)
            if changed:
                yield _said("tp", changed, ranks=ranks)
    for stages in (2, 4, 8):
        if stages > layout.pp:
            changed = relaid(run, layout.tp, stages)
            if changed:
                yield _said("pp", changed, stages=stages)


def adapting(run: TrainingRun) -> Iterator[Lever]:
    """Train adapters beside frozen weights."""
    adapters = run.adapters or Adapters(dtype=str(run.framework.constant("adapter_dtype")))
    precision = Precision(run.precision.weights, "bf16", "none", run.precision.fp8_compute)
    if precision.weights == "fp32":
        precision = replace(precision, weights="bf16")
    if run.method == "full":
        yield _said(
            "lora",
            replace(run, method="lora", adapters=adapters, precision=precision, trainable=None),
            keeps_training=False,
            rank=adapters.rank,
        )
    if run.method != "qlora":
        changed = replace(
            run, method="qlora", adapters=adapters, precision=precision, base=weight_format("nf4")
        )
        if run.method == "full":
            changed = replace(changed, trainable=None)
        yield _said("qlora", changed, keeps_training=False, rank=adapters.rank)


def leaner_kernels(run: TrainingRun) -> Iterator[Lever]:
    """Use kernels that keep less: a loss in chunks or fused with the head, fused attention."""
    if run.loss in ("eager", "compiled", "megatron"):
        yield _said("loss_chunked", replace(run, loss="chunked", logits_kept=False))
    if run.loss != "fused":
        yield _said("loss_fused", replace(run, loss="fused", logits_kept=False))
    if run.attention == "eager":
        yield _said("fused_attention", replace(run, attention="fused"))


def more_gpus(run: TrainingRun) -> Iterator[Lever]:
    """Add data-parallel GPUs and shard over all of them."""
    for times in (2, 4, 8):
        layout = replace(run.layout, dp=run.layout.dp * times, zero=3)
        yield _said("more_gpus", replace(run, layout=layout), gpus=layout.gpus)


LEVERS: tuple[Callable[[TrainingRun], Iterator[Lever]], ...] = (
    smaller_batch,
    shorter_sequence,
    stronger_checkpointing,
    smaller_states,
    leaner_kernels,
    sharding,
    splitting,
    offloading,
    adapting,
    more_gpus,
)
"""All levers, from those of the batch to those that need more machines."""


def levers(run: TrainingRun) -> list[Lever]:
    """Return every change of *run* that can be started."""
    return [lever for kind in LEVERS for lever in kind(run) if checked(lever.run)]


def pulled(lever: Lever, before: TrainingMemory) -> Pulled:
    """Return what *lever* saves of *before*, and its price."""
    after = size_training(lever.run)
    time = seconds_per_token(lever.run) / seconds_per_token(before.run)
    gpus = lever.run.layout.gpus / before.run.layout.gpus
    return Pulled(lever, after, before.process - after.process, time, time * gpus)


def alone(run: TrainingRun) -> list[Pulled]:
    """Return every lever alone that saves memory, the largest saving first."""
    before = size_training(run)
    found = [pulled(lever, before) for lever in levers(run)]
    return sorted((one for one in found if one.saved > 0), key=lambda one: -one.saved)
