"""The rates of a device: what it moves, multiplies and sends in a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.catalog import Accelerator
from core.errors import BadRequest

SWITCHED = ("nvlink", "xgmi", "hccs", "ici", "neuronlink", "xelink", "roce")
"""Fabrics over which the GPUs of a node reach each other at full rate."""

USUAL_NODE = 8
"""GPUs of a server whose link domain is not known, or that has PCI Express alone."""

USUAL_NETWORK = 50e9
"""Bytes/s of one GPU to another node where nobody states them: 400 Gb/s, a network card for each GPU."""

COMPUTE = ("bf16", "fp16", "fp32", "fp8", "fp4", "int8")
"""Number formats that matrix products can be asked for in."""


@dataclass(frozen=True)
class DeviceRates:
    """Peak rates of one GPU; numbers, or arrays over deployments.

    bandwidth   of the device memory, bytes/s
    peaks       dense FLOP/s of matrix products, one row for each of `profile.FORMATS`
    link        to a GPU of the same node, bytes/s in one direction
    switched    1.0 where the GPUs of a node reach each other at full rate (NVLink, xGMI), 0.0 over PCI Express
    node_link   to a GPU of another node, bytes/s
    node_gpus   GPUs that `link` joins
    """

    bandwidth: Any
    peaks: Any
    link: Any
    switched: Any
    node_link: Any
    node_gpus: Any


def matrix_rates(tflops: Mapping[str, float], *, full: bool = False, compute: str | None = None) -> Any:
    """Return FLOP/s for each of `profile.FORMATS` from dense peaks by dtype, in FLOP/s.

    Formats that the device has no units for are unpacked to 16 bit. MXFP4 weights meet FP8 activations where
    FP4 units exist. *full*: the model's own format is 32 bit. *compute* is the format that products shall run in:
    16 or 32 bit for all of them, fewer bits for the quantised ones.

    Raises:
        BadRequest: no rate in 16 or 32 bit, or none for *compute*.
    """
    half = max((tflops[name] for name in ("bf16", "fp16") if name in tflops), default=None)
    single = tflops.get("tf32", tflops.get("fp32"))
    wide = (single or (half / 2 if half else None)) if full else (half or single)
    if wide is None:
        raise BadRequest("request.gpu_tflops", field="gpu")
    rates = {
        "fp8": tflops.get("fp8", wide),
        "fp4": tflops.get("fp4", wide),
        "mxfp4": tflops.get("fp8", wide) if "fp4" in tflops else wide,
        "int8": tflops.get("int8", wide),
    }
    unpacked = wide
    if compute is not None:
        asked = tflops.get(compute, half if compute in ("bf16", "fp16") else None)
        if asked is None:
            raise BadRequest("request.compute", field="compute", value=compute, choices=", ".join(tflops))
        rates, unpacked = dict.fromkeys(rates, asked), asked
        wide = asked if compute in ("bf16", "fp16", "fp32") else wide
    return np.array([wide, rates["fp8"], rates["fp4"], rates["mxfp4"], rates["int8"], unpacked])


def device_rates(
    record: Accelerator | None,
    peaks: Any,
    *,
    bandwidth: float | None = None,
    link: float | None = None,
    interconnect: str | None = None,
    node_gpus: int | None = None,
    node_link: float | None = None,
    gpus: int = 1,
) -> DeviceRates:
    """Return the rates of the catalogue's *record*, replaced by what the request states, in bytes/s.

    *gpus* is the number that the deployment joins: beyond one, a link must be known.

    Raises:
        BadRequest: no bandwidth, or no link where one is needed.
    """
    if bandwidth is None:
        if record is None:
            raise BadRequest("request.gpu_bandwidth", field="gpu")
        bandwidth = record.bandwidth_bytes_per_s
    if link is None and record is not None:
        link = record.link_bytes_per_s or record.pcie_bytes_per_s
    if link is None and gpus > 1:
        raise BadRequest("request.gpu_link", field="gpu")
    fabric = interconnect or (record.interconnect if record else "nvlink")
    domain = record.link_domain_gpus if record and record.link_domain_gpus > 1 else USUAL_NODE
    return DeviceRates(
        bandwidth,
        peaks,
        link or USUAL_NETWORK,
        float(fabric in SWITCHED),
        node_link or USUAL_NETWORK,
        float(node_gpus or domain),
    )


def published_rates(record: Accelerator) -> DeviceRates:
    """Return the rates of the catalogue's *record*, all as they were published.

    Raises:
        BadRequest: nobody published how fast it multiplies matrices.
    """
    return device_rates(record, matrix_rates(record.peak_flops))
