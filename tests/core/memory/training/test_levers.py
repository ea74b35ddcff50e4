"""What makes a run fit: levers alone, their cheapest combination, and how far a setting goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.memory.training import TrainingRun, size_training
from core.memory.training.fitting import (
    cheapest,
    enough_gpus,
    largest_micro_batch,
    longest_sequence,
    surely,
)
from core.memory.training.levers import alone, levers
from core.text import LANGUAGES

Train = Callable[..., TrainingRun]


def test_every_lever_alone_is_sized_and_said_in_both_languages(train: Train) -> None:
    run = train(gpu="h100-sxm-80", dp=8, micro_batch=8, flash_attention=False, method="full")
    found = alone(run)
    names = {lever.name for lever in levers(run)}
    assert {pulled.lever.name for pulled in found} <= names
    assert names >= {
        "micro_batch", "sequence", "checkpointing_selective", "checkpointing_full", "state_8bit", "state_bf16",
        "zero_1", "zero_2", "zero_3", "offload_optimizer", "offload_all", "tp", "lora", "qlora",
        "loss_chunked", "loss_fused", "fused_attention", "more_gpus",
    }  # fmt: skip
    assert [pulled.saved for pulled in found] == sorted((pulled.saved for pulled in found), reverse=True)
    for lever in levers(run):
        assert all(lever.sentence.render(language) for language in LANGUAGES)


def test_full_checkpointing_costs_a_third(train: Train) -> None:
    found = {pulled.lever.name: pulled for pulled in alone(train(gpu="h100-sxm-80", micro_batch=4))}
    assert found["checkpointing_full"].time == pytest.approx(4 / 3, rel=0.02)
    assert found["micro_batch"].time == pytest.approx(1, rel=0.02)
    assert found["offload_optimizer"].time > 1.1


def test_a_lever_that_is_pulled_already_is_not_offered(train: Train) -> None:
    run = train(dp=8, zero=3, checkpointing="full", offload="all", loss="fused", method="qlora")
    names = {lever.name for lever in levers(run)}
    assert not names & {"zero_3", "checkpointing_full", "offload_all", "loss_fused", "qlora", "lora"}


def test_the_cheapest_combination_fits_and_trains_the_same(train: Train) -> None:
    run = train(gpu="h100-sxm-80", dp=8, micro_batch=4)
    assert size_training(run).fits is False
    found = cheapest(run)
    assert found is not None
    assert found.memory.fits
    assert found.run.method == run.method
    assert found.run.sequence == run.sequence
    assert found.run.layout.gpus == run.layout.gpus
    assert found.run.effective_batch == run.effective_batch
    fits = [pulled.time for pulled in alone(run) if pulled.fits and pulled.lever.keeps_training]
    assert found.time <= min(fits, default=found.time) * 1.001
    assert "offload" not in found.changed


@pytest.mark.parametrize("gpus", [4, 8, 16])
def test_what_is_advised_fits_at_the_upper_end_of_its_band_where_anything_does(
    train: Train, gpus: int
) -> None:
    """No slower run that fits for sure is passed over for a quicker one that fits perhaps."""
    run = train(gpu="h100-sxm-80", dp=gpus, micro_batch=16, sequence=8192)
    found = cheapest(run)
    assert found is not None
    safest = replace(found.run, micro_batch=1, accumulation=16, checkpointing="full")
    assert surely(found.memory) or not surely(size_training(safest))


def test_offload_is_the_last_resort(train: Train) -> None:
    found = cheapest(train("meta-llama/Llama-3.1-8B-Instruct", gpu="rtx-4090", sequence=1024))
    assert found is not None
    assert "offload" in found.changed
    assert found.time > 1.5


def test_what_fits_already_is_left_alone(train: Train) -> None:
    run = train("Qwen/Qwen2.5-0.5B-Instruct", gpu="h100-sxm-80", sequence=512)
    found = cheapest(run)
    assert found is not None
    assert found.changed == ()
    assert found.time == pytest.approx(1)


def test_what_cannot_fit_says_what_would_hold_it(train: Train) -> None:
    run = train("deepseek-ai/DeepSeek-V3", gpu="h200-sxm-141", dp=8)
    assert cheapest(run) is None
    found = enough_gpus(run)
    assert found is not None
    assert found.memory.fits
    assert 32 <= found.run.layout.gpus <= 256
    assert cheapest(train("deepseek-ai/DeepSeek-V3", dp=8)) is None  # without a device nothing is said


def test_the_largest_batch_fits_and_one_more_does_not(train: Train) -> None:
    run = train(gpu="h100-sxm-80", method="qlora", checkpointing="full", sequence=2048)
    most = largest_micro_batch(run)
    assert most > 1
    assert size_training(replace(run, micro_batch=most)).fits
    assert not size_training(replace(run, micro_batch=most + 1)).fits
    longest = longest_sequence(run)
    assert longest > 2048
    assert size_training(replace(run, sequence=longest)).fits
    assert (
        longest + 256 > (run.model.max_context or 0)
        or not size_training(replace(run, sequence=longest + 256)).fits
    )


def test_where_nothing_fits_the_largest_is_none(train: Train) -> None:
    run = train("meta-llama/Llama-3.1-70B-Instruct", gpu="rtx-4090")
    assert largest_micro_batch(run) == 0
    assert longest_sequence(run) == 0
