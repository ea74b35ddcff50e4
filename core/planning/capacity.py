"""How many requests each variant holds on each accelerator: the sums of core.memory over arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from core.architecture import Model
from core.architecture.formats import weight_format
from core.memory.cache import taken_bytes
from core.memory.deployment import Deployment, Device, KvFormat
from core.memory.engines import Engine
from core.memory.layout import Layout, stage_layers
from core.memory.overheads import activation, cuda_graphs, graphs_are_budgeted, runtime
from core.memory.serving import room_by_rule, weights_on_rank
from core.planning.space import Variant
from core.quantities import GIB

_LARGE, _SMALL = 80.0 * GIB, 24.0 * GIB


@dataclass(frozen=True)
class Capacity:
    """What is left for the cache, as arrays of shape (variants, devices).

    room     bytes on the tightest rank; negative: the weights do not fit
    held     requests of the mean length that one replica's cache holds
    longest  requests of the greatest length that it holds; below 1 the engine does not start
    slots    requests that run at once on one replica: `held`, or the engine's own limit
    chunk    prompt tokens of one pass
    weights  bytes on the tightest rank
    """

    room: Any
    held: Any
    longest: Any
    slots: Any
    chunk: Any
    weights: Any


@dataclass(frozen=True)
class Kind:
    """What an engine's constants tell devices apart by: their size class and, where it asks, their capability."""

    large: bool
    capability: float | None

    @classmethod
    def of(cls, device: Device, engine: Engine) -> Kind:
        """Return the kind of *device* for *engine*."""
        known = device.capability
        if known is not None and int(known) not in engine.capabilities:
            known = 0.0
        return cls(device.is_large, known)

    def device(self) -> Device:
        """Return a device that stands for all of this kind."""
        return Device("", _LARGE if self.large else _SMALL, capability=self.capability)


@dataclass(frozen=True)
class _Scalars:
    """Of one variant on one kind of device: a row for each pipeline stage, and the engine's own limits."""

    taken: Any
    requests: Any
    fraction: float
    sequences: int
    chunk: int


@lru_cache(maxsize=50_000)
def _taken(model: Model, variant: Variant, kind: Kind, context: int) -> Any:
    """Return the bytes of weights, activation, runtime and budgeted CUDA graphs; shape (stages, 4)."""
    deployment = variant.on(model, kind.device(), context)
    totals, _ = weights_on_rank(deployment)
    fixed = runtime(deployment).bytes
    graphs = cuda_graphs(deployment).bytes if graphs_are_budgeted(deployment) else 0.0
    last = activation(deployment).bytes
    before = activation(deployment, last_stage=False).bytes if len(totals) > 1 else last
    peaks = [before] * (len(totals) - 1) + [last]
    return np.array([(total, peak, fixed, graphs) for total, peak in zip(totals, peaks, strict=True)])


@lru_cache(maxsize=50_000)
def _requests(
    model: Model, engine: Engine, kv: KvFormat, layout: Layout, place: tuple[Kind, float, int]
) -> Any:
    """Return the bytes of the pool that requests of the mean and of the greatest length take; shape (stages, 2).

    *place* is the kind of device with both lengths in tokens.
    """
    kind, mean, context = place
    some = weight_format("bf16")  # what the weights are is not asked for
    deployment = Deployment(model, kind.device(), engine, some, kv, layout, context)
    found: dict[tuple[int, ...], Any] = {}
    rows = []
    for stage in stage_layers(model.layers, layout.pp):
        key = tuple(sum(1 for layer in cache.layers if layer in stage) for cache in model.caches)
        if key not in found:
            mean_bytes = float(taken_bytes(deployment, mean, stage, running=True))
            found[key] = mean_bytes, float(taken_bytes(deployment, context, stage))
        rows.append(found[key])
    return np.array(rows)


def capacity(
    model: Model, variants: tuple[Variant, ...], devices: tuple[Device, ...], mean: float, context: int
) -> Capacity:
    """Return what each of *variants* of *model* holds on each of *devices*.

    *mean* is the tokens that a running request holds on average, *context* those of the longest.
    """
    parts, order = [], []
    for engine in dict.fromkeys(variant.engine for variant in variants):
        rows = [row for row, variant in enumerate(variants) if variant.engine == engine]
        parts.append(_of_engine(model, [variants[row] for row in rows], devices, (mean, context)))
        order += rows
    back = np.argsort(order)
    return Capacity(*(np.concatenate(arrays)[back] for arrays in zip(*parts, strict=True)))


def _of_engine(
    model: Model, variants: list[Variant], devices: tuple[Device, ...], lengths: tuple[float, int]
) -> tuple[Any, ...]:
    """Return the fields of `Capacity` for variants that share an engine."""
    engine = variants[0].engine
    kinds = list(dict.fromkeys(Kind.of(device, engine) for device in devices))
    kind_of = np.array([kinds.index(Kind.of(device, engine)) for device in devices])
    most = max(variant.layout.pp for variant in variants)
    table = [[_scalars(model, variant, kind, lengths, most) for kind in kinds] for variant in variants]

    def gathered(name: str) -> Any:
        """Return field *name* of all scalars with the device in the second place."""
        return np.array([[getattr(one, name) for one in row] for row in table])[:, kind_of]

    taken, requests = gathered("taken"), gathered("requests")
    usable = np.array([device.usable for device in devices])[None, :, None]
    each = (taken[..., 0], taken[..., 1], taken[..., 2], taken[..., 3])
    room = room_by_rule(engine.rule, gathered("fraction")[..., None], usable, 0.0, each)
    # Attention ranks and their schedulers each serve requests of their own.
    ranks = np.array([v.layout.dp if v.layout.attention_dp else 1 for v in variants], dtype=float)[:, None]
    held = np.maximum(0.0, np.min(room / np.maximum(requests[..., 0], 1.0), axis=-1)) * ranks
    longest = np.min(room / np.maximum(requests[..., 1], 1.0), axis=-1)
    slots = np.minimum(np.floor(held), gathered("sequences") * ranks)
    return np.min(room, axis=-1), held, longest, slots, gathered("chunk"), np.max(taken[..., 0], axis=-1)


def _scalars(model: Model, variant: Variant, kind: Kind, lengths: tuple[float, int], stages: int) -> _Scalars:
    """Return the scalars of *variant* on *kind*; the last stage is repeated to make *stages* rows."""
    deployment = variant.on(model, kind.device(), lengths[1])
    taken = _taken(model, variant, kind, lengths[1])
    requests = _requests(model, variant.engine, variant.kv, variant.layout, (kind, *lengths))
    rows = np.minimum(np.arange(stages), len(taken) - 1)
    return _Scalars(
        taken[rows], requests[rows], deployment.fraction, deployment.sequences, deployment.batched_tokens
    )
