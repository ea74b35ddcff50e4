"""How accelerators stand in servers: GPUs of one node, and GPUs of one fast fabric."""

from __future__ import annotations

from core.catalog.records import Accelerator

SERVER = 8
"""Double-wide PCI Express cards of a common GPU server (4 rack units). Source: MGX and HGX reference designs."""

LARGEST_NODE = 16
"""Devices of the largest common single machine (trn2.48xlarge); a fabric with more joins machines."""

_ALONE = {"SoC", "SoM", "SBC", "laptop"}
_TRAY = 4
"""GPUs of one tray of a rack-scale fabric: GB200 NVL72 has 18 trays of 4, TPU hosts and Trainium 3 sleds have 4."""
_TRAYS = {"ascend-910c": 8, "ascend-910c-die": 16}


def gpus_per_node(record: Accelerator) -> int:
    """Return how many devices one server of the usual kind has.

    The board's own number for SXM, OAM and the like (8 on HGX, 1 for GH200), `SERVER` for PCI Express cards,
    one for devices that are a computer of their own, a tray's where a fabric joins a rack.
    """
    if record.form_factor in _ALONE:
        return 1
    if record.form_factor == "PCIe":
        return SERVER
    if joins_nodes(record):
        return _TRAYS.get(record.id, _TRAY)
    return record.link_domain_gpus


def joins_nodes(record: Accelerator) -> bool:
    """Return whether the fabric of *record* goes beyond one machine, as NVL72 does."""
    return record.link_domain_gpus > LARGEST_NODE


def fabric_gpus(record: Accelerator) -> int:
    """Return the most devices over which a tensor-parallel group may spread: a node, or a fabric that joins nodes."""
    return max(gpus_per_node(record), record.link_domain_gpus)
