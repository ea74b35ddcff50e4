"""The time of one pass: physics that must hold whatever the constants are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.speed.arrays import stacked
from core.speed.constants import constants_of
from core.speed.device import DeviceRates, matrix_rates
from core.speed.roofline import chosen_experts, decode_step, prefill

MODELS = [
    "meta-llama/Llama-3.1-8B-Instruct",
    "deepseek-ai/DeepSeek-V3.2",
    "openai/gpt-oss-120b",
    "google/gemma-3-27b-it",
]
batches = st.integers(1, 4096)
contexts = st.integers(1, 200_000)
rates = st.floats(0.05, 20.0)
relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def device(bandwidth: float = 3.35, bf16: float = 989.0) -> DeviceRates:
    return DeviceRates(
        bandwidth * 1e12, matrix_rates({"bf16": bf16 * 1e12, "fp8": bf16 * 2e12}), 450e9, 1.0, 50e9, 8.0
    )


def test_a_small_batch_reads_weights_and_a_large_one_computes(profile, h100, constants):
    one, many = (decode_step(profile(), h100, constants, batch, 100) for batch in (1, 4096))
    assert one.memory > 10 * one.compute
    assert many.compute > many.memory
    weights = 2 * 32 * (4096 * 10240 + 3 * 4096 * 14336) + 2 * 128_256 * 4096
    assert one.memory == pytest.approx(weights / (3.35e12 * constants.memory), rel=0.01)


def test_the_parts_sum_to_the_whole_unless_they_overlap(profile, h100, constants):
    wide = profile("deepseek-ai/DeepSeek-V3", dp=32, ep=32, attention_dp=True)
    apart = decode_step(wide, h100, constants, 64, 4000)
    beside = decode_step(wide, h100, constants, 64, 4000, overlap=1.0)
    assert apart.total == pytest.approx(apart.memory + apart.compute + apart.overhead + apart.network)
    assert beside.total < apart.total


def test_experts_chosen_grow_to_all_of_them():
    found = chosen_experts(8 / 256, np.array([0, 1, 32, 1e6]))
    assert found == pytest.approx([0, 8 / 256, 0.638, 1], abs=1e-3)


@relaxed
@given(
    model=st.sampled_from(MODELS), batch=batches, context=contexts, bandwidth=rates, more=st.floats(1.0, 4.0)
)
def test_more_bandwidth_is_never_slower(*, profile, model, batch, context, bandwidth, more):
    one, constants = profile(model), constants_of("vllm")
    slow, fast = (
        decode_step(one, device(rate), constants, batch, context).total
        for rate in (bandwidth, bandwidth * more)
    )
    assert fast <= slow * (1 + 1e-12)
    slow, fast = (
        prefill(one, device(rate), constants, context, chunk=8192).total
        for rate in (bandwidth, bandwidth * more)
    )
    assert fast <= slow * (1 + 1e-12)


@relaxed
@given(
    model=st.sampled_from(MODELS),
    batch=batches,
    context=contexts,
    flops=st.floats(10, 2000),
    more=st.floats(1.0, 4.0),
)
def test_more_flops_are_never_slower(*, profile, model, batch, context, flops, more):
    one, constants = profile(model), constants_of("vllm")
    slow, fast = (
        decode_step(one, device(2.0, rate), constants, batch, context).total for rate in (flops, flops * more)
    )
    assert fast <= slow * (1 + 1e-12)
    slow, fast = (
        prefill(one, device(2.0, rate), constants, context, chunk=8192).total
        for rate in (flops, flops * more)
    )
    assert fast <= slow * (1 + 1e-12)


@relaxed
@given(model=st.sampled_from(MODELS), batch=batches, context=contexts, longer=st.floats(1.0, 10.0))
def test_a_longer_context_is_never_faster(profile, model, batch, context, longer):
    one, constants, gpu = profile(model), constants_of("vllm"), device()
    assert decode_step(one, gpu, constants, batch, context * longer).total >= (
        decode_step(one, gpu, constants, batch, context).total * (1 - 1e-12)
    )
    assert prefill(one, gpu, constants, context * longer, chunk=8192).total >= (
        prefill(one, gpu, constants, context, chunk=8192).total * (1 - 1e-12)
    )


@relaxed
@given(
    batches,
    contexts,
    st.sampled_from([("q8_0", "q6_k"), ("q6_k", "q4_0"), ("gptq-int8", "gptq-int4"), ("int4", "q3_k_m")]),
)
def test_fewer_bits_are_never_slower_where_they_are_multiplied_alike(profile, batch, context, formats):
    constants, gpu = constants_of("vllm"), device()
    more, fewer = (
        decode_step(profile(weights=name), gpu, constants, batch, context).total for name in formats
    )
    assert fewer <= more * (1 + 1e-12)


@pytest.mark.parametrize("model", ["meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-70B-Instruct"])
def test_fewer_bits_decode_faster_while_weights_bind(profile, h100, constants, model):
    times = [
        decode_step(profile(model, weights=name), h100, constants, 4, 2000).total
        for name in ("bf16", "fp8", "awq-int4")
    ]
    assert times == sorted(times, reverse=True)


def test_pipeline_stages_share_a_long_prompt(profile, h100, constants):
    whole, staged = (
        prefill(profile(pp=stages), h100, constants, 65_536, chunk=8192).total for stages in (1, 4)
    )
    assert whole / 4 < staged < whole / 2


def test_arrays_give_what_numbers_give(profile, h100, constants):
    profiles = [profile(name) for name in MODELS]
    found = decode_step(
        stacked(profiles), stacked([h100] * 4), stacked([constants] * 4), np.array([1, 8, 64, 512]), 3000
    )
    each = [
        decode_step(one, h100, constants, batch, 3000).total
        for one, batch in zip(profiles, [1, 8, 64, 512], strict=True)
    ]
    assert found.total == pytest.approx(each)


def test_one_record_stacked_broadcasts_against_many(profile, h100, constants):
    faster = dataclasses.replace(h100, bandwidth=6.7e12)
    devices = stacked([h100, faster])
    found = decode_step(stacked([profile()]), devices, stacked([constants]), 4, 100)
    assert found.total.shape == (2,)
    assert found.total[0] == pytest.approx(decode_step(profile(), h100, constants, 4, 100).total)
    assert found.total[1] < found.total[0]
