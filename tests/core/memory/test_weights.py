"""Weights on the most loaded rank, against start-up logs of vLLM and SGLang."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.memory.serving import size_serving, weights_on_rank
from core.memory.weights import allocated
from core.quantities import GIB, MIB

# "Model loading took X GiB" of vLLM 0.19.0 on H100 unless a version is given (llm-d-planner sweep, vLLM issues
# by number, 2024 to 2026). Tolerances are those of the logs' two decimals or of what is not modelled.
LOGS = [
    ("meta-llama/Llama-3.1-8B-Instruct", {"weights": "bf16"}, 14.99, 0.001),
    ("meta-llama/Llama-3.1-8B-Instruct", {"weights": "fp32"}, 29.98, 0.001),
    ("meta-llama/Llama-3.1-8B-Instruct", {"weights": "fp8"}, 8.49, 0.002),
    ("meta-llama/Llama-3.1-8B-Instruct", {"weights": "bf16", "tp": 4}, 3.77, 0.002),
    ("meta-llama/Llama-3.1-8B-Instruct", {"weights": "bf16", "pp": 4}, 4.26, 0.002),
    ("microsoft/phi-4", {"weights": "bf16"}, 27.39, 0.003),
    ("Qwen/Qwen2.5-72B-Instruct", {"weights": "bf16", "tp": 2}, 67.80, 0.003),
    ("Qwen/Qwen3-30B-A3B", {"weights": "bf16", "tp": 4}, 14.25, 0.003),
    ("google/gemma-3-4b-it", {"weights": "bf16"}, 8.58, 0.005),
    ("google/gemma-3-27b-it", {"weights": "bf16"}, 51.45, 0.005),
    ("openai/gpt-oss-120b", {"weights": "mxfp4", "engine_version": "0.10.1"}, 65.97, 0.005),
    ("openai/gpt-oss-120b", {"weights": "mxfp4", "engine_version": "0.11.0"}, 64.38, 0.005),
    ("openai/gpt-oss-120b", {"weights": "mxfp4", "engine_version": "0.10.1", "tp": 4}, 17.22, 0.005),
    ("deepseek-ai/DeepSeek-R1", {"weights": "fp8-block", "engine_version": "0.8.4", "tp": 16}, 40.32, 0.002),
    ("meta-llama/Meta-Llama-3-8B-Instruct", {"weights": "nf4", "engine_version": "0.5.0"}, 5.313, 0.005),
]


@pytest.mark.parametrize(("model", "fields", "logged", "tolerance"), LOGS)
def test_weights_match_the_log(deploy, model, fields, logged, tolerance):
    fields = {"engine_version": "0.19.0", **fields}
    memory = size_serving(deploy(model, **fields))
    assert memory.part("weights").bytes / GIB == pytest.approx(logged, rel=tolerance)


def test_an_a100_pads_experts_where_a_hopper_card_does_not(deploy):
    a100 = deploy("openai/gpt-oss-120b", gpu="A100", weights="mxfp4", engine_version="0.11.0")
    h100 = deploy("openai/gpt-oss-120b", gpu="H100", weights="mxfp4", engine_version="0.11.0")
    assert max(weights_on_rank(a100)[0]) > 1.01 * max(weights_on_rank(h100)[0])


def test_a_tied_model_carries_its_embedding_on_the_last_stage_too(deploy):
    one = weights_on_rank(deploy("google/gemma-2-2b-it", weights="bf16"))[0]
    two = weights_on_rank(deploy("google/gemma-2-2b-it", weights="bf16", pp=2))[0]
    embedding = 256_000 * 2304 * 2
    assert sum(two) == pytest.approx(one[0] + embedding, rel=0.02)


def test_transformers_keeps_the_second_head_of_an_awq_checkpoint(deploy):
    kept = deploy("Qwen/Qwen2.5-1.5B-Instruct", weights="awq-int4", engine="transformers")
    shared = deploy("Qwen/Qwen2.5-1.5B-Instruct", weights="awq-int4", engine="vllm")
    difference = max(weights_on_rank(kept)[0]) - weights_on_rank(shared)[1][0]["embedding"]
    assert weights_on_rank(kept)[1][0]["head"] == pytest.approx(151_936 * 1536 * 2, rel=0.01)
    assert "head" not in weights_on_rank(shared)[1][0]
    assert difference > 0


def test_two_of_four_sparsity_halves_linear_layers_only(deploy):
    from dataclasses import replace

    dense = deploy(weights="bf16")
    sparse = replace(dense, sparse_weights=True)
    before, after = weights_on_rank(dense)[1][0], weights_on_rank(sparse)[1][0]
    assert after["mlp"] == pytest.approx(before["mlp"] * (0.5 + 2 / 16), rel=1e-6)
    assert after["embedding"] == before["embedding"]


@given(st.floats(0, 4e12))
def test_the_allocator_never_loses_and_never_adds_more_than_a_mebibyte(size):
    assert 0 <= allocated(size) - size <= MIB
