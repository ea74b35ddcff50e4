"""What is advised makes a run fit, says all that it changes, and prices it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.api.requests import parse_as
from core.api.training_request import TrainRequest, training_of
from core.memory.training import TrainingRun, size_training
from core.planning.training_advice import Advice, advised, every_lever, limits, price_words
from core.planning.training_parts import parts, parts_at_peak, peak_words, state_of, verdict_words
from core.quantities import GIB
from core.text import LANGUAGES

FULL = {
    "model": "Qwen/Qwen3-14B", "gpu": "h100-sxm-80", "gpus": 8, "method": "full", "framework": "hf",
    "sequence": 4096, "micro_batch": 4, "grad_accumulation": 8,
}  # fmt: skip


def run_of(**more: Any) -> TrainingRun:
    return training_of(parse_as(TrainRequest, FULL | more))


def test_the_cheapest_combination_fits_and_says_what_it_changes() -> None:
    found = advised(run_of())
    assert found.best is not None
    assert found.best.memory.fits
    assert found.best.changes
    assert found.wider is None


def test_every_single_lever_that_is_offered_is_enough() -> None:
    found = advised(run_of(checkpointing="full", micro_batch=1))
    assert found.single
    assert all(one.memory.fits for one in found.single)
    assert len({one.changes[0].key for one in found.single}) == len(found.single)


def test_where_nothing_fits_more_gpus_are_advised() -> None:
    found = advised(run_of(model="deepseek-ai/DeepSeek-V3", gpu="h200-sxm", zero=3, checkpointing="full"))
    assert found.best is None
    assert found.wider is not None
    assert found.wider.memory.fits
    assert found.wider.run.layout.gpus > 8


def test_levers_are_ordered_by_what_they_save() -> None:
    saved = [one.saved for one in every_lever(run_of())]
    assert saved == sorted(saved, reverse=True)


def test_limits_are_the_last_that_fit() -> None:
    run = run_of(zero=3, checkpointing="full")
    most = limits(run)
    assert size_training(replace(run, micro_batch=most.micro_batch)).fits
    assert not size_training(replace(run, micro_batch=most.micro_batch + 1)).fits


@pytest.mark.parametrize(
    ("time", "gpu_hours", "said"),
    [
        (1.0, 1.0, "as fast"),
        (1.334, 1.334, "33 % longer"),
        (0.75, 0.75, "25 % shorter"),
        (0.5, 1.06, "50 % shorter, +6 % GPU-hours"),
    ],
)
def test_the_price_in_words(time: float, gpu_hours: float, said: str) -> None:
    run = run_of()
    assert str(price_words(Advice(run, size_training(run), (), 0.0, time, gpu_hours))) == said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"zero": 3, "offload": "all"},
        {"method": "qlora", "gpus": 1},
        {"pp": 2, "tp": 2},
        {"checkpointing": "full"},
    ],
    ids=str,
)
def test_parts_add_up_to_the_process_and_each_has_a_formula(more: dict[str, Any], language: str) -> None:
    memory = size_training(run_of(**more))
    assert sum(parts_at_peak(memory).values()) == pytest.approx(memory.process)
    assert all(part.formula.render(language) for part in parts(memory))
    assert state_of(memory) in {"fits", "tight", "doubtful", "refuses"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "more", [{}, {"zero": 2, "checkpointing": "full", "micro_batch": 1}, {"gpu": None}], ids=str
)
def test_the_banner_has_no_more_digits_than_the_band(more: dict[str, Any], language: str) -> None:
    memory = size_training(run_of(**more))
    said = verdict_words(memory).render(language)
    assert f"{memory.process / GIB:.1f}" not in said
    assert peak_words(memory).render(language)
