"""The metrics of dcgm-exporter 4.x: its default counters, and the further ones that the monitor advises."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from core.monitoring.demo.families import DCGM, Family, Moment, Row
from core.monitoring.demo.noise import Array
from core.monitoring.demo.scenario import (
    DRIVER,
    GPU_MODEL,
    GPUS_PER_NODE,
    MEMORY_MIB,
    NAMESPACE,
    RESERVED_MIB,
    XID,
    XID_MESSAGE,
    Node,
)


def gpu_labels(node: Node, gpu: int) -> dict[str, str]:
    """Return the labels of one GPU, with the pod that it is given to."""
    return {
        "gpu": str(gpu),
        "UUID": f"GPU-{node.index + 1:08x}-5d3c-4b1e-9a70-{0xC0DE00 + gpu:012x}",
        "pci_bus_id": f"00000000:{(0x19, 0x3B, 0x4C, 0x5D, 0x9B, 0xBB, 0xCB, 0xDB)[gpu]:02X}:00.0",
        "device": f"nvidia{gpu}",
        "modelName": GPU_MODEL,
        "Hostname": node.name,
        "DCGM_FI_DRIVER_VERSION": DRIVER,
        "container": "vllm",
        "namespace": NAMESPACE,
        "pod": node.pod,
    }


def _gpu_rows(node: Node) -> tuple[Row, ...]:
    return tuple(("", gpu_labels(node, gpu)) for gpu in range(GPUS_PER_NODE))


def _xid_rows(node: Node) -> tuple[Row, ...]:
    """The code is a label too: an Xid ends one series and begins another."""
    codes = (("0", "No Error"), (str(XID), XID_MESSAGE))
    return tuple(
        ("", gpu_labels(node, gpu) | {"err_code": code, "err_msg": message})
        for code, message in codes
        for gpu in range(GPUS_PER_NODE)
    )


def _xid_values(now: Moment) -> Array:
    failed = now.gpus.failed
    before = np.where(failed, np.nan, 0.0)
    after = np.where(failed, float(XID), np.nan)
    return np.concatenate([before, after], axis=1)


def _like(now: Moment, value: float) -> Array:
    return np.full(now.gpus.utilisation.shape, value)


def _reasons(now: Moment) -> Array:
    """DCGM's bits: 1 is idle, 0x20 thermal slowdown by software, 0x40 by hardware."""
    bits = np.where(now.gpus.utilisation > 0, 0.0, 1.0)
    return np.where(now.gpus.throttled > 0.05, 0x20 + 0x40, bits)


def _dcgm(
    name: str, text: str, values: Callable[[Moment], Array], kind: str = "gauge", grows: bool = False
) -> Family:
    return Family(DCGM, name, kind, text, _gpu_rows, values, grows)


_counter = partial(_dcgm, kind="counter")
_growing = partial(_dcgm, kind="counter", grows=True)

GPU_FAMILIES = (
    _dcgm("DCGM_FI_DEV_SM_CLOCK", "SM clock frequency (in MHz).", lambda now: np.rint(now.gpus.clock_mhz)),
    _dcgm("DCGM_FI_DEV_MEM_CLOCK", "Memory clock frequency (in MHz).", lambda now: _like(now, 2619.0)),
    _dcgm(
        "DCGM_FI_DEV_MEMORY_TEMP",
        "Memory temperature (in C).",
        lambda now: np.rint(now.gpus.memory_temperature_c),
    ),
    _dcgm("DCGM_FI_DEV_GPU_TEMP", "GPU temperature (in C).", lambda now: np.rint(now.gpus.temperature_c)),
    _dcgm("DCGM_FI_DEV_POWER_USAGE", "Power draw (in W).", lambda now: np.round(now.gpus.power_w, 1)),
    _growing(
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
        "Total energy consumption since boot (in mJ).",
        lambda now: now.gpus.power_w * 1000.0,
    ),
    _dcgm("DCGM_FI_DEV_GPU_UTIL", "GPU utilization (in %).", lambda now: np.rint(100 * now.gpus.utilisation)),
    _dcgm(
        "DCGM_FI_DEV_MEM_COPY_UTIL",
        "Memory utilization (in %).",
        lambda now: np.rint(64 * now.gpus.utilisation),
    ),
    _dcgm("DCGM_FI_DEV_ENC_UTIL", "Encoder utilization (in %).", lambda now: _like(now, 0.0)),
    _dcgm("DCGM_FI_DEV_DEC_UTIL", "Decoder utilization (in %).", lambda now: _like(now, 0.0)),
    Family(
        DCGM,
        "DCGM_FI_DEV_XID_ERRORS",
        "gauge",
        "Value of the last XID error encountered.",
        _xid_rows,
        _xid_values,
    ),
    _dcgm(
        "DCGM_FI_DEV_FB_FREE",
        "Framebuffer memory free (in MiB).",
        lambda now: np.rint(MEMORY_MIB - RESERVED_MIB - np.rint(now.gpus.used_mib)),
    ),
    _dcgm(
        "DCGM_FI_DEV_FB_USED",
        "Framebuffer memory used (in MiB).",
        lambda now: np.rint(now.gpus.used_mib),
    ),
    _dcgm(
        "DCGM_FI_DEV_FB_RESERVED",
        "Framebuffer memory reserved (in MiB).",
        lambda now: _like(now, RESERVED_MIB),
    ),
    _growing(
        "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL",
        "Total number of NVLink bandwidth counters for all lanes.",
        lambda now: 61000.0 * now.gpus.utilisation,
    ),
    _dcgm(
        "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
        "Ratio of time the graphics engine is active.",
        lambda now: np.round(now.gpus.utilisation, 4),
    ),
    _dcgm(
        "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
        "Ratio of cycles the tensor (HMMA) pipe is active.",
        lambda now: np.round(now.gpus.tensor_active, 4),
    ),
    _dcgm(
        "DCGM_FI_PROF_DRAM_ACTIVE",
        "Ratio of cycles the device memory interface is active sending or receiving data.",
        lambda now: np.round(now.gpus.dram_active, 4),
    ),
    # The exporter declares these two counters, although they are bytes per second.
    _counter(
        "DCGM_FI_PROF_PCIE_TX_BYTES",
        "The rate of data transmitted over the PCIe bus in bytes per second.",
        lambda now: np.rint(2.1e8 * now.gpus.utilisation),
    ),
    _counter(
        "DCGM_FI_PROF_PCIE_RX_BYTES",
        "The rate of data received over the PCIe bus in bytes per second.",
        lambda now: np.rint(3.4e8 * now.gpus.utilisation),
    ),
    # From here on: off by default, and switched on here as the monitor advises.
    _dcgm(
        "DCGM_FI_PROF_SM_ACTIVE",
        "The ratio of cycles an SM has at least 1 warp assigned.",
        lambda now: np.round(now.gpus.sm_active, 4),
    ),
    _dcgm(
        "DCGM_FI_PROF_SM_OCCUPANCY",
        "The ratio of number of warps resident on an SM.",
        lambda now: np.round(now.gpus.sm_occupancy, 4),
    ),
    _dcgm(
        "DCGM_FI_DEV_CLOCKS_EVENT_REASONS",
        "Current clock event reasons (bitmask).",
        _reasons,
    ),
    _growing(
        "DCGM_FI_DEV_POWER_VIOLATION",
        "Throttling duration due to power constraints (in ns).",
        lambda now: _like(now, 0.0),
    ),
    _growing(
        "DCGM_FI_DEV_THERMAL_VIOLATION",
        "Throttling duration due to thermal constraints (in ns).",
        lambda now: now.gpus.throttled * 1e9,
    ),
    _counter(
        "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL",
        "Total number of single-bit volatile ECC errors.",
        lambda now: _like(now, 0.0),
    ),
    _counter(
        "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL",
        "Total number of double-bit volatile ECC errors.",
        lambda now: now.gpus.failed.astype(float),
    ),
    _counter(
        "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS",
        "Number of remapped rows for uncorrectable errors",
        lambda now: now.gpus.failed.astype(float),
    ),
    _counter(
        "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS",
        "Number of remapped rows for correctable errors",
        lambda now: _like(now, 0.0),
    ),
    _dcgm(
        "DCGM_FI_DEV_ROW_REMAP_FAILURE",
        "Whether remapping of rows has failed",
        lambda now: _like(now, 0.0),
    ),
)
