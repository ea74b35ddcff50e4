"""The `speed` verb of the headless contract: fields, answers and refusals."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.api import SpeedRequest, answer, refused
from tests.conftest import ROOT

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
CARD = {"memory_gib": 80.0, "bandwidth_gbs": 2000.0, "tflops": {"bf16": 300.0}}
NGRAM = {"method": "ngram", "tokens": 3, "acceptance": 0.6}
MTP = {**NGRAM, "method": "mtp"}
TIMES = {"prefill_s", "tpot_s", "request_s", "output_tokens_per_s"}
FIELDS = TIMES | {"output_tokens_per_s_per_gpu", "batch", "bound", "band", "reasons"}


def speed(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer("speed", {"model": LLAMA, "gpu": "h100-sxm-80", **fields})
    return found


def error(**fields: Any) -> dict[str, Any]:
    found = speed(**fields)
    assert set(found) == {"error"}
    return dict(found["error"])


@pytest.mark.parametrize("mode", ["closed_loop", "static_batch", "offline", "single"])
def test_an_answer_has_the_fields_of_the_contract(mode: str) -> None:
    found = speed(mode=mode)
    assert found.keys() == FIELDS
    assert found["band"].keys() == TIMES
    assert all(low <= found[name] <= high for name, (low, high) in found["band"].items())
    assert found["bound"] in {"memory", "compute", "overhead", "network"}
    assert all(isinstance(reason, str) and reason for reason in found["reasons"])


def test_throughput_is_tokens_of_all_requests_by_time() -> None:
    found = speed(mode="static_batch", concurrency=8, input_tokens=500, output_tokens=100, tp=2)
    assert found["output_tokens_per_s"] == pytest.approx(800 / found["request_s"])
    assert found["output_tokens_per_s_per_gpu"] == found["output_tokens_per_s"] / 2
    assert found["request_s"] == pytest.approx(99 * found["tpot_s"], rel=0.2)


def test_a_gpu_may_be_given_by_its_rates() -> None:
    assert speed(gpu=CARD)["tpot_s"] > speed(gpu={**CARD, "bandwidth_gbs": 4000.0})["tpot_s"]
    named = speed(gpu={"name": "h100-sxm-80", "bandwidth_gbs": 1000.0})
    assert named["tpot_s"] > speed()["tpot_s"]
    assert "error" not in speed(gpu={"name": "new card", **CARD})


def test_null_and_absent_mean_the_same() -> None:
    nulls = dict.fromkeys(SpeedRequest.model_fields.keys() - {"model", "gpu"})
    assert speed(**nulls) == speed()


def test_concurrency_alone_means_a_closed_loop() -> None:
    assert speed(concurrency=8) == speed(concurrency=8, mode="closed_loop")
    assert speed() == speed(mode="single")


def test_a_config_that_was_read_before_gives_the_same() -> None:
    config = {
        "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 8,
        "intermediate_size": 96, "vocab_size": 1000,
    }  # fmt: skip
    assert speed(model=config) == speed(model=dict(reversed(config.items())))


def test_hits_in_a_prefix_cache_shorten_the_prompt() -> None:
    none, most = speed(input_tokens=16_000), speed(input_tokens=16_000, prefix_cache_hit_rate=0.9)
    assert most["prefill_s"] < 0.3 * none["prefill_s"]
    assert most["tpot_s"] == none["tpot_s"]
    assert any("1,600" in reason for reason in most["reasons"])
    assert speed(input_tokens=16_000, prefix_cache_hit_rate=0) == none


@pytest.mark.parametrize("method", ["mtp", "ngram", "draft"])
def test_drafts_shorten_the_time_of_a_token(method: str) -> None:
    fields = {"model": "deepseek-ai/DeepSeek-V3", "gpu": "h200", "tp": 8}
    drafted = {**NGRAM, "method": method, "model": LLAMA if method == "draft" else None}
    found = speed(**fields, speculative=drafted)
    assert found["tpot_s"] < speed(**fields)["tpot_s"]
    assert any("2.18 tokens a step" in reason for reason in found["reasons"])


def test_the_readme_names_every_field() -> None:
    told = (ROOT / "README.md").read_text(encoding="utf-8")
    told = told.split("## Without the pages")[1].split("## Models")[0]
    assert all(f"`{name}`" in told for name in SpeedRequest.model_fields)


@pytest.mark.parametrize(
    ("fields", "kind", "field", "words"),
    [
        ({"colour": "red"}, "bad_request", "colour", "prefill_chunk"),
        ({"gpu": None}, "bad_request", "gpu", "bandwidth_gbs"),
        ({"gpu": {"memory_gib": 80.0}}, "bad_request", "gpu", "tflops"),
        ({"gpu": {"tflops": {"bf16": 1.0}}}, "bad_request", "gpu", "bandwidth_gbs"),
        ({"gpu": CARD, "tp": 2}, "bad_request", "gpu", "link_gbs"),
        ({"gpu": {**CARD, "memory_gib": None}, "mode": "offline"}, "bad_request", "gpu", "memory_gib"),
        ({"gpu": "no-such-card"}, "unknown_accelerator", "gpu", "Nearest"),
        ({"gpu": {**CARD, "tflops": {"bf16": 0}}}, "bad_request", "gpu.tflops.bf16", "greater than 0"),
        ({"mode": "burst"}, "bad_request", "mode", "closed_loop"),
        ({"mode": "single", "concurrency": 2}, "bad_request", "concurrency", "static_batch"),
        ({"concurrency": 0}, "bad_request", "concurrency", "greater than or equal to 1"),
        ({"input_tokens": -5}, "bad_request", "input_tokens", "greater than or equal to 1"),
        ({"output_tokens": 1.5}, "bad_request", "output_tokens", "integer"),
        ({"compute": "fp4"}, "bad_request", "compute", "fp8"),
        ({"compute": "fp5"}, "bad_request", "compute", "bf16"),
        ({"engine": "tgi"}, "bad_request", "engine", "vllm"),
        ({"engine_version": "latest"}, "bad_request", "engine_version", "2025-05"),
        ({"tp": 3}, "bad_request", "tp", "32 attention heads"),
        ({"ep": 2}, "bad_request", "ep", "no experts"),
        ({"inter_node_gbs": 0}, "bad_request", "inter_node_gbs", "greater than 0"),
        ({"prefix_cache_hit_rate": 1.5}, "bad_request", "prefix_cache_hit_rate", "less than or equal to 1"),
        (
            {"prefix_cache_hit_rate": -0.1},
            "bad_request",
            "prefix_cache_hit_rate",
            "greater than or equal to 0",
        ),
        ({"speculative": MTP}, "bad_request", "speculative.method", "no multi-token prediction layers"),
        ({"speculative": {**MTP, "method": "luck"}}, "bad_request", "speculative.method", "ngram"),
        (
            {"speculative": {**NGRAM, "tokens": 0}},
            "bad_request",
            "speculative.tokens",
            "greater than or equal to 1",
        ),
        (
            {"speculative": {**NGRAM, "tokens": 17}},
            "bad_request",
            "speculative.tokens",
            "less than or equal to 16",
        ),
        (
            {"speculative": {**NGRAM, "acceptance": 1.1}},
            "bad_request",
            "speculative.acceptance",
            "equal to 1",
        ),
        (
            {"speculative": {**NGRAM, "acceptance": -0.1}},
            "bad_request",
            "speculative.acceptance",
            "equal to 0",
        ),
        ({"speculative": {"method": "ngram"}}, "bad_request", "speculative.tokens", "field required"),
        ({"speculative": {**NGRAM, "colour": 1}}, "bad_request", "speculative.colour", "acceptance"),
        ({"speculative": {**NGRAM, "model": LLAMA}}, "bad_request", "speculative.model", "draft"),
        ({"speculative": {**NGRAM, "method": "draft"}}, "bad_request", "speculative.model", "smaller model"),
        (
            {"speculative": {**NGRAM, "method": "draft", "model": "no/such"}},
            "unknown_model",
            "model",
            "Nearest",
        ),
        ({"gpu": {**CARD, "tflops": {"bf17": 1.0}}}, "bad_request", "gpu.tflops.bf17", "tf32"),
        ({"model": "no/such"}, "unknown_model", "model", "Nearest"),
    ],
)
def test_refusals_name_the_field(fields: dict[str, Any], kind: str, field: str, words: str) -> None:
    found = error(**fields)
    assert (found["kind"], found["field"]) == (kind, field)
    assert words in found["message"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([*SpeedRequest.model_fields, "other"]), JSON, max_size=4))
def test_any_value_of_any_field_is_answered_or_refused(fields: dict[str, Any]) -> None:
    found = speed(**fields)
    assert json.loads(orjson.dumps(found))
    if "error" in found:
        assert found["error"]["message"]
    else:
        assert all(math.isfinite(found[name]) and found[name] > 0 for name in TIMES)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.sampled_from(["offline", "closed_loop"]),
)
def test_extreme_loads_give_finite_numbers(given_: int, wanted: int, requests: int, mode: str) -> None:
    found = speed(input_tokens=given_, output_tokens=wanted, concurrency=requests, mode=mode)
    assert all(math.isfinite(found[name]) and found[name] > 0 for name in TIMES)


def test_a_thousand_requests_are_quick() -> None:
    requests = [
        {"model": name, "gpu": "h100-sxm-80", "tp": ranks, "mode": "closed_loop", "concurrency": 1 + number}
        for number in range(125)
        for name in (LLAMA, "deepseek-ai/DeepSeek-V3", "google/gemma-3-27b-it", "openai/gpt-oss-120b")
        for ranks in (1, 8)
    ]
    begin = time.process_time()
    found = answer("speed", requests)
    assert time.process_time() - begin < 5
    assert len(found) == 1000
    assert not refused(found)
