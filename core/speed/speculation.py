"""Speculative decoding: how many tokens a step gives, and what proposing them costs.

A step proposes `drafts` tokens for each sequence, by the model's own multi-token prediction layers, by a smaller
model, or by looking them up in the text (n-gram), and verifies all of them in one pass of the model.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_CERTAIN = 1e-12
"""How near an acceptance may come to 0 and 1: the series below is exact at both ends within rounding."""


def tokens_per_step(drafts: Any, acceptance: Any) -> Any:
    """Return the mean tokens that one step gives a sequence: (1 - a^(k + 1)) / (1 - a).

    A draft counts only where all before it were accepted, each with probability *acceptance* (0 to 1); the pass
    that verifies *drafts* of them adds one token of its own.
    Source: Leviathan, Kalman and Matias, Fast Inference from Transformers via Speculative Decoding (2023), eq. 1.

    >>> float(tokens_per_step(1.0, 0.9)), float(tokens_per_step(3.0, 1.0)), float(tokens_per_step(0.0, 0.5))
    (1.9, 4.0, 1.0)
    """
    # Rounded, so that it is exactly 1 without drafts.
    missed = np.clip(1.0 - acceptance, _CERTAIN, 1.0 - _CERTAIN)
    return np.round(-np.expm1((drafts + 1.0) * np.log1p(-missed)) / missed, 10)
