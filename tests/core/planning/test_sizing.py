"""How many replicas a candidate needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.catalog import accelerators
from core.planning.prospects import Prospects, prospects_of
from core.planning.question import Question
from core.planning.search import plan
from core.planning.service import curves
from core.planning.sizing import (
    BOUNDS,
    Served,
    Sized,
    keeps,
    refined,
    replicas_for,
    served,
    shortlist,
    worked_out,
)
from tests.questions import CHAT, DEEPSEEK, LLAMA, ask, model

SOME = ("h100-sxm-80", "h200-sxm", "mi300x", "l4", "rtx-4090", "a100-sxm-80")


def prospects(question: Question) -> Prospects:
    return prospects_of(question, question.models[0], SOME)


def sized(question: Question) -> Sized:
    found = prospects(question)
    lines = curves(found.field.stock, found.candidates, question.traffic, question.targets.share)
    return refined(shortlist(found, lines, question, found.gpus <= 16), question)


@pytest.mark.parametrize(
    ("rate", "peak", "replicas"),
    [(2.0, 10.0, 5.0), (3.0, 10.0, 4.0), (20.0, 10.0, 1.0), (0.0, 10.0, np.inf), (1e-9, 1e3, np.inf)],
)
def test_replicas_are_whole_and_at_least_one(rate: float, peak: float, replicas: float) -> None:
    assert replicas_for(np.array([rate]), peak) == [replicas]


@pytest.mark.parametrize("factor", [0.01, 1.0, 1000.0])
@pytest.mark.parametrize("name", [LLAMA, DEEPSEEK])
def test_what_is_worked_out_keeps_everything_with_the_fewest_replicas(name: str, factor: float) -> None:
    question = ask(name, traffic=CHAT.scaled(factor), ttft=1.0, tpot=0.08)
    found = worked_out(sized(question), question)
    assert len(found.sized.row)
    assert keeps(found, question).all()
    several = found.sized.at(np.flatnonzero(found.sized.replicas > 1))
    fewer = served(several.with_replicas(several.replicas - 1), question)
    assert not keeps(fewer, question).any()


def test_a_number_of_replicas_that_curves_misjudge_is_put_right() -> None:
    question = ask(traffic=CHAT.scaled(300))
    right = worked_out(sized(question), question).sized
    for wrong in (np.ceil(right.replicas * 1.04), np.maximum(1, np.floor(right.replicas * 0.9))):
        assert np.array_equal(worked_out(right.with_replicas(wrong), question).sized.replicas, right.replicas)


def test_candidates_that_nothing_helps_are_left_out() -> None:
    question = ask()
    right = sized(question)
    hopeless = replace(question, targets=replace(question.targets, tpot=1e-6))
    assert not len(worked_out(right, hopeless).sized.row)


def test_each_kind_of_replica_is_shortlisted_at_most_twice() -> None:
    found = sized(ask())
    kinds = list(zip(found.device.tolist(), found.gpus_per_replica.tolist(), found.tp.tolist(), strict=True))
    assert len(set(kinds)) > len(SOME)
    assert max(kinds.count(kind) for kind in kinds) <= 2


def test_replicas_that_are_not_allowed_are_not_shortlisted() -> None:
    question = ask()
    found = prospects(question)
    lines = curves(found.field.stock, found.candidates, question.traffic, 0.99)
    assert shortlist(found, lines, question, found.gpus <= 2).gpus_per_replica.max() == 2
    assert not len(shortlist(found, lines, question, found.gpus < 1).row)


def test_targets_that_nothing_keeps_leave_nothing() -> None:
    assert not len(sized(ask(ttft=1e-5)).row)


def test_long_answers_are_bound_by_memory_and_long_prompts_by_compute() -> None:
    few = replace(CHAT, rate=0.05)
    answers = replace(few, input=replace(CHAT.input, mean=20.0), output=replace(CHAT.output, mean=500.0))
    prompts = replace(CHAT, input=replace(CHAT.input, mean=4000.0), output=replace(CHAT.output, mean=2.0))
    for traffic, bound in ((answers, "memory"), (prompts, "compute")):
        question = ask(traffic=traffic, ttft=None, tpot=None)
        h100 = sized(question)
        h100 = h100.at(np.flatnonzero((h100.device == 0) & (h100.gpus_per_replica == 1)))
        found = served(h100, question)
        assert {BOUNDS[place] for place in found.bound} == {bound}
        assert np.allclose(found.shares.sum(axis=0), 1)


def test_the_accelerators_are_those_of_the_catalogue() -> None:
    assert set(SOME) <= accelerators().keys()
    assert prospects(ask()).field.model is model(LLAMA)


def test_numbers_of_replicas_are_tried_together(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(sized: Sized, question: Question) -> Served:
        calls.append(len(sized.row))
        return served(sized, question)

    monkeypatch.setattr("core.planning.sizing.served", counted)
    plan(ask(traffic=CHAT.scaled(1000), ttft=0.3))
    assert len(calls) <= 14  # one after the other, it would be dozens
    assert max(calls) < 1000
