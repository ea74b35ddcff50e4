"""Cases of published planning guides: what they recommend, and what it takes.

Four nodes of eight A100 for 450,000 requests a day; 1,200 requests a second within 300 ms on four A100; T4 at a
fifth of the price with more nodes. What small devices reach is in tests/core/speed/test_small_devices.py.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.planning.result import Plan, Planned, Relaxation
from core.planning.search import plan
from core.traffic import Traffic, lognormal
from tests.questions import LLAMA, ask

R1 = "deepseek-ai/DeepSeek-R1"
V3 = "deepseek-ai/DeepSeek-V3"
QWEN_7B = "Qwen/Qwen2.5-7B-Instruct"

A100, T4 = "a100-sxm-80", "t4"
FOUR_NODES = {A100: 32}

DAY = Traffic(450_000 / 86_400, lognormal(800, 2000), lognormal(400, 1000), peak=2.0)
REASONING = replace(DAY, output=lognormal(8000, 16_000))
BUSY = Traffic(1200.0, lognormal(800, 2000), lognormal(400, 1000))


def relaxation(answer: Planned, field: str) -> Relaxation:
    (found,) = [one for one in answer.relaxations if one.field == field]
    return found


def plan_on(answer: Planned, accelerator: str) -> Plan:
    (found,) = [one for one in answer.plans if one.record.id == accelerator]
    return found


@pytest.mark.parametrize("name", [R1, V3])
def test_four_nodes_serve_450_000_short_requests_of_the_671_b_model(name: str) -> None:
    best = plan(ask(name, traffic=DAY, owned=FOUR_NODES, ttft=None, tpot=None)).best
    assert best is not None
    assert best.gpus_per_replica == 16  # its 8-bit weights exceed the eight cards of one node
    assert best.gpus <= 32
    assert best.service.tpot > 0.04  # an A100 multiplies no 8-bit floats: readable, not quick


def test_a_model_of_8_b_needs_a_fraction_of_one_node() -> None:
    best = plan(ask(LLAMA, traffic=DAY, owned=FOUR_NODES, ttft=2.0, tpot=0.1)).best
    assert best is not None
    assert best.gpus <= 4


@pytest.mark.parametrize(("name", "least"), [(R1, 160), (LLAMA, 33)])
def test_long_chains_of_thought_outgrow_four_nodes(name: str, least: int) -> None:
    answer = plan(ask(name, traffic=REASONING, owned=FOUR_NODES, ttft=None, tpot=None))
    assert not answer.plans
    assert relaxation(answer, "owned").needed >= least
    assert 0.05 < relaxation(answer, "requests_per_second").needed < DAY.rate
    (reason,) = [one.reason for one in answer.rejections if one.record.id == A100]
    assert "at hand: 32" in str(reason)


def test_four_cards_do_not_serve_1_200_requests_a_second_and_the_answer_says_how_many_would() -> None:
    answer = plan(ask(QWEN_7B, traffic=BUSY, owned={A100: 4}, ttft=0.3, tpot=None))
    assert not answer.plans
    assert relaxation(answer, "owned").given == 4
    assert 60 <= relaxation(answer, "owned").needed <= 600
    assert 5 <= relaxation(answer, "requests_per_second").needed <= 60
    enough = int(relaxation(answer, "owned").needed)
    assert plan(ask(QWEN_7B, traffic=BUSY, owned={A100: enough}, ttft=0.3, tpot=None)).plans


def test_whole_answers_of_400_tokens_within_300_ms_are_beyond_any_number_of_cards() -> None:
    answer = plan(ask(QWEN_7B, traffic=BUSY, owned={A100: 4}, ttft=None, tpot=None, request=0.3))
    assert not answer.plans
    assert {one.field for one in answer.relaxations} == {"all"}
    (reason,) = [one for one in answer.rejections if one.record.id == A100]
    assert reason.stage == "latency"
    assert "over 300 ms" in str(reason.reason)


def test_t4_has_no_bf16_and_serves_in_16_or_8_bits_of_other_kinds() -> None:
    refused = plan(ask(QWEN_7B, traffic=DAY, accelerators=(T4,), weights=("bf16",)))
    assert "No bf16" in str(next(one.reason for one in refused.rejections if one.record.id == T4))
    for weights in ("fp16", "int8", "awq-int4"):
        served = plan(ask(QWEN_7B, traffic=DAY, accelerators=(T4,), weights=(weights,), ttft=5.0, tpot=0.2))
        assert served.plans, weights


def test_tokens_of_many_t4_cost_more_than_those_of_a_few_a100_at_dated_prices() -> None:
    question = ask(QWEN_7B, traffic=DAY, accelerators=(T4, A100), weights=("fp16",), ttft=3.0, tpot=0.1)
    small, large = (plan_on(plan(question), id_) for id_ in (T4, A100))
    assert small.gpus >= 3 * large.gpus
    assert small.usd_per_million_tokens is not None
    assert large.usd_per_million_tokens is not None
    assert small.usd_per_million_tokens > 1.5 * large.usd_per_million_tokens
    assert small.price is not None
    assert large.price is not None
    assert small.price.as_of is not None  # the comparison has a day
    assert small.price.usd_per_gpu_hour > large.price.usd_per_gpu_hour / 5  # and no fifth of the price


def test_at_a_fifth_of_the_price_t4_take_several_times_the_cards_and_save_little_or_nothing() -> None:
    question = ask(
        QWEN_7B,
        traffic=DAY.scaled(20),
        accelerators=(T4, A100),
        weights=("fp16",),
        ttft=3.0,
        tpot=0.1,
        stated={A100: 1.0, T4: 0.2},
    )
    small, large = (plan_on(plan(question), id_) for id_ in (T4, A100))
    assert small.gpus > 4 * large.gpus
    assert (small.usd_per_hour or 0) > 0.8 * (large.usd_per_hour or 0)
    assert small.service.ttft[0.99] > large.service.ttft[0.99]
    assert small.service.tpot > 2 * large.service.tpot


@pytest.mark.parametrize(
    ("weights", "stage", "words"),
    [(("checkpoint",), "format", "compute capability"), (("awq-int4",), "memory", "GiB on each")],
)
def test_t4_is_refused_for_the_671_b_model_with_the_reason(
    weights: tuple[str, ...], stage: str, words: str
) -> None:
    answer = plan(ask(R1, traffic=DAY, accelerators=(T4,), weights=weights))
    (found,) = [one for one in answer.rejections if one.record.id == T4]
    assert found.stage == stage
    assert words in str(found.reason)
