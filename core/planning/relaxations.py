"""Where nothing serves the traffic: which single constraint, loosened by how much, would admit a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from core.planning.costs import costs_of
from core.planning.question import Question, Targets
from core.planning.rejections import Attempt
from core.planning.result import HOURS_PER_MONTH, Plan, Relaxation
from core.planning.service import FULLEST, Curves, allowed_rate, curves, value_at
from core.planning.sizing import Sized
from core.planning.space import WIDEST
from core.planning.words import plan_words, seconds_words
from core.quantities import format_seconds
from core.text import say

Search = Callable[[Question], list[Plan]]

TARGETS = {"ttft": "ttft_s", "tpot": "tpot_s", "request": "request_s"}
"""Names of the targets in a request."""

_UNLIMITED = 10**9

_SENSIBLE = 0.1
"""Share of the stable load at which a loosened target is taken: almost idle replicas would keep a little less."""

_SLACK = 1.01
"""A hundredth more than interpolated curves say is needed, so that the exact search finds the plan."""


def relaxations_of(question: Question, attempts: list[Attempt], search: Search) -> Iterator[Relaxation]:
    """Yield each constraint that, loosened alone, admits a plan, with the value that is enough for one.

    Each is proved by a search with that value. Where none is enough alone, one says what all would have to be.
    """
    found = [
        *_of_targets(question, attempts, search),
        *_of_headroom(question, attempts, search),
        *_of_limits(question, search),
        *_of_sets(question, search),
        *_of_traffic(question, attempts, search),
    ]
    yield from found or _of_all(question, search)


def _most_replicas(question: Question, attempt: Attempt) -> Any:
    """Return how many serving replicas of each candidate the GPUs and the budget allow; inf: any number."""
    limits, prospects = question.limits, attempt.prospects
    most = np.full(len(prospects.variant), np.inf)
    if limits.gpus is not None:
        most = np.minimum(most, limits.gpus // prospects.gpus)
    if limits.owned:
        owned = np.array([limits.owned.get(record.id, 0) for record in prospects.field.records])
        most = np.minimum(most, owned[prospects.device] // prospects.gpus)
    if limits.budget is not None:
        many = 64.0  # of so many, instances that are shared are full
        rows = np.arange(len(prospects.variant))
        sized = Sized(prospects, rows, np.full(len(rows), many), np.ones(len(rows)))
        usd = costs_of(sized, question).usd_per_hour / (many + limits.spare)
        most = np.minimum(most, np.floor(limits.budget / HOURS_PER_MONTH / usd))
    return most - limits.spare


def _candidates(question: Question, attempt: Attempt) -> tuple[Any, Any]:
    """Return which candidates may be used at all, and the rate that each replica must bear: 0 without a limit."""
    most = _most_replicas(question, attempt)
    usable = (attempt.prospects.gpus <= question.limits.gpus_per_replica) & (most >= 1)
    with np.errstate(divide="ignore"):
        needed = question.traffic.peak_rate / np.maximum(most, 1e-9)
    return usable, needed


def _of_targets(question: Question, attempts: list[Attempt], search: Search) -> Iterator[Relaxation]:
    for name, field in TARGETS.items():
        given = getattr(question.targets, name)
        if given is None:
            continue
        others = _with_target(question.targets, name, None)
        lowest = np.inf
        for attempt in attempts:
            usable, needed = _candidates(question, attempt)
            found = attempt.found
            rate = allowed_rate(found, others, question.limits.headroom)
            usable &= (rate >= np.maximum(needed, _SENSIBLE * found.stable)) & (rate > 0)
            if usable.any():
                light = np.maximum(needed, _SENSIBLE * found.stable)
                if name == "ttft":
                    found = _with_ttft(question, attempt)
                lowest = min(lowest, float(np.min(value_at(found, name, light)[usable])))
        if np.isfinite(lowest):
            value = max(given, lowest) * _SLACK
            loose = replace(question, targets=_with_target(others, name, value))
            yield from _proved(loose, search, field, given, value)


def _with_ttft(question: Question, attempt: Attempt) -> Curves:
    """Return the curves of *attempt* with TTFT in seconds at every point."""
    prospects = attempt.prospects
    share = question.targets.share
    return curves(prospects.field.stock, prospects.candidates, question.traffic, share)


def _with_target(targets: Targets, name: str, value: float | None) -> Targets:
    changed: dict[str, Any] = {name: value}
    return replace(targets, **changed)


def _proved(
    loose: Question, search: Search, field: str, given: float, needed: float, /, **words: str
) -> Iterator[Relaxation]:
    """Yield the relaxation of *field* where the search with it finds a plan."""
    plans = search(loose)
    if not plans:
        return
    shown = words or {"given": _shown(field, given), "needed": _shown(field, needed)}
    reason = say(f"planning.relax_{field}", plan=plan_words(plans[0]), **shown)
    yield Relaxation(field, given, needed, reason)


def _shown(field: str, value: float) -> str:
    if field in TARGETS.values():
        return seconds_words(value)
    if field == "headroom":
        return f"{value:.0%}"
    return f"{value:,.0f}"


def _of_headroom(question: Question, attempts: list[Attempt], search: Search) -> Iterator[Relaxation]:
    given, largest = question.limits.headroom, -np.inf
    for attempt in attempts:
        usable, needed = _candidates(question, attempt)
        rate = allowed_rate(attempt.found, question.targets, 0.0)
        usable &= (rate >= needed) & (needed > 0)
        if usable.any():
            largest = max(largest, float(np.max(1.0 - needed[usable] / attempt.found.stable[usable])))
    if 1.0 - FULLEST <= largest < given:
        needed_share = max(0.0, np.floor(largest * 100) / 100)
        loose = replace(question, limits=replace(question.limits, headroom=needed_share))
        yield from _proved(loose, search, "headroom", given, needed_share)


def _of_limits(question: Question, search: Search) -> Iterator[Relaxation]:
    """Yield limits on numbers of GPUs and on money: a search without them says what is needed."""
    limits = question.limits

    def without(**change: Any) -> list[Plan]:
        return search(replace(question, limits=replace(limits, **change)))

    if limits.gpus_per_replica < WIDEST:
        plans = without(gpus_per_replica=WIDEST)
        if plans:
            best = min(plans, key=lambda one: one.gpus_per_replica)
            yield _limit("max_gpus_per_replica", limits.gpus_per_replica, best.gpus_per_replica, best)
    if limits.gpus is not None:
        plans = without(gpus=None)
        if plans:
            best = min(plans, key=lambda one: one.gpus)
            yield _limit("max_gpus", limits.gpus, best.gpus, best)
    if limits.owned:
        plans = without(owned=_any_number(limits.owned))
        if plans:
            best = min(plans, key=lambda one: one.gpus / limits.owned[one.record.id])
            yield _limit("owned", limits.owned[best.record.id], best.gpus, best)
    if limits.budget is not None:
        plans = [one for one in without(budget=None) if one.usd_per_month is not None]
        if plans:
            best = min(plans, key=lambda one: one.usd_per_month or 0.0)
            yield _limit("budget_usd_month", limits.budget, best.usd_per_month or 0.0, best)


def _any_number(owned: Mapping[str, int]) -> dict[str, int]:
    """Return *owned* with more than enough of each accelerator of which there is one."""
    return {id_: _UNLIMITED if count else 0 for id_, count in owned.items()}


def _limit(field: str, given: float, needed: float, plan: Plan) -> Relaxation:
    shown = {"given": _shown(field, given), "needed": _shown(field, needed)}
    return Relaxation(field, given, needed, say(f"planning.relax_{field}", plan=plan_words(plan), **shown))


def _of_sets(question: Question, search: Search) -> Iterator[Relaxation]:
    """Yield choices of GPUs, makers, places and weight formats that leave nothing over."""
    limits, choices = question.limits, question.choices
    loosened = {
        "gpus": replace(question, limits=replace(limits, accelerators=None)),
        "vendors": replace(question, limits=replace(limits, vendors=None)),
        "clouds": replace(question, limits=replace(limits, clouds=None, regions=None)),
        "weights": replace(
            question, choices=replace(choices, weights=(*choices.weights, "fp16", "fp8", "awq-int4"))
        ),
    }
    given = {
        "gpus": limits.accelerators is not None,
        "vendors": limits.vendors is not None,
        "clouds": limits.clouds is not None or limits.regions is not None,
        "weights": "awq-int4" not in choices.weights,
    }
    for field, loose in loosened.items():
        if given[field]:
            plans = search(loose)
            if plans:
                label = plans[0].deployment.weights.label
                reason = say(f"planning.relax_{field}", plan=plan_words(plans[0]), format=label)
                yield Relaxation(field, 0.0, 0.0, reason)


def _of_traffic(question: Question, attempts: list[Attempt], search: Search) -> Iterator[Relaxation]:
    """Yield the largest load that the limits allow."""
    largest = 0.0
    for attempt in attempts:
        most = _most_replicas(question, attempt)
        usable = (attempt.prospects.gpus <= question.limits.gpus_per_replica) & np.isfinite(most)
        rate = allowed_rate(attempt.found, question.targets, question.limits.headroom)
        if usable.any():
            largest = max(largest, float(np.max((np.maximum(most, 0.0) * rate)[usable])))
    given = question.traffic.rate
    needed = largest / question.traffic.peak / _SLACK
    if 0 < needed < given:
        loose = replace(question, traffic=replace(question.traffic, rate=needed))
        shown = {"given": f"{given:.3g}", "needed": f"{needed:.3g}"}
        yield from _proved(loose, search, "requests_per_second", given, needed, **shown)


def _of_all(question: Question, search: Search) -> Iterator[Relaxation]:
    """Yield what is left where no constraint alone is at fault: no latency to keep, and any number of GPUs.

    Its values are the GPUs of the cheapest such plan, of which the sentence tells the latency.
    """
    limits = replace(
        question.limits,
        gpus=None,
        budget=None,
        gpus_per_replica=WIDEST,
        owned=_any_number(question.limits.owned),
    )
    loose = replace(question, targets=Targets(share=question.targets.share), limits=limits)
    plans = search(loose)
    if not plans:
        return
    service = plans[0].service
    reason = say(
        "planning.relax_all",
        plan=plan_words(plans[0]),
        gpus=plans[0].gpus,
        share=round(question.targets.share * 100),
        ttft=format_seconds(service.ttft[question.targets.share], 2),
        tpot=format_seconds(service.tpot, 2),
        request=format_seconds(service.request, 2),
    )
    yield Relaxation("all", 0.0, float(plans[0].gpus), reason)
