"""What the catalogue knows of the GPUs of a quote."""

from __future__ import annotations

from dataclasses import dataclass

from core.catalog import find_accelerator
from core.errors import UnknownAccelerator
from core.quantities import GIB


@dataclass(frozen=True)
class Device:
    """One GPU: its name, and watts (TDP), bytes per second, dense 16-bit FLOP per second, GiB; None: not known."""

    name: str
    watts: float | None = None
    bandwidth: float | None = None
    flops: float | None = None
    gib: float | None = None


def device_of(gpu: str) -> Device:
    """Return what the catalogue knows of *gpu*, an id, name or alias; nothing where it does not know it."""
    try:
        record = find_accelerator(gpu)
    except UnknownAccelerator:
        return Device(gpu)
    peaks = record.peak_flops
    return Device(
        record.name,
        record.tdp_w,
        record.bandwidth_bytes_per_s,
        peaks.get("bf16", peaks.get("fp16")),
        record.usable_bytes / GIB,
    )
