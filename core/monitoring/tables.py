"""From the series of answers to one table of GPUs, nodes or replicas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from core.monitoring.answers import Answer
from core.monitoring.asking import parts
from core.monitoring.indicators import indicators
from core.monitoring.snapshot import Numbers, Statistic, Table, every
from core.monitoring.subjects import Level, Subject, natural_key, says_where, subject_of
from core.monitoring.verdicts import State

_Row = tuple[str, ...]


def table(level: Level, answers: Iterable[Answer | None]) -> Table:
    """Return the subjects of *level* in *answers*, each to a joined query whose series name what they are.

    A series without a node, GPU or instance to hold on to is left out: a sum over everything is no subject.
    """
    rows: dict[_Row, int] = {}
    labels: list[dict[str, str]] = []
    cells: dict[tuple[str, Statistic], dict[int, float]] = {}
    for answer in answers:
        if answer is None:
            continue
        for named, value in zip(answer.labels, answer.latest, strict=True):
            identity = _identity(level, named)
            if not any(identity):
                continue
            row = rows.setdefault(identity, len(rows))
            if row == len(labels):
                labels.append({})
            _learn(labels[row], named)
            indicator, statistic = parts(named["indicator"])
            read = _value(indicator, named, float(value))
            column = cells.setdefault((indicator, statistic), {})
            # Two servers that say the same thing twice: the larger one, as everywhere.
            column[row] = read if row not in column else float(np.fmax(column[row], read))
    return _sorted(level, labels, cells)


def _identity(level: Level, labels: dict[str, str]) -> _Row:
    if level is Level.NODE:
        return (labels.get("node", ""),)
    if level is Level.GPU:
        # An exporter that knows no index tells its GPUs apart by their uuid.
        card = labels.get("gpu") or labels.get("uuid", "")
        return (labels.get("node", ""), card, labels.get("mig", "")) if card else ("", "", "")
    return labels.get("instance", ""), labels.get("model_name", "")


def _learn(known: dict[str, str], labels: dict[str, str]) -> None:
    for name, value in labels.items():
        if value and name != "indicator" and name not in known:
            known[name] = value


def _value(indicator: str, labels: dict[str, str], value: float) -> float:
    """Return the number of a sample, or of the label that holds it."""
    name = indicators()[indicator].value_label
    if not name:
        return value
    try:
        return float(labels.get(name, "nan"))
    except ValueError:
        return float("nan")


def _sorted(
    level: Level, labels: list[dict[str, str]], cells: dict[tuple[str, Statistic], dict[int, float]]
) -> Table:
    subjects = [subject_of(level, known) for known in labels]
    order = sorted(range(len(subjects)), key=lambda row: natural(subjects[row]))
    place = {row: index for index, row in enumerate(order)}
    values: dict[tuple[str, Statistic], Numbers] = {}
    for what, column in cells.items():
        values[what] = np.full(len(order), np.nan)
        for row, value in column.items():
            values[what][place[row]] = value
    return Table(
        level,
        tuple(subjects[row] for row in order),
        tuple(labels[row] for row in order),
        values,
        state=every(len(order), State.UNKNOWN),
    )


def natural(subject: Subject) -> tuple[object, ...]:
    """Return a key that sorts node 10 behind node 9."""
    return tuple(natural_key(part) for part in (subject.node, subject.gpu, subject.mig, subject.instance))


def located(
    replicas: Table, gpus: Sequence[Subject], instances: Sequence[str]
) -> tuple[tuple[int, ...], ...]:
    """Return the rows of the GPUs on which each replica runs: by its pod, its node or its host.

    *instances* are the hosts under which the exporter of each GPU is scraped. A loopback address says nothing.
    """
    by_pod: dict[tuple[str, str], list[int]] = {}
    by_host: dict[str, list[int]] = {}
    for row, (gpu, host) in enumerate(zip(gpus, instances, strict=True)):
        if gpu.pod:
            by_pod.setdefault((gpu.namespace, gpu.pod), []).append(row)
        for name in {gpu.node, host}:
            if says_where(name):
                by_host.setdefault(name, []).append(row)
    found: list[tuple[int, ...]] = []
    for replica in replicas.subjects:
        rows = by_pod.get((replica.namespace, replica.pod), []) if replica.pod else []
        found.append(tuple(rows or by_host.get(replica.node, [])))
    return tuple(found)
