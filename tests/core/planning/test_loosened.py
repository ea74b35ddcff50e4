"""A loosened request admits the plan that the relaxation found."""

from __future__ import annotations

from typing import Any

import pytest

from core.api.plan_question import question_of
from core.api.plan_request import PlanRequest
from core.api.requests import parse_as
from core.planning.loosened import loosened
from core.planning.result import Relaxation
from core.planning.search import plan
from core.text import say

SMALL = {
    "models": ["Qwen/Qwen3-8B"],
    "requests_per_second": 5.0,
    "input_tokens": 800.0,
    "output_tokens": 400.0,
    "gpus": ["h100-sxm-80"],
}


def relaxed(field: str, needed: float, given: float = 0.0) -> Relaxation:
    return Relaxation(field, given, needed, say("plan_page.unstable"))


@pytest.mark.parametrize(
    ("field", "needed", "becomes"),
    [
        ("ttft_s", 0.02231, 0.023),
        ("tpot_s", 0.01031, 0.0104),
        ("headroom", 0.118, 0.11),
        ("max_gpus", 8.0, 8),
        ("budget_usd_month", 1205.2, 1206),
        ("gpus", 0.0, None),
        ("requests_per_second", 1.23456, 1.2345),
    ],
)
def test_values_are_rounded_to_the_side_that_admits(field: str, needed: float, becomes: object) -> None:
    assert loosened({}, relaxed(field, needed)) == {field: becomes}


def test_choices_are_widened() -> None:
    assert loosened({"clouds": ["aws"]}, relaxed("clouds", 0.0)) == {"clouds": None, "regions": None}
    assert loosened({"weights": ["fp8"]}, relaxed("weights", 0.0)) == {"weights": ["fp8", "fp16", "awq-int4"]}
    assert loosened({"owned": {"l4": 2, "t4": 3}}, relaxed("owned", 9.0, 2.0)) == {
        "owned": {"l4": 9, "t4": 3}
    }


def test_a_relaxation_of_everything_and_the_rate_of_a_trace_change_nothing() -> None:
    assert loosened({}, relaxed("all", 8.0)) == {}
    assert loosened({"trace": "…"}, relaxed("requests_per_second", 8.0)) == {}


@pytest.mark.parametrize(
    "more",
    [
        {"ttft_s": 0.001},
        {"tpot_s": 0.0001},
        {"budget_usd_month": 100.0},
        {"owned": {"h100-sxm-80": 1}, "requests_per_second": 500.0},
        {"gpus": ["t4"], "weights": ["fp8"]},
    ],
)
def test_every_relaxation_that_names_a_field_admits_a_plan(more: dict[str, Any]) -> None:
    request = SMALL | more
    found = plan(question_of(parse_as(PlanRequest, request)))
    assert found.best is None
    changes = [loosened(request, one) for one in found.relaxations]
    assert any(changes)
    for change in filter(None, changes):
        assert plan(question_of(parse_as(PlanRequest, request | change))).best is not None, change
