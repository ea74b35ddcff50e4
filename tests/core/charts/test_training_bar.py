"""The bar and the phases of a training run show the memory that is computed, in both languages."""

from __future__ import annotations

import pytest

from core.api.requests import parse_as
from core.api.training_request import TrainRequest, training_of
from core.charts.training_bar import (
    COLORS,
    training_bar,
    training_bar_alt,
    training_phases,
    training_phases_alt,
)
from core.memory.training import TrainingMemory, size_training
from core.quantities import GIB
from core.text import LANGUAGES


def memory_of(**more: object) -> TrainingMemory:
    request = {"model": "Qwen/Qwen3-14B", "gpu": "h100-sxm-80", "framework": "hf", "checkpointing": "full"}
    return size_training(training_of(parse_as(TrainRequest, request | more)))


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_the_bar_stacks_the_process_and_what_is_left(method: str) -> None:
    memory = memory_of(method=method)
    bars = [trace for trace in training_bar(memory)["data"] if trace["type"] == "bar"]
    usable = memory.run.device.usable if memory.run.device else 0.0
    assert sum(trace["x"][0] for trace in bars) * GIB == pytest.approx(max(memory.process, usable))


def test_the_highest_phase_is_the_process() -> None:
    memory = memory_of(method="full", gpus=8, zero=3)
    figure = training_phases(memory)
    whole = [sum(sizes) for sizes in zip(*(trace["x"] for trace in figure["data"]), strict=True)]
    assert max(whole) * GIB == pytest.approx(memory.process)
    assert figure["layout"]["shapes"][0]["x0"] == pytest.approx(79.1, abs=0.05)


def test_without_a_device_there_is_no_limit() -> None:
    memory = memory_of(gpu=None)
    assert training_bar(memory)["layout"]["shapes"] == []
    assert training_phases(memory)["layout"]["shapes"] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_figures_are_told_in_a_sentence(language: str) -> None:
    memory = memory_of(method="lora")
    assert "28 GiB" in training_bar_alt(memory, language)
    assert training_phases_alt(memory, language).count("GiB") == 5


def test_every_part_has_a_colour_of_the_palette() -> None:
    assert all(color.startswith("token:") for color in COLORS.values())
    assert {trace["marker"]["color"] for trace in training_phases(memory_of())["data"]} <= set(
        COLORS.values()
    )
