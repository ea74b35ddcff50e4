"""Speculative decoding: what a step gives, what it costs, and when it pays."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import BadRequest
from core.speed.constants import constants_of
from core.speed.reasons import reasons_of
from core.speed.serving import Load, closed_loop, static_batch
from core.speed.speculation import tokens_per_step

DEEPSEEK = "deepseek-ai/DeepSeek-V3"
LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
MTP = {"method": "mtp", "tokens": 1, "acceptance": 0.87}
probabilities = st.floats(0.0, 1.0)
relaxed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("drafts", [0, 1, 3, 16])
@pytest.mark.parametrize("acceptance", [0.0, 0.1, 0.5, 0.87, 0.999999, 1.0])
def test_a_step_gives_the_sum_of_what_is_accepted(drafts, acceptance):
    assert tokens_per_step(drafts, acceptance) == pytest.approx(sum(acceptance**n for n in range(drafts + 1)))


def test_arrays_give_what_numbers_give():
    found = tokens_per_step(np.array([0, 1, 3]), np.array([0.5, 0.9, 1.0]))
    assert found == pytest.approx([1.0, 1.9, 4.0])


@relaxed
@given(
    model=st.sampled_from([LLAMA, DEEPSEEK, "openai/gpt-oss-120b"]),
    drafts=st.integers(0, 16),
    accepted=st.tuples(probabilities, probabilities),
    batch=st.integers(1, 2000),
    wanted=st.integers(1, 2000),
)
def test_more_acceptance_is_never_slower(*, profile, h100, model, drafts, accepted, batch, wanted):
    constants, one = constants_of("vllm"), profile(model)
    for run in (static_batch, closed_loop):
        less, more = (
            run(
                one, h100, constants, Load(1000, wanted, batch, drafts=drafts, acceptance=share, drafting=one)
            )
            for share in sorted(accepted)
        )
        assert more.per_token <= less.per_token * (1 + 1e-12)
        assert more.request <= less.request * (1 + 1e-12)
        assert more.throughput >= less.throughput * (1 - 1e-12)


@relaxed
@given(
    model=st.sampled_from([LLAMA, DEEPSEEK]),
    more=st.floats(1.0, 4.0),
    drafts=st.integers(0, 16),
    accepted=probabilities,
    cached=probabilities,
)
def test_more_bandwidth_is_never_slower(*, profile, h100, model, more, drafts, accepted, cached):
    constants, one = constants_of("vllm"), profile(model)
    faster = dataclasses.replace(h100, bandwidth=h100.bandwidth * more)
    load = Load(4000, 300, 64, cached=cached, drafts=drafts, acceptance=accepted, drafting=one)
    base, wide = (static_batch(one, device, constants, load) for device in (h100, faster))
    assert wide.per_token <= base.per_token * (1 + 1e-12)
    assert wide.prefill <= base.prefill * (1 + 1e-12)
    assert wide.request <= base.request * (1 + 1e-12)


def test_no_drafts_change_nothing(profile, h100, constants):
    plain, none = Load(1000, 200, 32), Load(1000, 200, 32, acceptance=0.9)
    for run in (static_batch, closed_loop):
        assert run(profile(), h100, constants, none) == run(profile(), h100, constants, plain)


def test_drafts_that_are_never_accepted_cost_time(profile, h100, constants):
    plain, wasted = (
        closed_loop(profile(), h100, constants, Load(1000, 200, 512, drafts=drafts)) for drafts in (0, 4)
    )
    assert wasted.per_token > plain.per_token


def test_verifying_reads_more_experts(profile, h100, constants):
    one = profile("Qwen/Qwen3-235B-A22B", tp=8)
    plain, verified = (
        static_batch(one, h100, constants, Load(1000, 200, 8, drafts=drafts)).step.memory for drafts in (0, 3)
    )
    assert verified > 1.5 * plain


def test_deepseek_gains_what_its_report_says(speed):
    """The DeepSeek-V3 report: the second token is accepted in 85 to 90 %, which gives 1.8 times the rate."""
    found = speed(DEEPSEEK, gpu="h200", tp=8, speculative=MTP)
    assert found.gain.tokens == pytest.approx(1.87)
    assert found.gain.faster == pytest.approx(1.8, rel=0.1)


def test_a_free_draft_of_a_small_batch_pays_and_a_large_batch_computes(speed):
    drafted = {"method": "ngram", "tokens": 4, "acceptance": 0.3}
    small = speed(LLAMA, speculative=drafted)
    large = speed(LLAMA, concurrency=512, input_tokens=100, output_tokens=100, speculative=drafted)
    assert small.gain.faster > 1.3
    assert large.gain.faster < 1
    assert "speed.speculation" in {sentence.key for sentence in reasons_of(small)}
    assert "speed.speculation_slower" in {sentence.key for sentence in reasons_of(large)}


def test_a_smaller_model_costs_more_than_looking_up(speed):
    looked_up = {"method": "ngram", "tokens": 3, "acceptance": 0.7}
    proposed = {**looked_up, "method": "draft", "model": "meta-llama/Llama-3.2-1B"}
    free, drafted = (speed(LLAMA, speculative=given) for given in (looked_up, proposed))
    assert drafted.values["tpot_s"] > free.values["tpot_s"]
    assert drafted.values["prefill_s"] > free.values["prefill_s"]
    assert drafted.held < free.held


@pytest.mark.parametrize(
    "model",
    [
        "zai-org/GLM-4.5", "Qwen/Qwen3-Next-80B-A3B-Instruct", "XiaomiMiMo/MiMo-7B-Base", "MiniMaxAI/MiniMax-M2",
        "deepseek-ai/DeepSeek-V3.2", "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8", "Qwen/Qwen3.5-27B",
    ],
)  # fmt: skip
def test_models_with_prediction_layers_can_use_them(speed, model):
    found = speed(model, gpu="h200", tp=4, speculative=MTP)
    assert 1 < found.gain.longer < 1.6
    assert found.gain.faster > 1.15


def test_a_model_without_prediction_layers_is_refused(speed):
    with pytest.raises(BadRequest, match="ngram") as refusal:
        speed(LLAMA, speculative=MTP)
    assert refusal.value.field == "speculative.method"


def test_a_draft_model_is_divided_over_as_many_ranks_as_its_heads_allow(speed):
    drafted = {"method": "draft", "tokens": 3, "acceptance": 0.7, "model": "Qwen/Qwen2.5-0.5B"}  # 14 heads
    assert speed("Qwen/Qwen2.5-72B-Instruct", tp=4, speculative=drafted).gain.faster > 1
