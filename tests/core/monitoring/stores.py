"""Metric names as stores have them: of exporters, of releases, of installations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from core.monitoring.exporters import Exporter

RELEASES: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("releases.yaml").read_text(encoding="utf-8")
)

# What dcgm-exporter exports when nothing is configured; its Helm chart leaves FB_RESERVED out.
DCGM_DEFAULT = frozenset(
    f"DCGM_FI_{name}"
    for name in (
        "DEV_SM_CLOCK DEV_MEM_CLOCK DEV_MEMORY_TEMP DEV_GPU_TEMP DEV_POWER_USAGE DEV_TOTAL_ENERGY_CONSUMPTION "
        "DEV_PCIE_REPLAY_COUNTER DEV_GPU_UTIL DEV_MEM_COPY_UTIL DEV_ENC_UTIL DEV_DEC_UTIL DEV_XID_ERRORS "
        "DEV_FB_FREE DEV_FB_USED DEV_NVLINK_BANDWIDTH_TOTAL DEV_VGPU_LICENSE_STATUS "
        "DEV_UNCORRECTABLE_REMAPPED_ROWS DEV_CORRECTABLE_REMAPPED_ROWS DEV_ROW_REMAP_FAILURE "
        "PROF_GR_ENGINE_ACTIVE PROF_PIPE_TENSOR_ACTIVE PROF_DRAM_ACTIVE"
    ).split()
)

# The same installation after DCGM 4.6.0 with a CSV that uses the new names.
DCGM_RENAMED = frozenset(
    f"DCGM_FI_{name}"
    for name in (
        "DEV_GPU_TEMP_CELSIUS DEV_BOARD_POWER_WATTS DEV_GPU_UTIL_RATIO DEV_XID_ERROR DEV_FB_FREE DEV_FB_USED "
        "DEV_ROW_REMAP_FAILED PROF_GR_ENGINE_UTIL_RATIO PROF_TENSOR_UTIL_RATIO PROF_DRAM_UTIL_RATIO"
    ).split()
)


def stored(name: str, kind: str) -> set[str]:
    """Return the names under which a store keeps a metric of this type."""
    if kind == "histogram":
        return {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    if kind == "summary":
        return {name, f"{name}_sum", f"{name}_count"}
    return {name}


def release(engine: str, version: str, prefix: str) -> frozenset[str]:
    """Return the names of one release of an engine."""
    table = RELEASES[engine]
    column = table["releases"].index(version)
    names = [
        stored(prefix + name, kind) for name, (kind, there) in table["names"].items() if there[column] == "x"
    ]
    return frozenset().union(*names)


def everything(exporter: Exporter, prefix: str) -> frozenset[str]:
    """Return all names that are read of *exporter*, old and new."""
    names = [stored(prefix + name, export.type) for name, export in exporter.exports.items()]
    return frozenset({"up", "process_start_time_seconds"}).union(*names)
