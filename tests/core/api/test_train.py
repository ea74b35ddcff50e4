"""The `train` verb: what a request may hold, what an answer holds, and how refusals read."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.api import TrainRequest, answer, refused
from tests.configs import LLAMA as CONFIG

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
SIZES = (
    "weights_gib", "gradients_gib", "optimizer_gib", "activations_gib", "logits_gib", "transient_gib",
    "peak_allocated_gib", "peak_reserved_gib", "peak_process_gib",
)  # fmt: skip
FIELDS = {*SIZES, "peak_phase", "trainable_parameters", "fits", "reasons", "band"}


def train(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer("train", {"model": LLAMA, "gpu": "h100-sxm-80", **fields})
    return found


def error(**fields: Any) -> dict[str, Any]:
    found = train(**fields)
    assert set(found) == {"error"}
    return dict(found["error"])


def test_an_answer_has_the_fields_of_the_contract() -> None:
    found = train()
    assert found.keys() >= FIELDS
    assert found["trainable_parameters"] == 8_030_261_248
    assert found["fits"] is False
    assert all(isinstance(reason, str) and reason for reason in found["reasons"])
    low, high = found["band"]["peak_reserved_gib"]
    assert low < high
    assert sum(found[name] for name in SIZES[:6]) == pytest.approx(found["peak_allocated_gib"])
    assert max(found["phases"].values()) == pytest.approx(found["peak_allocated_gib"])


def test_states_of_mixed_precision_take_sixteen_bytes_a_parameter() -> None:
    """Weights and gradients in bf16, fp32 master and two fp32 moments: ZeRO's 2 + 2 + 12."""
    found = train(precision={"weights": "bf16", "grads": "bf16", "master": "fp32"}, sequence=128)
    states = found["weights_gib"] + found["gradients_gib"] + found["optimizer_gib"]
    assert found["peak_phase"] in ("step", "backward")
    assert states * 2**30 == pytest.approx(16 * 8_030_261_248, rel=1e-6)


def test_adapters_are_counted_from_the_matrices_that_they_sit_beside() -> None:
    found = train(method="lora", lora={"rank": 16, "targets": ["q", "v"]})
    assert found["trainable_parameters"] == 32 * 16 * ((4096 + 4096) + (4096 + 1024))
    every = ["q", "k", "v", "o", "gate", "up", "down"]
    found = train(method="lora", lora={"rank": 8, "targets": every})
    assert found["trainable_parameters"] == 20_971_520  # as PEFT prints it


def test_trained_embeddings_and_a_stated_count() -> None:
    lora = {"rank": 8, "targets": ["q"], "train_embeddings": True}
    assert train(method="lora", lora=lora)["trainable_parameters"] > 2 * 128_256 * 4096
    assert train(method="lora", trainable_parameters=1000)["trainable_parameters"] == 1000


def test_double_quantisation_saves_the_scales_of_the_scales() -> None:
    single = train(method="qlora")
    double = train(method="qlora", quantiser={"implementation": "bitsandbytes", "double": True})
    linears = 8_030_261_248 - 2 * 128_256 * 4096
    saved = single["weights_gib"] - double["weights_gib"]
    assert saved * 2**30 == pytest.approx(linears * (0.5 - 0.127) / 8, rel=0.01)


def test_gpus_stand_for_data_parallel_ranks() -> None:
    assert train(gpus=8, zero=3) == train(dp=8, zero=3)
    assert train(gpus=8, tp=2, zero=3) == train(dp=4, tp=2, zero=3)


def test_without_a_gpu_only_the_needs_are_stated() -> None:
    found = answer("train", {"model": LLAMA})
    assert found["fits"] is None
    assert found["peak_process_gib"] > 100


def test_null_and_absent_mean_the_same() -> None:
    assert train(**dict.fromkeys(TrainRequest.model_fields.keys() - {"model", "gpu"})) == train()


def test_host_memory_bounds_what_is_offloaded() -> None:
    found = train(model="deepseek-ai/DeepSeek-V3", offload="all", checkpointing="full", pp=8)
    assert found["fits"] is False
    assert "host memory" in found["reasons"][0]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"micro_batch": 0}, "micro_batch", "greater than or equal to 1"),
        ({"sequence": 0}, "sequence", "greater than or equal to 1"),
        ({"grad_accumulation": -1}, "grad_accumulation", "greater than or equal to 1"),
        ({"method": "prefix"}, "method", "full"),
        ({"method": "lora", "lora": {"rank": 5000}}, "lora.rank", "1,024"),
        ({"method": "lora", "lora": {"rank": 0}}, "lora.rank", "greater than or equal to 1"),
        ({"method": "lora", "lora": {"targets": ["c_attn"]}}, "lora.targets", "qkv"),
        ({"method": "lora", "lora": {"targets": []}}, "lora.targets", "at least 1"),
        ({"method": "lora", "lora": {"dropout": 1.5}}, "lora.dropout", "less than 1"),
        ({"method": "lora", "lora": {"colour": 1}}, "lora.colour", "rank"),
        ({"method": "full", "weights": "nf4"}, "weights", "qlora"),
        ({"method": "lora", "weights": "nf4"}, "weights", "qlora"),
        ({"method": "qlora", "weights": "bf16"}, "weights", "nf4"),
        ({"method": "qlora", "weights": "q4_k_m"}, "weights", "nf4"),
        ({"method": "qlora", "weights": "fp7"}, "weights", "nf4"),
        ({"zero": 2}, "zero", "one GPU"),
        ({"zero": 4, "dp": 8}, "zero", "3"),
        ({"tp": 3}, "tp", "32 attention heads"),
        ({"pp": 33}, "pp", "32 layers"),
        ({"pp": 16, "vpp": 4}, "vpp", "32 layers"),
        ({"vpp": 2}, "vpp", "pp is 1"),
        ({"cp": 3}, "cp", "multiple"),
        ({"ep": 2, "dp": 2}, "ep", "no experts"),
        ({"gpus": 6, "tp": 4}, "gpus", "multiple"),
        ({"framework": "keras"}, "framework", "torchtune"),
        ({"optimizer": {"name": "AdamX"}}, "optimizer.name", "Adafactor"),
        ({"optimizer": {"state": "2bit"}}, "optimizer.state", "8bit"),
        ({"precision": {"weights": "fp8"}}, "precision.weights", "bf16"),
        ({"checkpointing": "some"}, "checkpointing", "selective"),
        ({"loss": "hinge"}, "loss", "chunked"),
        ({"offload": "disk"}, "offload", "optimizer"),
        ({"quantiser": {"implementation": "hqq"}}, "quantiser.implementation", "bitsandbytes"),
        ({"stage": "middle"}, "stage", "first"),
        ({"colour": "red"}, "colour", "unknown field"),
    ],
)
def test_refusals_name_the_field_and_the_remedy(fields: dict[str, Any], field: str, words: str) -> None:
    found = error(**fields)
    assert found["kind"] == "bad_request"
    assert found["field"] == field
    assert words in found["message"]


def test_settings_that_are_not_used_are_said() -> None:
    plain, found = train(method="full"), train(method="full", lora={"rank": 8})
    assert found["peak_process_gib"] == plain["peak_process_gib"]
    assert any("lora" in reason for reason in found["reasons"])
    assert any("is not counted" in reason for reason in train(method="qlora", framework="hf")["reasons"])
    assert any("divides nothing" in reason for reason in train(zero=1, tp=2)["reasons"])


def test_targets_that_a_model_lacks_are_named_with_those_that_it_has() -> None:
    found = error(model="EleutherAI/pythia-6.9b", method="lora", lora={"targets": ["q", "gate"]})
    assert found["field"] == "lora.targets"
    assert "gate" in found["message"]
    assert "up, down" in found["message"]


def test_experts_that_do_not_divide_are_refused() -> None:
    found = error(model="Qwen/Qwen3-30B-A3B", ep=3, dp=4)
    assert found["field"] == "ep"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*TrainRequest.model_fields, "other"]), JSON, max_size=4))
def test_any_value_of_any_field_is_answered_or_refused(fields: dict[str, Any]) -> None:
    found = answer("train", {"model": LLAMA, "gpu": "h100-sxm-80", **fields})
    assert json.loads(orjson.dumps(found))
    if "error" in found:
        assert found["error"]["message"]
    else:
        assert all(math.isfinite(found[name]) for name in SIZES)


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "tp": st.integers(1, 1000),
            "pp": st.integers(1, 1000),
            "dp": st.integers(1, 10**5),
            "cp": st.integers(1, 10**9),
            "ep": st.integers(1, 10**5),
            "etp": st.integers(1, 10**9),
            "vpp": st.integers(1, 10**9),
            "zero": st.integers(0, 3),
            "sequence": st.integers(1, 10**9),
            "micro_batch": st.integers(1, 10**9),
            "grad_accumulation": st.integers(1, 10**9),
            "trainable_parameters": st.integers(0, 10**16),
            "method": st.sampled_from(["full", "lora", "qlora"]),
            "sp": st.booleans(),
        },
    ),
    st.sampled_from([LLAMA, "deepseek-ai/DeepSeek-V3", "Qwen/Qwen3-30B-A3B"]),
)
def test_any_layout_is_answered_or_refused(fields: dict[str, Any], model: str) -> None:
    found = answer("train", {"model": model, "gpu": "h100-sxm-80", **fields})
    if "error" not in found:
        assert all(math.isfinite(found[name]) and found[name] >= 0 for name in SIZES)


def test_every_kind_of_model_is_sized() -> None:
    """Recurrent, windowed, compressed and multimodal ones too: their tensors say what they hold."""
    for model in (
        "Qwen/Qwen3-Next-80B-A3B-Instruct", "google/gemma-3-27b-it", "openai/gpt-oss-120b",
        "deepseek-ai/DeepSeek-V3.2", "ai21labs/AI21-Jamba-Mini-1.5", "moonshotai/Kimi-K2-Instruct",
    ):  # fmt: skip
        found = answer("train", {"model": model, "gpu": "h200", "dp": 8, "zero": 3})
        assert found.get("activations_gib", 0) >= 0, found
        assert "error" not in found, found


def test_a_list_is_answered_in_order_with_errors_in_place() -> None:
    found = answer("train", [{"model": LLAMA}, {"model": LLAMA, "zero": 1}, {"model": CONFIG}])
    assert [set(item) == {"error"} for item in found] == [False, True, False]
    assert refused(found)


def test_a_thousand_requests_are_quick() -> None:
    requests = [
        {"model": model, "gpu": "h100-sxm-80", "dp": 8, "zero": zero, "sequence": 1024 + number, "method": method}
        for model in (LLAMA, "deepseek-ai/DeepSeek-V3", "google/gemma-3-27b-it", "openai/gpt-oss-120b")
        for method, zero in (("full", 3), ("lora", 0))
        for number in range(125)
    ]  # fmt: skip
    begin = time.process_time()
    found = answer("train", requests)
    assert time.process_time() - begin < 5
    assert not refused(found)
