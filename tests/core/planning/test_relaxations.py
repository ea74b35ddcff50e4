"""What would admit a plan: each answer is enough alone, and hardly more than enough."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from core.planning.question import Question
from core.planning.result import Planned, Relaxation
from core.planning.search import plan, plans_for
from tests.questions import CHAT, DEEPSEEK, LLAMA_70B, ask

H100, A100 = "h100-sxm-80", "a100-sxm-80"

WHOLE = ("owned", "max_gpus", "max_gpus_per_replica")
LIMITS = {"max_gpus": "gpus", "max_gpus_per_replica": "gpus_per_replica", "budget_usd_month": "budget"}

CASES = {
    "too few GPUs": (ask(DEEPSEEK, owned={A100: 32}), {"owned", "requests_per_second"}),
    "first token": (ask(accelerators=(H100, "l4"), ttft=0.01), {"ttft_s"}),
    "token": (ask(accelerators=(H100, "l4"), tpot=1e-4), {"tpot_s"}),
    "request": (ask(accelerators=(H100, "l4"), request=0.01), {"request_s"}),
    "budget": (
        ask(LLAMA_70B, accelerators=("b200-sxm", H100), budget=5000.0),
        {"budget_usd_month", "requests_per_second"},
    ),
    "headroom": (
        ask(accelerators=(H100,), gpus=1, headroom=0.6, traffic=CHAT.scaled(1.3)),
        {"headroom", "max_gpus", "requests_per_second"},
    ),
    "replicas": (
        ask(DEEPSEEK, accelerators=(H100, A100), gpus_per_replica=8),
        {"max_gpus_per_replica", "gpus"},
    ),
    "degree": (
        ask(tensor_parallel=(8,), gpus_per_replica=4, accelerators=(A100,)),
        {"max_gpus_per_replica"},
    ),
    "number": (
        ask(LLAMA_70B, accelerators=("l40s",), gpus=8, ttft=None),
        {"max_gpus", "requests_per_second"},
    ),
    "spare": (
        ask(LLAMA_70B, accelerators=("h200-sxm",), gpus=3, spare=1),
        {"max_gpus", "requests_per_second"},
    ),
    "places": (ask(accelerators=(H100,), clouds=("aws",), regions=("nowhere",)), {"clouds"}),
    "makers": (ask(vendors=("Raspberry Pi",)), {"vendors"}),
    "card": (ask(accelerators=("t4",)), {"gpus", "weights"}),
}


@cache
def answer_to(case: str) -> Planned:
    return plan(CASES[case][0])


def loosened(question: Question, relaxation: Relaxation, value: float) -> Question:
    """Return *question* with the field of *relaxation*, and nothing else, at *value*."""
    field, limits, choices = relaxation.field, question.limits, question.choices
    sets: dict[str, Any] = {
        "gpus": {"accelerators": None},
        "vendors": {"vendors": None},
        "clouds": {"clouds": None, "regions": None},
    }
    if field.endswith("_s"):
        return replace(question, targets=replace(question.targets, **{field.removesuffix("_s"): value}))
    if field == "requests_per_second":
        return replace(question, traffic=replace(question.traffic, rate=value))
    if field == "weights":
        more = (*choices.weights, "fp16", "fp8", "awq-int4")
        return replace(question, choices=replace(choices, weights=more))
    if field == "owned":
        return replace(question, limits=replace(limits, owned=dict.fromkeys(limits.owned, int(value))))
    if field in sets:
        return replace(question, limits=replace(limits, **sets[field]))
    number = int(value) if field in WHOLE else value
    return replace(question, limits=replace(limits, **{LIMITS.get(field, field): number}))


def tighter(relaxation: Relaxation) -> float | None:
    """Return a value a little short of what is needed, None where there is none."""
    if relaxation.field in WHOLE:
        return relaxation.needed - 1
    if relaxation.field == "headroom":
        return relaxation.needed + 0.05
    if relaxation.field == "requests_per_second":
        return relaxation.needed * 1.05
    return relaxation.needed * 0.95 if relaxation.needed else None


@pytest.mark.parametrize("case", CASES)
def test_each_is_enough_alone_and_hardly_less_would_be(case: str) -> None:
    question, fields = CASES[case]
    answer = answer_to(case)
    assert not answer.plans
    assert {one.field for one in answer.relaxations} >= fields
    for one in answer.relaxations:
        assert plans_for(loosened(question, one, one.needed)), one.field
        less = tighter(one)
        if less is not None:
            plans = plans_for(loosened(question, one, less))
            # A latency is what replicas keep that serve a tenth of their stable load: idle ones keep a little less.
            busy = [each for each in plans if each.service.utilisation > 0.11 or not one.field.endswith("_s")]
            assert not busy, (one.field, less)


@pytest.mark.parametrize("case", CASES)
def test_each_says_what_was_given_and_loosens_it(case: str) -> None:
    for one in answer_to(case).relaxations:
        down = one.field in ("headroom", "requests_per_second")
        if one.needed:
            assert one.needed < one.given if down else one.needed > one.given
        for language in ("en", "zh"):
            text = one.reason.render(language)
            assert "{" not in text
            assert text[-1] in ".。", text
            for time in re.findall(r"([\d,.]+) m?s\b", text):
                assert len(time.replace(",", "").replace(".", "").strip("0")) <= 3, text
                assert "." not in time or not time.endswith("0"), text


def test_where_no_change_is_enough_alone_all_are_named() -> None:
    question = ask(DEEPSEEK, owned={A100: 4}, ttft=0.03, traffic=CHAT.scaled(100))
    (found,) = plan(question).relaxations
    assert found.field == "all"
    assert found.needed > 100
    assert "No single change is enough" in str(found.reason)
    free = replace(question, targets=replace(question.targets, ttft=None, tpot=None))
    assert plans_for(replace(free, limits=replace(free.limits, owned={A100: int(found.needed)})))


def test_a_question_with_plans_has_none() -> None:
    assert plan(ask(accelerators=(H100,))).relaxations == ()


def test_accelerators_of_which_there_are_none_stay_out() -> None:
    answer = plan(ask(owned={H100: 1, "h200-sxm": 0}, traffic=CHAT.scaled(30)))
    (owned,) = [one for one in answer.relaxations if one.field == "owned"]
    assert (owned.given, "H100" in str(owned.reason)) == (1, True)


def test_of_several_kinds_at_hand_the_one_that_lacks_least_is_named() -> None:
    answer = plan(ask(LLAMA_70B, owned={A100: 4, H100: 2}, traffic=CHAT.scaled(3)))
    (owned,) = [one for one in answer.relaxations if one.field == "owned"]
    enough = replace(answer.question.limits, owned={A100: 4, H100: int(owned.needed)})
    assert plans_for(replace(answer.question, limits=enough))
