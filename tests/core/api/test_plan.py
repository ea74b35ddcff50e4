"""The `plan` verb of the headless contract: fields, answers and refusals, here, on the command line and over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.api import PlanRequest, answer, plan_answer, question_of, refused
from core.api.requests import parse_as
from core.catalog import accelerators
from core.planning.question import Question
from core.planning.search import plan
from core.traffic import presets
from tests.conftest import ROOT

QWEN, LLAMA = "Qwen/Qwen3-8B", "meta-llama/Llama-3.1-8B-Instruct"
SIZES = {
    "model_type": "llama", "hidden_size": 512, "num_hidden_layers": 4, "num_attention_heads": 8,
    "intermediate_size": 1024, "vocab_size": 32000, "max_position_embeddings": 4096,
}  # fmt: skip
BASE: dict[str, Any] = {
    "model": QWEN, "requests_per_second": 40, "input_tokens": 1000, "output_tokens": 200,
    "gpus": ["H100", "L40S", "NVIDIA A10"],
}  # fmt: skip
FIELDS = {
    "rank", "id", "model", "gpu", "gpu_name", "engine", "engine_version", "weights", "kv", "context", "tp", "pp",
    "dp", "ep", "attention_dp", "replicas", "spare_replicas", "gpus_per_replica", "gpus", "instances", "layout",
    "ttft_s", "tpot_s", "request_s", "requests_per_s", "stable_requests_per_s", "utilisation", "concurrency",
    "slots", "output_tokens_per_s_per_gpu", "bound", "usd_per_hour", "usd_per_month", "usd_per_million_tokens",
    "watts", "kwh_per_million_tokens", "price", "band",
}  # fmt: skip
PARTS = {"plans", "front", "rejected", "relax", "notes", "deployments_evaluated"}


def asked(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer("plan", {**BASE, **fields})
    return found


def question(**fields: Any) -> Question:
    return question_of(parse_as(PlanRequest, {**BASE, **fields}))


def error(**fields: Any) -> dict[str, Any]:
    found = asked(**fields)
    assert set(found) == {"error"}
    return dict(found["error"])


def test_an_answer_has_the_fields_of_the_contract() -> None:
    found = asked()
    assert found.keys() == PARTS
    assert [one["rank"] for one in found["plans"]] == [*range(1, len(found["plans"]) + 1)]
    for one in found["plans"]:
        assert one.keys() == FIELDS
        assert one["ttft_s"].keys() == {"p50", "p95", "p99"}
        assert one["band"].keys() == {"ttft_s", "tpot_s", "request_s", "stable_requests_per_s"}
        assert one["gpus"] == (one["replicas"] + one["spare_replicas"]) * one["gpus_per_replica"]
        assert one["bound"] in {"memory", "compute", "overhead", "network"}
    assert found["deployments_evaluated"] > 100
    assert json.loads(orjson.dumps(found)) == found


def test_every_accelerator_is_planned_or_rejected_with_a_reason() -> None:
    found = asked(plans=200, ttft_s=0.001)
    named = {one["gpu"] for one in found["plans"] + found["rejected"]}
    assert named == accelerators().keys()
    assert all(one["reason"] and one["stage"] for one in found["rejected"])


def test_plans_come_in_the_order_that_is_asked_for() -> None:
    for objective, key in (("cost", "usd_per_hour"), ("energy", "kwh_per_million_tokens")):
        values = [one[key] for one in asked(rank_by=objective)["plans"]]
        assert len(values) > 1
        assert values == sorted(values)
    assert len(asked(plans=1)["plans"]) == 1


def test_costs_follow_from_the_price() -> None:
    found = asked(prices_usd_per_gpu_hour={"h100": 2.5}, gpus="h100", peak_factor=2.0)["plans"][0]
    assert found["usd_per_hour"] == pytest.approx(2.5 * found["gpus"])
    assert found["usd_per_month"] == pytest.approx(730 * 2.5 * found["gpus"])
    tokens = 40 * 3600 * 1200
    assert found["usd_per_million_tokens"] == pytest.approx(2.5e6 * found["gpus"] / tokens)
    assert found["price"]["kind"] == "stated"
    assert found["requests_per_s"] == pytest.approx(80)


def test_a_price_tells_its_day_and_source() -> None:
    question_ = question(gpus=["h100"])
    price = plan_answer(plan(question_), today=date(2030, 1, 1))["plans"][0]["price"]
    assert price["age_days"] == (date(2030, 1, 1) - date.fromisoformat(price["as_of"])).days
    assert price["source"]
    assert price["offer"]


def test_without_a_plan_the_answer_says_what_would_admit_one() -> None:
    found = asked(ttft_s=0.001)
    assert found["plans"] == found["front"] == []
    (relaxed,) = [one for one in found["relax"] if one["field"] == "ttft_s"]
    assert relaxed["given"] == 0.001
    assert asked(ttft_s=relaxed["needed"])["plans"]
    assert relaxed["reason"]


def test_a_set_of_names_that_would_have_to_be_larger_has_no_number() -> None:
    (relaxed,) = [one for one in asked(ttft_s=0.066)["relax"] if one["field"] == "gpus"]
    assert (relaxed["given"], relaxed["needed"]) == (None, None)
    assert relaxed["reason"]


def test_several_models_are_planned_together() -> None:
    found = asked(model=None, models=[QWEN, SIZES | {"_name_or_path": "mine"}], plans=50)
    assert {one["model"] for one in found["plans"]} == {QWEN, "mine"}
    assert len({(one["model"], one["gpu"]) for one in found["plans"]}) == len(found["plans"])


def test_a_list_of_requests_has_errors_in_place() -> None:
    found = answer("plan", [BASE, {**BASE, "model": "no/such"}, BASE])
    assert refused(found)
    assert found[1]["error"]["kind"] == "unknown_model"
    assert found[0] == found[2] == asked()


def test_null_and_absent_mean_the_same() -> None:
    nulls = dict.fromkeys(PlanRequest.model_fields.keys() - BASE.keys())
    assert asked(**nulls) == asked()


def test_defaults_are_those_of_the_question() -> None:
    found = question(gpus=None)
    plain = Question(found.models, found.traffic)
    assert found == plain
    assert (found.traffic.peak, found.traffic.prefix_hits, found.traffic.input.sigma) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(("unit", "seconds"), [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400)])
def test_rates_may_be_given_in_any_unit(unit: str, seconds: int) -> None:
    found = question(**{"requests_per_second": None, f"requests_per_{unit}": 7 * seconds, "peak_factor": 3})
    assert found.traffic.rate == pytest.approx(7)
    assert found.traffic.peak_rate == pytest.approx(21)


def test_every_field_reaches_the_question() -> None:
    found = question(
        input_tokens={"mean": 1000, "p95": 3000}, output_tokens=300.5, prefix_cache_hit_rate=0.25,
        ttft_s=1, ttft_percentile=95, tpot_s=0.05, request_s=20.0,
        headroom=0, spare_replicas=2, max_gpus_per_replica=8, max_gpus=64, gpus=["H100", "h100-sxm-80"],
        vendors="nvidia", clouds=["AWS"], regions="us-east-1", owned={"H100": 16}, budget_usd_month=1e5,
        engines="SGLang", weights=["checkpoint", "FP8"], kv=["fp8"], tp=[8, 4, 8], context=8192,
        price_kind="spot", prices_usd_per_gpu_hour={"H100": 2}, rank_by="latency",
    )  # fmt: skip
    traffic, targets, limits, choices = found.traffic, found.targets, found.limits, found.choices
    assert traffic.input.quantile(0.95) == pytest.approx(3000)
    assert (traffic.output.mean, traffic.prefix_hits) == (300.5, 0.25)
    assert (targets.ttft, targets.share, targets.tpot, targets.request) == (1, 0.95, 0.05, 20)
    assert (limits.headroom, limits.spare, limits.gpus_per_replica, limits.gpus) == (0, 2, 8, 64)
    assert (limits.accelerators, limits.vendors) == (("h100-sxm-80",), ("NVIDIA",))
    assert (limits.clouds, limits.regions, limits.budget) == (("aws",), ("us-east-1",), 1e5)
    assert limits.owned == {"h100-sxm-80": 16}
    assert (choices.engines, choices.weights, choices.kv) == (("sglang",), ("checkpoint", "fp8"), ("fp8",))
    assert (choices.tensor_parallel, choices.context) == ((8, 4), 8192)
    assert (found.pricing.kind, found.pricing.stated) == ("spot", {"h100-sxm-80": 2})
    assert found.rank_by == "latency"


def test_a_preset_fills_what_is_not_stated() -> None:
    usual = presets()["chat"]
    only = {"input_tokens": None, "output_tokens": None}
    found = question(preset="Chat", **only)
    assert (found.traffic.rate, found.traffic.peak) == (40, usual.peak)
    assert found.traffic.prefix_hits == usual.prefix_hits
    assert (found.traffic.input, found.traffic.output) == (usual.input.lengths, usual.output.lengths)
    assert (found.targets.ttft, found.targets.tpot) == (usual.ttft_s, usual.tpot_s)
    assert found.targets.share == 0.95
    stated = question(
        preset="chat", peak_factor=1, prefix_cache_hit_rate=0, output_tokens=77, ttft_s=0.7, tpot_s=1
    )
    assert (stated.traffic.peak, stated.traffic.prefix_hits, stated.traffic.output.mean) == (1, 0, 77)
    assert (stated.targets.ttft, stated.targets.tpot, stated.targets.share) == (0.7, 1, 0.99)
    assert question(preset="chat", ttft_percentile=50).targets.share == 0.5
    told = asked(preset="chat", **only)["notes"][0]
    assert usual.provenance.source in told
    assert usual.provenance.confidence in told


def test_every_preset_is_named_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in presets())


LINES = ["timestamp,input_tokens,output_tokens", "0,100,10", "1,200,20", "2,x,30", "3,300,30", "4,,5"]
TRACE = "\n".join(LINES)


def test_a_trace_gives_rate_and_lengths_and_its_faults_are_told() -> None:
    unstated = dict.fromkeys(("requests_per_second", "input_tokens", "output_tokens"))
    found = asked(trace=TRACE, **unstated)
    trace = found.pop("trace")
    assert found.keys() == PARTS
    assert (trace["rows"], trace["faulty_rows"], trace["requests_per_second"]) == (3, 2, 1.0)
    assert trace["input_tokens"]["mean"] == 200
    assert [fault["line"] for fault in trace["faults"]] == [4, 6]
    assert all(fault["reason"] for fault in trace["faults"])
    traffic = question(trace=TRACE, **unstated).traffic
    assert traffic.input.values == (100, 200, 300)
    assert found["plans"][0]["requests_per_s"] == pytest.approx(traffic.peak_rate)


def test_what_is_stated_overrides_the_trace_and_the_trace_the_preset() -> None:
    found = question(trace=TRACE, preset="chat", output_tokens=None, peak_factor=3).traffic
    assert (found.rate, found.peak, found.input.mean) == (40, 3, 1000)
    assert found.output.values == (10, 20, 30)
    assert found.prefix_hits == presets()["chat"].prefix_hits


@pytest.mark.parametrize(
    ("fields", "kind", "field", "words"),
    [
        ({"colour": "red"}, "bad_request", "colour", "prefix_cache_hit_rate"),
        ({"model": None}, "bad_request", "model", "models"),
        ({"models": [QWEN]}, "bad_request", "model", "either"),
        ({"model": None, "models": []}, "bad_request", "models", "at least 1"),
        ({"model": None, "models": [QWEN] * 9}, "bad_request", "models", "at most 8"),
        ({"model": "no/such"}, "unknown_model", "model", "Nearest"),
        ({"model": None, "models": [QWEN, "no/such"]}, "unknown_model", "models.1", "Nearest"),
        ({"model": None, "models": [SIZES, {**SIZES, "vocab_size": 5}]}, "bad_request", "models.1", "twice"),
        ({"model": {"model_type": "llama"}}, "bad_model_config", "num_hidden_layers", "missing"),
        ({"requests_per_second": None}, "bad_request", "requests_per_second", "requests_per_day"),
        ({"requests_per_day": 5}, "bad_request", "requests_per_day", "Keep one"),
        ({"requests_per_second": 0}, "bad_request", "requests_per_second", "greater than 0"),
        ({"requests_per_second": 1e12}, "bad_request", "requests_per_second", "1,000,000"),
        ({"preset": "chatt"}, "bad_request", "preset", "summarising"),
        ({"trace": "a,b\n1,2"}, "bad_request", "trace", "time"),
        ({"trace": ""}, "bad_request", "trace", "empty"),
        ({"peak_factor": 25}, "bad_request", "peak_factor", "less than or equal to 24"),
        ({"peak_factor": 0.5}, "bad_request", "peak_factor", "greater than or equal to 1"),
        ({"input_tokens": None}, "bad_request", "input_tokens", "reasoning"),
        ({"input_tokens": 0}, "bad_request", "input_tokens", "greater than or equal to 1"),
        ({"output_tokens": "many"}, "bad_request", "output_tokens", "valid number"),
        ({"output_tokens": {"mean": 5}}, "bad_request", "output_tokens.p95", "required"),
        ({"output_tokens": {"mean": 5, "p99": 9}}, "bad_request", "output_tokens.p95", "known are mean, p95"),
        ({"output_tokens": {"mean": 500, "p95": 9}}, "bad_request", "output_tokens.p95", "between the mean"),
        ({"prefix_cache_hit_rate": 1.1}, "bad_request", "prefix_cache_hit_rate", "less than or equal to 1"),
        ({"ttft_s": -1}, "bad_request", "ttft_s", "0.0001"),
        ({"tpot_s": 0.00001}, "bad_request", "tpot_s", "0.0001"),
        ({"request_s": 0}, "bad_request", "request_s", "0.0001"),
        ({"ttft_percentile": 90}, "bad_request", "ttft_percentile", "50, 95 or 99"),
        ({"headroom": 1}, "bad_request", "headroom", "less than or equal to 0.9"),
        ({"spare_replicas": -1}, "bad_request", "spare_replicas", "greater than or equal to 0"),
        ({"max_gpus": 0}, "bad_request", "max_gpus", "greater than or equal to 1"),
        ({"max_gpus_per_replica": 0}, "bad_request", "max_gpus_per_replica", "greater than or equal to 1"),
        ({"budget_usd_month": 0}, "bad_request", "budget_usd_month", "greater than 0"),
        ({"gpus": ["hh100"]}, "unknown_accelerator", "gpus", "h100-sxm-80"),
        ({"owned": {"hh100": 2}}, "unknown_accelerator", "owned", "h100-sxm-80"),
        ({"owned": {"H100": 0}}, "bad_request", "owned.H100", "greater than or equal to 1"),
        ({"owned": {"H100": 1, "h100-sxm-80": 1}}, "bad_request", "owned", "same GPU"),
        ({"vendors": ["nvidea"]}, "bad_request", "vendors", "NVIDIA"),
        ({"clouds": ["my cloud"]}, "bad_request", "clouds", "lambda"),
        ({"regions": ["mars"]}, "bad_request", "regions", "us-east-1"),
        ({"clouds": ["aws"], "regions": ["eastus"]}, "bad_request", "regions", "us-east-1"),
        ({"engines": ["tgi"]}, "bad_request", "engines", "tensorrt-llm"),
        ({"engines": ["llama.cpp"]}, "bad_request", "engines", "vllm"),
        ({"weights": ["q4_k_m"]}, "bad_request", "weights", "checkpoint"),
        ({"kv": ["fp3"]}, "bad_request", "kv", "fp8"),
        ({"tp": [0]}, "bad_request", "tp.0", "greater than or equal to 1"),
        ({"tp": [3]}, "bad_request", "tp", "32 attention heads"),
        ({"context": 10**8}, "bad_request", "context", "40960"),
        ({"context": 500}, "bad_request", "context", "1200"),
        ({"input_tokens": 10**6}, "bad_request", "input_tokens", "40960"),
        ({"price_kind": "reserved"}, "bad_request", "price_kind", "spot"),
        ({"prices_usd_per_gpu_hour": {"H100": 0}}, "bad_request", "prices_usd_per_gpu_hour.H100", "than 0"),
        ({"prices_usd_per_gpu_hour": {"hh": 1}}, "unknown_accelerator", "prices_usd_per_gpu_hour", "Nearest"),
        ({"rank_by": "beauty"}, "bad_request", "rank_by", "throughput"),
        ({"plans": 0}, "bad_request", "plans", "greater than or equal to 1"),
    ],
)
def test_refusals_name_the_field(fields: dict[str, Any], kind: str, field: str, words: str) -> None:
    found = error(**fields)
    assert (found["kind"], found["field"]) == (kind, field)
    assert words in found["message"].replace(",", "") or words in found["message"]


def test_all_faults_are_told_at_once() -> None:
    told = error(gpus=["hh"], clouds=["moon"], weights=["fp3"], owned={"gg": 1}, requests_per_second=None)
    assert told["kind"] == "bad_request"
    for field in ("gpus", "clouds", "weights", "owned", "requests_per_second"):
        assert f"{field}: " in told["message"]
    told = error(headroom=2, tpot_s=-1, colour=1)
    assert all(f"{field}: " in told["message"] for field in ("headroom", "tpot_s", "colour"))


@pytest.mark.parametrize("item", [None, 3, "text", [[]]])
def test_what_is_no_object_is_refused(item: object) -> None:
    assert refused(answer("plan", item))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*PlanRequest.model_fields, "other"]), JSON, max_size=4))
def test_any_value_of_any_field_is_answered_or_refused(fields: dict[str, Any]) -> None:
    found = asked(**fields)
    assert json.loads(orjson.dumps(found))
    assert found.keys() == PARTS or found["error"]["message"]


@settings(max_examples=25, deadline=None)
@given(
    st.floats(1e-6, 1e6), st.integers(1, 30_000), st.integers(1, 10_000), st.floats(0, 1), st.floats(0.0001, 100)
)  # fmt: skip
def test_extreme_loads_give_finite_numbers_or_reasons(
    rate: float, prompt: int, tokens: int, hits: float, target: float
) -> None:
    found = asked(
        requests_per_second=rate, input_tokens=prompt, output_tokens=tokens, prefix_cache_hit_rate=hits,
        ttft_s=target,
    )  # fmt: skip
    assert found.keys() == PARTS
    assert found["plans"] or all(one["reason"] for one in found["rejected"])
    for one in found["plans"]:
        assert None not in (one["tpot_s"], one["request_s"], *one["ttft_s"].values())


def test_the_command_line_answers() -> None:
    command = [sys.executable, "-m", "core", "plan"]
    given_ = json.dumps([BASE, {**BASE, "gpus": ["hh"]}])
    told = subprocess.run(command, cwd=ROOT, input=given_, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (1, "")
    first, second = json.loads(told.stdout)
    assert first == asked()
    assert second["error"]["field"] == "gpus"


def test_the_route_answers(server: str) -> None:
    request = urllib.request.Request(f"{server}/api/v1/plan", json.dumps(BASE).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=60) as reply:
        assert reply.status == 200
        assert json.loads(reply.read()) == asked()
