"""Requests and answers of the headless contract; the command line and the HTTP routes both call `answer`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.api.deployments import deployment_of, device_of
from core.api.plan import plan_answer
from core.api.plan_question import question_of
from core.api.plan_request import USUAL_PLANS, PlanRequest
from core.api.plan_traffic import assumed, trace_answer, trace_of
from core.api.pools import pools_answer, pools_of
from core.api.requests import Gpu, Rates, SizeRequest, SpeedRequest, parse_as
from core.api.size import size_answer
from core.api.speed import speed_answer, speed_of
from core.api.train import train_answer
from core.api.training_request import TrainRequest, training_of
from core.errors import BadRequest, PlannerError
from core.planning.search import plan

__all__ = [
    "VERBS",
    "Gpu",
    "PlanRequest",
    "Rates",
    "SizeRequest",
    "SpeedRequest",
    "TrainRequest",
    "answer",
    "deployment_of",
    "device_of",
    "parse",
    "plan_answer",
    "pools_answer",
    "pools_of",
    "question_of",
    "refused",
    "size_answer",
    "speed_answer",
    "speed_of",
    "trace_answer",
    "trace_of",
    "train_answer",
    "training_of",
]


def parse(item: object) -> SizeRequest:
    """Return *item* as a checked request of the `size` verb.

    Raises:
        BadRequest: not an object, unknown fields, wrong types or values out of range; all faults in one message.
    """
    return parse_as(SizeRequest, item)


def _size(item: object) -> dict[str, Any]:
    return size_answer(deployment_of(parse(item)))


def _speed(item: object) -> dict[str, Any]:
    request = parse_as(SpeedRequest, item)
    if request.disaggregated is not None:
        return pools_answer(pools_of(request, request.disaggregated))
    return speed_answer(speed_of(request))


def _plan(item: object) -> dict[str, Any]:
    request = parse_as(PlanRequest, item)
    planned, trace = plan(question_of(request)), trace_of(request)
    told = None if trace is None else trace_answer(trace)
    return plan_answer(planned, listed=request.plans or USUAL_PLANS, notes=assumed(request), trace=told)


def _train(item: object) -> dict[str, Any]:
    return train_answer(training_of(parse_as(TrainRequest, item)))


_ANSWERS: dict[str, Callable[[object], dict[str, Any]]] = {
    "size": _size,
    "train": _train,
    "speed": _speed,
    "plan": _plan,
}

VERBS = tuple(_ANSWERS)
"""Verbs that can be asked for."""


def answer(verb: str, request: object) -> Any:
    """Return the answer to one *request*, or a list of answers to a list of requests, in order.

    A request that cannot be answered gets ``{"error": {"kind", "field", "message"}}`` in its place.

    Raises:
        BadRequest: there is no such verb.
    """
    if verb not in _ANSWERS:
        raise BadRequest("request.verb", field="verb", value=verb, choices=", ".join(VERBS))
    if isinstance(request, list):
        return [_one(verb, item) for item in request]
    return _one(verb, request)


def refused(answers: object) -> bool:
    """Return whether some answer is an error."""
    items = answers if isinstance(answers, list) else [answers]
    return any(isinstance(item, dict) and "error" in item for item in items)


def _one(verb: str, item: object) -> dict[str, Any]:
    try:
        return _ANSWERS[verb](item)
    except PlannerError as error:
        return {"error": error.as_dict()}
