"""Reads memory and load over the last hours, and names what looks like a leak."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.monitoring.answers import Answer
from core.monitoring.asking import Questions, natural_step
from core.monitoring.leaks import Numbers, suspected
from core.monitoring.reader import Reader
from core.monitoring.snapshot import Snapshot, Table
from core.monitoring.subjects import Level, Subject, subject_of
from core.monitoring.tables import located

_LOADS = ("requests", "running")


def read_growth(reader: Reader, ask: Questions, snapshot: Snapshot, window_s: float) -> Snapshot:
    """Return *snapshot* with the leaks that the last *window_s* seconds suggest: of GPUs, or of whole nodes."""
    table = snapshot.nodes if snapshot.aggregated else snapshot.gpus
    step = natural_step(len(table), window_s)
    by = ("node",) if snapshot.aggregated else ()
    memory = ask.expression("memory_used_bytes", step, "avg", by)
    if memory is None or not len(table):
        return snapshot
    load = next((found for name in _LOADS if (found := ask.expression(name, step, "avg"))), None)
    answers = reader.ranges(
        {
            "memory": (memory, window_s, step, len(table)),
            "load": (load, window_s, step, max(1, len(snapshot.replicas))) if load else None,
        }
    )
    used = answers["memory"]
    if used is None or not len(used):
        return snapshot
    level = Level.NODE if snapshot.aggregated else Level.GPU
    subjects = tuple(subject_of(level, labels) for labels in used.labels)
    leaks = suspected(
        subjects, used.times, used.values, capacities(table, subjects), loads(answers["load"], used, subjects)
    )
    return replace(snapshot, leaks=leaks)


def capacities(table: Table, subjects: tuple[Subject, ...]) -> Numbers:
    """Return the bytes of memory of each of *subjects*, from what is used and how full that makes it."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total = table.column("memory_used_bytes") / table.column("memory_occupancy")
    known = dict(zip((subject.id for subject in table.subjects), total, strict=True))
    return np.array([known.get(subject.id, np.nan) for subject in subjects], dtype=np.float64)


def loads(load: Answer | None, used: Answer, subjects: tuple[Subject, ...]) -> Numbers:
    """Return the work of the replicas on each of *subjects*, of the shape of the values of *used*."""
    found = np.full(used.values.shape, np.nan)
    if load is None or not len(load) or len(load.times) != len(used.times):
        return found
    replicas = Table(
        Level.ENGINE, tuple(subject_of(Level.ENGINE, labels) for labels in load.labels), load.labels
    )
    for row, places in enumerate(located(replicas, subjects, used.column("host"))):
        for place in places:
            work = load.values[row]
            found[place] = np.where(np.isfinite(found[place]), found[place] + np.nan_to_num(work), work)
    return found
