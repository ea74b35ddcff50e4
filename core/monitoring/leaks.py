"""Memory that grows hour after hour although the load does not: the mark of a leak.

A cache that fills, a model that is loaded or a batch that grows takes memory too. They are told apart by four
tests on the samples of some hours: the growth is large enough to matter, it follows a line, it has not
stopped, and the load has not grown with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.monitoring.subjects import Subject
from core.quantities import GIB

Numbers = NDArray[np.float64]

LEAST_POINTS = 12
LEAST_SPAN_S = 2 * 3600.0
# Less than this moves with fragmentation and with what the engine keeps for its graphs.
LEAST_GROWTH_BYTES = GIB
# Share of the variance that a line explains: a random walk or a single step stays below.
LEAST_FIT = 0.85
# The second half has to grow at this share of the whole: a step or a cache that is full does not.
STILL_GROWING = 0.4
# Relative growth of the load over the window up to which it counts as steady.
STEADY_LOAD = 0.15


@dataclass(frozen=True)
class Leak:
    """Memory of *subject* that grows: bytes per second, bytes used now, and seconds until it is full."""

    subject: Subject
    slope: float
    used: float
    seen_s: float
    fit: float
    full_s: float | None


def suspected(
    subjects: Sequence[Subject], times: Numbers, used: Numbers, capacity: Numbers, load: Numbers
) -> tuple[Leak, ...]:
    """Return the leaks among *subjects*, the fastest first.

    *times* are seconds, *used* bytes of shape (subjects, times), *capacity* bytes for each subject, and
    *load* any measure of work (requests running, requests per second) of the shape of *used*; NaN where
    something was not sampled, and a load that is not known at all does not clear a subject.
    """
    if not len(subjects) or len(times) < LEAST_POINTS:
        return ()
    slopes, fits = line(times, used)
    spans = _span(times, used)
    enough = (np.isfinite(used).sum(axis=1) >= LEAST_POINTS) & (spans >= LEAST_SPAN_S)
    candidates = enough & (slopes * spans >= LEAST_GROWTH_BYTES) & (fits >= LEAST_FIT)
    found = []
    for row in np.flatnonzero(candidates).tolist():
        slope = theil_sen(times, used[row])
        half = len(times) // 2
        late = theil_sen(times[half:], used[row, half:])
        grown = slope * spans[row] >= LEAST_GROWTH_BYTES and late >= STILL_GROWING * slope
        if grown and not _load_grows(times, load[row]):
            known = used[row][np.isfinite(used[row])]
            left = capacity[row] - known[-1]
            found.append(
                Leak(
                    subjects[row],
                    slope,
                    float(known[-1]),
                    float(spans[row]),
                    float(fits[row]),
                    float(left / slope) if np.isfinite(left) and left > 0 else None,
                )
            )
    return tuple(sorted(found, key=lambda leak: -leak.slope))


def line(times: Numbers, values: Numbers) -> tuple[Numbers, Numbers]:
    """Return slope and r² of the least-squares line through each row of *values*, NaN left out.

    >>> slope, fit = line(np.arange(4.0), np.array([[1.0, 3.0, np.nan, 7.0]]))
    >>> slope.round(6).tolist(), fit.round(6).tolist()
    ([2.0], [1.0])
    """
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    filled = np.where(known, values, 0.0)
    x = np.where(known, times - times[0], 0.0)
    x = np.where(known, x - x.sum(axis=1, keepdims=True) / count, 0.0)
    y = np.where(known, filled - filled.sum(axis=1, keepdims=True) / count, 0.0)
    xx, yy, xy = (x * x).sum(axis=1), (y * y).sum(axis=1), (x * y).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(xx > 0, xy / xx, 0.0)
        fit = np.where((xx > 0) & (yy > 0), xy * xy / (xx * yy), 0.0)
    return slope, fit


def theil_sen(times: Numbers, values: Numbers) -> float:
    """Return the median of the slopes between all pairs of samples: a few outliers do not move it.

    >>> theil_sen(np.arange(5.0), np.array([0.0, 2.0, 4.0, 60.0, 8.0]))
    2.0
    """
    known = np.isfinite(values)
    x, y = times[known], values[known]
    if len(x) < 2:
        return 0.0
    first, second = np.triu_indices(len(x), k=1)
    return float(np.median((y[second] - y[first]) / (x[second] - x[first])))


def _span(times: Numbers, values: Numbers) -> Numbers:
    """Return the seconds between the first and the last sample of each row."""
    known = np.isfinite(values)
    first = np.where(known, times, np.inf).min(axis=1)
    last = np.where(known, times, -np.inf).max(axis=1)
    return np.where(known.any(axis=1), last - first, 0.0)


def _load_grows(times: Numbers, load: Numbers) -> bool:
    """Return whether the work of a subject grew over the window by more than it usually varies."""
    known = load[np.isfinite(load)]
    if len(known) < LEAST_POINTS or not known.mean() > 0:
        return False
    growth = theil_sen(times, load) * (times[-1] - times[0])
    return bool(growth > STEADY_LOAD * known.mean())
