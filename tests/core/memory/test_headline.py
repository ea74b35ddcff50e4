"""The first answers and their bands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.api import deployment_of, parse
from core.memory.bands import band
from core.memory.headline import Estimate, headline, part_estimate, state_of
from core.memory.serving import ServingMemory, size_serving
from core.quantities import GIB

V3 = {"model": "deepseek-ai/DeepSeek-V3", "gpu": "h200-sxm", "tp": 8, "context": 32768}


def memory_of(requests: int = 16, **more: Any) -> ServingMemory:
    request = {name: value for name, value in (V3 | more).items() if value is not None}
    return size_serving(replace(deployment_of(parse(request)), requests=requests))


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, "fits"),
        ({"requests": 64}, "waits"),
        ({"gpu": "h100-sxm-80"}, "refuses"),
        ({"gpu": None}, "unknown"),
    ],
)
def test_states(more: dict[str, Any], state: str) -> None:
    assert state_of(memory_of(**more)) == state


def test_what_is_left_is_negative_exactly_where_requests_wait() -> None:
    assert headline(memory_of(16)).spare.value > 0
    assert headline(memory_of(64)).spare.value < 0


def test_tokens_have_the_band_of_measured_capacities() -> None:
    memory = memory_of()
    tokens = headline(memory).tokens
    assert (tokens.low, tokens.high) == pytest.approx(
        band(memory.deployment, "kv_capacity_tokens", tokens.value)
    )


def test_no_more_digits_than_the_band_supports() -> None:
    assert Estimate(648_736, 583_862, 713_610).shown() == "650,000"
    assert Estimate(648_736, 583_862, 713_610).range() == ("580,000", "710,000")
    assert Estimate(79.553 * GIB, 78.8 * GIB, 80.3 * GIB).shown(GIB) == "79.6"


def test_a_part_without_measurements_is_shown_as_it_is() -> None:
    kv = part_estimate(memory_of(), "kv")
    assert kv.low == kv.value == kv.high


def test_nothing_holds_nothing() -> None:
    first = headline(memory_of(gpu="h100-sxm-80"))
    assert first.tokens.shown() == "0"
    assert first.requests.value == first.largest_context.value == 0
