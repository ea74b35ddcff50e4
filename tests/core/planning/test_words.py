"""Plans in words."""

from __future__ import annotations

import pytest

from core.memory.layout import Layout
from core.planning.words import layout_words, plan_words
from tests.plans import made


def test_a_plan_is_replicas_layout_and_accelerator() -> None:
    assert plan_words(made("h200-sxm", tp=8, replicas=5)) == "5 × TP8 H200 SXM 141GB"
    assert plan_words(made("l4", replicas=3)) == "3 × L4"


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (Layout(), ""),
        (Layout(tp=4, pp=2), "TP4 PP2"),
        (Layout(dp=8, ep=8, attention_dp=True), "DP8 EP8"),
    ],
)
def test_only_what_is_divided_is_named(layout: Layout, words: str) -> None:
    assert layout_words(layout) == words
