"""Accelerators that a question leaves out before anything is computed."""

from __future__ import annotations

import pytest

from core.catalog import accelerators
from core.cost.prices import prices_of
from core.planning.filters import filtered
from core.planning.question import Question
from tests.questions import ask

H100 = "h100-sxm-80"


def kept(question: Question) -> set[str]:
    """Return what is kept, after a check that nothing is lost."""
    ids, rejected = filtered(question)
    assert sorted([*ids, *(one.record.id for one in rejected)]) == sorted(accelerators())
    return set(ids)


def reason(question: Question, accelerator: str) -> tuple[str, str]:
    (found,) = [one for one in filtered(question)[1] if one.record.id == accelerator]
    return found.stage, str(found.reason)


def test_without_limits_only_those_of_unknown_speed_are_left_out() -> None:
    out = accelerators().keys() - kept(ask())
    assert all(
        reason(ask(), id_) == ("filter", "Nobody published how fast it multiplies matrices.") for id_ in out
    )


def test_names_makers_and_what_is_at_hand() -> None:
    assert kept(ask(accelerators=(H100, "t4"))) == {H100, "t4"}
    assert {accelerators()[id_].vendor for id_ in kept(ask(vendors=("AMD",)))} == {"AMD"}
    assert kept(ask(owned={H100: 8, "t4": 0})) == {H100}
    assert reason(ask(accelerators=("t4",)), H100) == ("filter", "It is not among the GPUs that were chosen.")
    assert reason(ask(vendors=("AMD", "Intel")), H100) == (
        "filter",
        "Its maker is NVIDIA; asked for: AMD, Intel.",
    )
    assert reason(ask(owned={"t4": 1}), H100) == ("filter", "It is not among the GPUs at hand.")


def test_a_place_keeps_what_is_offered_there() -> None:
    ids = kept(ask(clouds=("aws",), regions=("us-east-1",)))
    assert ids == {id_ for id_ in accelerators() if prices_of(id_, clouds=("aws",), regions=("us-east-1",))}
    assert reason(ask(clouds=("lambda",)), "t4") == ("price", "It is offered, but not in cloud lambda.")
    nowhere = ask(clouds=("aws",), regions=("nowhere",))
    assert reason(nowhere, H100) == ("price", "It is offered, but not in cloud aws, region nowhere.")
    assert reason(ask(regions=("x", "y")), H100) == ("price", "It is offered, but not in region x/y.")
    assert reason(ask(clouds=("lambda",)), "rtx-3090")[0] == "price"


@pytest.mark.parametrize("more", [{"budget": 1000.0}, {"clouds": ("aws",)}])
def test_a_price_is_needed_for_a_budget_and_a_place(more: dict[str, object]) -> None:
    assert "rtx-3090" in kept(ask())
    assert "rtx-3090" not in kept(ask(**more))
    assert "rtx-3090" in kept(ask(**more, stated={"rtx-3090": 0.2}))
    assert "state one" in reason(ask(**more), "rtx-3090")[1]


def test_a_kind_of_price_that_is_not_published_is_no_price() -> None:
    question = ask(kind="spot", clouds=("gcp",))
    assert reason(question, H100)[0] == "price"
