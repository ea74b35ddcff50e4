"""What the figures of a GPU and its neighbours say about heat, memory and errors."""

from __future__ import annotations

import numpy as np

from core.monitoring.advice.remedy import Remedy
from core.monitoring.finding import Finding
from core.monitoring.snapshot import Snapshot
from core.quantities import GIB, format_gib
from core.text import say

ALONE = 5.0
"""Degrees above the median of its node at which a GPU is hot by itself, not with its surroundings."""


def hot(finding: Finding, snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return whether the GPU, its node or the room is hot: by comparison with the others."""
    subject = finding.subjects[0]
    row = snapshot.gpus.rows().get(subject.id)
    if row is None:
        return ()
    degrees = snapshot.gpus.column("gpu_temperature")
    nodes = np.array([one.node for one in snapshot.gpus.subjects])
    inside = np.delete(degrees, row)[np.delete(nodes, row) == subject.node]
    outside = degrees[nodes != subject.node]
    if not np.isfinite(inside).any() or not np.isfinite(degrees[row]):
        return ()
    own, node = float(degrees[row]), float(np.nanmedian(inside))
    counted = say("monitoring.advice.counted")
    if own > node + ALONE:
        return (Remedy(say("monitoring.advice.hot_alone", own=own, node=node), counted),)
    room = float(np.nanmedian(outside)) if np.isfinite(outside).any() else node
    key = "hot_node" if node > room + ALONE else "hot_room"
    return (Remedy(say(f"monitoring.advice.{key}", own=own, node=node, room=room), counted),)


def leaking(finding: Finding, snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return how fast the memory grows, until when it lasts, and what the engine was to take of it."""
    subject = finding.subjects[0]
    leak = next((one for one in snapshot.leaks if one.subject.id == subject.id), None)
    if leak is None:
        return ()
    counted = say("monitoring.advice.measured", hours=leak.seen_s / 3600)
    rate = f"{leak.slope * 3600 / GIB:.2g}"
    remedies = []
    if leak.full_s is not None:
        values = {"rate": rate, "hours": leak.full_s / 3600, "used": format_gib(leak.used)}
        remedies.append(Remedy(say("monitoring.advice.leak_full", **values), counted))
    cover = snapshot.covered.get(subject.id)
    if cover is not None:
        remedies.append(
            Remedy(
                say("monitoring.advice.leak_beside", share=cover.expected),
                say("monitoring.advice.from_label"),
            )
        )
    return tuple(remedies)
