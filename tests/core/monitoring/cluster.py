"""A store that answers from tables: what a cluster is, written down as numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.monitoring.answers import Answer
from core.monitoring.endpoints import Endpoint
from core.monitoring.exporters import Detected, detect
from core.monitoring.faults import MonitoringFault
from core.monitoring.prometheus import StoreInfo

NOW = 1_800_000_000.0
NAMES = frozenset(
    """DCGM_FI_DEV_GPU_TEMP DCGM_FI_DEV_FB_USED DCGM_FI_DEV_FB_FREE DCGM_FI_PROF_GR_ENGINE_ACTIVE
    DCGM_FI_DEV_POWER_USAGE DCGM_FI_DEV_XID_ERRORS DCGM_FI_DEV_ECC_DBE_VOL_TOTAL DCGM_FI_DEV_THERMAL_VIOLATION
    vllm:num_requests_running vllm:num_requests_waiting vllm:kv_cache_usage_perc vllm:num_preemptions_total
    vllm:time_to_first_token_seconds_bucket vllm:time_to_first_token_seconds_count vllm:cache_config_info
    vllm:inter_token_latency_seconds_bucket vllm:inter_token_latency_seconds_count
    vllm:e2e_request_latency_seconds_bucket vllm:e2e_request_latency_seconds_count
    vllm:request_success_total vllm:generation_tokens_total up process_start_time_seconds""".split()
)
Rows = list[tuple[dict[str, str], float]]


def gpu(node: str, number: int, **labels: str) -> dict[str, str]:
    return {"node": node, "host": node, "gpu": str(number), "uuid": f"GPU-{node}-{number}", **labels}


def replica(node: str, model: str = "m") -> dict[str, str]:
    return {"node": node, "host": node, "instance": f"{node}:8000", "model_name": model}


@dataclass
class Cluster:
    """`rows` by the name that a joined query gives a part; `past` likewise, as (labels, values) over time."""

    rows: dict[str, Rows] = field(default_factory=dict)
    past: dict[str, list[tuple[dict[str, str], list[float]]]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    partial: bool = False
    failing: dict[str, MonitoringFault] = field(default_factory=dict)
    kind: str = "prometheus"
    skew_s: float = 0.0
    endpoint: Endpoint = field(default_factory=lambda: Endpoint(name="test", url="http://store.example"))
    asked: list[tuple[str, float | None]] = field(default_factory=list)

    def put(self, name: str, rows: Mapping[str, float] | Rows) -> None:
        self.rows[name] = list(rows)  # type: ignore[arg-type]

    def now(self) -> float:
        return NOW

    def about(self) -> StoreInfo:
        return StoreInfo(self.kind)

    def instant(self, query: str, at: float | None = None) -> Answer:
        self.asked.append((query, at))
        names = _names(query)
        self._fail(names)
        found = [
            ({**labels, "indicator": name}, value)
            for name in names
            for labels, value in self.rows.get(name, [])
        ]
        values = np.array([[value] for _, value in found]).reshape(len(found), 1)
        return Answer(
            tuple(labels for labels, _ in found), np.array([NOW]), values, self.warnings, self.partial, 0.0
        )

    def range(
        self, query: str, start: float, end: float, step: float | None = None, series: int = 1
    ) -> Answer:
        assert step is None or (end - start) / step * series < 200_000
        self.asked.append((query, end))
        names = _names(query) or (["memory"] if "FB_USED" in query else ["load"])
        self._fail(names)
        found = [
            ({**labels, "indicator": name}, values)
            for name in names
            for labels, values in self.past.get(name, [])
        ]
        points = len(found[0][1]) if found else 0
        times = np.linspace(start, end, points) if points else np.zeros(0)
        values = np.array([values for _, values in found], dtype=np.float64).reshape(len(found), points)
        return Answer(tuple(labels for labels, _ in found), times, values, (), False, 0.0)

    def _fail(self, names: list[str]) -> None:
        for name in names:
            if name in self.failing:
                raise self.failing[name]


def _names(query: str) -> list[str]:
    return re.findall(r'"indicator", "([^"]+)"', query)


def detected() -> Detected:
    return detect(NAMES)


def healthy(nodes: int = 2, gpus: int = 8) -> Cluster:
    """Return a cluster in which nothing is wrong: full of memory that vLLM took, busy, cool, answering."""
    made = Cluster()
    cards = [gpu(f"node-{node}", number) for node in range(nodes) for number in range(gpus)]
    engines = [replica(f"node-{node}") for node in range(nodes)]
    usual = {
        "gpu_utilisation:average": 0.82,
        "gpu_utilisation:most": 0.95,
        "memory_occupancy:average": 0.95,
        "memory_used_bytes:average": 76e9,
        "gpu_temperature:average": 61.0,
        "gpu_temperature:samples": 30.0,
        "gpu_temperature:age": 4.0,
        "throttling:average": 0.0,
        "ecc_errors:average": 0.0,
    }
    for name, value in usual.items():
        made.put(name, [(card, value) for card in cards])
    serving = {
        "kv_usage:average": 0.7,
        "kv_usage:age": 3.0,
        "kv_usage:samples": 30.0,
        "queue:average": 0.0,
        "running:average": 200.0,
        "preemptions:average": 0.0,
        "requests:average": 14.0,
        "error_rate:average": 0.001,
        "ttft:average": 0.3,
        "itl:average": 0.04,
        "replica_age:average": 90_000.0,
    }
    for name, value in serving.items():
        made.put(name, [(engine, value) for engine in engines])
    made.put("memory_expected:average", [({**engine, "memory_expected": "0.92"}, 1.0) for engine in engines])
    made.put("gpu", [({}, float(len(cards)))])
    made.put("engine", [({}, float(len(engines)))])
    made.put("gpu_samples", [({}, 21.0)])
    made.put("engine_samples", [({}, 21.0)])
    return made


def changed(cluster: Cluster, name: str, value: float, **only: str) -> None:
    """Give *name* the *value* for those whose labels are *only*."""
    cluster.rows[name] = [
        (labels, value if all(labels.get(key) == wanted for key, wanted in only.items()) else old)
        for labels, old in cluster.rows[name]
    ]


def without(cluster: Cluster, **only: str) -> None:
    """Take away every series whose labels are *only*."""
    for name, rows in cluster.rows.items():
        cluster.rows[name] = [
            (labels, value)
            for labels, value in rows
            if not all(labels.get(key) == wanted for key, wanted in only.items())
        ]
