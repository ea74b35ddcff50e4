"""Distributions that three numbers make: low, typical and high."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Literal

import numpy as np

from core.cost.assumptions import Number, Range
from core.cost.months import Flow

Shape = Literal["pert", "triangular"]

_POINTS = 4001


def stream(name: str, count: int, seed: int) -> Flow:
    """Return *count* shares between 0 and 1, one in each of *count* equal steps, in random order.

    A Latin hypercube: percentiles scatter far less than those of plain random numbers. The order depends on
    *name* and *seed* alone, so that a further input changes no other.
    """
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return (random.permutation(count) + random.random(count)) / count


def quantile(shape: Shape, one: Range, share: Flow) -> Flow:
    """Return the values of *one* below which *share* of the *shape* lies."""
    return _SHAPES[shape](share, *one.values)


def triangular(share: Number, low: float, typical: float, high: float) -> Flow:
    """Return the values below which *share* of a triangle over *low* to *high* lies, whose tip is *typical*.

    Below the tip low + sqrt(q (high - low) (typical - low)), above it the same from the other end.

    >>> [round(float(one), 3) for one in triangular(np.array([0.0, 0.5, 1.0]), 0.0, 1.0, 2.0)]
    [0.0, 1.0, 2.0]
    """
    shares, width = np.asarray(share, dtype=float), high - low
    if width <= 0:
        return np.full(shares.shape, float(typical))
    rising = low + np.sqrt(shares * width * (typical - low))
    falling = high - np.sqrt((1.0 - shares) * width * (high - typical))
    return np.where(shares * width < typical - low, rising, falling)


def pert(share: Number, low: float, typical: float, high: float) -> Flow:
    """Return the values below which *share* of a PERT distribution lies: smooth, *typical* weighs four times an end.

    low + (high - low) B, B beta distributed with 1 + 4 (typical - low) / (high - low) and
    1 + 4 (high - typical) / (high - low). The density is summed on a grid and inverted.

    >>> [round(float(one), 3) for one in pert(np.array([0.0, 0.5, 1.0]), 0.0, 1.0, 2.0)]
    [0.0, 1.0, 2.0]
    """
    shares, width = np.asarray(share, dtype=float), high - low
    if width <= 0:
        return np.full(shares.shape, float(typical))
    left, right = 4.0 * (typical - low) / width, 4.0 * (high - typical) / width
    grid = np.linspace(0.0, 1.0, _POINTS)
    density = grid**left * (1.0 - grid) ** right
    below = np.concatenate(([0.0], np.cumsum(density[1:] + density[:-1])))
    values: Flow = low + width * np.interp(shares, below / below[-1], grid)
    return values


_SHAPES: dict[str, Callable[[Number, float, float, float], Flow]] = {"pert": pert, "triangular": triangular}
