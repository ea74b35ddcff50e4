"""A few metrics of node_exporter: memory, load, processors, file system, network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.monitoring.demo.families import HOST, Family, Moment, Row
from core.monitoring.demo.noise import Array, jitter
from core.monitoring.demo.scenario import Node

MEMORY_BYTES = 2_164_205_318_144.0
DISK_BYTES = 7_681_501_126_656.0
DISK = {"device": "/dev/nvme0n1p2", "fstype": "ext4", "mountpoint": "/"}
PROCESSORS = 4
"""Of the 192 of such a node, enough to draw."""
MODES = ("idle", "iowait", "system", "user")


def _row(node: Node) -> tuple[Row, ...]:
    return (("", {}),)


def _processor_rows(node: Node) -> tuple[Row, ...]:
    return tuple(("", {"cpu": str(cpu), "mode": mode}) for cpu in range(PROCESSORS) for mode in MODES)


def _load(now: Moment) -> Array:
    """How busy the processors are, 0 to 1: they feed the GPUs."""
    return np.asarray(0.015 + 0.11 * np.minimum(now.engines.load, 1.5))


def _processors(now: Moment) -> Array:
    busy = _load(now)
    shares = np.stack([1.0 - busy, 0.02 * busy, 0.2 * busy, 0.78 * busy], axis=1)
    return np.tile(shares, (1, PROCESSORS, 1))


def _constant(value: float) -> Callable[[Moment], Array]:
    return lambda now: np.full((len(now.scenario.nodes), 1, len(now.times)), value)


def _available(now: Moment) -> Array:
    held = 0.06 + 0.05 * now.engines.up + 0.02 * _load(now)
    return np.asarray(np.rint(MEMORY_BYTES * (1.0 - held))[:, None, :])


def _booted(now: Moment) -> Array:
    booted = np.array([now.scenario.began - 43 * 86400.0 - 61.0 * node.index for node in now.scenario.nodes])
    return np.broadcast_to(booted[:, None, None], (len(booted), 1, len(now.times)))


def _load1(now: Moment) -> Array:
    noise = jitter(now.scenario.seed + 60, len(now.scenario.nodes), now.times)
    return np.asarray(np.round(192 * _load(now) * (1.0 + 0.05 * noise), 2)[:, None, :])


HOST_FAMILIES = (
    Family(
        HOST,
        "node_memory_MemTotal_bytes",
        "gauge",
        "Memory information field MemTotal_bytes.",
        _row,
        _constant(MEMORY_BYTES),
    ),
    Family(
        HOST,
        "node_memory_MemAvailable_bytes",
        "gauge",
        "Memory information field MemAvailable_bytes.",
        _row,
        _available,
    ),
    Family(HOST, "node_load1", "gauge", "1m load average.", _row, _load1),
    Family(
        HOST,
        "node_cpu_seconds_total",
        "counter",
        "Seconds the CPUs spent in each mode.",
        _processor_rows,
        _processors,
        grows=True,
    ),
    Family(
        HOST,
        "node_filesystem_size_bytes",
        "gauge",
        "Filesystem size in bytes.",
        lambda _: (("", DISK),),
        _constant(DISK_BYTES),
    ),
    Family(
        HOST,
        "node_filesystem_avail_bytes",
        "gauge",
        "Filesystem space available to non-root users in bytes.",
        lambda _: (("", DISK),),
        _constant(0.58 * DISK_BYTES),
    ),
    Family(
        HOST,
        "node_network_receive_bytes_total",
        "counter",
        "Network device statistic receive_bytes.",
        lambda _: (("", {"device": "eth0"}),),
        lambda now: 5.0 * (now.engines.requests * now.engines.prompt_tokens + 400.0)[:, None, :],
        grows=True,
    ),
    Family(HOST, "node_boot_time_seconds", "gauge", "Node boot time, in unixtime.", _row, _booted),
)
