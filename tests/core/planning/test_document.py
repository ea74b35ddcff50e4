"""plan.json: what was asked and chosen comes back as it was, and what changed since is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
import pytest

from core.api.plan import plan_answer
from core.api.plan_question import question_of
from core.api.plan_request import PlanRequest
from core.api.requests import parse_as
from core.errors import BadRequest
from core.planning.document import (
    FORMAT,
    VERSION,
    changes,
    document_of,
    find_plan,
    program_version,
    read_plan_document,
)
from core.planning.result import Planned
from core.planning.search import plan

REQUEST: dict[str, Any] = {
    "model": "qwen3-8b", "requests_per_minute": 600, "input_tokens": {"mean": 900, "p95": 2000},
    "output_tokens": 200, "ttft_s": 0.4, "gpus": ["H100", "L40S"], "tp": None,
}  # fmt: skip


def planned_as(request: dict[str, Any]) -> Planned:
    return plan(question_of(parse_as(PlanRequest, request)))


@cache
def planned() -> Planned:
    return planned_as(REQUEST)


def saved(**changed: Any) -> dict[str, Any]:
    """Return the content of a file of the last plan, *changed*, as it comes back from JSON."""
    content = document_of(REQUEST, planned(), planned().plans[-1].id)
    return dict(orjson.loads(orjson.dumps({**content, **changed})))


def test_loading_it_again_reproduces_everything() -> None:
    document = read_plan_document(orjson.dumps(saved()))
    assert document.request == REQUEST
    again = planned_as(document.request)
    assert changes(document, again) == ()
    assert plan_answer(again) == plan_answer(planned())
    assert document.chosen is not None
    assert find_plan(again, document.chosen) == planned().plans[-1]
    when = datetime(2026, 1, 1, tzinfo=UTC)
    assert document_of(document.request, again, document.chosen, when) == document_of(
        REQUEST, planned(), planned().plans[-1].id, when
    )


def test_it_says_what_it_rests_on() -> None:
    content = saved()
    assert (content["format"], content["version"]) == (FORMAT, VERSION)
    assert content["program"]["version"] == program_version()
    assert content["data"]["files"].keys() == {
        "hardware_db/accelerators.csv",
        "hardware_db/offers.csv",
        "hardware_db/models/Qwen__Qwen3-8B.json",
    }
    assert datetime.fromisoformat(content["created"]).tzinfo is not None
    price = content["plan"]["price"]
    assert price["as_of"]
    assert price["source"]


def test_a_preset_and_a_trace_are_kept() -> None:
    lines = ["timestamp,input_tokens,output_tokens", *(f"{n},{90 + n},{9 + n}" for n in range(50)), "x,1,1"]
    request = {"model": "qwen3-8b", "gpus": ["L40S"], "preset": "chat", "trace": "\n".join(lines)}
    found = planned_as(request)
    content = document_of(request, found, found.plans[0].id)
    assert "hardware_db/traffic_presets.yaml" in content["data"]["files"]
    document = read_plan_document(orjson.dumps(content))
    assert document.request == request
    assert changes(document, planned_as(document.request)) == ()


def test_any_plan_that_was_worked_out_can_be_chosen() -> None:
    for one in planned().alternatives:
        assert document_of(REQUEST, planned(), one.id)["plan"]["id"] == one.id
    assert document_of(REQUEST, planned(), None)["plan"] is None
    with pytest.raises(BadRequest, match="no/such"):
        document_of(REQUEST, planned(), "no/such")


def test_numbers_that_differ_are_named() -> None:
    content = saved()
    content["plan"]["usd_per_hour"] *= 2
    content["plan"]["band"]["tpot_s"][0] = None
    told = [str(one) for one in changes(read_plan_document(json.dumps(content)), planned())]
    assert len(told) == 2
    assert told[0].startswith("usd_per_hour: ")
    assert told[1].startswith("band.tpot_s.0: None")


def test_data_and_program_that_differ_are_named_where_numbers_do() -> None:
    content = saved()
    content["data"]["files"]["hardware_db/offers.csv"] = "0" * 64
    content["program"]["version"] = "0.0.1"
    assert changes(read_plan_document(json.dumps(content)), planned()) == ()
    content["plan"]["tpot_s"] = 7.0
    told = [str(one) for one in changes(read_plan_document(json.dumps(content)), planned())]
    assert "hardware_db/offers.csv" in told[0]
    assert "accelerators" not in told[0]
    assert "0.0.1" in told[1]
    assert len(told) == 3


def test_a_plan_that_is_gone_is_told() -> None:
    document = read_plan_document(json.dumps(saved(chosen="gone/plan")))
    assert "gone/plan" in str(changes(document, planned())[0])


def test_many_differences_are_counted() -> None:
    told = changes(read_plan_document(json.dumps(saved(plan={}))), planned())
    assert str(told[-1]).split(maxsplit=1)[0].isdigit()


@pytest.mark.parametrize(
    ("content", "field", "words"),
    [
        (b"", "file", "no JSON"),
        (b"\xff\xfe\x00", "file", "no JSON"),
        ("{", "file", "no JSON"),
        ("[" * 100_000, "file", "no JSON"),
        ("[]", "format", FORMAT),
        ("{}", "format", FORMAT),
        (json.dumps({"format": "other"}), "format", "other"),
        (json.dumps({"format": FORMAT}), "version", "whole number"),
        (json.dumps({"format": FORMAT, "version": "1"}), "version", "whole number"),
        (json.dumps({"format": FORMAT, "version": VERSION + 1}), "version", "newer version"),
        (json.dumps({"format": FORMAT, "version": 1}), "request", "object"),
        (json.dumps({"format": FORMAT, "version": 1, "request": {}, "chosen": 3}), "chosen", "id or null"),
    ],
)
def test_other_files_are_refused(content: bytes | str, field: str, words: str) -> None:
    with pytest.raises(BadRequest) as told:
        read_plan_document(content)
    assert told.value.field == field
    assert words in told.value.message


@pytest.mark.parametrize("plan_", [None, [], 3, {"ttft_s": [1], "price": 7, "band": {"ttft_s": {}}}])
def test_a_file_that_was_edited_is_no_fault_of_the_program(plan_: Any) -> None:
    document = read_plan_document(json.dumps(saved(plan=plan_, data=[], program=None)))
    assert all(str(one) for one in changes(document, planned()))
