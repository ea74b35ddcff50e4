"""Pools that process prompts and decode apart: rates, the cache between them, and how many of each."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.speed.constants import constants_of
from core.speed.disaggregated import (
    DECODE_SHARE,
    PREFILL_SHARE,
    Pool,
    decode_rate,
    decode_step_at,
    flow,
    largest,
    matched,
    prefill_rate,
    transfer_seconds,
)
from core.speed.serving import Load, prompts_of

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
DEEPSEEK = "deepseek-ai/DeepSeek-V3"
relaxed = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def pool(profile, h100):
    """Return a function that builds a pool of request fields."""

    def build(model=LLAMA, *, load=None, device=h100, most=256.0, **fields):
        of = profile(model, **fields)
        ranks = float(of.tp * of.pp * of.attention_ranks)
        return Pool(of, device, constants_of("vllm"), load or Load(4000.0, 500.0, 1.0), ranks, most)

    return build


def run(prefill, decode, replicas=(1.0, 1.0), *, transfer=0.001, requests=np.inf, per_token=np.inf):
    return flow(prefill, decode, replicas, transfer=transfer, requests=requests, per_token=per_token)


def test_a_prefill_replica_works_on_full_passes(pool):
    one = pool(load=Load(1024.0, 100.0, 1.0))
    full = prompts_of(one.profile, one.device, one.constants, one.load, 8.0).total
    assert prefill_rate(one) == pytest.approx(PREFILL_SHARE * 8 / full)
    long = pool(load=Load(100_000.0, 100.0, 1.0))
    alone = prompts_of(long.profile, long.device, long.constants, long.load, 1.0).total
    assert prefill_rate(long) == pytest.approx(PREFILL_SHARE / alone)


def test_a_decode_replica_gives_its_batch_in_the_time_of_its_steps(pool):
    one = pool()
    seconds = decode_step_at(one, 64.0).total * 500
    assert decode_rate(one, 64.0) == pytest.approx(DECODE_SHARE * 64 / seconds)


def test_the_slower_pool_limits(pool):
    one = pool()
    few, many = run(one, one, (1.0, 8.0)), run(one, one, (8.0, 1.0))
    assert few.prefill_used == pytest.approx(1.0, rel=1e-6)
    assert few.decode_used < 0.9
    assert few.rate == pytest.approx(prefill_rate(one), rel=1e-6)
    assert many.decode_used == pytest.approx(1.0)
    assert many.batch == pytest.approx(256)
    assert many.rate == pytest.approx(decode_rate(one, 256.0))


def test_requests_in_flight_are_those_before_and_those_within_decoding(pool):
    one = pool()
    found = run(one, one, (4.0, 1.0), requests=50.0, transfer=0.5)
    assert found.batch + found.rate * (found.prompt + found.transfer) == pytest.approx(50.0)


def test_no_prompt_disturbs_the_decoding(pool):
    one = pool()
    found = run(one, one, (8.0, 1.0), requests=16.0)
    assert found.per_token == pytest.approx(float(decode_step_at(one, found.batch[0]).total))


def test_a_cache_is_sent_by_all_ranks_and_kept_by_all(pool, profile, h100):
    whole = profile(LLAMA)
    bytes_ = 4000 * 131_072
    link = constants_of("vllm").exchange_efficiency
    far = dataclasses.replace(h100, node_gpus=1.0)
    four, two = (pool(tp=ranks, device=far) for ranks in (4, 2))
    assert transfer_seconds(four, two, whole) == pytest.approx(bytes_ / 2 / (50e9 * link))
    assert transfer_seconds(two, four, whole) == pytest.approx(bytes_ / 2 / (50e9 * link))
    assert transfer_seconds(pool(tp=4), pool(tp=2), whole) == pytest.approx(bytes_ / 2 / (450e9 * link))


def test_a_latent_cache_is_received_whole_by_every_rank(pool, profile, h100):
    far = dataclasses.replace(h100, node_gpus=1.0)
    whole, wide = profile(DEEPSEEK), pool(DEEPSEEK, tp=8, device=far)
    link = constants_of("vllm").exchange_efficiency
    assert transfer_seconds(wide, wide, whole) == pytest.approx(4000 * 61 * 576 * 2 / (50e9 * link))


def test_the_largest_number_that_is_allowed():
    most = np.array([10.0, 10.0, 10.0])
    found = largest(lambda x: x <= np.array([3.0, 20.0, -1.0]), most)
    assert found == pytest.approx([3.0, 10.0, 0.0], abs=1e-9)


def test_pools_are_matched_with_the_fewest_gpus(pool):
    one = pool()
    counts = matched(one, one, (None, None), None, lambda replicas: run(one, one, replicas))
    each = run(one, one, tuple(map(float, counts))).rate / sum(counts)
    every = np.arange(1.0, 33.0)
    best = max(float((run(one, one, (every, n)).rate / (every + n)).max()) for n in every)
    assert float(each[0]) >= 0.98 * best
    assert matched(one, one, (None, 2), 3, lambda replicas: run(one, one, replicas)) == (1, 2)
    assert matched(one, one, (None, None), 1, lambda replicas: run(one, one, replicas)) is None


@relaxed
@given(
    prefills=st.integers(1, 16),
    decodes=st.integers(1, 16),
    requests=st.integers(1, 5000),
    more=st.integers(1, 8),
)
def test_more_replicas_or_requests_never_lower_the_rate(*, pool, prefills, decodes, requests, more):
    one = pool()
    base = run(one, one, (prefills, decodes), requests=requests).rate * (1 - 1e-6)
    assert run(one, one, (prefills + more, decodes), requests=requests).rate >= base
    assert run(one, one, (prefills, decodes + more), requests=requests * 1.0).rate >= base * 0.98
    assert run(one, one, (prefills, decodes), requests=requests + more).rate >= base


@relaxed
@given(
    model=st.sampled_from([LLAMA, DEEPSEEK]),
    bandwidth=st.floats(1.0, 4.0),
    hits=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    accepted=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
)
def test_faster_memory_more_hits_and_more_acceptance_never_lower_the_rate(
    *, pool, h100, model, bandwidth, hits, accepted
):
    faster = dataclasses.replace(h100, bandwidth=h100.bandwidth * bandwidth)
    load = Load(4000.0, 500.0, 1.0)

    def rate(device=h100, **fields):
        one = pool(model, tp=8, device=device, load=dataclasses.replace(load, **fields))
        return float(run(one, one, (2.0, 3.0), requests=400.0).rate[0])

    assert rate(faster) >= rate() * (1 - 1e-6)
    assert rate(cached=max(hits)) >= rate(cached=min(hits)) * (1 - 1e-6)
    less, more = (rate(drafts=3.0, acceptance=share) for share in sorted(accepted))
    assert more >= less * (1 - 1e-6)
