"""The answer of the `train` verb."""

from __future__ import annotations

from typing import Any

from core.memory.training.bands import training_band
from core.memory.training.peak import TrainingMemory, size_training
from core.memory.training.reasons import training_reasons
from core.memory.training.run import TrainingRun
from core.quantities import GIB


def train_answer(run: TrainingRun) -> dict[str, Any]:
    """Return the contract's answer of the `train` verb; sizes in GiB on the most loaded GPU."""
    memory = size_training(run)
    return {
        **{f"{name}_gib": size / GIB for name, size in memory.components.items()},
        "peak_allocated_gib": memory.allocated / GIB,
        "peak_reserved_gib": memory.reserved / GIB,
        "peak_process_gib": memory.process / GIB,
        "peak_phase": memory.peak_phase,
        "phases": _phases(memory),
        "trainable_parameters": memory.trainable,
        "fits": memory.fits,
        "reasons": [str(sentence) for sentence in training_reasons(memory)],
        "band": {"peak_reserved_gib": [edge / GIB for edge in training_band(run, memory.reserved)]},
    }


def _phases(memory: TrainingMemory) -> dict[str, float]:
    return {name: sum(parts.values()) / GIB for name, parts in memory.phases.items()}
