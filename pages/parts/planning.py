"""A plan as the inputs of a page ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import streamlit as st

from core.api.plan_question import question_of
from core.api.plan_request import PlanRequest
from core.api.requests import parse_as
from core.architecture.checkpoint import checkpoint_format
from core.errors import BadRequest, PlannerError
from core.planning.result import Plan, Planned
from core.planning.search import plan
from pages.parts.address import listed, numbers
from pages.parts.answered import Answered
from pages.parts.inputs import Inputs
from pages.parts.plan_fields import FIELDS
from pages.parts.serving import model_of

EVERYWHERE = "plan:everywhere"
"""Set where a change in the answer concerns inputs outside it: the whole page is then drawn again."""

LAST = "plan:last"
"""Where the session keeps the last request that was answered, and its answer."""

TRACE = "plan:trace"
"""Where the session keeps a trace that was uploaded: its name and its text."""


@dataclass(frozen=True)
class Asked(Answered):
    """What came of the inputs: the request, and its answer or what is wrong with it.

    `stale` says that the inputs cannot be planned, and `planned` is the answer to the last that could.
    """

    request: dict[str, Any]
    planned: Planned | None
    error: PlannerError | None = None

    @property
    def key(self) -> str:
        """What tells this request from others."""
        return orjson.dumps(self.request).decode()


@st.cache_resource(max_entries=48, show_spinner=False)
def searched(request: bytes) -> Planned:
    """Return the answer to *request*; kept, because choosing a row or another view asks for it again."""
    return plan(question_of(parse_as(PlanRequest, orjson.loads(request))))


def warm() -> None:
    """Search for what the page asks at first, so that its first visitor does not wait."""
    searched(orjson.dumps(_request({name: field.default for name, field in FIELDS.items()}, None)))


def asked(inputs: Inputs) -> Asked:
    """Return the plans that the inputs ask for, or, where they cannot be planned, why and the last that could."""
    try:
        request = request_of(inputs)
        planned = searched(orjson.dumps(request))
    except PlannerError as error:
        last = st.session_state.get(LAST)
        return Asked(last[0], last[1], error) if last else Asked({}, None, error)
    st.session_state[LAST] = request, planned
    return Asked(request, planned)


def request_of(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of the headless contract that the inputs describe, with the trace of this session."""
    trace = st.session_state.get(TRACE)
    return _request(inputs, trace[1] if trace else None)


def _request(inputs: Mapping[str, Any], trace: str | None) -> dict[str, Any]:
    request = {
        **_models(inputs),
        **_traffic(inputs, trace),
        **_targets(inputs),
        **_limits(inputs),
        "engines": listed(inputs["engines"]) or None,
        "weights": listed(inputs["weights"]) or None,
        "kv": listed(inputs["kv"]) or None,
        "tp": [int(ranks) for ranks in listed(inputs["tp"])] or None,
        "context": inputs["context"],
        "price_kind": inputs["pricing"],
        "prices_usd_per_gpu_hour": numbers(inputs["prices"]) or None,
        "rank_by": inputs["rank"],
    }
    return {name: value for name, value in request.items() if value is not None}


def _models(inputs: Mapping[str, Any]) -> dict[str, Any]:
    if inputs["source"] == "config":
        return {"model": model_of(inputs)}
    models = listed(inputs["models"])
    if not models:
        raise BadRequest("plan_page.no_model", field="models")
    return {"models": models}


def _traffic(inputs: Mapping[str, Any], trace: str | None) -> dict[str, Any]:
    hits = {"prefix_cache_hit_rate": inputs["hits"] / 100 if inputs["hits"] else None}
    if trace:
        return {"trace": trace, **hits}
    return {
        f"requests_per_{inputs['unit']}": inputs["rate"],
        "peak_factor": inputs["peak"],
        "input_tokens": _lengths(inputs["input"], inputs["input_p95"]),
        "output_tokens": _lengths(inputs["output"], inputs["output_p95"]),
        **hits,
    }


def _lengths(mean: int, p95: int | None) -> float | dict[str, float]:
    return float(mean) if p95 is None else {"mean": float(mean), "p95": float(p95)}


def _targets(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ttft_s": inputs["ttft"] / 1000 or None,
        "ttft_percentile": int(inputs["share"].removeprefix("p")),
        "tpot_s": inputs["tpot"] and inputs["tpot"] / 1000,
        "request_s": inputs["e2e"],
    }


def _limits(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "headroom": inputs["headroom"] / 100,
        "spare_replicas": int(inputs["spare"]) or None,
        "max_gpus_per_replica": inputs["replica"],
        "max_gpus": inputs["most"],
        "gpus": listed(inputs["gpus"]) or None,
        "vendors": listed(inputs["vendors"]) or None,
        "clouds": listed(inputs["clouds"]) or None,
        "regions": listed(inputs["regions"]) or None,
        "owned": {gpu: int(count) for gpu, count in numbers(inputs["owned"]).items()} or None,
        "budget_usd_month": inputs["budget"],
    }


def inputs_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs that describe *request*, or those of its fields that an input has: the way back."""
    found: dict[str, Any] = {}
    for name, value in request.items():
        found |= _input_of(name, value)
    return found


_SAME = {
    "context": "context",
    "price_kind": "pricing",
    "rank_by": "rank",
    "peak_factor": "peak",
    "request_s": "e2e",
    "max_gpus_per_replica": "replica",
    "max_gpus": "most",
    "budget_usd_month": "budget",
}
_LISTS = ("engines", "weights", "kv", "gpus", "vendors", "clouds", "regions", "tp", "models")
_NUMBERS = {"owned": "owned", "prices_usd_per_gpu_hour": "prices"}


def _input_of(name: str, value: Any) -> dict[str, Any]:
    """Return what field *name* of a request puts into the inputs."""
    if value is None:
        return {name: None} if name in _LISTS else {}
    if name in _SAME:
        return {
            _SAME[name]: float(value) if name in ("peak_factor", "request_s", "budget_usd_month") else value
        }
    if name in _LISTS:
        return {name: ",".join(map(str, value if isinstance(value, list) else [value]))}
    if name in _NUMBERS:
        return {_NUMBERS[name]: ",".join(f"{gpu}:{number:.15g}" for gpu, number in value.items())}
    if name.startswith("requests_per_"):
        return {"rate": float(value), "unit": name.removeprefix("requests_per_")}
    if name in ("input_tokens", "output_tokens"):
        short = name.removesuffix("_tokens")
        mean, p95 = (value["mean"], value["p95"]) if isinstance(value, dict) else (value, None)
        return {short: round(mean), f"{short}_p95": p95 and round(p95)}
    return _scaled(name, value)


def _scaled(name: str, value: Any) -> dict[str, Any]:
    """Return what a field of another unit than its input's puts there."""
    if name == "model" and isinstance(value, str):
        return {"models": value}
    made = {
        "ttft_s": lambda: {"ttft": round(value * 1000)},
        "ttft_percentile": lambda: {"share": f"p{value}"},
        "tpot_s": lambda: {"tpot": value * 1000},
        "headroom": lambda: {"headroom": round(value * 100)},
        "spare_replicas": lambda: {"spare": value > 0},
        "prefix_cache_hit_rate": lambda: {"hits": round(value * 100)},
    }
    return made[name]() if name in made else {}


def apply(inputs: Inputs, change: Mapping[str, Any]) -> None:
    """Set the inputs to what a relaxation changes, given in fields of the request."""
    inputs.change(**inputs_of(change))
    st.session_state[EVERYWHERE] = True


def chosen_of(inputs: Inputs, planned: Planned) -> Plan | None:
    """Return the plan that was chosen, the best one where none was or the chosen one is gone."""
    return next((found for found in planned.alternatives if found.id == inputs["chosen"]), planned.best)


def plan_options(planned: Planned) -> dict[str, Plan]:
    """Return the plans that may be chosen by id: the best of each accelerator first, then other layouts."""
    return {found.id: found for found in (*planned.plans, *planned.alternatives)}


def is_checkpoint(plan: Plan) -> bool:
    """Return whether the weights of *plan* are those that the model is published in."""
    return checkpoint_format(plan.deployment.model).id == plan.deployment.weights.id
