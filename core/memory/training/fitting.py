"""What makes a run fit: the combination of levers that costs the least time, and how far a setting can go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from core.memory.training.bands import training_band
from core.memory.training.levers import batched, checked, relaid
from core.memory.training.peak import TrainingMemory, size_training
from core.memory.training.run import Checkpointing, Loss, Offload, TrainingRun
from core.speed.training import seconds_per_token

MOST_GPUS = 16_384
"""Where the search for enough GPUs ends."""

MOST_BATCH = 4096
MOST_SEQUENCE = 4 * 2**20
SEQUENCE_STEP = 256
"""Ends of the search for what fits, and the tokens by which sequences differ."""


@dataclass(frozen=True)
class Combination:
    """A run that fits: what was changed (field names, as the run states them) and its price in time.

    `time` is how many times longer a token takes than before, `gpu_hours` how many times as many GPU-hours.
    """

    run: TrainingRun
    memory: TrainingMemory
    changed: tuple[str, ...]
    saved: float
    time: float
    gpu_hours: float


_CHECKPOINTING: tuple[Checkpointing, ...] = ("none", "selective", "full", "full+offload")
_LOSSES: tuple[Loss, ...] = ("eager", "compiled", "megatron")


def _layouts(run: TrainingRun) -> Iterator[TrainingRun]:
    """Give *run* on the same GPUs in other layouts, its own first."""
    yield run
    own = (run.layout.tp, run.layout.pp)
    for pp in (1, 2, 4, 8, 16):
        for tp in (1, 2, 4, 8):
            changed = relaid(run, tp, pp) if (tp, pp) != own and tp * pp <= run.layout.gpus else None
            if changed:
                yield changed


def _states(run: TrainingRun, offloads: tuple[Offload | None, ...]) -> Iterator[TrainingRun]:
    """Give *run* with other places and formats for its states."""
    states = ["8bit"] if run.optimizer.state in ("fp32", "bf16", "paged") else []
    levels = range(run.layout.zero, 4) if run.layout.shards > 1 else (run.layout.zero,)
    for offload in offloads:
        for state in (run.optimizer.state, *states):
            if offload is not None and state != run.optimizer.state:
                continue  # what is offloaded needs no smaller format
            for zero in levels:
                optimizer = replace(run.optimizer, state=state)
                yield replace(
                    run, layout=replace(run.layout, zero=zero), optimizer=optimizer, offload=offload
                )


def _batches(run: TrainingRun) -> Iterator[TrainingRun]:
    """Give *run* with fewer activations: stronger checkpointing, smaller micro-batches."""
    sizes = sorted({run.micro_batch, run.micro_batch // 2, run.micro_batch // 4, 1} - {0}, reverse=True)
    for kind in _CHECKPOINTING[_CHECKPOINTING.index(run.checkpointing) :]:
        for size in sizes:
            changed = batched(run, size) if size != run.micro_batch else run
            yield replace(changed, checkpointing=kind)


def _smallest(run: TrainingRun) -> TrainingRun:
    return replace(batched(run, 1), checkpointing="full+offload")


def _lean(run: TrainingRun) -> TrainingRun:
    """Return *run* with the kernels that keep least and cost no time."""
    loss: Loss = "chunked" if run.loss in _LOSSES else run.loss
    return replace(run, loss=loss, logits_kept=False, attention="fused")


def _fitting(run: TrainingRun, offloads: tuple[Offload | None, ...]) -> Iterator[tuple[float, TrainingRun]]:
    for laid in _layouts(run):
        for placed in _states(laid, offloads):
            if not size_training(_smallest(placed)).fits:
                continue
            for candidate in _batches(placed):
                if size_training(candidate).fits:
                    yield seconds_per_token(candidate), candidate


_FIELDS: tuple[tuple[str, Callable[[TrainingRun], object]], ...] = (
    ("attention", lambda run: run.attention),
    ("loss", lambda run: (run.loss, run.logits_kept)),
    ("zero", lambda run: run.layout.zero),
    ("tp", lambda run: run.layout.tp),
    ("pp", lambda run: run.layout.pp),
    ("gpus", lambda run: run.layout.gpus),
    ("checkpointing", lambda run: run.checkpointing),
    ("micro_batch", lambda run: run.micro_batch),
    ("optimizer", lambda run: run.optimizer),
    ("offload", lambda run: run.offload),
)


def changed_fields(before: TrainingRun, after: TrainingRun) -> tuple[str, ...]:
    """Return the names of the settings in which two runs differ."""
    return tuple(name for name, of in _FIELDS if of(before) != of(after))


def surely(memory: TrainingMemory) -> bool:
    """Return whether a run fits even where it takes as much as the upper end of its band."""
    device = memory.run.device
    if device is None or not memory.fits:
        return False
    return training_band(memory.run, memory.process)[1] <= device.usable


def _best(
    found: list[tuple[float, TrainingRun]], order: Callable[[tuple[float, TrainingRun]], tuple[float, int]]
) -> TrainingRun:
    """Return the first of *found* in *order* among those that fit for sure, among all where none does."""
    sure = [pair for pair in found if surely(size_training(pair[1]))]
    return min(sure or found, key=order)[1]


def _without_need(before: TrainingRun, found: TrainingRun) -> TrainingRun:
    """Return *found* with its free changes taken back where it fits as surely without them."""
    fits = surely if surely(size_training(found)) else (lambda memory: bool(memory.fits))
    for back in (
        replace(found, attention=before.attention),
        replace(found, loss=before.loss, logits_kept=before.logits_kept),
    ):
        if fits(size_training(back)):
            found = back
    return found


def cheapest(run: TrainingRun) -> Combination | None:
    """Return the fitting combination of levers that costs the least time, or None where none on these GPUs fits.

    It trains the same parameters on the same sequences and GPUs with about the same effective batch. Kernels that
    keep less are tried first, then layouts, sharding, checkpointing, micro-batches and 8-bit states, and offload only
    where nothing else fits. One that fits at the upper end of its band goes before one that fits perhaps; of equally
    fast ones the one with the fewest changes counts.
    """
    before = size_training(run)
    if before.fits is None:
        return None
    own = run.offload
    rounds: tuple[tuple[Offload | None, ...], ...] = ((own,),) if own else ((None,), ("optimizer",), ("all",))
    for offloads in rounds:
        found = list(_fitting(_lean(run), offloads))
        if found:
            best = _best(found, lambda pair: (round(pair[0], 12), len(changed_fields(run, pair[1]))))
            return _combined(before, _without_need(run, best))
    return None


def _combined(before: TrainingMemory, after: TrainingRun) -> Combination:
    memory = size_training(after)
    time = seconds_per_token(after) / seconds_per_token(before.run)
    gpus = after.layout.gpus / before.run.layout.gpus
    fields = changed_fields(before.run, after)
    return Combination(after, memory, fields, before.process - memory.process, time, time * gpus)


def enough_gpus(run: TrainingRun) -> Combination | None:
    """Return the fewest GPUs, by doubling, on which some combination of levers fits without offload.

    Every optimizer state, gradient and weight may be sharded; None where even MOST_GPUS are not enough.
    """
    before = size_training(run)
    if before.fits is None:
        return None
    shrunk, layout = _lean(run), run.layout
    times = 1
    while layout.gpus * times <= MOST_GPUS:
        dp = layout.dp * times
        ep = max(
            (
                n
                for n in range(1, min(run.model.experts, dp) + 1)
                if run.model.experts % n == 0 and dp % n == 0
            ),
            default=1,
        )
        wider = checked(
            replace(
                shrunk,
                layout=replace(layout, dp=dp, ep=max(ep, layout.ep), zero=3 if dp > 1 else layout.zero),
            )
        )
        if wider:
            found = list(_fitting(wider, (run.offload,)))
            if found:
                return _combined(before, _best(found, lambda pair: (pair[0], 0)))
        times *= 2
    return None


def _largest(fits: Callable[[int], bool], most: int) -> int:
    """Return the largest number up to *most* that *fits*, which holds for all smaller ones; 0 where 1 does not."""
    low, high = 0, 1
    while high <= most and fits(high):
        low, high = high, high * 2
    high = min(high, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def largest_micro_batch(run: TrainingRun) -> int:
    """Return the most sequences of a micro-batch that fit, 0 where one does not; MOST_BATCH at most."""
    return _largest(lambda size: bool(size_training(replace(run, micro_batch=size)).fits), MOST_BATCH)


def longest_sequence(run: TrainingRun) -> int:
    """Return the longest sequence that fits, in tokens, a multiple of 256; 0 where none does.

    The model's own limit ends the search.
    """
    step = SEQUENCE_STEP * run.layout.cp
    most = (run.model.max_context or MOST_SEQUENCE) // step
    return step * _largest(lambda n: bool(size_training(replace(run, sequence=n * step)).fits), most)
