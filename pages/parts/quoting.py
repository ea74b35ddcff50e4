"""What the rows and inputs of the Quotes page mean: quotes, a workload, assumptions, and the answer for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import streamlit as st

from core.api.plan_question import question_of
from core.api.plan_request import PlanRequest
from core.api.requests import parse_as
from core.cost.quote import Quote
from core.errors import PlannerError
from core.planning.fair import Answer, answer, assumed, rates
from core.planning.question import Question
from core.planning.quoted import Capability, capability
from core.quotes import Checked, checked
from pages.parts.quotes_fields import ASSUMED, FIELDS, SHARES
from pages.parts.quotes_rows import Row, examples, row_of

WEIGHTS = ["checkpoint", "fp16", "fp8"]
"""Weight formats that a quote may be served in: cards without BF16 take FP16."""


@dataclass(frozen=True)
class Told:
    """What came of rows and inputs: the checked rows, and the answer or what is wrong with the inputs."""

    checked: Checked
    answer: Answer | None
    error: PlannerError | None = None


def request_of(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the workload as a request of the headless contract."""
    request = {
        "models": [inputs["model"]],
        f"requests_per_{inputs['unit']}": inputs["rate"],
        "peak_factor": inputs["peak"],
        "input_tokens": float(inputs["input"]),
        "output_tokens": float(inputs["output"]),
        "prefix_cache_hit_rate": inputs["hits"] / 100 if inputs["hits"] else None,
        "ttft_s": inputs["ttft"] / 1000 or None,
        "ttft_percentile": int(inputs["share"].removeprefix("p")),
        "tpot_s": inputs["tpot"] and inputs["tpot"] / 1000,
        "headroom": inputs["headroom"] / 100,
        "weights": WEIGHTS,
    }
    return {name: value for name, value in request.items() if value is not None}


def given_of(inputs: Mapping[str, Any]) -> dict[str, float]:
    """Return the assumptions that a person stated, in the units of `Assumptions`."""
    found = {name: inputs[name] for name in ASSUMED if inputs[name] is not None}
    return {name: value / 100 if name in SHARES else value for name, value in found.items()}


def told(rows: list[Row], inputs: Mapping[str, Any]) -> Told:
    """Return the answer for the good ones of *rows*."""
    found = checked(rows, rates=rates())
    if not found.good:
        return Told(found, None)
    try:
        return Told(found, _answered(found.good, inputs))
    except PlannerError as error:
        return Told(found, None, error)


def _answered(quotes: tuple[Quote, ...], inputs: Mapping[str, Any]) -> Answer:
    request = orjson.dumps(request_of(inputs))
    given = given_of(inputs)
    key = orjson.dumps([given, inputs["place"], inputs["model"], request.decode()]).decode()
    return _answer(quotes, request, given, inputs["place"], key)


@st.cache_resource(max_entries=48, show_spinner=False)
def _answer(
    quotes: tuple[Quote, ...], request: bytes, _given: dict[str, float], place: str | None, key: str
) -> Answer:
    """Return the answer; kept, because another view asks for it again."""
    del key
    question = question_of(parse_as(PlanRequest, orjson.loads(request)))
    found = [_capability(request, one.gpu, one.nodes, one.gpus_per_node, question, one) for one in quotes]
    rate = None if "utilisation" in _given else question.traffic.rate
    today = datetime.now(UTC).date()
    return answer(quotes, found, assumed(_given, place), rate, today=today, place=place)


@st.cache_resource(max_entries=256, show_spinner=False)
def _capability(
    request: bytes, gpu: str, nodes: int, each: int, _question: Question, _quote: Quote
) -> Capability:
    """Return what the GPUs of a quote can do; kept by GPUs and workload, for the price does not matter."""
    del request, gpu, nodes, each
    return capability(_quote, _question)


def warm() -> None:
    """Work out what the page shows at first, so that its first visitor does not wait."""
    names = {"listed": "listed", "bought": "bought", "cheap": "cheap"}
    told([row_of(quote) for quote in examples(names)], {name: one.default for name, one in FIELDS.items()})
