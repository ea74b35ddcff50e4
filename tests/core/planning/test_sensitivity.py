"""What changed assumptions do to a plan: the best one then, and whether the chosen one holds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from core.api.deployments import model_of
from core.planning.question import Limits, Pricing, Question, Targets
from core.planning.result import Planned
from core.planning.search import plan
from core.planning.sensitivity import Case, held, longer, sensitivity
from core.text import LANGUAGES
from core.traffic import Traffic, fixed, from_values

GPUS = ("h100-sxm-80", "l40s")


def question(**limits: Any) -> Question:
    return Question(
        (model_of("Qwen/Qwen3-8B"),),
        Traffic(20.0, fixed(1000), fixed(200), peak=2.0),
        Targets(ttft=0.5),
        Limits(accelerators=GPUS, **limits),
    )


@cache
def planned() -> Planned:
    return plan(question())


@cache
def cases() -> dict[str, Case]:
    return {case.key: case for case in sensitivity(question(), planned().plans[0], planned())}


def test_every_case_has_a_plan_and_a_name_in_each_language() -> None:
    assert list(cases()) == [
        "traffic_double", "traffic_half", "output_double", "input_double", "headroom_0", "headroom_40",
        "ttft_half", "price_lower", "price_higher",
    ]  # fmt: skip
    for case in cases().values():
        assert case.plan is not None
        assert case.reason is None
        assert case.base == planned().best
        assert all(case.name.render(language) for language in LANGUAGES)


def test_more_traffic_needs_more() -> None:
    double, half = cases()["traffic_double"], cases()["traffic_half"]
    assert double.gpus_change is not None
    assert double.gpus_change > 0
    assert double.usd_change is not None
    assert double.usd_change > 0
    assert half.gpus_change is not None
    assert half.gpus_change <= 0
    assert double.same.utilisation == pytest.approx(2 * planned().plans[0].service.utilisation, rel=1e-3)
    assert half.same.utilisation == pytest.approx(planned().plans[0].service.utilisation / 2, rel=1e-3)
    assert half.same.keeps


def test_the_plan_as_it_stands_is_told_as_the_search_told_it() -> None:
    for one in planned().plans:
        found = held(question(), one)
        assert found.utilisation == pytest.approx(one.service.utilisation)
        assert found.ttft == pytest.approx(one.service.ttft[0.99])
        assert (found.stable, found.keeps, found.replicas) == (True, True, one.replicas)


def test_the_replicas_that_would_do_are_those_of_the_search() -> None:
    chosen = planned().plans[0]
    double = replace(question(), traffic=question().traffic.scaled(2.0))
    enough = held(double, chosen).replicas
    same = [one for one in plan(double).alternatives if one.id == chosen.id]
    assert enough == same[0].replicas


def test_an_overloaded_plan_is_unstable() -> None:
    tenfold = replace(question(), traffic=question().traffic.scaled(10.0))
    found = held(tenfold, planned().plans[0])
    assert found.utilisation is not None
    assert found.utilisation > 1
    assert (found.stable, found.keeps, found.ttft) == (False, False, None)
    assert found.replicas is not None


def test_requests_that_no_longer_fit_are_not_held() -> None:
    long = replace(question(), traffic=Traffic(1.0, fixed(50_000), fixed(200)))
    found = held(long, planned().plans[0])
    assert (found.utilisation, found.stable, found.keeps, found.replicas) == (None, False, False, None)


def test_headroom_that_is_asked_for_is_no_case() -> None:
    keys = {case.key for case in sensitivity(question(headroom=0.4), planned().plans[0])}
    assert "headroom_40" not in keys
    assert "headroom_0" in keys


def test_without_a_target_there_is_none_to_halve() -> None:
    free = replace(question(), targets=Targets())
    assert "ttft_half" not in {case.key for case in sensitivity(free, plan(free).plans[0])}


def test_cases_without_a_plan_say_why() -> None:
    tight = question(gpus=planned().plans[0].gpus)
    double = next(case for case in sensitivity(tight, planned().plans[0]) if case.key == "traffic_double")
    if double.plan is None:
        assert double.reason is not None
        assert (double.gpus_change, double.usd_change, double.ttft_change) == (None, None, None)
    long = replace(question(), traffic=Traffic(1.0, fixed(30_000), fixed(200)))
    best = plan(long).plans[0]
    doubled = next(case for case in sensitivity(long, best) if case.key == "input_double")
    assert doubled.plan is None
    assert "40960" in str(doubled.reason).replace(",", "")


def test_a_price_changes_cost_alone_and_may_change_the_choice() -> None:
    chosen = planned().plans[0]
    assert chosen.usd_per_month is not None
    lower = cases()["price_lower"].plan
    assert lower is not None
    assert lower.id == chosen.id
    assert lower.usd_per_month == pytest.approx(0.8 * chosen.usd_per_month)
    second = planned().plans[1]
    assert second.price is not None
    assert chosen.price is not None
    close = chosen.usd_per_hour / second.gpus * 1.05  # type: ignore[operator]
    near = replace(question(), pricing=Pricing(stated={second.record.id: close}))
    found = {case.key: case for case in sensitivity(near, plan(near).plans[1])}["price_lower"]
    assert found.plan is not None
    assert found.plan.record.id == second.record.id


def test_a_budget_is_kept_when_prices_change() -> None:
    usd = planned().plans[0].usd_per_month
    assert usd is not None
    tight = question(budget=usd * 1.1)
    found = {case.key: case for case in sensitivity(tight, planned().plans[0])}
    higher = found["price_higher"].plan
    assert higher is None or (higher.usd_per_month or 0) <= usd * 1.1


def test_lengths_of_a_trace_are_stretched_one_by_one() -> None:
    stretched = longer(from_values([1, 2, 3]), 2.0)
    assert stretched.values == (2.0, 4.0, 6.0)
    assert stretched.mean == 4.0
