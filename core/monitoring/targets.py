"""GPUs and replicas that were there within the last hours and are not now, and scrapes that fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.monitoring.answers import Answer
from core.monitoring.asking import LOST_WINDOW_S, Questions
from core.monitoring.reader import Reader
from core.monitoring.snapshot import Snapshot, Table, Target
from core.monitoring.subjects import Level, Subject, subject_of
from core.monitoring.tables import natural

_LEVELS = {"gpu": Level.GPU, "engine": Level.ENGINE}


def read_targets(reader: Reader, ask: Questions, snapshot: Snapshot, answer: Answer | None) -> Snapshot:
    """Return *snapshot* with the GPUs and replicas that are gone, and the targets whose scrape fails.

    *answer* is that to `Questions.gone`.
    """
    snapshot = replace(snapshot, totals=replace(snapshot.totals, nodes=len(snapshot.nodes)))
    if answer is None or not len(answer):
        return snapshot
    # What a failing scrape brings no longer is gone: without one there is nothing to ask.
    down_now = reader.instants({"down": ask.down()})["down"]
    missing = _subjects(answer, "gpu_gone", Level.GPU)
    failing = _targets(down_now) if down_now else ()
    gone = _subjects(answer, "engine_gone", Level.ENGINE)
    down = {target.instance for target in failing if target.level is Level.ENGINE}
    left = [subject for subject in gone if subject.instance not in down]
    totals = replace(snapshot.totals, gpus_seen=snapshot.totals.gpus + len(missing))
    return replace(
        snapshot,
        missing=missing,
        targets=failing,
        gone=(*(one for one in gone if one.instance in down), *not_replaced(left, snapshot.replicas)),
        totals=totals,
    )


def not_replaced(gone: Sequence[Subject], replicas: Table) -> tuple[Subject, ...]:
    """Return those of *gone* for which no younger replica of the same model runs: an update replaces each.

    A pod that is scheduled anew has another address, and its old series end; nothing is lost then.
    """
    ages = replicas.column("replica_age")
    young = Counter(
        subject.model
        for subject, age in zip(replicas.subjects, ages, strict=True)
        if np.isfinite(age) and age < LOST_WINDOW_S
    )
    left: list[Subject] = []
    for subject in gone:
        if young[subject.model] > 0:
            young[subject.model] -= 1
        else:
            left.append(subject)
    return tuple(left)


def _subjects(answer: Answer, indicator: str, level: Level) -> tuple[Subject, ...]:
    found = {
        subject.id: subject
        for subject in (
            subject_of(level, labels) for labels in answer.labels if labels.get("indicator") == indicator
        )
    }
    return tuple(sorted(found.values(), key=natural))


def _targets(answer: Answer) -> tuple[Target, ...]:
    found: dict[tuple[str, str], Target] = {}
    for labels in answer.labels:
        kind, _, what = labels.get("indicator", "").partition("_")
        if what == "down":
            subject = subject_of(_LEVELS[kind], labels)
            target = Target(_LEVELS[kind], labels.get("instance", ""), subject.node, labels.get("host", ""))
            found[kind, target.instance] = target
    return tuple(found[name] for name in sorted(found))
