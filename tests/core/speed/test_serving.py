"""Latency and throughput under load."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.speed.arrays import stacked, taken
from core.speed.constants import constants_of
from core.speed.serving import Load, closed_loop, static_batch

MODELS = ["meta-llama/Llama-3.1-8B-Instruct", "deepseek-ai/DeepSeek-V3", "openai/gpt-oss-120b"]
relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@relaxed
@given(
    model=st.sampled_from(MODELS),
    few=st.integers(1, 4096),
    more=st.integers(1, 64),
    prompt=st.integers(1, 30_000),
    wanted=st.integers(1, 4096),
)
def test_more_requests_never_lower_the_throughput(*, profile, h100, model, few, more, prompt, wanted):
    constants = constants_of("vllm")
    for run in (static_batch, closed_loop):
        found = [
            run(profile(model), h100, constants, Load(prompt, wanted, batch)).throughput
            for batch in (few, few + more)
        ]
        assert found[1] >= found[0] * (1 - 1e-9)


@relaxed
@given(
    prompt=st.integers(1, 30_000),
    wanted=st.integers(1, 4096),
    batch=st.integers(1, 500),
    longer=st.integers(0, 30_000),
)
def test_longer_requests_are_never_faster(*, profile, h100, prompt, wanted, batch, longer):
    constants = constants_of("vllm")
    for run in (static_batch, closed_loop):
        short, long = (
            run(profile(), h100, constants, Load(tokens, wanted, batch))
            for tokens in (prompt, prompt + longer)
        )
        assert long.request >= short.request * (1 - 1e-12)
        assert long.per_token >= short.per_token * (1 - 1e-12)
        assert long.prefill >= short.prefill * (1 - 1e-12)


def test_one_request_is_the_same_in_a_loop_and_in_a_batch_but_for_one_token(profile, h100, constants):
    load = Load(1000, 500, 1)
    alone, looped = (
        static_batch(profile(), h100, constants, load),
        closed_loop(profile(), h100, constants, load),
    )
    assert looped.request - alone.request == pytest.approx(alone.step.total)
    assert looped.per_token == alone.per_token
    assert looped.prefill == alone.prefill


def test_prompts_of_others_disturb_a_loop_and_not_a_batch(profile, h100, constants):
    load = Load(4000, 100, 64)
    looped, together = (
        closed_loop(profile(), h100, constants, load),
        static_batch(profile(), h100, constants, load),
    )
    assert looped.per_token > 1.5 * together.per_token
    assert looped.step.total == together.step.total


def test_replicas_share_the_requests(profile, h100, constants):
    one = closed_loop(profile(), h100, constants, Load(1000, 200, 32))
    four = closed_loop(profile(), h100, constants, Load(1000, 200, 128, replicas=4.0))
    assert four.per_token == pytest.approx(one.per_token)
    assert four.throughput == pytest.approx(4 * one.throughput)


def test_smaller_chunks_take_longer(profile, h100, constants):
    whole, chunked = (
        closed_loop(profile(), h100, constants, Load(16_000, 10, 1, chunk=chunk)).prefill
        for chunk in (16_000.0, 512.0)
    )
    assert chunked > 1.2 * whole


def test_a_search_evaluates_arrays_quickly(profile, h100, constants):
    few = [profile(name) for name in MODELS]
    many = 100_000
    arrays = taken(stacked(few), np.arange(many) % 3)
    load = Load(np.full(many, 1000.0), 300.0, np.arange(many) % 256 + 1.0)
    devices, all_constants = stacked([h100]), stacked([constants])
    begin = time.perf_counter()
    found = closed_loop(arrays, devices, all_constants, load)
    assert time.perf_counter() - begin < 1.0
    assert found.throughput.shape == (many,)
    each = closed_loop(few[1], h100, constants, Load(1000.0, 300.0, 5.0))
    assert found.throughput[4] == pytest.approx(float(each.throughput))
