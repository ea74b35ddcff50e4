"""Clusters as tables, written by hand: what a store would have said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.monitoring.exporters import detect
from core.monitoring.finding import Finding
from core.monitoring.prometheus import StoreInfo
from core.monitoring.snapshot import Snapshot, Statistic, Table
from core.monitoring.subjects import Level, Subject
from core.text import say

H100 = "NVIDIA H100 80GB HBM3"
MODEL = "Qwen/Qwen3-32B"


def gpus(nodes: Mapping[str, Sequence[float]], model: str = H100, **more: Sequence[float]) -> Table:
    """Return GPUs by node with their utilisation, and other indicators in the same order."""
    subjects = tuple(
        Subject(Level.GPU, node=node, gpu=str(place))
        for node, busy in nodes.items()
        for place in range(len(busy))
    )
    columns = {"gpu_utilisation": [one for busy in nodes.values() for one in busy], **more}
    return _table(Level.GPU, subjects, tuple({"model": model} for _ in subjects), columns)


def replicas(nodes: Sequence[str], model: str = MODEL, **columns: Sequence[float]) -> Table:
    """Return one vLLM replica on each of *nodes*, with the indicators of *columns*."""
    subjects = tuple(Subject(Level.ENGINE, node=node, instance=f"{node}:8000", model=model) for node in nodes)
    return _table(Level.ENGINE, subjects, tuple({"model_name": model} for _ in subjects), columns)


def snapshot(gpu_table: Table, replica_table: Table | None = None, **more: object) -> Snapshot:
    """Return a snapshot of these tables."""
    tables = {"gpus": gpu_table, "replicas": replica_table or replicas(())}
    return Snapshot(0.0, "test", StoreInfo("prometheus", "2.42.0"), detect(()), **tables, **more)  # type: ignore[arg-type]


def finding(rule: str, *subjects: Subject, limit: float | None = None) -> Finding:
    """Return a finding of *rule* about *subjects*."""
    words = say("app.name")
    return Finding(
        rule,
        rule,
        "warning",
        subjects,
        rule,
        0.0,
        limit,
        "",
        None,
        False,
        words,
        words,
        words,
        (),
        (),
        len(subjects),
    )


def _table(
    level: Level,
    subjects: tuple[Subject, ...],
    labels: tuple[Mapping[str, str], ...],
    columns: Mapping[str, Sequence[float]],
) -> Table:
    values = {(name, Statistic.AVERAGE): np.array(column, dtype=float) for name, column in columns.items()}
    return Table(level, subjects, labels, values)
