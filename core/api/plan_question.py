"""The question that a request of the `plan` verb asks, with defaults filled in and names looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api.deployments import model_of
from core.api.faults import Faults, chosen
from core.api.plan_request import PlanRequest
from core.api.plan_traffic import preset_of, traffic_of
from core.architecture import Model
from core.architecture.formats import weight_formats
from core.catalog import Accelerator, accelerators, find_accelerator
from core.cost.prices import clouds, regions
from core.errors import BadRequest, PlannerError, UnknownAccelerator
from core.planning.question import (
    CHECKPOINT,
    ENGINES,
    Choices,
    Limits,
    Pricing,
    Question,
    Targets,
)

KV_FORMATS = ("bf16", "fp16", "fp8", "int8")
"""Cache formats of the engines that plans use."""


def question_of(request: PlanRequest) -> Question:
    """Return what *request* asks of the search.

    Raises:
        PlannerError: names that are not known, models that cannot be read, values that do not go together; all
            faults in one message.
    """
    faults = Faults()
    models = faults.attempt(_models, request)
    traffic = faults.attempt(traffic_of, request)
    limits = _limits(request, faults)
    choices = _choices(request, faults)
    pricing = Pricing(
        request.price_kind or "on_demand",
        faults.attempt(_by_accelerator, "prices_usd_per_gpu_hour", request.prices_usd_per_gpu_hour or {}),
    )
    faults.tell()
    return Question(models, traffic, _targets(request), limits, choices, pricing, request.rank_by or "cost")


def _models(request: PlanRequest) -> tuple[Model, ...]:
    """Return the models of *request*, each once."""
    if (request.model is None) == (request.models is None):
        raise BadRequest("plan.one_model", field="model")
    if request.model is not None:
        return (model_of(request.model),)
    faults = Faults()
    found = [faults.attempt(_model, place, given) for place, given in enumerate(request.models or ())]
    faults.tell()
    by_name: dict[str, Model] = {}
    for place, model in enumerate(found):
        if by_name.setdefault(model.name, model) is not model:
            raise BadRequest("plan.same_model", field=f"models.{place}", name=model.name)
    return tuple(by_name.values())


def _model(place: int, given: str | dict[str, Any]) -> Model:
    try:
        return model_of(given)
    except PlannerError as error:
        error.field = f"models.{place}" + (f".{error.field}" if error.field not in (None, "model") else "")
        raise


def _targets(request: PlanRequest) -> Targets:
    """Return the targets that *request* states, else those of its preset, which are meant for 95 % of the requests."""
    preset = preset_of(request)
    usual = 95 if preset and request.ttft_s is None else 99
    return Targets(
        ttft=request.ttft_s or (preset.ttft_s if preset else None),
        share=(request.ttft_percentile or usual) / 100,
        tpot=request.tpot_s or (preset.tpot_s if preset else None),
        request=request.request_s,
    )


def _limits(request: PlanRequest, faults: Faults) -> Limits:
    vendors = tuple(sorted({record.vendor for record in accelerators().values()}))
    found_clouds = faults.attempt(_chosen, "clouds", request.clouds, clouds())
    known = {name for cloud in found_clouds or (None,) for name in regions(cloud)}
    return Limits(
        headroom=Limits.headroom if request.headroom is None else request.headroom,
        spare=request.spare_replicas or 0,
        gpus_per_replica=request.max_gpus_per_replica or Limits.gpus_per_replica,
        gpus=request.max_gpus,
        accelerators=faults.attempt(_accelerators, request.gpus),
        vendors=faults.attempt(_chosen, "vendors", request.vendors, vendors),
        clouds=found_clouds,
        regions=faults.attempt(_chosen, "regions", request.regions, tuple(sorted(known))),
        owned=faults.attempt(_by_accelerator, "owned", request.owned or {}),
        budget=request.budget_usd_month,
    )


def _choices(request: PlanRequest, faults: Faults) -> Choices:
    formats = tuple(name for name, found in weight_formats().items() if not found.is_gguf)
    return Choices(
        engines=faults.attempt(chosen, "engines", request.engines or list(ENGINES), ENGINES),
        weights=faults.attempt(
            chosen, "weights", request.weights or list(Choices.weights), (CHECKPOINT, *formats)
        ),
        kv=Choices.kv if request.kv is None else faults.attempt(chosen, "kv", request.kv, KV_FORMATS),
        tensor_parallel=None if request.tp is None else tuple(dict.fromkeys(request.tp)),
        context=request.context,
    )


def _chosen(field: str, given: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...] | None:
    return None if given is None else chosen(field, given, known)


def _accelerators(given: list[str] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    return tuple(dict.fromkeys(_accelerator("gpus", name).id for name in given))


def _accelerator(field: str, name: str) -> Accelerator:
    try:
        return find_accelerator(name)
    except UnknownAccelerator as error:
        nearest = error.sentence.values["nearest"]
        raise UnknownAccelerator("plan.unknown_gpu", field=field, name=name, nearest=nearest) from None


def _by_accelerator(field: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return *given* by catalogue id instead of name.

    Raises:
        PlannerError: an unknown name, or two names of one accelerator.
    """
    names: dict[str, str] = {}
    for name in given:
        first = names.setdefault(_accelerator(field, name).id, name)
        if first != name:
            raise BadRequest("plan.same_gpu", field=field, first=first, second=name)
    return {found: given[name] for found, name in names.items()}
