"""From averages and limits to states: pure functions of arrays."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.monitoring.indicators import xid_codes
from core.monitoring.thresholds import Limit

States = NDArray[np.object_]


class State(StrEnum):
    """How a subject stands."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"
    UNKNOWN = "unknown"
    WARMING_UP = "warming_up"


def judge(
    limit: Limit,
    average: ArrayLike,
    *,
    least: ArrayLike | None = None,
    most: ArrayLike | None = None,
    samples: ArrayLike | None = None,
    expected_samples: ArrayLike | None = None,
    age_s: ArrayLike | None = None,
    condition: ArrayLike | None = None,
) -> States:
    """Return the `State` of each subject, an array of objects.

    A value is beyond a limit where its *average* over the window is, for all of the window: one dip from the usual
    band that is shorter than a quarter of the window does not reach the limits of the guides.

    Args:
        limit: the limits, in the unit of the values.
        average: over the window; NaN where there is no data.
        least: lowest sample of the window, for limits that are bad only where each sample is beyond them.
        most: highest sample of the window, likewise.
        samples: how many the window holds; fewer than the limit asks for: warming up.
        expected_samples: how many it should hold; a window with fewer than half of them is warming up too.
        age_s: seconds since the process (or its first sample) began, not since its last sample; younger than the
            window or the duration is warming up. NaN or None: not known, so old enough.
        condition: whether the limit counts (requests wait, there is traffic); false: ok however far it is.

    All arrays broadcast. An average that is NaN is unknown, whatever else is known; an infinite one is judged.
    """
    value = np.asarray(average, dtype=float)
    low_extreme, high_extreme = value, value
    if limit.bad_always:
        # "Never above" for the low side, "never below" for the high one.
        low_extreme = value if most is None else np.fmax(value, np.asarray(most, dtype=float))
        high_extreme = value if least is None else np.fmin(value, np.asarray(least, dtype=float))
    warning = _beyond(value, limit.low, limit.high)
    bad = _beyond(low_extreme, limit.low_bad, None) | _beyond(high_extreme, None, limit.high_bad)
    found = _chosen(_chosen(State.OK, warning, State.WARNING), bad, State.BAD)
    if condition is not None:
        found = _chosen(found, ~np.asarray(condition, dtype=bool), State.OK)
    found = _chosen(found, _early(limit, samples, expected_samples, age_s), State.WARMING_UP)
    return _chosen(found, np.isnan(value), State.UNKNOWN)


def _chosen(otherwise: State | States, where: NDArray[np.bool_], state: State) -> States:
    """Return *state* where the condition holds, else *otherwise*."""
    shape = np.broadcast_shapes(where.shape, np.shape(otherwise))
    # Members are assigned: np.where and np.full would make plain texts of them.
    found = np.empty(shape, dtype=object)
    found[...] = otherwise
    found[np.broadcast_to(where, shape)] = state
    return found


def _beyond(value: NDArray[np.float64], low: float | None, high: float | None) -> NDArray[np.bool_]:
    found = np.zeros(value.shape, dtype=bool)
    if low is not None:
        found |= value < low
    if high is not None:
        found |= value > high
    return found


def _early(
    limit: Limit,
    samples: ArrayLike | None,
    expected_samples: ArrayLike | None,
    age_s: ArrayLike | None,
) -> NDArray[np.bool_]:
    """Return where there is too little to judge; what is not known does not hold a verdict back."""
    early: NDArray[np.bool_] = np.zeros((), dtype=bool)
    if samples is not None:
        counted = np.nan_to_num(np.asarray(samples, dtype=float), nan=np.inf)
        early = early | (counted < limit.least_samples)
        if expected_samples is not None:
            early = early | (counted < 0.5 * np.nan_to_num(np.asarray(expected_samples, dtype=float)))
    if age_s is not None:
        age = np.nan_to_num(np.asarray(age_s, dtype=float), nan=np.inf)
        early = early | (age < max(limit.window_s, limit.for_s))
    return early


def judge_codes(codes: ArrayLike, silent: Collection[int] = ()) -> States:
    """Return the `State` of each GPU by the Xid that appeared in the window: NaN is none, so ok.

    Codes that say nothing about the GPU (an application's fault) are ok, as are those in *silent*.
    """
    found = np.asarray(codes, dtype=float)
    watched = xid_codes()
    warning = np.isin(found, [code for code in watched.warning if code not in silent])
    critical = np.isin(found, [code for code in watched.critical if code not in silent])
    return _chosen(_chosen(State.OK, warning, State.WARNING), critical, State.BAD)
