"""Why accelerators have no plan: one reason for each, that names the limit it meets."""

from __future__ import annotations

import re
from functools import cache

import pytest

from core.catalog import accelerators
from core.errors import BadRequest
from core.planning.question import Question
from core.planning.rejections import STAGES
from core.planning.result import Planned, Rejection
from core.planning.search import plan
from core.traffic import fixed
from tests.questions import CHAT, DEEPSEEK, GEMMA, GPT_OSS, LLAMA, LLAMA_70B, ask

QUESTIONS = {
    "plain": ask(),
    "large": ask(DEEPSEEK),
    "two models": ask(LLAMA, DEEPSEEK),
    "hybrids": ask(GEMMA, GPT_OSS, weights=("checkpoint", "awq-int4"), engines=("vllm",)),
    "owned": ask(DEEPSEEK, owned={"a100-sxm-80": 32}),
    "owned few": ask(owned={"t4": 3, "h100-sxm-80": 1}),
    "makers": ask(vendors=("AMD", "Intel")),
    "place": ask(clouds=("aws",), regions=("us-east-1",)),
    "no place": ask(clouds=("aws",), regions=("nowhere",)),
    "spot": ask(kind="spot", clouds=("aws",)),
    "budget": ask(LLAMA_70B, budget=5000.0),
    "count": ask(LLAMA_70B, gpus=2),
    "chosen": ask(accelerators=("t4", "l4")),
    "degree": ask(tensor_parallel=(8,), gpus_per_replica=4),
    "first token": ask(ttft=0.001),
    "long": ask(context=131_072, engines=("tensorrt-llm",)),
}


@cache
def answer_to(name: str) -> Planned:
    return plan(QUESTIONS[name])


def rejection(question: Question, accelerator: str) -> Rejection:
    (found,) = [one for one in plan(question).rejections if one.record.id == accelerator]
    return found


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_accelerator_has_a_plan_or_one_reason(name: str) -> None:
    answer = answer_to(name)
    planned = {one.record.id for one in answer.plans}
    rejected = [one.record.id for one in answer.rejections]
    assert sorted([*planned, *rejected]) == sorted(accelerators())
    assert rejected == [id_ for id_ in accelerators() if id_ in set(rejected)]
    assert {one.stage for one in answer.rejections} <= set(STAGES)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_every_reason_is_a_whole_sentence(name: str, language: str) -> None:
    answer = answer_to(name)
    for sentence in [*(one.reason for one in answer.rejections), *answer.notes]:
        text = sentence.render(language)
        assert text
        assert not re.search(r"[{}]|\bnan\b|\binf\b|None", text), text
        assert text[-1] in ".。", text
        assert not text.removeprefix("vLLM")[0].islower(), text
        assert not re.search(r"\b1 [a-zA-Z]+s\b(?<!1 ms)", text), text


def test_a_card_without_bf16_says_so() -> None:
    found = rejection(ask(weights=("bf16",)), "t4")
    assert found.stage == "format"
    assert "No bf16 below compute capability 8.0 (this card has 7.5)" in str(found.reason)


def test_an_engine_that_does_not_run_there_says_so() -> None:
    found = rejection(ask(), "m3-ultra")
    assert (found.stage, str(found.reason)) == ("engine", "vLLM does not run on Apple devices.")


def test_a_device_without_units_for_the_format_says_which() -> None:
    found = rejection(ask(weights=("fp8",), engines=("vllm",)), "mi250x")
    assert found.stage == "format"
    assert "fp8" in str(found.reason)


def test_degrees_that_do_not_divide_the_heads_are_refused_with_those_that_do() -> None:
    with pytest.raises(BadRequest) as refused:
        plan(ask(LLAMA_70B, tensor_parallel=(6,)))
    assert refused.value.field == "tp"
    message = str(refused.value.sentence)
    assert "64 attention heads do not divide by tp 6" in message
    assert message.endswith("1, 2, 4, 8, 16, 32, 64.")


@pytest.mark.parametrize(
    ("field", "limit", "words"),
    [
        ("ttft", 0.001, r"P99 of the first token is at best [\d,.]+ ms, over 1 ms"),
        ("tpot", 0.0001, r"A token takes at best [\d,.]+ ms, over 0\.1 ms"),
        ("request", 0.01, r"A request takes at best [\d,.]+ m?s, over 10 ms"),
    ],
)
def test_a_target_that_is_too_tight_has_both_numbers(field: str, limit: float, words: str) -> None:
    found = rejection(ask(**{field: limit}, accelerators=("h100-sxm-80",)), "h100-sxm-80")
    assert found.stage == "latency"
    assert re.search(words, str(found.reason)), str(found.reason)


def test_of_several_targets_the_one_that_is_missed_most_is_named() -> None:
    for ttft, tpot, words in ((0.0001, 0.002, "first token"), (0.02, 0.00001, "A token")):
        question = ask(ttft=ttft, tpot=tpot, accelerators=("h100-sxm-80",))
        assert words in str(rejection(question, "h100-sxm-80").reason)


def test_a_model_that_is_too_large_says_what_it_takes_and_what_would_hold_it() -> None:
    found = rejection(ask(DEEPSEEK), "a100-sxm-40")
    assert found.stage == "memory"
    text = str(found.reason)
    assert re.search(r"weights take 4\d\.\d GiB on each GPU \(GPUs of the replica: 16\)", text), text
    assert "39.5 GiB" in text
    assert "Replicas of 32 GPUs would hold it." in text


def test_a_request_that_is_too_long_says_how_much_of_it_is_held() -> None:
    question = ask(context=131_072, weights=("bf16",), tensor_parallel=(1,), gpus_per_replica=1)
    found = rejection(question, "rtx-4090")
    assert found.stage == "memory"
    assert re.search(r"holds 0\.\d\d of one request of 131,072 tokens", str(found.reason))


def test_devices_that_cannot_be_linked_say_so() -> None:
    found = rejection(ask(LLAMA_70B, tensor_parallel=(2,)), "jetson-thor")
    assert found.stage == "layout"
    assert "cannot be linked" in str(found.reason)


def test_replicas_that_are_too_large_name_the_smallest() -> None:
    (found,) = [one for one in answer_to("degree").rejections if one.record.id == "h100-sxm-80"]
    assert (found.stage, str(found.reason)) == ("layout", "GPUs of the smallest replica: 8; allowed: 4.")


def test_too_few_owned_gpus_name_both_numbers() -> None:
    found = rejection(QUESTIONS["owned"], "a100-sxm-80")
    assert found.stage == "count"
    assert re.fullmatch(r"GPUs needed: \d+ \(\d+ × [TPDE\d ]+\); at hand: 32\.", str(found.reason))


def test_too_few_allowed_gpus_name_both_numbers() -> None:
    found = rejection(ask(LLAMA_70B, gpus=2, ttft=None, accelerators=("l40s",)), "l40s")
    assert found.stage == "count"
    assert re.fullmatch(r"GPUs needed: \d+ \(\d+ × [TP\d ]+\); allowed: 2\.", str(found.reason))


def test_a_budget_that_is_too_small_names_both_amounts() -> None:
    found = rejection(ask(budget=500.0, accelerators=("h100-sxm-80",)), "h100-sxm-80")
    assert found.stage == "budget"
    assert re.fullmatch(
        r"The cost of \d+ × TP1 is \$[\d,]+ a month, over the budget of \$500\.", str(found.reason)
    )


def test_a_replica_that_no_instance_holds_says_so() -> None:
    question = ask(LLAMA_70B, accelerators=("h100-nvl",), tensor_parallel=(8,), budget=1e6)
    found = rejection(question, "h100-nvl")  # offered one at a time
    assert (found.stage, str(found.reason)) == ("price", "No offer has enough GPUs in one machine for TP8.")


def test_of_several_models_the_one_that_comes_furthest_speaks() -> None:
    question = ask(LLAMA, DEEPSEEK, ttft=0.001, accelerators=("l4",))
    assert rejection(question, "l4").stage == "latency"
    assert rejection(ask(DEEPSEEK, accelerators=("l4",)), "l4").stage == "memory"


def test_a_share_of_the_requests_is_told_as_asked() -> None:
    assert "P50 of the first token" in str(
        rejection(ask(ttft=0.001, share=0.5, accelerators=("h100-sxm-80",)), "h100-sxm-80").reason
    )


def test_requests_longer_than_the_model_reads_are_refused() -> None:
    traffic = CHAT.__class__(1.0, fixed(200_000), fixed(100))
    with pytest.raises(BadRequest, match=r"longer than 131,?072"):
        plan(ask(LLAMA, traffic=traffic))
