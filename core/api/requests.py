"""Requests of the headless contract, checked: their fields, and faults in words."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import BadRequest, shown

Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Ranks = Annotated[int, Field(ge=1, le=100_000)]
Tokens = Annotated[float, Field(ge=1, le=100_000_000)]

MOST_FAULTS = 8
"""Faults of one request that are told at once."""


class Strict(BaseModel):
    """A part of a request: unknown fields are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Rates(Strict):
    """Dense peak rates of a GPU by dtype, TFLOP/s."""

    fp32: float | None = Field(None, gt=0)
    tf32: float | None = Field(None, gt=0)
    fp16: float | None = Field(None, gt=0)
    bf16: float | None = Field(None, gt=0)
    fp8: float | None = Field(None, gt=0)
    fp4: float | None = Field(None, gt=0)
    int8: float | None = Field(None, gt=0)


class Gpu(Strict):
    """A GPU described by the request instead of the catalogue."""

    name: str | None = Field(None, max_length=200)
    memory_gib: float | None = Field(None, gt=0, le=100_000)
    bandwidth_gbs: float | None = Field(None, gt=0)
    tflops: Rates | None = None
    link_gbs: float | None = Field(None, gt=0)
    interconnect: Literal["nvlink", "pcie"] | None = None


class Request(Strict):
    """The fields that all verbs share; None and absent mean the default of the engine."""

    model: str | dict[str, Any]
    gpu: str | Gpu | None = None
    tp: Ranks | None = None
    pp: Ranks | None = None
    dp: Ranks | None = None
    ep: Ranks | None = None
    attention_dp: bool | None = None
    weights: str | None = None
    kv: str | None = None
    engine: str | None = None
    engine_version: str | None = Field(None, max_length=100)
    memory_fraction: float | None = Field(None, gt=0, le=1)


class SizeRequest(Request):
    """The fields of the `size` verb."""

    context: Count | None = None
    max_num_seqs: Count | None = None
    max_num_batched_tokens: Count | None = None
    enforce_eager: bool | None = None
    flash_attention: bool | None = None
    memory_in_use_gib: float | None = Field(None, ge=0, le=100_000)


class Speculative(Strict):
    """Speculative decoding: drafts of a step, what proposes them, and how likely each is accepted."""

    method: Literal["mtp", "ngram", "draft"]
    tokens: int = Field(ge=1, le=16)
    acceptance: float = Field(ge=0, le=1)
    model: str | dict[str, Any] | None = None


class PoolRequest(Strict):
    """Replicas of a pool: what differs from the request that it stands in; None replicas: as many as match."""

    gpu: str | Gpu | None = None
    tp: Ranks | None = None
    pp: Ranks | None = None
    dp: Ranks | None = None
    ep: Ranks | None = None
    attention_dp: bool | None = None
    weights: str | None = None
    replicas: Ranks | None = None


class Disaggregated(Strict):
    """Pools that process prompts and decode apart, and limits for finding their numbers of replicas."""

    prefill: PoolRequest = PoolRequest()
    decode: PoolRequest = PoolRequest()
    max_gpus: Count | None = None
    max_tpot_s: float | None = Field(None, gt=0)


class Spread(Strict):
    """Lengths that differ from request to request, lognormal: their mean and 95th percentile in tokens."""

    mean: Tokens
    p95: Tokens


class SpeedRequest(Request):
    """The fields of the `speed` verb."""

    mode: Literal["closed_loop", "static_batch", "offline", "single"] | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    concurrency: Count | None = None
    max_batch: Count | None = None
    compute: Literal["bf16", "fp16", "fp32", "fp8", "fp4", "int8"] | None = None
    prefill_chunk: Count | None = None
    overlap: bool | None = None
    gpus_per_node: Ranks | None = None
    inter_node_gbs: float | None = Field(None, gt=0, le=1_000_000)
    prefix_cache_hit_rate: float | None = Field(None, ge=0, le=1)
    speculative: Speculative | None = None
    disaggregated: Disaggregated | None = None


Kind = TypeVar("Kind", bound=Strict)

ALTERNATIVES = ("str", "Gpu", "dict[str,any]", "number", "spread")
"""What pydantic calls the kinds of value that a field may hold; no part of the field's name."""


def parse_as(kind: type[Kind], item: object) -> Kind:
    """Return *item* as a checked request of *kind*.

    Raises:
        BadRequest: not an object, unknown fields, wrong types or values out of range; all faults in one message.
    """
    if not isinstance(item, dict):
        raise BadRequest("request.not_object", value=type(item).__name__)
    try:
        return kind.model_validate({key: value for key, value in item.items() if value is not None})
    except ValidationError as error:
        raise _explained(kind, error) from None


def _explained(kind: type[Strict], error: ValidationError) -> BadRequest:
    """Turn pydantic's faults into one sentence that names each field."""
    faults = []
    for fault in error.errors(include_url=False, include_context=False)[:MOST_FAULTS]:
        if fault["loc"][-1] == "str" and isinstance(fault["input"], dict):
            continue  # the object was meant, not the name
        place = [str(part)[:60] for part in fault["loc"] if part not in ALTERNATIVES]
        name = ".".join(place) or "request"
        if fault["type"] == "extra_forbidden":
            known = _part_at(kind, place[:-1]).model_fields
            faults.append((name, f"{name}: unknown field; known are {', '.join(known)}"))
        else:
            given = shown(fault.get("input"))
            faults.append((name, f"{name}: {fault['msg'].lower()}, got {given}"))
    return BadRequest("request.invalid", field=faults[0][0], faults="; ".join(text for _, text in faults))


def _part_at(kind: type[Strict], place: list[str]) -> type[Strict]:
    """Return the part of *kind* that the fields named in *place* lead to."""
    for name in place:
        if name in kind.model_fields:
            kind = _part_of(kind.model_fields[name].annotation) or kind
    return kind


def _part_of(annotation: Any) -> type[Strict] | None:
    """Return the first class of parts within *annotation*."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _part_of(inner))), None)
