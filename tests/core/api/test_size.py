"""The headless contract: what a request may hold, what an answer holds, and how refusals read."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.api import SizeRequest, answer, refused
from core.errors import BadRequest

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
FIELDS = {
    "parameters_total", "parameters_active", "weights_gib", "activation_gib", "runtime_gib", "cuda_graph_gib",
    "kv_bytes_per_token", "kv_pool_gib", "kv_capacity_tokens", "checkpoint_gib", "fits", "reasons", "band",
}  # fmt: skip


def size(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer("size", {"model": LLAMA, "gpu": "h100-sxm-80", **fields})
    return found


def error(**fields: Any) -> dict[str, Any]:
    found = size(**fields)
    assert set(found) == {"error"}
    return dict(found["error"])


def test_an_answer_has_the_fields_of_the_contract() -> None:
    found = size()
    assert found.keys() >= FIELDS
    assert found["parameters_total"] == 8_030_261_248
    assert found["kv_bytes_per_token"] == 131_072
    assert found["fits"] is True
    assert all(isinstance(reason, str) and reason for reason in found["reasons"])
    assert all(low <= high for low, high in found["band"].values())


@pytest.mark.parametrize(
    ("model", "kv", "ranks", "expected"),
    [
        ("deepseek-ai/DeepSeek-V3", "bf16", 8, 70_272),  # the latent is on every rank
        ("Qwen/Qwen2.5-72B", "bf16", 1, 327_680),
        ("Qwen/Qwen2.5-72B", "bf16", 8, 327_680 / 8),
        ("meta-llama/Llama-3.1-405B-Instruct", "bf16", 1, 516_096),
        ("deepseek-ai/DeepSeek-V3.2", "fp8", 8, 48_068),  # 656-byte sparse entries and 132-byte index keys
        ("meta-llama/Llama-3.1-8B-Instruct", "fp8", 16, 131_072 / 2 / 8),  # heads are copied, not halved
    ],
)
def test_bytes_of_a_token(model: str, kv: str, ranks: int, expected: float) -> None:
    found = answer("size", {"model": model, "kv": kv, "tp": ranks, "engine": "vllm"})
    assert found["kv_bytes_per_token"] == pytest.approx(expected)


def test_without_a_gpu_only_the_needs_are_stated() -> None:
    found = answer("size", {"model": LLAMA})
    assert found["kv_pool_gib"] is None
    assert found["fits"] is None
    assert found["weights_gib"] > 0


def test_a_model_may_be_given_by_its_config() -> None:
    config = {
        "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 8,
        "intermediate_size": 96, "vocab_size": 1000,
    }  # fmt: skip
    assert size(model=config)["parameters_total"] == 2 * (4 * 64 * 64 + 3 * 64 * 96 + 128) + 2 * 64_000 + 64


def test_a_gpu_may_be_given_by_its_memory() -> None:
    assert size(gpu={"memory_gib": 79.0})["kv_pool_gib"] < size(gpu={"memory_gib": 80.0})["kv_pool_gib"]
    assert "error" not in size(gpu={"name": "new card", "memory_gib": 40})
    assert error(gpu={"bandwidth_gbs": 900})["field"] == "gpu"
    assert error(gpu={"name": "no such card"})["kind"] == "unknown_accelerator"


def test_null_and_absent_mean_the_same() -> None:
    nulls = dict.fromkeys(SizeRequest.model_fields.keys() - {"model", "gpu"})
    assert size(**nulls) == size()


def test_more_ranks_hold_less_each() -> None:
    one, four = size(), size(tp=4)
    assert four["weights_gib"] < one["weights_gib"] / 3
    assert four["checkpoint_gib"] == one["checkpoint_gib"]


@pytest.mark.parametrize(
    ("fields", "kind", "field", "words"),
    [
        ({"colour": "red"}, "bad_request", "colour", "unknown field"),
        ({"gpu": {"memory_gib": 80, "colour": 1}}, "bad_request", "gpu.colour", "unknown field"),
        ({"tp": 0}, "bad_request", "tp", "greater than or equal to 1"),
        ({"tp": "2"}, "bad_request", "tp", "integer"),
        ({"tp": True}, "bad_request", "tp", "integer"),
        ({"tp": 2.5}, "bad_request", "tp", "integer"),
        ({"tp": 3}, "bad_request", "tp", "32 attention heads"),
        ({"pp": 33}, "bad_request", "pp", "32 layers"),
        ({"ep": 2}, "bad_request", "ep", "no experts"),
        ({"context": -1}, "bad_request", "context", "greater than or equal to 1"),
        ({"memory_fraction": 1.5}, "bad_request", "memory_fraction", "less than or equal to 1"),
        ({"memory_fraction": 0}, "bad_request", "memory_fraction", "greater than 0"),
        ({"memory_in_use_gib": -1}, "bad_request", "memory_in_use_gib", "greater than or equal to 0"),
        ({"enforce_eager": "yes"}, "bad_request", "enforce_eager", "boolean"),
        ({"weights": "fp7"}, "bad_request", "weights", "fp8"),
        ({"kv": "fp7"}, "bad_request", "kv", "fp8"),
        ({"engine": "tgi"}, "bad_request", "engine", "vllm"),
        ({"engine_version": "latest"}, "bad_request", "engine_version", "0.11.0"),
        ({"model": "no/such"}, "unknown_model", "model", "Nearest"),
        ({"model": 5}, "bad_request", "model", "string"),
        ({"model": {}}, "unsupported_architecture", "model_type", "hidden_size"),
        ({"model": {"model_type": "llama"}}, "bad_model_config", "num_hidden_layers", "missing"),
        ({"gpu": "no-such-card"}, "unknown_accelerator", None, "Nearest"),
        ({"gpu": {"memory_gib": -1}}, "bad_request", "gpu.memory_gib", "greater than 0"),
    ],
)
def test_refusals_name_the_field(fields: dict[str, Any], kind: str, field: str | None, words: str) -> None:
    found = error(**fields)
    assert found["kind"] == kind
    assert field is None or found["field"] == field
    assert words in found["message"]


@pytest.mark.parametrize("request_", [3, "size", None, 1.5, True, [[]], [3]])
def test_what_is_no_request_is_refused(request_: Any) -> None:
    found = answer("size", request_)
    assert refused(found)
    assert "JSON object" in str(found)


def test_a_request_without_a_model_is_refused() -> None:
    found = answer("size", {})
    assert found["error"]["field"] == "model"


def test_a_list_is_answered_in_order_with_errors_in_place() -> None:
    found = answer("size", [{"model": LLAMA}, {"model": "no/such"}, {"model": "Qwen/Qwen3-8B"}])
    assert [set(item) == {"error"} for item in found] == [False, True, False]
    assert found[2]["parameters_total"] == 8_190_735_360
    assert refused(found)
    assert not refused(found[::2])
    assert answer("size", []) == []


def test_an_unknown_verb_is_refused_with_the_verbs() -> None:
    with pytest.raises(BadRequest, match="size"):
        answer("bake", {"model": LLAMA})


def test_several_faults_come_in_one_message() -> None:
    message = error(tp=0, colour=1)["message"]
    assert "tp" in message
    assert "colour" in message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*SizeRequest.model_fields, "other"]), JSON, max_size=4))
def test_any_value_of_any_field_is_answered_or_refused(fields: dict[str, Any]) -> None:
    found = answer("size", {"model": LLAMA, "gpu": "h100-sxm-80", **fields})
    assert json.loads(orjson.dumps(found))
    if "error" in found:
        assert found["error"]["message"]
    else:
        assert all(math.isfinite(found[name]) for name in FIELDS if isinstance(found[name], int | float))


def test_a_hundred_fields_or_a_deep_value_make_a_short_message() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    assert len(error(**{f"field_{number}": 1 for number in range(100)})["message"]) < 20_000
    assert len(error(tp=deep)["message"]) < 500
    assert len(error(weights=["x" * 10_000_000])["message"]) < 500


def test_a_thousand_requests_are_quick() -> None:
    requests = [
        {"model": name, "gpu": "h100-sxm-80", "tp": ranks, "context": 4096 + number}
        for number in range(125)
        for name in (LLAMA, "deepseek-ai/DeepSeek-V3", "google/gemma-3-27b-it", "openai/gpt-oss-120b")
        for ranks in (1, 8)
    ]
    begin = time.process_time()
    found = answer("size", requests)
    assert time.process_time() - begin < 5
    assert len(found) == 1000
    assert not refused(found)
