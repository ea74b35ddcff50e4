"""The charts that show a fault: which indicators of which subjects, as the store is asked."""

from __future__ import annotations

from collections.abc import Sequence

from core.monitoring.asking import PRESENCE
from core.monitoring.finding import Evidence
from core.monitoring.indicators import indicators
from core.monitoring.promql import duration
from core.monitoring.snapshot import Snapshot
from core.monitoring.subjects import Level, Subject
from core.monitoring.thresholds import Thresholds

# What shows each fault, the first with the limit that was crossed.
SHOWN_BY: dict[str, tuple[str, ...]] = {
    "gpu_idle": ("gpu_utilisation", "memory_occupancy", "requests"),
    "gpu_underused": ("gpu_utilisation", "requests"),
    "gpu_saturated": ("gpu_utilisation", "queue"),
    "memory_high": ("memory_occupancy",),
    "memory_leak": ("memory_used_bytes", "running"),
    "gpu_hot": ("gpu_temperature", "gpu_power"),
    "throttled": ("throttling", "gpu_temperature"),
    "xid": ("gpu_utilisation", "gpu_temperature"),
    "ecc": ("ecc_errors",),
    "kv_pressure": ("kv_usage", "queue", "preemptions"),
    "queue": ("queue", "running"),
    "preemptions": ("preemptions", "kv_usage"),
    "ttft_slow": ("ttft", "queue", "requests"),
    "itl_slow": ("itl", "running"),
    "e2e_slow": ("e2e", "output_tokens"),
    "errors": ("error_rate", "requests"),
    "batch_low": ("batch_efficiency", "queue"),
    "replica_down": ("replica_up", "requests"),
    "gpu_missing": PRESENCE[:1],
    "telemetry": ("gpu_exporter_up",),
}
WINDOW_S = 300.0


def evidence(
    rule: str, subjects: Sequence[Subject], limit: float | None, snapshot: Snapshot, thresholds: Thresholds
) -> tuple[Evidence, ...]:
    """Return the charts of a finding; those that no exporter of the store gives are left out."""
    found = []
    for name in SHOWN_BY[rule]:
        level = indicators()[name].level
        expression = snapshot.detected.expression(
            name,
            selector=snapshot.selector,
            window=duration(max(WINDOW_S, 4 * snapshot.scrape_s)),
            quantile=thresholds.limits[name].quantile if name in thresholds.limits else 0.99,
            capacity=thresholds.max_num_seqs,
            only=_only(level, subjects),
        )
        if expression:
            line = limit if name == SHOWN_BY[rule][0] and rule != "memory_leak" else None
            found.append(Evidence(name, expression, indicators()[name].unit, indicators()[name].name, line))
    return tuple(found)


def _only(level: str, subjects: Sequence[Subject]) -> dict[str, str]:
    """Return the canonical labels that all of *subjects* share: of a replica for its node's GPUs, the node."""
    first = subjects[0]
    same_node = first.node and all(subject.node == first.node for subject in subjects)
    if len(subjects) == 1 and first.level is Level.GPU and level == "gpu":
        return {"node": first.node, "gpu": first.gpu}
    if len(subjects) == 1 and first.level is Level.ENGINE and level == "engine":
        return {"instance": first.instance}
    return {"node": first.node} if same_node else {}
