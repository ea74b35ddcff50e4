"""What the GPUs of a quote can do for a workload."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.api.plan_question import question_of
from core.api.plan_request import PlanRequest
from core.api.requests import parse_as
from core.cost.quote import Quote
from core.planning.question import Question
from core.planning.quoted import capability
from core.text import LANGUAGES


def asked(model: str = "Qwen/Qwen3-14B", per_day: float = 1_500_000, **more: object) -> Question:
    request = {
        "models": [model],
        "requests_per_day": per_day,
        "peak_factor": 2.0,
        "input_tokens": 800.0,
        "output_tokens": 400.0,
        "ttft_s": 2.0,
        "ttft_percentile": 95,
        "weights": ["checkpoint", "fp16"],
        **more,
    }
    return question_of(parse_as(PlanRequest, request))


def quote(gpu: str, nodes: int = 2, each: int = 8, price: float = 2.0) -> Quote:
    return Quote("mine", "on_demand", gpu, nodes, each, price)


def test_gpus_that_are_enough_keep_the_targets() -> None:
    found = capability(quote("a100-sxm-80"), asked())
    assert found.state == "keeps"
    assert found.reason is None
    assert found.plan is not None
    assert found.plan.service.ttft[0.95] <= 2.0
    assert found.copies * found.plan.gpus_per_replica <= 16


def test_all_gpus_of_a_quote_count_not_only_those_that_the_load_needs() -> None:
    few, many = (capability(quote("a100-sxm-80", nodes), asked()).stable for nodes in (2, 4))
    assert few is not None
    assert many == pytest.approx(2 * few, rel=0.05)


def test_the_price_does_not_matter() -> None:
    cheap, dear = (capability(quote("a100-sxm-80", price=usd), asked()) for usd in (0.01, 900.0))
    assert (cheap.state, cheap.stable) == (dear.state, dear.stable)


def test_too_few_gpus_say_how_much_arrives_and_how_much_they_serve() -> None:
    question = asked()
    found = capability(quote("t4"), question)
    assert found.state == "small"
    assert found.stable is not None
    assert found.stable < question.traffic.peak_rate
    assert found.reason is not None
    for language in LANGUAGES:
        assert "34.7" in found.reason.render(language)


def test_a_target_that_a_single_request_misses_is_too_slow() -> None:
    found = capability(quote("t4"), asked(per_day=100, ttft_s=0.02))
    assert found.state == "late"
    assert found.reason is not None
    assert found.stable


def test_a_model_that_does_not_fit_has_its_reason() -> None:
    found = capability(quote("t4", 1), asked("deepseek-ai/DeepSeek-V3"))
    assert found.state == "none"
    assert found.plan is None
    assert found.reason is not None
    assert found.workload(1.0) is None


def test_tensor_parallel_groups_stay_within_a_server() -> None:
    found = capability(quote("t4", nodes=16, each=2), asked(per_day=1000))
    assert found.plan is not None
    assert found.plan.deployment.layout.tp <= 2


def test_a_gpu_that_is_not_in_the_catalogue_is_named() -> None:
    found = capability(quote("z9000"), asked())
    assert found.state == "unknown"
    assert "z9000" in str(found.reason)


def test_limits_of_vendor_cloud_and_budget_do_not_apply_to_what_is_offered() -> None:
    question = asked()
    narrow = replace(question, limits=replace(question.limits, vendors=("AMD",), budget=1.0, clouds=("aws",)))
    assert capability(quote("a100-sxm-80"), narrow).state == "keeps"


def test_the_workload_has_the_tokens_and_the_stable_load() -> None:
    found = capability(quote("a100-sxm-80"), asked())
    load = found.workload(17.0)
    assert load is not None
    assert (load.tokens, load.rate, load.stable) == (1200.0, 17.0, found.stable)
