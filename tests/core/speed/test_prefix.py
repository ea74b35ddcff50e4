"""Prompts of which a part is in the cache already."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.speed.constants import constants_of
from core.speed.roofline import prefill
from core.speed.serving import Load, closed_loop, static_batch

MODELS = [
    "meta-llama/Llama-3.1-8B-Instruct",
    "deepseek-ai/DeepSeek-V3.2",
    "openai/gpt-oss-120b",
    "google/gemma-3-27b-it",
    "Qwen/Qwen3-Next-80B-A3B-Instruct",
]
shares = st.floats(0.0, 1.0)
relaxed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@relaxed
@given(
    model=st.sampled_from(MODELS),
    prompt=st.integers(1, 200_000),
    batch=st.integers(1, 500),
    hits=st.tuples(shares, shares),
)
def test_more_hits_are_never_slower(*, profile, h100, model, prompt, batch, hits):
    one, constants = profile(model), constants_of("vllm")
    for run in (static_batch, closed_loop):
        few, many = (
            run(one, h100, constants, Load(prompt, 300, batch, cached=share)) for share in sorted(hits)
        )
        assert many.prefill <= few.prefill * (1 + 1e-12)
        assert many.request <= few.request * (1 + 1e-12)
        assert many.per_token <= few.per_token * (1 + 1e-12)
        assert many.step.total == few.step.total


def test_new_tokens_meet_the_cached_part_in_full_and_half_of_themselves(profile, h100, constants):
    one, tokens = profile(), 100_000.0
    none, most = (prefill(one, h100, constants, tokens, chunk=1e9, cached=share) for share in (0.0, 0.9))
    products = one.dense_flops[0] / (h100.peaks[0] * constants.matrix_efficiency(h100)[0])
    rate = h100.peaks[0] * constants.matrix_efficiency(h100)[0] * constants.prefill_attention_share
    pairs = {0.0: tokens * tokens / 2, 0.9: 0.1 * tokens * (0.9 + 0.05) * tokens}
    for share, found in ((0.0, none), (0.9, most)):
        expected = products * tokens * (1 - share) + one.prefill_full * pairs[share] / rate
        assert found.compute == pytest.approx(expected, rel=0.01)


def test_a_prompt_that_is_cached_whole_still_computes_its_last_token(profile, h100, constants):
    one, last = (
        prefill(profile(), h100, constants, tokens, chunk=8192, cached=share)
        for tokens, share in ((1.0, 0.0), (50_000.0, 1.0))
    )
    read = 131_072 * 49_999 / (h100.bandwidth * constants.memory)
    assert last.total - one.total == pytest.approx(read, rel=0.02)


def test_hits_save_little_where_attention_to_the_cached_part_remains(profile, h100, constants):
    one = profile()
    none, half = (
        prefill(one, h100, constants, 200_000, chunk=8192, cached=share).total for share in (0.0, 0.5)
    )
    assert half > 0.6 * none  # of the pairs three quarters remain
