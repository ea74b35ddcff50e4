"""The search as a whole: its plans are true, and no better question has a worse answer."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalog import accelerators
from core.cost.prices import hourly_cost, prices_of
from core.errors import BadRequest
from core.memory.serving import size_serving
from core.planning.prospects import context_of, prospects_of, resident_tokens
from core.planning.question import OBJECTIVES, Choices, Question
from core.planning.result import Plan, Planned
from core.planning.search import plan, plans_for
from core.planning.service import FULLEST
from core.speed.constants import constants_of
from core.speed.device import device_rates, matrix_rates
from core.speed.profile import profile_of
from core.speed.queueing import Latency, open_loop
from core.speed.serving import Load
from core.traffic import Traffic, fixed, from_values, lognormal
from tests.questions import CHAT, DEEPSEEK, GEMMA, GPT_OSS, LLAMA, LLAMA_70B, ask, model

FEW = ("h100-sxm-80", "a100-sxm-80", "l4", "mi300x", "rtx-4090")

QUESTIONS = {
    "chat": ask(),
    "large": ask(DEEPSEEK),
    "hybrids": ask(GEMMA, GPT_OSS, accelerators=FEW),
    "busy and tight": ask(LLAMA_70B, ttft=0.3, tpot=0.02, headroom=0.0, traffic=CHAT.scaled(50)),
    "formats": ask(
        ttft=None, tpot=None, request=6.0, share=0.95, kv=(None, "fp8"), weights=("awq-int4",), spare=1
    ),
    "very busy": ask(traffic=CHAT.scaled(2000), accelerators=FEW),
    "idle": ask(DEEPSEEK, traffic=CHAT.scaled(0.001), ttft=None),
    "cached": ask(traffic=replace(CHAT, prefix_hits=0.6), accelerators=FEW),
    "budget": ask(LLAMA_70B, budget=20_000.0, clouds=("aws", "lambda")),
    "count": ask(LLAMA_70B, gpus=8, gpus_per_replica=4),
    "owned": ask(DEEPSEEK, owned={"a100-sxm-80": 64, "h200-sxm": 16}, stated={"h200-sxm": 1.5}),
}


@cache
def answer_to(name: str) -> Planned:
    return plan(QUESTIONS[name])


def sampled(answer: Planned, most: int = 25) -> list[Plan]:
    """Return plans from all of the ranking."""
    return list(answer.alternatives[:: max(1, len(answer.alternatives) // most)])


def alone(one: Plan, question: Question, replicas: int) -> Latency:
    """Return how so many *replicas* of a plan serve the busiest hour, from its deployment and record only."""
    deployment, traffic = one.deployment, question.traffic
    return open_loop(
        profile_of(deployment.model, deployment.weights, deployment.kv, deployment.layout),
        device_rates(one.record, matrix_rates(one.record.peak_flops)),
        constants_of(deployment.engine.name, None, one.record.id),
        Load(1.0, 1.0, 1.0, chunk=float(deployment.batched_tokens), cached=traffic.prefix_hits),
        traffic,
        slots=one.service.slots,
        arrival=traffic.peak_rate / replicas,
        quantiles=(question.targets.share,),
    )


def keeps(found: Latency, question: Question) -> bool:
    targets, limits = question.targets, question.limits
    times = (found.ttft[targets.share], found.per_token, found.request)
    return bool(
        found.stable
        and found.utilisation <= min(1 - limits.headroom, FULLEST) * (1 + 1e-6)
        and all(
            limit is None or time <= limit * (1 + 1e-6)
            for time, limit in zip(times, (targets.ttft, targets.tpot, targets.request), strict=True)
        )
    )


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_plan_keeps_what_was_asked_and_one_replica_fewer_would_not(name: str) -> None:
    question = QUESTIONS[name]
    plans = sampled(answer_to(name))
    assert plans
    for one in plans:
        found = alone(one, question, one.replicas)
        assert keeps(found, question), one.id
        assert one.replicas == 1 or not keeps(alone(one, question, one.replicas - 1), question), one.id
        service = one.service
        assert service.ttft[question.targets.share] == pytest.approx(
            float(found.ttft[question.targets.share])
        )
        assert service.tpot == pytest.approx(float(found.per_token))
        assert service.request == pytest.approx(float(found.request))
        assert service.concurrency == pytest.approx(float(found.concurrency), rel=1e-6)
        assert service.stable == pytest.approx(float(found.saturation) * one.replicas)
        assert service.utilisation == pytest.approx(float(found.utilisation))


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_plan_fits(name: str) -> None:
    for one in sampled(answer_to(name)):
        memory = size_serving(one.deployment)
        assert memory.fits, one.id
        assert one.service.concurrency <= one.service.slots
        assert memory.mean_requests >= one.service.concurrency * 0.999
        assert one.service.slots <= one.deployment.sequences * one.deployment.layout.dp


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_plan_costs_its_instances(name: str) -> None:
    limits = QUESTIONS[name].limits
    for one in sampled(answer_to(name)):
        count = one.replicas + one.spare
        assert one.gpus == count * one.gpus_per_replica
        assert one.spare == limits.spare
        if one.price is None:
            assert one.usd_per_hour is one.usd_per_month is one.usd_per_million_tokens is None
            continue
        layout = one.deployment.layout
        possible = [hourly_cost(one.price, layout.gpus, group, count) for group in (layout.tp, layout.gpus)]
        assert any(cost == pytest.approx(one.usd_per_hour) for cost in possible if cost), one.id
        if one.instances is not None:
            paid = one.instances * one.price.gpus * one.price.usd_per_gpu_hour
            assert paid == pytest.approx(one.usd_per_hour)
        if limits.clouds:
            assert one.price.cloud in limits.clouds
        assert limits.budget is None or (one.usd_per_month or math.inf) <= limits.budget


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_plan_stays_within_the_limits(name: str) -> None:
    limits = QUESTIONS[name].limits
    for one in answer_to(name).alternatives:
        assert one.gpus_per_replica <= limits.gpus_per_replica
        assert limits.gpus is None or one.gpus <= limits.gpus
        assert not limits.owned or one.gpus <= limits.owned[one.record.id]
        assert limits.accelerators is None or one.record.id in limits.accelerators


@pytest.mark.parametrize("name", QUESTIONS)
def test_plans_are_the_best_of_the_alternatives(name: str) -> None:
    answer = answer_to(name)
    keys = [(one.deployment.model.name, one.record.id) for one in answer.plans]
    assert len(set(keys)) == len(keys)
    assert set(keys) == {(one.deployment.model.name, one.record.id) for one in answer.alternatives}
    costs = [one.usd_per_hour for one in answer.plans]
    assert costs == sorted(costs, key=lambda usd: math.inf if usd is None else usd)
    assert answer.best == answer.alternatives[0]
    assert set(map(id, answer.front)) <= set(map(id, answer.alternatives))
    assert answer.deployments > len(answer.alternatives)


def test_what_is_asked_twice_is_answered_alike() -> None:
    first, second = plan(QUESTIONS["hybrids"]), plan(QUESTIONS["hybrids"])
    assert [(one.id, one.replicas, one.usd_per_hour) for one in first.alternatives] == [
        (one.id, one.replicas, one.usd_per_hour) for one in second.alternatives
    ]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_has_its_best_first(objective: str) -> None:
    answer = plan(ask(accelerators=FEW, rank_by=objective))
    share = answer.question.targets.share
    value = {
        "cost": lambda one: math.inf if one.usd_per_hour is None else one.usd_per_hour,
        "latency": lambda one: one.service.ttft[share],
        "throughput": lambda one: -one.tokens_per_s_per_gpu,
        "energy": lambda one: one.kwh_per_million_tokens,
    }[objective]
    values = [value(one) for one in answer.alternatives]
    assert values == sorted(values)


def test_bands_hold_what_they_are_about() -> None:
    for one in answer_to("chat").plans[:20]:
        values = {
            "ttft": one.service.ttft[0.99],
            "tpot": one.service.tpot,
            "request": one.service.request,
            "stable": one.service.stable,
        }
        assert one.service.bands.keys() == values.keys()
        for name, (low, high) in one.service.bands.items():
            assert 0 < low < high
            assert low < values[name] * 1.5
            assert high > values[name] / 1.5


def test_a_month_and_a_million_tokens_follow_from_the_hour() -> None:
    best = answer_to("chat").best
    assert best is not None
    assert best.usd_per_hour is not None
    assert best.usd_per_month == pytest.approx(best.usd_per_hour * 730)
    tokens = CHAT.rate * 3600 * (CHAT.input.mean + CHAT.output.mean)
    assert best.usd_per_million_tokens == pytest.approx(best.usd_per_hour / tokens * 1e6)


def test_one_of_several_models_that_cannot_be_tried_is_told() -> None:
    short = "google/gemma-2-9b-it"  # reads 8,192 tokens
    long = Traffic(0.5, fixed(20_000), fixed(200))
    answer = plan(ask(LLAMA, short, traffic=long, ttft=None, tpot=None, accelerators=FEW))
    assert {one.deployment.model.name for one in answer.plans} == {LLAMA}
    assert any(short in str(note) for note in answer.notes)
    with pytest.raises(BadRequest):
        plan(ask(short, traffic=long))


def test_unpriced_plans_come_last_and_are_told() -> None:
    answer = plan(ask(accelerators=("rtx-4090", "l4")))
    assert [one.record.id for one in answer.plans] == ["l4", "rtx-4090"]
    assert any(note.key == "planning.unpriced" for note in answer.notes)
    stated = plan(ask(accelerators=("rtx-4090", "l4"), stated={"rtx-4090": 0.01}))
    assert stated.plans[0].record.id == "rtx-4090"


def test_the_context_covers_nearly_all_requests() -> None:
    long = context_of(model(LLAMA), CHAT, Choices())
    assert long % 1024 == 0
    assert long >= CHAT.input.quantile(0.999) + CHAT.output.quantile(0.999)
    assert context_of(model(LLAMA), CHAT, Choices(context=5000)) == 5000
    with pytest.raises(BadRequest) as refused:
        context_of(model(LLAMA), CHAT, Choices(context=1_000_000))
    assert refused.value.field == "context"


def test_running_requests_are_longer_than_those_that_arrive() -> None:
    alike = replace(CHAT, output=fixed(400))
    assert resident_tokens(alike, 10**6) == 1200
    varied = replace(CHAT, output=from_values([10.0] * 90 + [3910.0] * 10))  # 400 on average
    assert resident_tokens(varied, 10**6) > 1200
    assert resident_tokens(replace(CHAT, output=from_values([10.0] * 99 + [39_010.0])), 16_384) == 16_384


def test_candidates_run_and_hold_a_request() -> None:
    found = prospects_of(ask(DEEPSEEK), model(DEEPSEEK), FEW)
    assert (found.capacity.longest[found.variant, found.device] >= 1).all()
    assert (found.candidates.slots >= 1).all()
    assert (found.field.refused[found.variant, found.device] < 0).all()


# What follows compares two questions, the second of which is easier.


def best(question: Question) -> tuple[float, float]:
    """Return the least cost and the fewest GPUs of all plans; inf without one."""
    plans = plans_for(question)
    costs = [one.usd_per_hour for one in plans if one.usd_per_hour is not None]
    return min(costs, default=math.inf), min((float(one.gpus) for one in plans), default=math.inf)


questions = st.builds(
    lambda name, rate, prompt, answer, spread, more: ask(
        name,
        traffic=Traffic(
            rate,
            lognormal(prompt, 2.5 * prompt) if spread else fixed(prompt),
            lognormal(answer, 2.5 * answer) if spread else fixed(answer),
            peak=1.5,
        ),
        accelerators=FEW,
        stated={id_: prices_of(id_)[0].usd_per_gpu_hour if prices_of(id_) else 0.4 for id_ in FEW},
        **more,
    ),
    st.sampled_from([LLAMA, LLAMA_70B, DEEPSEEK, GPT_OSS]),
    st.floats(0.1, 300.0),
    st.sampled_from([200, 1000, 4000]),
    st.sampled_from([50, 400, 2000]),
    st.booleans(),
    st.fixed_dictionaries(
        {
            "ttft": st.none() | st.sampled_from([0.3, 1.0, 3.0]),
            "tpot": st.none() | st.sampled_from([0.02, 0.05, 0.1]),
            "headroom": st.sampled_from([0.0, 0.2, 0.4]),
            "spare": st.integers(0, 1),
            "gpus": st.none() | st.just(16),
        }
    ),
)
compared = settings(max_examples=12, deadline=None)


def changed(question: Question, part: str, **fields: Any) -> Question:
    parts: dict[str, Any] = {part: replace(getattr(question, part), **fields)}
    return replace(question, **parts)


def assert_no_worse(easier: Question, harder: Question) -> None:
    (cost, gpus), (most, number) = best(easier), best(harder)
    assert cost <= most * (1 + 1e-9)
    assert gpus <= number


@compared
@given(question=questions, factor=st.floats(1.01, 4.0))
def test_looser_targets_never_make_a_plan_costlier(question: Question, factor: float) -> None:
    targets = {name: getattr(question.targets, name) for name in ("ttft", "tpot")}
    loose = {name: value and value * factor for name, value in targets.items()}
    assert_no_worse(changed(question, "targets", **loose), question)


@compared
@given(question=questions, factor=st.floats(1.01, 10.0))
def test_more_load_never_takes_fewer_gpus(question: Question, factor: float) -> None:
    assert_no_worse(question, replace(question, traffic=question.traffic.scaled(factor)))


@compared
@given(question=questions, more=st.floats(0.01, 0.4))
def test_more_headroom_never_takes_fewer_gpus(question: Question, more: float) -> None:
    assert_no_worse(question, changed(question, "limits", headroom=question.limits.headroom + more))


@compared
@given(question=questions, gpus=st.integers(1, 15), each=st.integers(1, 15))
def test_looser_limits_never_make_a_plan_costlier(question: Question, gpus: int, each: int) -> None:
    tight = changed(question, "limits", gpus=gpus, gpus_per_replica=each)
    assert_no_worse(question, tight)


@compared
@given(
    question=questions,
    factors=st.fixed_dictionaries({id_: st.sampled_from([1.0, 0.9, 0.5]) for id_ in FEW}),
)
def test_cheaper_gpus_never_make_a_plan_costlier(question: Question, factors: dict[str, float]) -> None:
    stated = {id_: usd * factors[id_] for id_, usd in question.pricing.stated.items()}
    assert_no_worse(changed(question, "pricing", stated=stated), question)


@compared
@given(question=questions, factor=st.floats(1.05, 4.0))
def test_more_load_is_never_quicker_on_the_same_replicas(question: Question, factor: float) -> None:
    for one in plans_for(question)[:3]:
        light, heavy = (
            alone(one, question, one.replicas),
            alone(one, replace(question, traffic=question.traffic.scaled(factor)), one.replicas),
        )
        assert heavy.utilisation > light.utilisation
        if heavy.stable:
            assert heavy.per_token >= light.per_token * (1 - 1e-9)
            assert heavy.request >= light.request * (1 - 1e-9)
            assert heavy.ttft[0.99] >= light.ttft[0.99] * 0.97


@compared
@given(question=questions, faster=st.floats(1.0, 4.0))
def test_more_bandwidth_never_takes_more_replicas(question: Question, faster: float) -> None:
    for one in plans_for(question)[:3]:
        quick = one.record.model_copy(update={"mem_bw_gbs": one.record.mem_bw_gbs * faster})
        assert keeps(alone(replace(one, record=quick), question, one.replicas), question)


def test_catalogue_and_questions_go_together() -> None:
    assert set(FEW) <= accelerators().keys()
    assert np.isfinite(best(QUESTIONS["chat"])).all()
