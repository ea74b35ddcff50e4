"""What would make a training run fit, in words: the cheapest combination, enough GPUs, and each lever alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from core.memory.training import TrainingMemory, TrainingRun
from core.memory.training.fitting import (
    Combination,
    cheapest,
    enough_gpus,
    largest_micro_batch,
    longest_sequence,
)
from core.memory.training.levers import Pulled, alone
from core.text import Sentence, say

SAME_TIME = 0.005
"""Times that differ by less than this share count as equal."""


@dataclass(frozen=True)
class Advice:
    """A changed run, what was changed, bytes of each GPU saved, and times as long and as many GPU-hours a token."""

    run: TrainingRun
    memory: TrainingMemory
    changes: tuple[Sentence, ...]
    saved: float
    time: float
    gpu_hours: float


@dataclass(frozen=True)
class Advised:
    """What would make a run fit: `best` on its own GPUs, `wider` on more of them where there is no best, `single`."""

    best: Advice | None
    wider: Advice | None
    single: tuple[Advice, ...]


@dataclass(frozen=True)
class Limits:
    """The most sequences of a micro-batch, and the longest sequence in tokens, that fit; 0 where none does."""

    micro_batch: int
    sequence: int


@lru_cache(maxsize=64)
def advised(run: TrainingRun) -> Advised:
    """Return what would make *run* fit on its device; single levers that do so alone, the fastest first."""
    found = cheapest(run)
    best = _combined(run, found) if found else None
    more = enough_gpus(run) if best is None else None
    single = sorted(
        (one for one in every_lever(run) if one.memory.fits), key=lambda one: (one.gpu_hours, one.time)
    )
    seen: dict[str, Advice] = {}
    for one in single:
        seen.setdefault(one.changes[0].key, one)
    return Advised(best, _combined(run, more) if more else None, tuple(seen.values()))


@lru_cache(maxsize=64)
def every_lever(run: TrainingRun) -> tuple[Advice, ...]:
    """Return every lever alone that saves memory, the largest saving first."""
    return tuple(_pulled(one) for one in alone(run))


@lru_cache(maxsize=64)
def limits(run: TrainingRun) -> Limits:
    """Return how far micro-batch and sequence can go on the device of *run*, each with the other as it is."""
    return Limits(largest_micro_batch(run), longest_sequence(run))


def _pulled(one: Pulled) -> Advice:
    return Advice(one.lever.run, one.memory, (one.lever.sentence,), one.saved, one.time, one.gpu_hours)


def _combined(before: TrainingRun, one: Combination) -> Advice:
    return Advice(one.run, one.memory, changes(before, one.run), one.saved, one.time, one.gpu_hours)


def changes(before: TrainingRun, after: TrainingRun) -> tuple[Sentence, ...]:
    """Return in which settings *after* differs from *before*, as *after* has them."""
    old, new = before.layout, after.layout
    found = [
        (old.gpus != new.gpus, say("train_page.change.gpus", gpus=new.gpus)),
        (
            old.zero != new.zero,
            say("train_page.change.zero" if new.zero else "train_page.change.no_zero", zero=new.zero),
        ),
        (
            old.tp != new.tp,
            say("train_page.change.tp" if new.tp > 1 else "train_page.change.no_tp", ranks=new.tp),
        ),
        (
            old.pp != new.pp,
            say("train_page.change.pp" if new.pp > 1 else "train_page.change.no_pp", ranks=new.pp),
        ),
        (old.ep != new.ep, say("train_page.change.ep", ranks=new.ep)),
        (
            before.checkpointing != after.checkpointing,
            say(
                "train_page.change.checkpointing",
                kind=say(f"train_page.checkpoint.{after.checkpointing.replace('+', '_')}"),
            ),
        ),
        (
            (before.micro_batch, before.accumulation) != (after.micro_batch, after.accumulation),
            say("train_page.change.batch", batch=after.micro_batch, accumulation=after.accumulation),
        ),
        (
            before.optimizer.state != after.optimizer.state,
            say("train_page.change.state", state=say(f"train_page.states.{after.optimizer.state}")),
        ),
        (
            before.loss != after.loss,
            say("train_page.change.loss", loss=say(f"train_page.losses.{after.loss}")),
        ),
        (before.attention != after.attention, say("training.lever.fused_attention")),
        (
            before.offload != after.offload,
            say("train_page.change.offload", what=say(f"train_page.offloads.{after.offload}"))
            if after.offload
            else say("train_page.change.no_offload"),
        ),
    ]
    return tuple(sentence for differs, sentence in found if differs)


def price_words(one: Advice) -> Sentence:
    """Return the price of *one* in time and, where it takes other GPUs, in GPU-hours."""
    if abs(one.time - 1) < SAME_TIME:
        time = say("train_page.price.same")
    elif one.time > 1:
        time = say("train_page.price.slower", percent=100 * (one.time - 1))
    else:
        time = say("train_page.price.faster", percent=100 * (1 - one.time))
    if abs(one.gpu_hours - one.time) < SAME_TIME:
        return time
    return say("train_page.price.gpu_hours", time=time, percent=100 * (one.gpu_hours - 1))
