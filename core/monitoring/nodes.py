"""The GPUs of each node put together: the mean, the sum or the worst, as each indicator asks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.monitoring.indicators import indicators
from core.monitoring.snapshot import Numbers, Statistic, Table
from core.monitoring.subjects import Level

_FIRST = {"min": np.fmin, "max": np.fmax}


def by_node(gpus: Table) -> Table:
    """Return one row for each node of *gpus*, in their order, with every average and the extremes."""
    subjects = tuple(dict.fromkeys(subject.of_node for subject in gpus.subjects))
    row_of = {subject.node: row for row, subject in enumerate(subjects)}
    rows = np.array([row_of[subject.node] for subject in gpus.subjects], dtype=np.int64)
    values = {
        (name, statistic): together(_how(name, statistic), column, rows, len(subjects))
        for (name, statistic), column in gpus.values.items()
    }
    labels = [{"node": subject.node} for subject in subjects]
    for row, known in zip(rows, gpus.labels, strict=True):
        if known.get("host"):
            labels[row].setdefault("host", known["host"])
    return Table(Level.NODE, subjects, tuple(labels), values)


def means(gpus: Table) -> dict[str, float]:
    """Return the mean of each ratio over all *gpus*."""
    return {
        name: float(np.nanmean(gpus.column(name)))
        for name in gpus.indicators
        if indicators()[name].across == "mean" and np.isfinite(gpus.column(name)).any()
    }


def together(how: str, column: Numbers, rows: NDArray[np.int64], count: int) -> Numbers:
    """Return *column* put together *how* (mean, sum, min, max) over the entries with the same of *rows*.

    Entries that are NaN are left out; a group with nothing else is NaN.
    """
    known = np.isfinite(column)
    number = np.bincount(rows[known], minlength=count)
    if how in _FIRST:
        found = np.full(count, np.nan)
        _FIRST[how].at(found, rows[known], column[known])
        return found
    total = np.bincount(rows[known], weights=column[known], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = total / number if how == "mean" else total.astype(np.float64)
    found[number == 0] = np.nan
    return found


def _how(name: str, statistic: Statistic) -> str:
    if statistic in {Statistic.LEAST, Statistic.AGE, Statistic.SAMPLES}:
        return "min"
    return "max" if statistic is Statistic.MOST else indicators()[name].across
