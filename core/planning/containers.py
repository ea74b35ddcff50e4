"""Container images, device names and probe times of the engines: containers.yaml."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import BadRequest
from core.memory.deployment import Device
from core.memory.engines import Engine
from core.memory.engines.profile import parse_version
from core.quantities import GB, GIB

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_VERSION = re.compile(r"[vb]?(\d+(?:\.\d+)*(?:\.?(?:post|rc)\d+)?)")


@cache
def facts() -> dict[str, Any]:
    """Return the content of containers.yaml."""
    path = Path(__file__).with_name("containers.yaml")
    data: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    return data


@dataclass(frozen=True)
class Container:
    """An image with a pinned tag, and the program in it where that is not the launch command's."""

    image: str
    program: tuple[str, ...]


def version_of(engine: Engine) -> str:
    """Return the engine's version as tags spell it: "0.8" -> "0.8.0", "b5002" -> "5002"."""
    found = _VERSION.match(engine.version.strip().lower())
    version = found[1] if found else engine.version
    if engine.name != "llama.cpp" and re.fullmatch(r"\d+(\.\d+)?", version):
        version += ".0" * (2 - version.count("."))
    return version


def container_of(engine: Engine, device: Device) -> Container:
    """Return the image that runs *engine* on *device*; a device without a maker counts as NVIDIA's.

    Raises:
        BadRequest: none is known.
    """
    vendor = device.vendor or "NVIDIA"
    spans = facts()["images"].get(engine.name, {}).get(vendor)
    if not spans:
        raise BadRequest("manifest.vendor", field="gpu", engine=engine.label, vendor=vendor)
    version = version_of(engine)
    span = [row for row in spans if parse_version(row.get("since", "0")) <= parse_version(version)][-1]
    return Container(span["image"].format(version=version), tuple(span.get("program", ())))


def resource_of(device: Device) -> str:
    """Return the name under which a cluster offers *device*."""
    return str(facts()["resources"][device.vendor or "NVIDIA"])


def selector_of(device: Device) -> dict[str, str]:
    """Return the node labels that *device* has, none where its label is not known."""
    product = facts()["products"].get(device.id)
    return {facts()["labels"][device.vendor]: product} if product else {}


def start_seconds(checkpoint: float) -> float:
    """Return how long a first start with a *checkpoint* of so many bytes may take, seconds."""
    start = facts()["start"]
    return float(checkpoint / GB * (1 / start["download_gbs"] + 1 / start["load_gbs"]) + start["warm_up_s"])


def pod_resources(gpus: int, checkpoint: float) -> dict[str, Any]:
    """Return what a pod with *gpus* devices asks for: cpu, memory, shared memory and disk, in Gi but for cpu."""
    pod = facts()["pod"]
    shared = pod["shared_gib"] + pod["shared_gib_per_gpu"] * gpus
    return {
        "cpu": pod["cpu"] + pod["cpu_per_gpu"] * gpus,
        "memory": pod["memory_gib"] + pod["memory_gib_per_gpu"] * gpus + shared,
        "shared": shared,
        "disk": math.ceil(pod["disk_factor"] * checkpoint / GIB + pod["disk_gib"]),
    }
