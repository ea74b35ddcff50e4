"""Published measurements, by source: each near its estimate, and half of them within a tenth."""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from core.api import answer

SOURCES = {
    "IX": "InferenceX, in ai-dynamo/aiconfigurator@095f58a silicon_sample.csv",
    "NV": "NVIDIA in-house, in ai-dynamo/aiconfigurator@095f58a silicon_sample.csv",
    "TRT": "NVIDIA/TensorRT-LLM performance overview 0.17 and 1.0",
    "ANL": "argonne-lcf/LLM-Inference-Bench@4211f5d Plots/All_results.csv",
    "QWEN": "Qwen3 speed benchmark",
    "XD": "XiongjieDai GPU-Benchmarks-on-LLM-Inference",
}

# Model, GPU, GPUs, input/output tokens, requests (-: as many as fit), weights, KV cache, engine@version, field,
# measured value, source. InferenceX draws lengths from 0.8 to 1.0 of its nominal ones: their mean stands here.
CASES = [
    line.split()
    for line in """
deepseek-ai/DeepSeek-R1 h200 8 922/922 8 fp8-block bf16 sglang@0.5.9 tpot_s 0.01247 IX
deepseek-ai/DeepSeek-R1 h200 8 922/7373 8 fp8-block fp8 tensorrt-llm@1.1 tpot_s 0.00933 IX
openai/gpt-oss-120b h100-sxm-80 4 922/7373 8 mxfp4 bf16 vllm@0.18.0 tpot_s 0.00459 IX
openai/gpt-oss-120b h100-sxm-80 4 922/7373 16 mxfp4 bf16 vllm@0.18.0 tpot_s 0.0085 IX
openai/gpt-oss-120b b200-sxm 2 922/922 16 mxfp4 bf16 vllm@0.15.1 tpot_s 0.00535 IX
meta-llama/Llama-3.1-70B-Instruct b200-sxm 2 922/922 8 nvfp4 bf16 vllm tpot_s 0.00941 IX
meta-llama/Llama-3.1-70B-Instruct h100-sxm-80 2 922/922 8 fp8 bf16 vllm tpot_s 0.01822 IX
moonshotai/Kimi-K2.5 b300-sxm 4 922/922 64 nvfp4 bf16 vllm@0.19.0 tpot_s 0.02208 IX
MiniMaxAI/MiniMax-M2.5 h200 8 922/7373 128 fp8-block bf16 vllm@0.18.0 tpot_s 0.02259 IX
MiniMaxAI/MiniMax-M2.5 h200 8 7373/922 128 fp8-block bf16 vllm@0.18.0 tpot_s 0.04083 IX
Qwen/Qwen3-32B h100-sxm-80 4 1024/512 8 fp8 fp8 tensorrt-llm@1.0.0 tpot_s 0.007505 NV
Qwen/Qwen3-235B-A22B h200 2 4000/1000 2 fp8 bf16 sglang@0.5.6 tpot_s 0.01671 NV
meta-llama/Llama-3.3-70B-Instruct h200 1 128/4096 - fp8 fp8 tensorrt-llm@1.0 output_tokens_per_s 2872 TRT
meta-llama/Llama-3.3-70B-Instruct h200 1 5000/500 - fp8 fp8 tensorrt-llm@1.0 output_tokens_per_s 566 TRT
meta-llama/Llama-3.1-8B-Instruct a100-sxm-80 1 128/4096 - fp16 fp16 tensorrt-llm@0.17 output_tokens_per_s 3454 TRT
meta-llama/Meta-Llama-3-8B a100-sxm-40 1 256/256 16 fp16 fp16 vllm@2024 request_s 4.38 ANL
mistralai/Mistral-7B-v0.1 h100-sxm-80 4 256/256 1 fp16 fp16 vllm@2024 request_s 1.499 ANL
Qwen/Qwen3-14B h20 1 6144/2048 1 bf16 bf16 sglang@0.4.6 request_s 46.9 QWEN
Qwen/Qwen3-8B h20 1 6144/2048 1 fp8 bf16 sglang@0.4.6 request_s 15.86 QWEN
meta-llama/Meta-Llama-3-8B rtx-4090 1 64/1024 1 q4_k_m fp16 llama.cpp tpot_s 0.00783 XD
""".strip().splitlines()
]


def ratio(case: list[str]) -> float:
    """Return estimate / measurement of a time, or its inverse for a throughput."""
    model, gpu, ranks, lengths, requests, weights, kv, engine, field, value, source = case
    assert source in SOURCES
    given, wanted = map(int, lengths.split("/"))
    name, _, version = engine.partition("@")
    together = field == "request_s" or requests == "1"
    found: dict[str, Any] = answer(
        "speed",
        {
            "model": model, "gpu": gpu, "tp": int(ranks), "input_tokens": given, "output_tokens": wanted,
            "mode": "offline" if requests == "-" else "static_batch" if together else "closed_loop",
            "concurrency": None if requests == "-" else int(requests), "weights": weights, "kv": kv,
            "engine": name, "engine_version": version or None,
        },
    )  # fmt: skip
    assert "error" not in found, found
    measured = float(value)
    return measured / found[field] if requests == "-" else found[field] / measured


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join((case[0].split("/")[1], *case[1:5])))
def test_a_measurement_is_near_its_estimate(case: list[str]) -> None:
    assert 1 / 1.45 < ratio(case) < 1.45


def test_half_of_them_are_within_a_tenth() -> None:
    assert statistics.median(abs(ratio(case) - 1) for case in CASES) < 0.1
