"""What becomes of a plan where the assumptions change: the best plan then, and whether the chosen one still holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.errors import PlannerError
from core.planning.prospects import Prospects, prospects_of
from core.planning.question import Question
from core.planning.ranking import ranked
from core.planning.result import HOURS_PER_MONTH, Plan, Planned
from core.planning.search import plan
from core.planning.service import FINE_POINTS, allowed_rate, curves
from core.planning.sizing import Sized, keeps, replicas_for, served, worked_out
from core.text import Sentence, say
from core.traffic import Lengths, Traffic

HEADROOMS = (0.0, 0.4)
"""Headroom of the cases that change it."""

PRICE_STEPS = {"price_lower": 0.8, "price_higher": 1.2}
"""By what the price of the chosen accelerator is multiplied."""


@dataclass(frozen=True)
class Held:
    """How the chosen plan, as it stands, serves the traffic of a case.

    utilisation  share of the stable load in the busiest hour; None where its GPUs cannot hold the requests
    stable       whether queues end: the utilisation is below 1
    keeps        whether all latency targets and the headroom are kept too
    ttft         seconds to the first token at the asked share; None where there is no end to the queue
    replicas     serving replicas of the same deployment that would keep everything; None: no number does
    """

    utilisation: float | None
    stable: bool
    keeps: bool
    ttft: float | None
    replicas: int | None


@dataclass(frozen=True)
class Case:
    """One changed assumption. `plan` is the best plan then (None: there is none, `reason` says why).

    `base` is the best plan without the change, `share` that of the requests for which TTFT is told, and `same` is
    about the plan that was chosen.
    """

    key: str
    name: Sentence
    plan: Plan | None
    reason: Sentence | None
    base: Plan | None
    share: float
    same: Held

    @property
    def ttft(self) -> float | None:
        """Seconds to the first token of the best plan at the asked share."""
        return None if self.plan is None else self.plan.service.ttft[self.share]

    @property
    def gpus_change(self) -> int | None:
        """GPUs more than without the change."""
        return None if self.plan is None or self.base is None else self.plan.gpus - self.base.gpus

    @property
    def usd_change(self) -> float | None:
        """US dollars a month more than without the change; None where a price is not known."""
        before, now = (None if one is None else one.usd_per_month for one in (self.base, self.plan))
        return None if before is None or now is None else now - before

    @property
    def ttft_change(self) -> float | None:
        """Seconds to the first token more than without the change."""
        now = self.ttft
        return None if now is None or self.base is None else now - self.base.service.ttft[self.share]


def sensitivity(question: Question, chosen: Plan, planned: Planned | None = None) -> tuple[Case, ...]:
    """Return what changes with twice and half the traffic, longer requests, prices, headroom and a harder target.

    *planned* is the answer to *question* where it is at hand, so that it is not searched again. Cases that the
    question already is, and a halved target where there is none, are left out.
    """
    base = planned or plan(question)
    cases = [_case(key, name, changed, base, chosen) for key, name, changed in _changes(question)]
    return (*cases, *_price_cases(question, base, chosen))


def _changes(question: Question) -> Iterator[tuple[str, Sentence, Question]]:
    """Yield key, name and question of each case that is searched again."""
    traffic, targets, limits = question.traffic, question.targets, question.limits
    for key, changed in (
        ("traffic_double", traffic.scaled(2.0)),
        ("traffic_half", traffic.scaled(0.5)),
        ("output_double", replace(traffic, output=longer(traffic.output, 2.0))),
        ("input_double", replace(traffic, input=longer(traffic.input, 2.0))),
    ):
        yield key, say(f"plan.case.{key}"), replace(question, traffic=changed)
    for headroom in HEADROOMS:
        if headroom != limits.headroom:
            yield (
                f"headroom_{headroom:.0%}".removesuffix("%"),
                say("plan.case.headroom", headroom=headroom),
                replace(question, limits=replace(limits, headroom=headroom)),
            )
    if targets.ttft is not None:
        halved = targets.ttft / 2
        yield (
            "ttft_half",
            say("plan.case.ttft_half", milliseconds=halved * 1000),
            replace(question, targets=replace(targets, ttft=halved)),
        )


def longer(lengths: Lengths, factor: float) -> Lengths:
    """Return *lengths* with each *factor* times as long.

    >>> longer(Lengths(100.0, 0.5), 2.0)
    Lengths(mean=200.0, sigma=0.5, values=())
    """
    return Lengths(lengths.mean * factor, lengths.sigma, tuple(value * factor for value in lengths.values))


def _answer(question: Question) -> Planned | Sentence:
    try:
        return plan(question)
    except PlannerError as error:
        return error.sentence


def _case(key: str, name: Sentence, changed: Question, base: Planned, chosen: Plan) -> Case:
    found = _answer(changed)
    best = None if isinstance(found, Sentence) else found.best
    reason = None if best else _why_none(found)
    return Case(key, name, best, reason, base.best, changed.targets.share, held(changed, chosen))


def _why_none(found: Planned | Sentence) -> Sentence:
    """Return why the question could not be asked, or what would admit a plan, where something does."""
    if isinstance(found, Sentence):
        return found
    admitting = [one for one in found.relaxations if one.needed is not None]
    return admitting[0].reason if admitting else say("plan.case.none")


def _price_cases(question: Question, base: Planned, chosen: Plan) -> Iterator[Case]:
    """Yield cases in which GPUs of the chosen kind cost less and more, in the same instances.

    Which plans there are does not depend on prices but for a budget, so that they are only ranked again.
    """
    limits = question.limits
    if chosen.price is None:
        return
    free = base if limits.budget is None else _answer(replace(question, limits=replace(limits, budget=None)))
    every: Iterable[Plan] = () if isinstance(free, Sentence) else free.alternatives
    same = held(question, chosen)
    for key, factor in PRICE_STEPS.items():
        priced = [_priced(one, factor) if one.record.id == chosen.record.id else one for one in every]
        if limits.budget is not None:
            priced = [one for one in priced if _within(one, limits.budget)]
        best = next(iter(ranked(priced, question.rank_by, question.targets.share)), None)
        yield Case(
            key,
            say("plan.case.price", gpu=chosen.record.name, change=factor - 1),
            best,
            None if best else say("plan.case.none"),
            base.best,
            question.targets.share,
            same,
        )


def _priced(found: Plan, factor: float) -> Plan:
    """Return *found* at *factor* times its price."""
    if found.price is None or found.usd_per_hour is None:
        return found
    price = replace(found.price, usd_per_gpu_hour=found.price.usd_per_gpu_hour * factor)
    return replace(found, price=price, usd_per_hour=found.usd_per_hour * factor)


def _within(found: Plan, budget: float) -> bool:
    return found.usd_per_hour is not None and found.usd_per_hour * HOURS_PER_MONTH <= budget


NOT_HELD = Held(None, stable=False, keeps=False, ttft=None, replicas=None)
"""Of a plan whose GPUs do not hold the requests at all."""


def held(question: Question, chosen: Plan) -> Held:
    """Return how *chosen*, with its replicas as they are, serves the traffic of *question*; spare ones stay spare."""
    try:
        prospects = prospects_of(question, chosen.deployment.model, (chosen.record.id,))
    except PlannerError:
        return NOT_HELD
    row = _row_of(prospects, chosen)
    if row is None:
        return NOT_HELD
    rows, replicas = np.array([row]), np.array([float(chosen.replicas)])
    found = served(Sized(prospects, rows, replicas, np.array([math.nan])), question)
    latency, traffic = found.latency, question.traffic
    utilisation = traffic.peak_rate / (float(latency.saturation[0]) * chosen.replicas)
    ttft = float(latency.ttft[question.targets.share][0])
    stable = bool(latency.stable[0])
    return Held(
        utilisation,
        stable,
        bool(keeps(found, question)[0]),
        ttft if stable and math.isfinite(ttft) else None,
        _enough(prospects, row, question, traffic),
    )


def _row_of(prospects: Prospects, chosen: Plan) -> int | None:
    """Return the place of the deployment of *chosen* among the candidates of *prospects*."""
    wanted = chosen.deployment
    for row, place in enumerate(prospects.variant):
        one = prospects.field.variants[int(place)]
        same = (one.engine.name, one.weights.id, one.kv.name, one.layout)
        if same == (wanted.engine.name, wanted.weights.id, wanted.kv.name, wanted.layout):
            return row
    return None


def _enough(prospects: Prospects, row: int, question: Question, traffic: Traffic) -> int | None:
    """Return the fewest replicas of candidate *row* that keep all targets; None where no number does."""
    rows = np.array([row])
    share = question.targets.share
    fine = curves(
        prospects.field.stock,
        prospects.candidates.at(rows),
        traffic,
        share,
        FINE_POINTS,
        within=question.targets.ttft,
    )
    rate = allowed_rate(fine, question.targets, question.limits.headroom)
    replicas = replicas_for(rate, traffic.peak_rate)
    if not np.isfinite(replicas).all():
        return None
    found = worked_out(Sized(prospects, rows, replicas, rate), question).sized.replicas
    return int(found[0]) if len(found) else None
