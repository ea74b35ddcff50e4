"""The candidates of one model: which variants run and hold the requests on which accelerators."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from core.architecture import Model
from core.catalog import Accelerator, accelerators
from core.errors import BadRequest
from core.memory.deployment import Device
from core.planning.capacity import Capacity, capacity
from core.planning.question import Choices, Question
from core.planning.service import Candidates, Stock, used_formats
from core.planning.space import Variant, is_joined, refusal, variants_of
from core.speed.arrays import stacked
from core.speed.constants import constants_of
from core.speed.device import published_rates
from core.speed.profile import profile_of
from core.text import Sentence
from core.traffic import Traffic

_STEP = 1024
"""Tokens to which the greatest length of a request is rounded up."""


@dataclass(frozen=True)
class Field:
    """A model's variants on accelerators, as far as no traffic matters: arrays have shape (variants, devices).

    `refused` has the place of the reason in `refusals`, -1 where the variant runs.
    """

    model: Model
    variants: tuple[Variant, ...]
    records: tuple[Accelerator, ...]
    devices: tuple[Device, ...]
    refused: Any
    refusals: tuple[tuple[str, Sentence], ...]
    joined: Any
    gpus: Any
    tp: Any
    stock: Stock
    engines: Any


@dataclass(frozen=True)
class Prospects:
    """The candidates of a `Field` under one traffic: rows of `candidates` are at (`variant`, `device`)."""

    field: Field
    capacity: Capacity
    context: int
    mean: float
    variant: Any
    device: Any
    candidates: Candidates

    @property
    def gpus(self) -> Any:
        """GPUs of one replica of each candidate."""
        return self.field.gpus[self.variant]


@lru_cache(maxsize=16)
def field_of(model: Model, choices: Choices, ids: tuple[str, ...]) -> Field:
    """Return the variants of *choices* for *model* on the accelerators *ids*, whose matrix rates are known."""
    variants = variants_of(model, choices)
    records = tuple(accelerators()[id_] for id_ in ids)
    devices = tuple(Device.of(record) for record in records)
    layouts = list(dict.fromkeys(variant.layout for variant in variants))
    joined = np.array([[is_joined(record, layout) for record in records] for layout in layouts])
    refused, refusals = _refusals(model, variants, records, devices)
    engines = list(dict.fromkeys(variant.engine.name for variant in variants))
    stock = Stock(
        stacked([profile_of(model, one.weights, one.kv, one.layout) for one in variants]),
        stacked([published_rates(record) for record in records]),
        stacked([constants_of(name, None, id_) for name in engines for id_ in ids]),
    )
    return Field(
        model,
        variants,
        records,
        devices,
        refused,
        refusals,
        joined[[layouts.index(variant.layout) for variant in variants]],
        np.array([variant.layout.gpus for variant in variants]),
        np.array([variant.layout.tp for variant in variants]),
        used_formats(stock),
        np.array([engines.index(variant.engine.name) for variant in variants]),
    )


def _refusals(
    model: Model,
    variants: tuple[Variant, ...],
    records: tuple[Accelerator, ...],
    devices: tuple[Device, ...],
) -> tuple[Any, tuple[tuple[str, Sentence], ...]]:
    """Ask once for each engine, weight format and device: layouts and cache formats do not matter."""
    rows: dict[tuple[str, str], list[int]] = {}
    found: list[tuple[str, Sentence]] = []
    for variant in variants:
        key = (variant.engine.name, variant.weights.id)
        if key in rows:
            continue
        rows[key] = []
        for record, device in zip(records, devices, strict=True):
            reason = refusal(variant, model, record, device)
            rows[key].append(-1 if reason is None else len(found))
            found += [reason] if reason else []
    return np.array([rows[one.engine.name, one.weights.id] for one in variants]), tuple(found)


def context_of(model: Model, traffic: Traffic, choices: Choices) -> int:
    """Return the greatest length of a request in tokens: as chosen, else what 999 of 1,000 requests do not exceed.

    Raises:
        BadRequest: the model does not read that many, or requests are longer than the chosen length.
    """
    limit = model.max_context
    if traffic.tokens > (choices.context or limit or np.inf):
        raise BadRequest(
            "planning.context",
            field="context" if choices.context else "input_tokens",
            tokens=round(traffic.tokens),
            limit=choices.context or limit,
            model=model.name,
        )
    if choices.context:
        if limit and choices.context > limit:
            raise BadRequest(
                "planning.model_context",
                field="context",
                limit=limit,
                model=model.name,
                value=choices.context,
            )
        return choices.context
    long = traffic.input.quantile(0.999) + traffic.output.quantile(0.999)
    rounded = int(-(-long // _STEP) * _STEP)
    return min(rounded, limit) if limit else rounded


def resident_tokens(traffic: Traffic, context: int) -> float:
    """Return the tokens that a running request holds on average, its answer counted whole.

    Long answers run longer and are met more often: E[out^2] / (2 E[out]) of an answer are in the cache at a
    random time, which exceeds the mean length where answers vary much.
    """
    answer = traffic.output.mean * max(1.0, (1.0 + traffic.output.scv) / 2.0)
    return min(float(context), traffic.input.mean + answer)


def prospects_of(question: Question, model: Model, ids: tuple[str, ...]) -> Prospects:
    """Return the candidates of *model* on the accelerators *ids*: what runs, holds a request, and is linked.

    Raises:
        BadRequest: requests are longer than the model reads.
    """
    context = context_of(model, question.traffic, question.choices)
    mean = resident_tokens(question.traffic, context)
    field = field_of(model, question.choices, ids)
    room = capacity(model, field.variants, field.devices, mean, context)
    runs = (field.refused < 0) & field.joined & (room.longest >= 1) & (room.slots >= 1)
    variant, device = np.nonzero(runs)
    candidates = Candidates(
        variant,
        device,
        field.engines[variant] * len(ids) + device,
        room.slots[variant, device],
        room.chunk[variant, device],
    )
    return Prospects(field, room, context, mean, variant, device, candidates)
