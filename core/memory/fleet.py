"""The same deployment on every accelerator of the catalogue: does it fit, on how many, and why not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.architecture.formats import checkpoint_bytes
from core.catalog import Accelerator, accelerators
from core.errors import PlannerError
from core.memory.deployment import Deployment, Device
from core.memory.layout import Layout
from core.memory.reasons import verdict
from core.memory.serving import ServingMemory, size_serving
from core.memory.support import unsupported
from core.text import Sentence, say

MOST_GPUS = 64
"""Replicas wider than this are not tried."""


@dataclass(frozen=True)
class FleetRow:
    """One accelerator with its smallest replica that fits.

    `gpus` of a replica (None: none fits) in `layout`, cache `tokens`, `requests` held at once at the mean length,
    and where nothing fits the `reason`.
    """

    id: str
    name: str
    vendor: str
    usable: float
    gpus: int | None
    layout: str
    tokens: int
    requests: float
    reason: Sentence | None


def layouts_up_to(deployment: Deployment, most: int = MOST_GPUS) -> list[Layout]:
    """Return the layouts to try, fewest GPUs first: tensor parallelism to eight, then pipeline stages of eight.

    Only tensor-parallel degrees that divide the heads are kept. Expert parallelism follows where it was chosen.
    """
    heads = deployment.model.heads
    inside = [tp for tp in (1, 2, 4, 8) if heads % tp == 0]
    layouts = [Layout(tp=tp, ep=tp if deployment.layout.ep > 1 else 1) for tp in inside]
    widest = layouts[-1]
    stages = 2
    while widest.tp * stages <= most and stages <= deployment.model.layers:
        layouts.append(replace(widest, pp=stages))
        stages *= 2
    return layouts


def fleet(deployment: Deployment, most: int = MOST_GPUS) -> list[FleetRow]:
    """Return a row for every accelerator of the catalogue, in its order."""
    return [row_of(deployment, record, most) for record in accelerators().values()]


def row_of(deployment: Deployment, record: Accelerator, most: int = MOST_GPUS) -> FleetRow:
    """Return the smallest replica of *record* that holds *deployment*, or why there is none."""
    device = Device.of(record)
    reason = unsupported(replace(deployment, device=device))
    best: ServingMemory | None = None
    if reason is None:
        for layout in _plausible(deployment, device, most):
            try:
                memory = size_serving(replace(deployment, device=device, layout=layout))
            except PlannerError as error:
                reason = error.sentence
                continue
            if memory.fits:
                best = memory
                break
            reason = verdict(memory)[0]
    if best is None or best.pool is None:
        final = reason or say("fleet.too_small", most=most)
        return FleetRow(record.id, record.name, record.vendor, device.usable, None, "", 0, 0.0, final)
    layout = best.deployment.layout
    return FleetRow(
        record.id,
        record.name,
        record.vendor,
        device.usable,
        layout.gpus,
        _named(layout),
        best.pool.tokens,
        best.mean_requests,
        None,
    )


def _named(layout: Layout) -> str:
    parts = (
        [f"TP{layout.tp}"]
        + ([f"PP{layout.pp}"] if layout.pp > 1 else [])
        + ([f"EP{layout.ep}"] if layout.ep > 1 else [])
    )
    return " ".join(parts)


def _plausible(deployment: Deployment, device: Device, most: int) -> list[Layout]:
    """Leave out layouts whose GPUs cannot even hold the checkpoint, but keep the largest for its reason."""
    layouts = layouts_up_to(deployment, most)
    floor = 0.85 * size_floor(deployment)
    kept = [layout for layout in layouts if layout.gpus * device.usable >= floor]
    return kept or layouts[-1:]


def size_floor(deployment: Deployment) -> float:
    """Return the bytes of the weights that an engine loads: no replica is smaller."""
    return checkpoint_bytes(deployment.model, deployment.weights, deployment.model.groups)
