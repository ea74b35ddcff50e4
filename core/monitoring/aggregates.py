"""A fleet that is too large to read each GPU: the nodes, the worst of each indicator, and how many are beyond."""

from __future__ import annotations

from dataclasses import replace

from core.monitoring.asking import Questions, averages, extremes, key
from core.monitoring.indicators import indicators
from core.monitoring.reader import Reader
from core.monitoring.snapshot import Snapshot, Statistic
from core.monitoring.subjects import Level
from core.monitoring.tables import table
from core.monitoring.windows import joined

WORST = 20
"""GPUs that are read of each end of each indicator."""


def read_aggregates(reader: Reader, ask: Questions, snapshot: Snapshot) -> Snapshot:
    """Return *snapshot* with its nodes, and of its GPUs those at the ends of each indicator."""
    answers = reader.instants({"nodes": _nodes(ask), "worst": _worst(ask)})
    return replace(
        snapshot,
        nodes=table(Level.NODE, [answers["nodes"]]),
        gpus=table(Level.GPU, [answers["worst"]]),
    )


def _nodes(ask: Questions) -> str | None:
    found = {}
    for name, statistic, window in (*averages("gpu"), *extremes("gpu", ask.thresholds)):
        by_node = ask.expression(name, window, ask.over(name, statistic), ("node",))
        if by_node:
            found[key(name, statistic)] = by_node
    return joined(found) if found else None


def _worst(ask: Questions) -> str | None:
    found = {}
    for name, limit in ask.thresholds.limits.items():
        if indicators()[name].level != "gpu" or indicators()[name].unit == "flag":
            continue
        expression = ask.statistic(name, Statistic.AVERAGE)
        if expression is None:
            continue
        ends = []
        if limit.low is not None or limit.low_bad is not None:
            ends.append(f"bottomk({WORST}, {expression})")
        if limit.high is not None or limit.high_bad is not None:
            ends.append(f"topk({WORST}, {expression})")
        found[key(name, Statistic.AVERAGE)] = f"({' or '.join(ends)})"
    return joined(found) if found else None
