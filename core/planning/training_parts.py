"""The parts of a training process at its peak: how large, how far to trust them, and by which formula."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.memory.headline import Estimate
from core.memory.training import TrainingMemory, TrainingRun
from core.memory.training.adapters import trainable_parameters
from core.memory.training.bands import training_band
from core.memory.training.peak import COMPONENTS, in_flight, layer_bytes
from core.memory.training.reasons import verdict
from core.memory.training.states import states
from core.quantities import GIB, format_digits, format_gib, significant_digits
from core.text import Sentence, say

STATES = {
    "training.fits": "fits",
    "training.tight": "tight",
    "training.perhaps_too_large": "doubtful",
    "training.too_large": "refuses",
    "training.no_device": "unknown",
}
"""What a verdict means in one word, by the sentence that says it."""


@dataclass(frozen=True)
class Part:
    """A part of the process in bytes, and its formula with the numbers filled in."""

    name: str
    bytes: float
    formula: Sentence


def state_of(memory: TrainingMemory) -> str:
    """Return fits, tight (may fit), doubtful (probably not), refuses or unknown (no device)."""
    return STATES[verdict(memory).key]


def verdict_words(memory: TrainingMemory) -> Sentence:
    """Return the verdict with the digits that its band supports; `verdict` has those of the estimate."""
    whole, device, state = whole_band(memory), memory.run.device, state_of(memory)
    usable = device.usable if device else 0.0
    return say(
        f"train_page.banner.{state}",
        gpu=device.name if device else "",
        process=shown_gib(memory.process, whole),
        usable=format_gib(usable),
        room=room(abs(usable - memory.process), whole),
        low=shown_gib(whole.low, whole),
        high=shown_gib(whole.high, whole),
    )


def peak_words(memory: TrainingMemory) -> Sentence:
    """Return the phase of the peak and what takes the most in it."""
    parts = memory.components
    largest = max(parts, key=lambda name: parts[name])
    return say(
        "train_page.peak",
        phase=say(f"training.phase.{memory.peak_phase}"),
        component=say(f"training.component.{largest}"),
        size=shown_gib(parts[largest], whole_band(memory)),
        share=100 * parts[largest] / max(1.0, memory.allocated),
    )


def whole_band(memory: TrainingMemory) -> Estimate:
    """Return the memory of the process in bytes, with the band of runs of its kind."""
    return Estimate(memory.process, *training_band(memory.run, memory.process))


def shown_gib(size: float, whole: Estimate) -> str:
    """Return *size* in GiB with no digit below the last that the band of the *whole* supports, and one at least.

    >>> run = Estimate(41.2 * GIB, 35 * GIB, 49 * GIB)
    >>> shown_gib(27.75 * GIB, run), shown_gib(0.24 * GIB, run)
    ('28 GiB', '0.2 GiB')
    """
    digits = significant_digits(whole.value, whole.low, whole.high)
    return f"{format_digits(size / GIB, digits if size / GIB >= 1 else 1)} GiB"


def room(size: float, whole: Estimate) -> str:
    """Return what is free or lacking in GiB: a difference has no finer digit than the estimate of the *whole*.

    >>> room(37.88 * GIB, Estimate(41.2 * GIB, 35 * GIB, 49 * GIB))
    '38 GiB'
    >>> room(13_610 * GIB, Estimate(13_750 * GIB, 12_500 * GIB, 15_000 * GIB))
    '14,000 GiB'
    >>> room(0.31 * GIB, Estimate(2.1 * GIB, 2 * GIB, 3 * GIB))
    '0.3 GiB'
    """
    digits = significant_digits(whole.value, whole.low, whole.high)
    places = digits - 1 - math.floor(math.log10(max(whole.value / GIB, 0.1)))
    rounded = round(size / GIB, places)
    if not rounded and size > 0:
        return f"{format_digits(size / GIB, 1)} GiB"
    return f"{rounded:,.{max(0, places)}f} GiB"


def duration(seconds: float) -> Sentence:
    """Return how long a run takes with two digits, in minutes, hours or days: its estimate supports no more.

    >>> str(duration(24_247)), str(duration(290)), str(duration(1_234_567))
    ('6.7 hours', '4.8 minutes', '14 days')
    """
    for name, size in (("days", 2 * 86_400), ("hours", 2 * 3600)):
        if seconds >= size:
            return say(f"train_page.duration.{name}", amount=format_digits(seconds / (size / 2), 2))
    return say("train_page.duration.minutes", amount=format_digits(seconds / 60, 2))


def short_time(seconds: float) -> str:
    """Return the seconds of a part of a step with two digits.

    >>> short_time(5.349), short_time(0.0123), short_time(0)
    ('5.3 s', '0.012 s', '0 s')
    """
    return f"{format_digits(seconds, 2)} s"


def money(usd: float) -> str:
    """Return US dollars with two digits.

    >>> money(15.42), money(141_538.5)
    ('$15', '$140,000')
    """
    return f"${format_digits(usd, 2)}"


def parts_at_peak(memory: TrainingMemory) -> dict[str, float]:
    """Return the bytes of each part of the process at its peak: components, the allocator's reserve, the context."""
    return {
        **{name: memory.components[name] for name in COMPONENTS},
        "reserve": memory.reserved - memory.allocated,
        "context": memory.process - memory.reserved,
    }


def parts(memory: TrainingMemory) -> tuple[Part, ...]:
    """Return the parts of the process at its peak, each with its formula."""
    run = memory.run
    made = {
        "weights": _weights(memory),
        "gradients": _gradients(memory),
        "optimizer": _optimizer(memory),
        "activations": _activations(memory),
        "logits": _logits(memory),
        "transient": say("train_page.formula.transient", total=memory.components["transient"] / GIB),
        "reserve": say(
            "train_page.formula.reserve",
            allocated=memory.allocated / GIB,
            factor=memory.reserved / memory.allocated - 1 if memory.allocated else 0.0,
            total=(memory.reserved - memory.allocated) / GIB,
        ),
        "context": say(
            "train_page.formula.context" if run.layout.gpus == 1 else "train_page.formula.context_network",
            context=float(run.framework.constant("context_gib")),
            network=float(run.framework.constant("network_gib")),
            total=(memory.process - memory.reserved) / GIB,
        ),
    }
    return tuple(Part(name, size, made[name]) for name, size in parts_at_peak(memory).items())


def _per(total: float, number: float) -> float:
    return total / number if number else 0.0


def _weights(memory: TrainingMemory) -> Sentence:
    run, held = memory.run, states(memory.run, memory.stage)
    total = memory.components["weights"]
    return say(
        "train_page.formula.weights" if total else "train_page.formula.offloaded",
        parameters=held.parameters,
        layout=_ranks(run),
        each=_per(total, held.parameters),
        total=total / GIB,
    )


def _gradients(memory: TrainingMemory) -> Sentence:
    total, number = memory.components["gradients"], _trained_here(memory)
    if not total:
        return say("train_page.formula.no_gradients")
    return say(
        "train_page.formula.gradients",
        trained=number,
        dtype=_gradient_format(memory.run),
        each=_per(total, number),
        total=total / GIB,
    )


def _gradient_format(run: TrainingRun) -> str:
    return run.adapters.dtype if run.method != "full" and run.adapters else run.precision.grads


def _optimizer(memory: TrainingMemory) -> Sentence:
    run, total, number = memory.run, memory.components["optimizer"], _trained_here(memory)
    if not total:
        return say("train_page.formula.no_states" if run.offload is None else "train_page.formula.offloaded")
    return say(
        "train_page.formula.optimizer",
        trained=number,
        optimizer=run.optimizer.name,
        state=say(f"train_page.states.{run.optimizer.state}"),
        each=_per(total, number),
        total=total / GIB,
    )


def _trained_here(memory: TrainingMemory) -> float:
    """Return the trained parameters that one rank of the stage holds before ZeRO."""
    run = memory.run
    if run.method == "full":
        return states(run, memory.stage).parameters
    return trainable_parameters(run) / (run.layout.tp * run.layout.pp)


def _activations(memory: TrainingMemory) -> Sentence:
    run, total = memory.run, memory.components["activations"]
    layers = layer_bytes(run, memory.stage)
    waiting = layers.waiting * in_flight(run, memory.stage)
    number = len(memory.stage.layers)
    return say(
        "train_page.formula.activations" if total else "train_page.formula.no_activations",
        tokens=run.tokens,
        layers=number,
        each=_per(layers.waiting, run.tokens * number),
        flight=in_flight(run, memory.stage),
        waiting=waiting / GIB,
        rest=max(0.0, total - waiting) / GIB,
        checkpointing=say(f"train_page.checkpoint.{run.checkpointing.replace('+', '_')}"),
        total=total / GIB,
    )


def _logits(memory: TrainingMemory) -> Sentence:
    run, total = memory.run, memory.components["logits"]
    if not total:
        return say("train_page.formula.no_logits")
    number = run.tokens * run.model.vocabulary / run.layout.tp
    return say(
        "train_page.formula.logits",
        tokens=run.tokens,
        vocabulary=run.model.vocabulary,
        tp=run.layout.tp,
        each=_per(total, number),
        loss=say(f"train_page.losses.{run.loss}"),
        total=total / GIB,
    )


def _ranks(run: TrainingRun) -> str:
    """Return the layout in the words of the field, "1 GPU" where nothing is divided."""
    layout = run.layout
    words = [
        f"{name}{size}"
        for name, size in (
            ("TP", layout.tp),
            ("PP", layout.pp),
            ("CP", layout.cp),
            ("EP", layout.ep),
            ("DP", layout.dp),
        )
        if size > 1
    ]
    return " ".join([*words, *([f"ZeRO-{layout.zero}"] if layout.zero else [])]) or "1 GPU"
