"""What guides claim about the memory of training, checked."""

from __future__ import annotations

import pytest

from core.api.training_claims import Checked, checked_claims
from core.planning.training_start import START, guide_advice, learning_rate
from core.text import LANGUAGES


def claim(name: str) -> Checked:
    return next(one for one in checked_claims() if one.claim.id == name)


def test_two_billion_parameters_take_sixteen_bytes_each_and_not_two_hundred_gigabytes() -> None:
    found = claim("two_billion")
    assert found.value * 2**30 == pytest.approx(16 * found.run.model.parameters, rel=0.01)
    assert not found.holds


@pytest.mark.parametrize("name", ["seven", "thirteen", "thirty"])
def test_training_takes_eight_times_the_weights(name: str) -> None:
    found = claim(name)
    assert found.value > 7 * found.claim.claimed.high
    assert not found.holds


def test_checkpointing_saves_more_and_costs_more_than_claimed() -> None:
    found = claim("checkpointing")
    assert found.value > 0.38
    assert found.time > 1.2


def test_lora_saves_what_is_claimed_against_full_training() -> None:
    assert claim("lora").holds
    assert claim("lora").value == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(("name", "most"), [("v100", 32), ("a100", 256)])
def test_batches_of_the_guides_do_not_fit(name: str, most: int) -> None:
    assert 0 < claim(name).value < most
    assert not claim(name).holds


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_claim_and_advice_is_said_with_its_guide(language: str) -> None:
    for one in checked_claims():
        assert one.claim.says.render(language)
        assert one.right.render(language)
        assert one.shown.render(language)
        assert one.claim.by.title
    for advice in guide_advice():
        assert advice.says.render(language)
        assert advice.by.title


def test_values_to_start_with_are_in_the_ranges_of_the_guides() -> None:
    assert START["clip"] == 1.0
    assert 0.05 <= START["warmup"] <= 0.10
    assert 1e-5 <= learning_rate("full") <= 5e-5
    assert 3e-5 <= learning_rate("lora") == learning_rate("qlora") <= 1e-4
