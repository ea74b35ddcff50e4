"""Reads how long what is beyond its limit has been so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.monitoring.answers import Answer
from core.monitoring.asking import QUANTILES, Questions, natural_step, parts, stands
from core.monitoring.promql import quoted
from core.monitoring.reader import Reader
from core.monitoring.rules import RULED
from core.monitoring.snapshot import History, Numbers, Snapshot, Table
from core.monitoring.subjects import Level, Subject, subject_of
from core.monitoring.verdicts import State
from core.monitoring.windows import joined

MOST_SUBJECTS = 40
"""Nodes or replicas whose past is read at once: the first of a long list are the worst."""


def read_history(reader: Reader, ask: Questions, snapshot: Snapshot, window_s: float) -> Snapshot:
    """Return *snapshot* with the past of what is flagged, over the last *window_s* seconds."""
    questions = {}
    for table, label in ((snapshot.gpus, "node"), (snapshot.replicas, "instance")):
        if table.level is Level.GPU and snapshot.aggregated:
            continue
        asked = _question(ask, table, label, window_s)
        if asked:
            questions[table.level.value] = asked
    history: dict[str, History] = {}
    for level, answer in reader.ranges(questions).items():
        if answer is not None:
            history |= _histories(Level(level), answer)
    return replace(snapshot, history=history)


def since(
    history: History | None, subject: Subject, limit: float, *, above: bool
) -> tuple[float, bool] | None:
    """Return for how many seconds *subject* has been beyond *limit*, and whether it may be longer.

    None where its past was not read or it is not beyond the limit at the end.
    """
    values = None if history is None else history.of(subject)
    if history is None or values is None or not len(values):
        return None
    beyond = values > limit if above else values < limit
    beyond &= np.isfinite(values)
    if not beyond[-1]:
        return None
    run = len(beyond) if beyond.all() else int(np.argmin(beyond[::-1]))
    return float(history.times[-1] - history.times[len(values) - run]), run == len(beyond)


def _question(
    ask: Questions, table: Table, label: str, window_s: float
) -> tuple[str, float, float, int] | None:
    flagged = {
        name: (states == State.WARNING) | (states == State.BAD)
        for name, states in table.states.items()
        if name in RULED and not stands(name)
    }
    names = [name for name, rows in flagged.items() if rows.any()]
    if not names:
        return None
    rows = np.logical_or.reduce([flagged[name] for name in names])
    places = list(dict.fromkeys(_place(table.subjects[row], label) for row in np.flatnonzero(rows)))
    step = natural_step(len(table) * len(names), window_s)
    kept = _among(label, places[:MOST_SUBJECTS])
    found = {}
    for name in names:
        window = max(step, ask.window(name)) if name in QUANTILES else step
        expression = ask.expression(name, window, "avg")
        if expression:
            found[f"{name}:average"] = f"({expression}) and on ({label}) ({kept})"
    return (joined(found), window_s, step, len(table) * len(found)) if found else None


def _place(subject: Subject, label: str) -> str:
    return subject.node if label == "node" else subject.instance


def _among(label: str, values: Sequence[str]) -> str:
    return " or ".join(
        f'label_replace(vector(1), "{label}", {quoted(value.replace("$", "$$"))}, "", "")' for value in values
    )


def _histories(level: Level, answer: Answer) -> dict[str, History]:
    rows: dict[str, list[int]] = {}
    for row, labels in enumerate(answer.labels):
        rows.setdefault(parts(labels["indicator"])[0], []).append(row)
    return {
        name: History(
            tuple(subject_of(level, answer.labels[row]) for row in own), answer.times, _of(answer, own)
        )
        for name, own in rows.items()
    }


def _of(answer: Answer, rows: list[int]) -> Numbers:
    return np.asarray(answer.values[rows], dtype=np.float64)
