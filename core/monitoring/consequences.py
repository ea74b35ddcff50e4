"""Which faults follow from which, so that one cause is one finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.monitoring.flags import Flag
from core.monitoring.snapshot import Snapshot, Table
from core.monitoring.subjects import Level, Subject
from core.monitoring.tables import located

# Rule of the cause: rules that follow from it in the same place (the GPU, the replica and its GPUs, the node and
# what is on it). Where a fault has two causes, the first of the table takes it.
FOLLOWS: Mapping[str, tuple[str, ...]] = {
    "telemetry": ("gpu_missing",),
    "gpu_missing": ("gpu_idle", "gpu_underused"),
    "replica_down": ("gpu_idle", "gpu_underused", "batch_low", "queue"),
    "xid": ("ecc", "gpu_missing", "gpu_idle", "gpu_underused"),
    "memory_leak": ("memory_high",),
    "kv_pressure": ("ttft_slow", "itl_slow", "e2e_slow", "queue", "preemptions", "gpu_saturated"),
}


@dataclass
class Explained:
    """A flag with those that follow from it."""

    flag: Flag
    follows: list[Flag] = field(default_factory=list)


def explained(found: Sequence[Flag], snapshot: Snapshot) -> list[Explained]:
    """Return the flags that are no consequence of another, each with its consequences."""
    scopes = _scopes(snapshot, [flag.subject for flag in found if flag.rule in FOLLOWS])
    left = {id(flag): Explained(flag) for flag in found}
    for cause, consequences in FOLLOWS.items():
        causes = [one for one in left.values() if one.flag.rule == cause]
        for follower in [one for one in left.values() if one.flag.rule in consequences]:
            for origin in causes:
                if origin is not follower and _within(follower.flag.subject, scopes[origin.flag.subject.id]):
                    origin.follows += [follower.flag, *follower.follows]
                    del left[id(follower.flag)]
                    break
    return list(left.values())


def _within(subject: Subject, scope: frozenset[str]) -> bool:
    return subject.id in scope or (subject.level is not Level.GPU and subject.of_node.id in scope)


def _scopes(snapshot: Snapshot, causes: Sequence[Subject]) -> dict[str, frozenset[str]]:
    """Return the ids of what lies in each of *causes*: itself, the GPUs of a replica, all of a node."""
    replicas = tuple(subject for subject in causes if subject.level is Level.ENGINE)
    gpus = snapshot.gpus.subjects
    table = Table(Level.ENGINE, replicas, tuple({} for _ in replicas))
    places = located(table, gpus, snapshot.gpus.label("host"))
    found = {subject.id: frozenset({subject.id}) for subject in causes}
    for replica, rows in zip(replicas, places, strict=True):
        found[replica.id] |= {gpus[row].id for row in rows}
    on_node: dict[str, set[str]] = {}
    for gpu in (*gpus, *snapshot.missing):
        on_node.setdefault(gpu.node, set()).add(gpu.id)
    for subject in causes:
        if subject.level is Level.NODE:
            found[subject.id] |= on_node.get(subject.node, set())
    return found
