"""The whole of a serving process: what is left for the cache, who fits, and how the parts hang together."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.api import deployment_of, parse
from core.memory.serving import needed_by_load, size_serving
from core.quantities import GIB

# vLLM 0.19.0 on H100 (79.19 GiB, utilisation 0.95): pool in GiB and "GPU KV cache size" in tokens.
LOGS = [
    ("meta-llama/Llama-3.1-8B-Instruct", {}, 58.11, 476_016),
    ("meta-llama/Llama-3.1-8B-Instruct", {"kv": "fp8"}, 58.11, 952_032),
    ("meta-llama/Llama-3.1-8B-Instruct", {"tp": 4}, 67.44, 2_209_792),
    ("microsoft/phi-4", {}, 46.08, 241_568),
    ("Qwen/Qwen3-30B-A3B", {}, 15.41, 168_288),
    ("google/gemma-3-12b-it", {}, 47.72, 130_304),
]


@pytest.mark.parametrize(("model", "fields", "pool", "tokens"), LOGS)
def test_the_pool_matches_the_log_end_to_end(deploy, model, fields, pool, tokens):
    fields = {"engine_version": "0.19.0", "memory_fraction": 0.95, "weights": "bf16", **fields}
    memory = size_serving(deploy(model, **fields))
    assert memory.pool is not None
    assert memory.pool.bytes / GIB == pytest.approx(pool, rel=0.006)
    assert memory.pool.tokens == pytest.approx(tokens, rel=0.006)


def test_sglang_takes_a_share_of_what_is_free_before_the_weights(deploy):
    # Llama-3-8B on H200: 139.20 GiB free, fraction 0.8718, pool 106.36 GiB, 871,371 tokens (0.4.6.post5).
    gpu = {"name": "NVIDIA H200", "memory_gib": 139.80}
    memory = size_serving(
        deploy(
            "meta-llama/Meta-Llama-3-8B-Instruct",
            engine="sglang",
            engine_version="0.4.6",
            gpu=gpu,
            memory_fraction=0.8718,
        )
    )
    assert memory.pool is not None
    assert memory.pool.bytes / GIB == pytest.approx(106.36, rel=0.005)
    assert memory.pool.tokens == pytest.approx(871_371, rel=0.005)


def test_the_parts_sum_to_what_is_needed(deploy):
    memory = size_serving(deploy("deepseek-ai/DeepSeek-V3", gpu="H200", tp=8))
    assert [part.name for part in memory.parts] == ["weights", "activation", "runtime", "cuda_graph", "kv"]
    assert memory.needed == pytest.approx(sum(part.bytes for part in memory.parts))
    assert memory.part("weights").bytes == pytest.approx(sum(memory.weights_by_role.values()))


def test_every_part_renders_its_formula_in_both_languages(deploy):
    for engine in ("vllm", "sglang", "llama.cpp", "transformers", "tensorrt-llm"):
        weights = "q4_k_m" if engine == "llama.cpp" else "bf16"
        for part in size_serving(deploy(engine=engine, weights=weights)).parts:
            assert f"{part.bytes / GIB:.2f}" in part.formula.render("en")
            assert f"{part.bytes / GIB:.2f}" in part.formula.render("zh")


def test_a_prefix_that_requests_share_is_cached_once(deploy):
    own = replace(deploy(context=8192), requests=100, input_tokens=4000, output_tokens=96)
    shared = replace(own, shared_prefix=0.5)
    per_token = 131_072
    saved = size_serving(own).part("kv").bytes - size_serving(shared).part("kv").bytes
    assert saved == pytest.approx(99 * 2000 * per_token, rel=0.01)


def test_full_training_size_models_do_not_fit_small_cards(deploy):
    memory = size_serving(deploy("deepseek-ai/DeepSeek-V3", gpu="RTX 4090", tp=8))
    assert not memory.starts
    assert memory.pool is not None
    assert memory.pool.bytes < 0
    assert (memory.largest_context, memory.mean_requests) == (0, 0.0)


def test_memory_used_by_others_lowers_the_pool(deploy):
    free = size_serving(deploy(gpu="H100", memory_fraction=0.95))
    taken = size_serving(deploy(gpu="H100", memory_fraction=0.95, memory_in_use_gib=20))
    assert free.pool is not None
    assert taken.pool is not None
    assert taken.pool.bytes < free.pool.bytes - 15 * GIB


def test_a_curve_is_the_same_function_as_a_point(deploy):
    deployment = replace(deploy(), requests=7, input_tokens=3000, output_tokens=1000)
    memory = size_serving(deployment)
    curve = needed_by_load(deployment, memory, [1000, 4000, 8000], 7)
    assert curve[1] == pytest.approx(memory.needed)
    assert list(curve) == sorted(curve)


MODELS = (
    "deepseek-ai/DeepSeek-V3",
    "Qwen/Qwen2.5-7B-Instruct",
    "google/gemma-3-12b-it",
    "openai/gpt-oss-20b",
    "Qwen/Qwen3-Next-80B-A3B-Instruct",
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(MODELS),
    st.sampled_from([1, 2, 4]),
    st.integers(1, 40),
    st.integers(1, 400),
    st.sampled_from(["vllm", "sglang"]),
)
def test_more_of_anything_never_needs_less(model, tp, context_blocks, requests, engine):
    fields = {"model": model, "gpu": "H200", "tp": tp, "engine": engine}
    base = deployment_of(parse({**fields, "context": 1024 * context_blocks}))
    longer = deployment_of(parse({**fields, "context": 2048 * context_blocks}))
    memory = size_serving(replace(base, requests=requests))
    assert size_serving(replace(base, requests=requests + 1)).needed >= memory.needed
    assert size_serving(replace(longer, requests=requests)).part("kv").bytes >= memory.part("kv").bytes
    assert size_serving(replace(base, memory_fraction=0.5)).mean_requests <= memory.mean_requests


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(MODELS), st.sampled_from(["fp32", "bf16", "fp8", "int8", "awq-int4"]))
def test_the_largest_context_is_the_edge_of_fitting(model, weights):
    memory = size_serving(deployment_of(parse({"model": model, "gpu": "B200", "tp": 4, "weights": weights})))
    if memory.largest_context == 0 or memory.pool is None:
        assert memory.pool is None or memory.pool.tokens == 0
        return
    held, beyond = (replace(memory.deployment, context=memory.largest_context + more) for more in (0, 64))
    assert size_serving(held).starts
    assert not size_serving(beyond).starts


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(MODELS),
    st.sampled_from(["vllm", "sglang", "tensorrt-llm"]),
    st.sampled_from([(1, 1), (2, 1), (1, 2), (2, 4)]),
    st.integers(100, 20_000),
)
def test_as_many_requests_as_are_held_need_no_more_than_the_pool(model, engine, ranks, tokens):
    fields = {"model": model, "gpu": "B200", "engine": engine, "tp": ranks[0], "pp": ranks[1]}
    base = replace(deployment_of(parse({**fields, "context": 32_768})), input_tokens=tokens)
    memory = size_serving(base)
    held = int(memory.mean_requests)
    if memory.pool is None or not held:
        return
    assert size_serving(replace(base, requests=held)).part("kv").bytes <= memory.pool.bytes * (1 + 1e-9)
    assert size_serving(replace(base, requests=held + 1)).part("kv").bytes > memory.pool.bytes


def test_a_pipeline_holds_what_its_narrowest_stage_holds(deploy):
    base = replace(deploy("google/gemma-3-27b-it", gpu="H200", pp=8, context=32_768), input_tokens=6000)
    whole = replace(deploy("google/gemma-3-27b-it", gpu="H200", context=32_768), input_tokens=6000)
    memory = size_serving(base)
    assert memory.pool is not None
    assert memory.mean_requests * memory.part("kv").bytes == pytest.approx(memory.pool.bytes)
    assert memory.mean_requests > size_serving(whole).mean_requests


def test_data_parallel_ranks_share_the_requests_not_the_cache(deploy):
    fields = {"model": "deepseek-ai/DeepSeek-V3", "gpu": "H200", "ep": 8, "kv": "bf16", "context": 32_768}
    spread = replace(deploy(**fields, dp=8, attention_dp=True), requests=64)
    alone = replace(deploy(**fields, dp=8, attention_dp=True), requests=8)
    assert size_serving(spread).part("kv").bytes == pytest.approx(8 * size_serving(alone).part("kv").bytes)
    tensor = replace(deploy(**fields, tp=8), requests=64)
    assert size_serving(tensor).part("kv").bytes == pytest.approx(8 * size_serving(spread).part("kv").bytes)
    assert spread.layout.gpus == tensor.layout.gpus == 8
