"""Requests and answers of the headless contract; the command line and the HTTP routes both call `answer`."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.architecture import Model, read_model
from core.architecture.checkpoint import checkpoint_format, with_ignored
from core.architecture.formats import WeightFormat, gguf_bf16, weight_format
from core.catalog import find_accelerator, find_model
from core.errors import BadRequest, PlannerError, shown
from core.memory.bands import band
from core.memory.deployment import Deployment, Device, KvFormat, kv_format
from core.memory.engines import Engine, find_engine
from core.memory.layout import Layout
from core.memory.reasons import reasons_of
from core.memory.serving import ServingMemory, size_serving
from core.quantities import GIB

VERBS = ("size",)
"""Verbs that can be asked for."""

_Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
_Ranks = Annotated[int, Field(ge=1, le=100_000)]


MOST_FAULTS = 8
"""Faults of one request that are told at once."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Rates(_Strict):
    """Dense peak rates of a GPU by dtype, TFLOP/s."""

    fp32: float | None = Field(None, gt=0)
    tf32: float | None = Field(None, gt=0)
    fp16: float | None = Field(None, gt=0)
    bf16: float | None = Field(None, gt=0)
    fp8: float | None = Field(None, gt=0)
    fp4: float | None = Field(None, gt=0)
    int8: float | None = Field(None, gt=0)


class Gpu(_Strict):
    """A GPU described by the request instead of the catalogue."""

    name: str | None = Field(None, max_length=200)
    memory_gib: float | None = Field(None, gt=0, le=100_000)
    bandwidth_gbs: float | None = Field(None, gt=0)
    tflops: Rates | None = None
    link_gbs: float | None = Field(None, gt=0)
    interconnect: Literal["nvlink", "pcie"] | None = None


class SizeRequest(_Strict):
    """The fields of the `size` verb; None and absent mean the engine's default."""

    model: str | dict[str, Any]
    gpu: str | Gpu | None = None
    tp: _Ranks | None = None
    pp: _Ranks | None = None
    dp: _Ranks | None = None
    ep: _Ranks | None = None
    attention_dp: bool | None = None
    weights: str | None = None
    kv: str | None = None
    engine: str | None = None
    engine_version: str | None = Field(None, max_length=100)
    memory_fraction: float | None = Field(None, gt=0, le=1)
    context: _Count | None = None
    max_num_seqs: _Count | None = None
    max_num_batched_tokens: _Count | None = None
    enforce_eager: bool | None = None
    flash_attention: bool | None = None
    memory_in_use_gib: float | None = Field(None, ge=0, le=100_000)


def answer(verb: str, request: object) -> Any:
    """Return the answer to one *request*, or a list of answers to a list of requests, in order.

    A request that cannot be answered gets ``{"error": {"kind", "field", "message"}}`` in its place.

    Raises:
        BadRequest: there is no such verb.
    """
    if verb not in VERBS:
        raise BadRequest("request.verb", field="verb", value=verb, choices=", ".join(VERBS))
    if isinstance(request, list):
        return [_one(item) for item in request]
    return _one(request)


def refused(answers: object) -> bool:
    """Return whether some answer is an error."""
    items = answers if isinstance(answers, list) else [answers]
    return any(isinstance(item, dict) and "error" in item for item in items)


def _one(item: object) -> dict[str, Any]:
    try:
        return size_answer(deployment_of(parse(item)))
    except PlannerError as error:
        return {"error": error.as_dict()}


def parse(item: object) -> SizeRequest:
    """Return *item* as a checked request.

    Raises:
        BadRequest: not an object, unknown fields, wrong types or values out of range; all faults in one message.
    """
    if not isinstance(item, dict):
        raise BadRequest("request.not_object", value=type(item).__name__)
    try:
        return SizeRequest.model_validate({key: value for key, value in item.items() if value is not None})
    except ValidationError as error:
        raise _explained(error) from None


def _explained(error: ValidationError) -> BadRequest:
    """Turn pydantic's faults into one sentence that names each field."""
    faults = []
    for fault in error.errors(include_url=False, include_context=False)[:MOST_FAULTS]:
        if fault["loc"][-1] == "str" and isinstance(fault["input"], dict):
            continue  # the object was meant, not the name
        place = [str(part)[:60] for part in fault["loc"] if part not in ("str", "Gpu", "dict[str,any]")]
        name = ".".join(place) or "request"
        if fault["type"] == "extra_forbidden":
            fields = Gpu.model_fields if place[0] == "gpu" and len(place) > 1 else SizeRequest.model_fields
            faults.append((name, f"{name}: unknown field; known are {', '.join(fields)}"))
        else:
            given = shown(fault.get("input"))
            faults.append((name, f"{name}: {fault['msg'].lower()}, got {given}"))
    return BadRequest("request.invalid", field=faults[0][0], faults="; ".join(text for _, text in faults))


def deployment_of(request: SizeRequest) -> Deployment:
    """Return the deployment that *request* describes, with the engine's defaults filled in.

    Raises:
        PlannerError: an unknown model, GPU, format or engine, or a config that cannot be read.
    """
    model = _model(request.model)
    engine = find_engine(request.engine, request.engine_version)
    weights = _weights(request.weights, model, engine)
    layout = Layout(
        request.tp or 1, request.pp or 1, request.dp or 1, request.ep or 1, bool(request.attention_dp)
    )
    return Deployment(
        model=model,
        device=device_of(request.gpu),
        engine=engine,
        weights=weights,
        kv=_kv(request.kv, weights, model, engine),
        layout=layout,
        context=request.context or model.max_context or 8192,
        memory_fraction=request.memory_fraction,
        max_num_seqs=request.max_num_seqs,
        max_num_batched_tokens=request.max_num_batched_tokens,
        enforce_eager=bool(request.enforce_eager),
        flash_attention=request.flash_attention,
        memory_in_use=(request.memory_in_use_gib or 0.0) * GIB,
    )


def _model(given: str | dict[str, Any]) -> Model:
    return _catalogue_model(find_model(given).id) if isinstance(given, str) else read_model(given)


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
    name = given if isinstance(given, str) else given.name
    size = None if isinstance(given, str) else given.memory_gib
    if size is None and name is None:
        raise BadRequest("request.gpu_memory", field="gpu")
    try:
        record = find_accelerator(name) if name else None
    except PlannerError:
        if size is None:
            raise
        record = None
    if record is None:
        return Device(name or "GPU", float(size or 0) * GIB)
    return Device.of(record, None if size is None else size * GIB)


def _weights(given: str | None, model: Model, engine: Engine) -> WeightFormat:
    if given is None:
        return checkpoint_format(model)
    if given.lower() == "bf16" and engine.name == "llama.cpp":
        return gguf_bf16()
    return with_ignored(weight_format(given), model)


def _kv(given: str | None, weights: WeightFormat, model: Model, engine: Engine) -> KvFormat:
    if given is not None:
        return kv_format(given)
    if engine.name == "llama.cpp":
        return kv_format("f16")
    return kv_format(weights.id if weights.id in ("fp32", "fp16", "bf16") else model.dtype)


def size_answer(deployment: Deployment) -> dict[str, Any]:
    """Return the contract's answer of the `size` verb; sizes in GiB, figures per GPU of the most loaded rank."""
    memory = size_serving(deployment)
    model = deployment.model
    text_only = not deployment.engine.fact("towers", True)
    pool = memory.pool
    parts = {part.name: part.bytes / GIB for part in memory.parts}
    return {
        "parameters_total": sum(group.parameters for group in model.text_groups)
        if text_only
        else model.parameters,
        "parameters_active": model.active_parameters,
        "weights_gib": parts["weights"],
        "activation_gib": parts["activation"],
        "runtime_gib": parts["runtime"],
        "cuda_graph_gib": parts["cuda_graph"],
        "kv_bytes_per_token": _rate(memory),
        "kv_pool_gib": pool.bytes / GIB if pool else None,
        "kv_capacity_tokens": pool.tokens if pool else None,
        "checkpoint_gib": memory.checkpoint / GIB,
        "fits": memory.starts if pool else None,
        "reasons": [str(sentence) for sentence in reasons_of(memory)],
        "band": _bands(memory),
    }


def _rate(memory: ServingMemory) -> float:
    """Return the cache's bytes per token: the engine's own ratio where layers differ, else the exact sum."""
    return memory.rate


def _bands(memory: ServingMemory) -> dict[str, list[float]]:
    values = {
        "activation_gib": memory.part("activation").bytes / GIB,
        "weights_gib": memory.part("weights").bytes / GIB,
    }
    if memory.pool and memory.pool.tokens > 0:
        values["kv_capacity_tokens"] = float(memory.pool.tokens)
    return {name: list(band(memory.deployment, name, value)) for name, value in values.items()}
