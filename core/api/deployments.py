"""The deployment that a request describes, with the engine's defaults filled in."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from core.api.requests import Gpu, Request, SizeRequest
from core.architecture import Model, read_model
from core.architecture.checkpoint import checkpoint_format, with_ignored
from core.architecture.formats import WeightFormat, gguf_bf16, weight_format
from core.catalog import Accelerator, find_accelerator, find_model
from core.errors import BadRequest, PlannerError
from core.memory.deployment import Deployment, Device, KvFormat, engine_kv, kv_format
from core.memory.engines import Engine, find_engine
from core.memory.layout import Layout
from core.quantities import GIB


def deployment_of(request: SizeRequest) -> Deployment:
    """Return the deployment that *request* describes, with the engine's defaults filled in.

    Raises:
        PlannerError: an unknown model, GPU, format or engine, or a config that cannot be read.
    """
    engine = find_engine(request.engine, request.engine_version)
    return joined(
        request,
        engine,
        device_of(request.gpu),
        context=request.context,
        max_num_seqs=request.max_num_seqs,
        max_num_batched_tokens=request.max_num_batched_tokens,
        enforce_eager=bool(request.enforce_eager),
        flash_attention=request.flash_attention,
        memory_in_use=(request.memory_in_use_gib or 0.0) * GIB,
    )


def joined(
    request: Request, engine: Engine, device: Device | None, *, context: int | None, **more: Any
) -> Deployment:
    """Return the deployment of the fields that all requests share on *engine* and *device*.

    Raises:
        PlannerError: an unknown model or format, or a config that cannot be read.
    """
    model = model_of(request.model)
    weights = _weights(request.weights, model, engine)
    return Deployment(
        model=model,
        device=device,
        engine=engine,
        weights=weights,
        kv=_kv(request.kv, weights, model, engine),
        layout=Layout(
            request.tp or 1, request.pp or 1, request.dp or 1, request.ep or 1, bool(request.attention_dp)
        ),
        context=context or model.max_context or 8192,
        memory_fraction=request.memory_fraction,
        **more,
    )


LONGEST_KEPT = 100_000
"""Characters of the longest config whose model is kept; published ones have a few thousand."""


def model_of(given: str | dict[str, Any]) -> Model:
    """Return the model of a catalogue id or a config. Many requests of a list hold the same config: it is read once.

    Raises:
        PlannerError: an unknown id, or a config that cannot be read.
    """
    if isinstance(given, str):
        return _catalogue_model(find_model(given).id)
    try:
        content = json.dumps(given)
    except (ValueError, TypeError, RecursionError):
        return read_model(given)
    return _given_model(content) if len(content) <= LONGEST_KEPT else read_model(given)


@lru_cache(maxsize=256)
def _given_model(content: str) -> Model:
    return read_model(json.loads(content))


@lru_cache(maxsize=256)
def _catalogue_model(name: str) -> Model:
    """Return the model *name* of the catalogue; kept, since its files do not change while the program runs."""
    return read_model(find_model(name).config, name)


def device_of(given: str | Gpu | None) -> Device | None:
    """Return the memory of a GPU given by id, alias or object; None where none is given.

    Raises:
        UnknownAccelerator: no such name.
        BadRequest: an object without `memory_gib` and without a known `name`.
    """
    if given is None:
        return None
    size = None if isinstance(given, str) else given.memory_gib
    if size is None and isinstance(given, Gpu) and given.name is None:
        raise BadRequest("request.gpu_memory", field="gpu")
    record = record_of(given, needed=size is None)
    if record is None:
        name = None if isinstance(given, str) else given.name
        return Device(name or "GPU", float(size or 0) * GIB)
    return Device.of(record, None if size is None else size * GIB)


def record_of(given: str | Gpu, *, needed: bool) -> Accelerator | None:
    """Return the catalogue's record of a GPU by id, alias or the name of an object; None where there is none.

    Raises:
        UnknownAccelerator: no such name, and the record is *needed*.
    """
    name = given if isinstance(given, str) else given.name
    try:
        return find_accelerator(name) if name else None
    except PlannerError:
        if needed:
            raise
        return None


def _weights(given: str | None, model: Model, engine: Engine) -> WeightFormat:
    if given is None:
        return checkpoint_format(model)
    if given.lower() == "bf16" and engine.name == "llama.cpp":
        return gguf_bf16()
    return with_ignored(weight_format(given), model)


def _kv(given: str | None, weights: WeightFormat, model: Model, engine: Engine) -> KvFormat:
    return engine_kv(engine, weights, model) if given is None else kv_format(given)
