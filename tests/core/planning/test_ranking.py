"""Which plan comes first, and which no other beats."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.planning.question import OBJECTIVES
from core.planning.ranking import best_of_each, pareto_front, ranked
from core.planning.result import Plan
from tests.plans import made

PLANS = (
    made(),
    made("l4", replicas=6, usd=0.7, ttft=0.45),
    made("b200-sxm", replicas=1, usd=6.0, ttft=0.08),
    made("mi300x", replicas=2, usd=2.4, ttft=0.35),
    made("a100-sxm-80", replicas=3, usd=None, ttft=0.01),
)
plans = st.lists(
    st.builds(
        lambda gpu, replicas, usd, ttft, stable: made(
            gpu, replicas=replicas, usd=usd, ttft=ttft, stable=stable
        ),
        st.sampled_from(["h100-sxm-80", "l4", "t4"]),
        st.integers(1, 4),
        st.none() | st.sampled_from([0.5, 1.0, 2.0]),
        st.sampled_from([0.05, 0.1, 0.3]),
        st.sampled_from([11.0, 20.0]),
    ),
    max_size=8,
)


def names(found: list[Plan]) -> list[str]:
    return [plan.record.id for plan in found]


@pytest.mark.parametrize(
    ("objective", "order"),
    [
        ("cost", ["h100-sxm-80", "l4", "mi300x", "b200-sxm", "a100-sxm-80"]),
        ("latency", ["a100-sxm-80", "b200-sxm", "h100-sxm-80", "mi300x", "l4"]),
        ("throughput", ["b200-sxm", "h100-sxm-80", "mi300x", "a100-sxm-80", "l4"]),
        ("energy", ["l4", "b200-sxm", "a100-sxm-80", "h100-sxm-80", "mi300x"]),
    ],
)
def test_each_objective_has_its_order(objective: str, order: list[str]) -> None:
    assert names(ranked(PLANS, objective, 0.99)) == order  # type: ignore[arg-type]


def test_without_a_price_or_a_power_a_plan_comes_last() -> None:
    unknown = replace(made(), watts=None)
    assert ranked([unknown, *PLANS], "energy", 0.99)[-1] is unknown


@given(plans=plans, objective=st.sampled_from(OBJECTIVES))
def test_the_order_does_not_depend_on_the_order_they_come_in(plans: list[Plan], objective: str) -> None:
    forward, backward = (
        ranked(some, objective, 0.99)  # type: ignore[arg-type]
        for some in (plans, plans[::-1])
    )
    keys = [[(plan.usd_per_hour, plan.gpus, plan.id) for plan in some] for some in (forward, backward)]
    assert keys[0] == keys[1]


@given(plans=plans)
def test_the_front_has_what_no_other_plan_beats(plans: list[Plan]) -> None:
    front = pareto_front(plans, 0.99)
    values = [(plan.usd_per_hour, plan.service.ttft[0.99]) for plan in plans if plan.usd_per_hour is not None]
    for plan in front:
        usd, ttft = plan.usd_per_hour, plan.service.ttft[0.99]
        assert not any(
            (other[0] <= usd and other[1] < ttft) or (other[0] < usd and other[1] <= ttft) for other in values
        )
    costs = [plan.usd_per_hour for plan in front]
    assert costs == sorted(costs)
    for usd, ttft in values:  # each is on the front, or beaten by one that is
        assert any(one.usd_per_hour <= usd and one.service.ttft[0.99] <= ttft for one in front)


def test_the_best_of_each_model_and_accelerator_stays() -> None:
    first, second = made(replicas=1), made(replicas=2)
    other = made("l4")
    assert best_of_each([first, other, second]) == [first, other]
    elsewhere = made(model="meta-llama/Llama-3.1-8B-Instruct")
    assert best_of_each([first, elsewhere]) == [first, elsewhere]
