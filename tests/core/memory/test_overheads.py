"""Activation peaks, runtime memory and CUDA graphs against start-up and load logs."""

import pytest

from core.memory.overheads import activation, cuda_graphs, runtime
from core.quantities import GIB

# "activation peak" of vLLM's profiling run, GiB. 0.19.0 on H100 with 8,192 batched tokens; older logs as stated.
LOGS = [
    ("meta-llama/Llama-3.1-8B-Instruct", {}, 1.89),
    ("meta-llama/Llama-3.1-8B-Instruct", {"tp": 4}, 1.89),
    ("meta-llama/Llama-3.1-8B-Instruct", {"weights": "fp32"}, 2.21),
    ("Qwen/Qwen2.5-72B-Instruct", {"tp": 2}, 2.29),
    ("google/gemma-2-27b-it", {}, 3.66),
    ("microsoft/phi-4", {}, 1.52),
    ("microsoft/phi-2", {"weights": "fp16"}, 0.79),
    ("Qwen/Qwen3-30B-A3B", {}, 2.68),
    ("Qwen/Qwen1.5-MoE-A2.7B", {}, 2.47),
    ("google/gemma-3-27b-it", {}, 3.99),
    # Multimodal models of older versions: images fill the batch, so that the MLP is the peak.
    ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", {"engine_version": "0.11.0", "context": 16_000}, 2.12),
    # V0: 256 sequences, or as many as the run allowed.
    (
        "meta-llama/Llama-3.1-70B-Instruct",
        {"engine_version": "0.6.4", "tp": 8, "max_num_batched_tokens": 512},
        1.21,
    ),
    ("meta-llama/Llama-3.1-8B-Instruct", {"engine_version": "0.6.0", "context": 20_000}, 2.07),
    ("meta-llama/Llama-3.1-8B-Instruct", {"engine_version": "0.6.0", "context": 29_000}, 2.99),
]


@pytest.mark.parametrize(("model", "fields", "logged"), LOGS)
def test_activation_matches_the_log(deploy, model, fields, logged):
    fields = {"engine_version": "0.19.0", "weights": "bf16", **fields}
    assert activation(deploy(model, **fields)).bytes / GIB == pytest.approx(logged, rel=0.09)


# Compute buffer of one device in llama.cpp's load log, GiB.
BUFFERS = [
    ("meta-llama/Llama-2-13b-hf", {"context": 40_960, "flash_attention": False}, 3.2422),
    ("mistralai/Mistral-7B-Instruct-v0.2", {"context": 32_000, "flash_attention": False}, 2.0454),
    ("microsoft/Phi-3.5-mini-instruct", {"context": 131_072, "flash_attention": False}, 8.2852),
    ("meta-llama/Llama-3.1-8B-Instruct", {"context": 131_072, "flash_attention": True}, 0.4062),
    ("Qwen/Qwen3-32B", {"context": 8192, "flash_attention": True, "max_num_batched_tokens": 1024}, 0.6187),
    (
        "Qwen/Qwen3-235B-A22B",
        {"context": 40_960, "flash_attention": True, "max_num_batched_tokens": 4096},
        2.4434,
    ),
]


@pytest.mark.parametrize(("model", "fields", "logged"), BUFFERS)
def test_the_compute_buffer_matches_the_log(deploy, model, fields, logged):
    deployment = deploy(model, engine="llama.cpp", weights="q8_0", **fields)
    assert activation(deployment).bytes / GIB == pytest.approx(logged, rel=0.03)


def test_the_sampling_step_is_the_peak_where_the_vocabulary_is_large(deploy):
    assert activation(deploy("google/gemma-2-2b-it")).formula.key == "memory.activation_sampling"
    assert activation(deploy("codellama/CodeLlama-7b-hf")).formula.key == "memory.activation_forward"


@pytest.mark.parametrize(
    ("fields", "logged", "tolerance"),
    [
        ({"engine_version": "0.19.0"}, 0.25, 0.02),
        ({"engine_version": "0.19.0", "tp": 2}, 2.1, 0.05),
        ({"engine_version": "0.11.0"}, 0.14, 0.02),
        ({"engine_version": "0.11.0", "tp": 2}, 0.54, 0.02),
    ],
)
def test_runtime_memory_depends_on_ranks_and_version(deploy, fields, logged, tolerance):
    assert runtime(deploy(**fields)).bytes / GIB == pytest.approx(logged, abs=tolerance)


def test_sglang_keeps_a_table_of_all_requests(deploy):
    deployment = deploy(
        "deepseek-ai/DeepSeek-V2-Lite", engine="sglang", engine_version="0.4.2", context=163_840
    )
    table = (
        runtime(deployment).bytes - runtime(deploy(engine="sglang", engine_version="0.4.2", context=1)).bytes
    )
    assert table / GIB == pytest.approx(1.25, rel=0.01)


def test_eager_mode_captures_no_graphs(deploy):
    assert cuda_graphs(deploy(enforce_eager=True)).bytes == 0
    assert cuda_graphs(deploy(engine_version="0.19.0")).bytes / GIB == pytest.approx(0.91, rel=0.02)


@pytest.mark.parametrize(
    ("context", "version", "tokens"),
    [
        (1024, "0.6.0", 2048),
        (20_000, "0.6.0", 20_000),
        (131_072, "0.6.0", 512),
        (131_072, "0.7.0", 2048),
        (131_072, "0.19.0", 8192),
    ],
)
def test_long_contexts_were_prefilled_in_chunks(deploy, context, version, tokens):
    assert deploy(context=context, engine_version=version).batched_tokens == tokens
