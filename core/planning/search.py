"""The search: all deployments of a question's models that serve its traffic, ranked, with reasons for the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from core.architecture import Model
from core.catalog import accelerators
from core.errors import PlannerError
from core.planning.costs import Costs, costs_of, instances_of
from core.planning.filters import filtered
from core.planning.prospects import prospects_of
from core.planning.question import Question
from core.planning.ranking import best_of_each, pareto_front, ranked
from core.planning.rejections import Attempt, rejections_of
from core.planning.relaxations import relaxations_of
from core.planning.result import HOURS_PER_MONTH, Plan, Planned, Service
from core.planning.service import FULLEST, curves
from core.planning.sizing import BOUNDS, Served, Sized, refined, shortlist, worked_out
from core.speed.bands import Kind, band
from core.speed.estimate import era_of
from core.text import Sentence, say

WORKED_OUT = 4
"""Candidates of one model and accelerator, fewest GPUs first, whose service is worked out exactly."""


def plan(question: Question) -> Planned:
    """Return the ranked plans for *question*, a reason for each accelerator without one, and what would admit one.

    Raises:
        BadRequest: no model reads requests as long as those of the traffic, or runs on the ranks asked for.
    """
    kept, rejected = filtered(question)
    attempts, faults = _attempts(question, kept)
    if faults and not attempts:
        raise faults[0]
    plans = _ranked(question, attempts)
    first = tuple(best_of_each(plans))
    with_plan = {one.record.id for one in first}
    rejected += [one for one in rejections_of(question, attempts) if one.record.id not in with_plan]
    order = {id_: place for place, id_ in enumerate(accelerators())}
    return Planned(
        question,
        first,
        tuple(plans),
        tuple(pareto_front(plans, question.targets.share)),
        tuple(sorted(rejected, key=lambda one: order[one.record.id])),
        () if first else tuple(relaxations_of(question, attempts, plans_for)),
        tuple(_notes(question, attempts, faults, first)),
        sum(attempt.deployments for attempt in attempts),
    )


def plans_for(question: Question) -> list[Plan]:
    """Return the ranked plans alone; none where no model can be tried."""
    attempts, _ = _attempts(question, filtered(question)[0])
    return _ranked(question, attempts)


def _attempts(question: Question, ids: tuple[str, ...]) -> tuple[list[Attempt], list[PlannerError]]:
    """Return how far each model comes on the accelerators *ids*, and why others cannot be tried."""
    attempts, faults = [], []
    for model in question.models:
        try:
            if ids:
                attempts.append(_attempt(question, model, ids))
        except PlannerError as error:
            faults.append(error)
    return attempts, faults


def _ranked(question: Question, attempts: list[Attempt]) -> list[Plan]:
    plans = (one for attempt in attempts for one in _plans(question, attempt))
    return ranked(plans, question.rank_by, question.targets.share)


def _attempt(question: Question, model: Model, ids: tuple[str, ...]) -> Attempt:
    """Return how far *model* comes on the accelerators *ids*."""
    prospects = prospects_of(question, model, ids)
    found = curves(
        prospects.field.stock,
        prospects.candidates,
        question.traffic,
        question.targets.share,
        within=question.targets.ttft,
    )
    allowed = prospects.gpus <= question.limits.gpus_per_replica
    sized = shortlist(prospects, found, question, allowed)
    chosen = worked_out(refined(sized.at(_most_promising(sized, question)), question), question)
    costs = costs_of(chosen.sized, question)
    return Attempt(prospects, found, chosen, costs, _within(question, chosen.sized, costs))


def _most_promising(sized: Sized, question: Question) -> Any:
    """Return the places of the WORKED_OUT candidates of each accelerator that need the fewest GPUs, the quickest first.

    Prices do not matter here: a cheaper GPU-hour must never lead to a costlier plan.
    """
    if not len(sized.row):
        return sized.row
    gpus = (sized.replicas + question.limits.spare) * sized.gpus_per_replica
    order = np.lexsort((sized.quick, gpus, sized.device))
    device = sized.device[order]
    start = np.searchsorted(device, device, side="left")
    return np.sort(order[np.arange(len(order)) - start < WORKED_OUT])


def _within(question: Question, sized: Sized, costs: Costs) -> Any:
    """Return which candidates stay within the GPUs and the budget."""
    limits = question.limits
    gpus = (sized.replicas + limits.spare) * sized.gpus_per_replica
    within = np.isfinite(gpus)
    if limits.gpus is not None:
        within &= gpus <= limits.gpus
    if limits.owned:
        owned = np.array([limits.owned.get(record.id, 0) for record in sized.prospects.field.records])
        within &= gpus <= owned[sized.device]
    if limits.budget is not None:
        within &= costs.usd_per_hour * HOURS_PER_MONTH <= limits.budget
    return within


def _plans(question: Question, attempt: Attempt) -> Iterator[Plan]:
    for row in np.flatnonzero(attempt.within):
        yield _plan(question, attempt.served, attempt.costs, int(row))


def _plan(question: Question, served: Served, costs: Costs, row: int) -> Plan:
    sized = served.sized
    prospects, spare = sized.prospects, question.limits.spare
    field, place = prospects.field, int(sized.row[row])
    variant, device = int(prospects.variant[place]), int(prospects.device[place])
    record = field.records[device]
    traffic = question.traffic
    deployment = replace(
        field.variants[variant].on(field.model, field.devices[device], prospects.context),
        requests=max(1, round(float(served.latency.concurrency[row]))),
        input_tokens=round(traffic.input.mean),
        output_tokens=round(traffic.output.mean),
    )
    replicas = int(sized.replicas[row])
    price = costs.price(row)
    gpus = (replicas + spare) * deployment.layout.gpus
    return Plan(
        deployment,
        record,
        traffic,
        replicas,
        spare,
        _service(question, served, row, deployment.model.is_moe),
        price,
        instances_of(price, sized, row, spare),
        float(costs.usd_per_hour[row]) if price else None,
        record.tdp_w * gpus if record.tdp_w else None,
    )


def _service(question: Question, served: Served, row: int, moe: bool) -> Service:
    latency, sized = served.latency, served.sized
    prospects = sized.prospects
    variant = prospects.field.variants[int(prospects.variant[int(sized.row[row])])]
    replicas = float(sized.replicas[row])
    concurrency = float(latency.concurrency[row])
    ranks = variant.layout.dp if variant.layout.attention_dp else 1
    kind = Kind(era_of(variant.engine.name, None), "closed_loop", moe, concurrency / ranks)
    ttft = {share: float(values[row]) for share, values in latency.ttft.items()}
    tpot, request = float(latency.per_token[row]), float(latency.request[row])
    stable = float(latency.saturation[row]) * replicas
    return Service(
        rate=question.traffic.peak_rate,
        stable=stable,
        concurrency=concurrency,
        slots=float(served.slots[row]),
        ttft=ttft,
        tpot=tpot,
        request=request,
        bound=BOUNDS[int(served.bound[row])],
        bands={
            "ttft": band(kind, "ttft_s", ttft[question.targets.share]),
            "tpot": band(kind, "tpot_s", tpot),
            "request": band(kind, "request_s", request),
            "stable": band(kind, "output_tokens_per_s", stable),
        },
    )


def _notes(
    question: Question, attempts: list[Attempt], faults: list[PlannerError], plans: tuple[Plan, ...]
) -> Iterator[Sentence]:
    """Yield what to know about the answer as a whole."""
    yield from (fault.sentence for fault in faults)
    for attempt in attempts:
        yield from attempt.prospects.field.model.warnings
    unpriced = [one.record.name for one in plans if one.usd_per_hour is None]
    if unpriced and not question.limits.owned:
        yield say("planning.unpriced", count=len(unpriced), names=", ".join(unpriced[:5]))
    if question.limits.headroom == 0 and plans:
        yield say("planning.no_headroom", fullest=FULLEST)
