"""Cache sizes: exact bytes per token, what windows free, and the pool as engines divide it."""

import numpy as np
import pytest

from core.memory.cache import bytes_per_token, pool_of, request_bytes, taken_bytes
from core.quantities import GIB


@pytest.mark.parametrize(
    ("model", "fields", "expected"),
    [
        # 61 x (512 + 64) x 2, on every rank: "Insights into DeepSeek-V3", table 1.
        ("deepseek-ai/DeepSeek-V3", {"kv": "bf16"}, 70_272),
        ("deepseek-ai/DeepSeek-V3", {"kv": "bf16", "tp": 8}, 70_272),
        ("deepseek-ai/DeepSeek-V2", {"kv": "bf16", "tp": 4}, 69_120),
        # 656 bytes an entry and 132 of the indexer, 61 layers: InferenceX experimental/dsv32.
        ("deepseek-ai/DeepSeek-V3.2", {"kv": "fp8"}, 48_068),
        ("Qwen/Qwen2.5-72B-Instruct", {"kv": "bf16"}, 327_680),
        ("Qwen/Qwen2.5-72B-Instruct", {"kv": "bf16", "tp": 8}, 40_960),
        ("Qwen/Qwen2.5-72B-Instruct", {"kv": "bf16", "tp": 16}, 40_960),  # eight heads, sixteen ranks
        ("meta-llama/Meta-Llama-3.1-405B", {"kv": "bf16"}, 516_096),
        ("meta-llama/Llama-3.1-8B-Instruct", {"kv": "fp8"}, 65_536),
        ("meta-llama/Llama-3.1-8B-Instruct", {"kv": "q8_0", "engine": "llama.cpp"}, 69_632),
        ("meta-llama/Llama-3.1-8B-Instruct", {"kv": "q8_0/f16", "engine": "llama.cpp"}, 100_352),
    ],
)
def test_bytes_per_token_are_exact(deploy, model, fields, expected):
    assert bytes_per_token(deploy(model, **fields)) == pytest.approx(expected, abs=0.5)


def test_32768_tokens_of_deepseek_v3_are_2_145_gib(deploy):
    held = float(request_bytes(deploy("deepseek-ai/DeepSeek-V3", kv="bf16", tp=8), 32_768))
    assert held / GIB == pytest.approx(2.145, abs=0.001)


def test_early_engines_expand_the_latent(deploy):
    early = deploy("deepseek-ai/DeepSeek-V2-Lite", kv="bf16", engine_version="0.5.0")
    now = deploy("deepseek-ai/DeepSeek-V2-Lite", kv="bf16")
    assert bytes_per_token(early) == 27 * 16 * (192 + 192) * 2
    assert bytes_per_token(now) == 27 * 576 * 2


# "GPU KV cache size" of vLLM start-up logs: pool in GiB and tokens (0.19.0 on H100; gpt-oss 0.10.1 on A100).
HYBRID = [
    ("google/gemma-3-27b-it", {}, 19.53, 36_560),
    ("google/gemma-3-12b-it", {}, 47.72, 130_304),
    ("google/gemma-3-4b-it", {}, 62.51, 468_144),
    ("google/gemma-2-27b-it", {}, 20.59, 58_672),
    ("google/gemma-2-2b-it", {}, 66.47, 670_160),
    ("openai/gpt-oss-120b", {"tp": 4, "engine_version": "0.10.1"}, 45.32, 2_640_144),
]


@pytest.mark.parametrize(("model", "fields", "pool", "tokens"), HYBRID)
def test_layers_that_differ_are_grouped_as_the_log_counts_them(deploy, model, fields, pool, tokens):
    deployment = deploy(model, kv="bf16", **{"engine_version": "0.19.0", **fields})
    assert pool_of(deployment, pool * GIB).tokens == pytest.approx(tokens, rel=0.001)


def test_before_the_hybrid_allocator_windows_were_kept_in_full(deploy):
    deployment = deploy("google/gemma-3-27b-it", kv="bf16", engine_version="0.8.0", tp=4)
    assert pool_of(deployment, 18.03 * GIB).tokens == pytest.approx(152_416, rel=0.001)


def test_llama_cpp_keeps_a_window_for_each_sequence(deploy):
    deployment = deploy(
        "google/gemma-3-27b-it", engine="llama.cpp", kv="q8_0", context=32_768, max_num_seqs=2
    )
    assert float(request_bytes(deployment, 32_768)) / GIB == pytest.approx(1.8677, rel=0.001)


def test_a_recurrent_state_does_not_grow_with_the_context(deploy):
    deployment = deploy("Qwen/Qwen3-Next-80B-A3B-Instruct", kv="bf16")
    short, long = (float(request_bytes(deployment, tokens)) for tokens in (4096, 8192))
    assert long - short == pytest.approx(12 * 2 * 2 * 256 * 2 * 4096)
    assert short > 12 * 2 * 2 * 256 * 2 * 4096


def test_compressed_caches_grow_slowly(deploy):
    compressed = deploy("deepseek-ai/DeepSeek-V4-Flash", kv="fp8", context=1_048_576)
    plain = deploy("deepseek-ai/DeepSeek-V3", kv="fp8", context=163_840)
    assert float(request_bytes(compressed, 163_840)) < 0.2 * float(request_bytes(plain, 163_840))


def test_lengths_broadcast_and_never_shrink(deploy):
    deployment = deploy("google/gemma-3-27b-it")
    lengths = np.arange(0, 20_000, 7)
    held = request_bytes(deployment, lengths)
    assert held.shape == lengths.shape
    assert held[0] == 0
    assert np.all(np.diff(held) >= 0)


def test_an_empty_pool_holds_nothing(deploy):
    pool = pool_of(deploy(), -1.0)
    assert (pool.tokens, pool.requests_at_context, pool.bytes_per_token) == (0, 0.0, 0.0)


DIVIDED = [
    ("google/gemma-3-27b-it", "vllm"),
    ("openai/gpt-oss-120b", "sglang"),
    ("openai/gpt-oss-20b", "vllm"),
]


@pytest.mark.parametrize(("model", "engine"), DIVIDED)
def test_a_request_takes_more_of_a_divided_pool_than_it_fills(deploy, model, engine):
    deployment = deploy(model, engine=engine, kv="bf16")
    lengths = np.arange(0, 40_000, 37)
    taken = taken_bytes(deployment, lengths, running=True)
    assert taken[0] == 0
    assert np.all(np.diff(taken) >= 0)
    assert np.all(taken >= request_bytes(deployment, lengths) * 0.99)
    assert np.all(taken_bytes(deployment, lengths) >= taken)


@pytest.mark.parametrize("model", ["meta-llama/Llama-3.1-8B-Instruct", "deepseek-ai/DeepSeek-V4-Flash"])
def test_a_pool_of_one_kind_is_taken_as_it_is_filled(deploy, model):
    deployment = deploy(model, kv="bf16")
    assert float(taken_bytes(deployment, 5000)) == float(request_bytes(deployment, 5000))


def test_short_requests_fill_sglangs_pool_of_windows_first(deploy):
    # Windows of 1024 tokens, in a pool 0.8 times as long as that of the full layers.
    short, long = (
        pool_of(deploy("google/gemma-3-27b-it", engine="sglang", kv="bf16", context=context), 40 * GIB)
        for context in (1000, 5000)
    )
    assert short.tokens == long.tokens
    assert short.requests_at_context == pytest.approx(0.8 * short.tokens / 1000)
    assert long.requests_at_context == pytest.approx(long.tokens / 5000)
