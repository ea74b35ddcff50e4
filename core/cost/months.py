"""Months of a cash flow: column 0 is the first day, column m the month that ends m months later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.cost.assumptions import Number

Flow = NDArray[np.float64]
"""Amounts by month: the last axis has the months, the others are those of the inputs."""


def each_month(amount: Number) -> Flow:
    """Return *amount* with an axis of months behind its own axes."""
    return np.asarray(amount, dtype=float)[..., None]


@dataclass(frozen=True)
class Months:
    """The months up to `horizon` (with an axis of months): their numbers, and how much of each lies within it."""

    horizon: Flow
    index: Flow

    @property
    def share(self) -> Flow:
        """How much of each month lies within the horizon, 0 to 1; none of the first day."""
        return self.until(self.horizon)

    @property
    def end(self) -> Flow:
        """1 in the month in which the horizon ends, 0 else."""
        return np.where(self.index == np.ceil(self.horizon), 1.0, 0.0)

    @property
    def start(self) -> Flow:
        """1 on the first day, 0 else."""
        return np.where(self.index == 0, 1.0, 0.0)

    def until(self, term: Flow) -> Flow:
        """Return how much of each month lies within *term* months and the horizon, 0 to 1."""
        return np.clip(np.minimum(term, self.horizon) - (self.index - 1.0), 0.0, 1.0) * (self.index > 0)


def months(horizon: Number) -> Months:
    """Return the months up to *horizon*, which may differ from draw to draw; the longest sets the columns."""
    last = int(np.ceil(np.max(horizon)))
    return Months(each_month(horizon), np.arange(last + 1, dtype=float))
