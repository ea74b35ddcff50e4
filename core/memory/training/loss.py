"""Logits and cross entropy: bytes for each token and word of the vocabulary, by implementation."""

from __future__ import annotations

from dataclasses import dataclass

from core.memory.training.frameworks import quantiser_constants
from core.memory.training.run import TrainingRun
from core.memory.training.shapes import Stage


@dataclass(frozen=True)
class LogitBytes:
    """Bytes at the end of the forward pass, at the start of the backward pass, and while layers go backward."""

    forward: float
    backward: float
    after: float


def logit_bytes(run: TrainingRun, stage: Stage) -> LogitBytes:
    """Return the bytes of logits, their copies and gradients on one rank of *stage*.

    Bytes for each logit come from frameworks.yaml, times tokens x vocabulary / tp. A head that was turned into
    fp32 makes fp32 logits, of which the loss needs no second copy.
    """
    if not stage.last:
        return LogitBytes(0.0, 0.0, 0.0)
    rows = run.framework.constant("logits")
    name: str = run.loss
    if run.loss == "eager" and run.layout.tp > 1:
        name = "eager_parallel"
    elif run.loss == "eager" and run.logits_kept:
        name = "eager_kept_upcast" if run.upcast else "eager_kept"
    row = quantiser_constants(run.quantiser).get(name) or rows[name]
    logits = run.tokens * run.model.vocabulary / run.layout.tp
    return LogitBytes(*(float(row[part]) * logits for part in ("forward", "backward", "after")))
