"""Noise that is a function of time: the same at the same moment, whoever asks and in which order.

History and live scraping are made by different processes, so a generator with a state would not do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HOLD_S = 10.0
"""How long a value of `jitter` stays."""
_PERIODS_S = np.array([2900.0, 1370.0, 610.0, 240.0])
_WEIGHTS = np.array([0.45, 0.3, 0.15, 0.1])


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return well mixed bits: the finaliser of splitmix64 (Steele et al., 2014)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _uniform(seed: int, *parts: NDArray[Any]) -> Array:
    """Return numbers from 0 to 1 for each combination of *parts*, which broadcast."""
    state = _mixed(np.asarray(seed, np.uint64).reshape(1))
    for part in parts:
        state = _mixed(state ^ np.asarray(part).astype(np.uint64))
    return (state >> np.uint64(11)) / float(1 << 53)


def jitter(seed: int, count: int, times: Array) -> Array:
    """Return noise of mean 0 and standard deviation 1, new every `HOLD_S`; shape (count, n_times)."""
    rows = np.arange(count)[:, None]
    steps = np.floor(times / HOLD_S)[None, :]
    # Three uniform numbers are near enough to a bell, and never far out.
    total = sum(_uniform(seed + part, rows, steps) for part in range(3)) - 1.5
    return np.asarray(total * 2.0)


def wobble(seed: int, count: int, times: Array) -> Array:
    """Return slow waves between -1 and 1, of minutes to an hour; shape (count, n_times)."""
    rows, waves = np.arange(count)[:, None], np.arange(len(_PERIODS_S))[None, :]
    phases = 2 * np.pi * _uniform(seed, rows, waves)
    angles = 2 * np.pi * times[None, None, :] / _PERIODS_S[None, :, None] + phases[:, :, None]
    return np.asarray((np.sin(angles) * _WEIGHTS[None, :, None]).sum(axis=1))
