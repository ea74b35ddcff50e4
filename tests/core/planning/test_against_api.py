"""Quotes against an API that is paid by the token."""

from __future__ import annotations

import pytest

from core.planning.against_api import against_api
from tests.quotes import LISTED, compared, without_model


def test_an_api_asks_for_prompts_and_answers_as_the_workload_has_them() -> None:
    found = compared(LISTED, growth=0.0)
    load = found.loads[0]
    assert load is not None
    one = against_api(found, 0, 1.0, 4.0)
    assert one is not None
    asked = (1.0 * load.input_tokens + 4.0 * load.output_tokens) / load.tokens
    assert one.api == pytest.approx(asked)
    assert one.own == pytest.approx(found.tokens(0))
    assert one.saves == pytest.approx((one.api - one.own) * one.tokens / 1e6)


def test_from_the_break_even_on_the_api_costs_more() -> None:
    found = compared(LISTED, growth=0.0)
    one = against_api(found, 0, 10.0, 10.0)
    assert one is not None
    assert one.break_even is not None
    assert one.break_even * 10.0 / 1e6 == pytest.approx(float(found.comparison.rows[0].yearly) / 12)


def test_an_api_below_the_cost_of_busy_gpus_is_never_beaten() -> None:
    one = against_api(compared(LISTED), 0, 1e-4, 1e-4)
    assert one is not None
    assert one.break_even is None
    assert one.saves < 0


def test_a_quote_that_cannot_hold_the_model_has_no_tokens_to_compare() -> None:
    assert against_api(without_model(LISTED), 0, 1.0, 1.0) is None


def test_a_free_api_is_never_beaten() -> None:
    one = against_api(compared(LISTED), 0, 0.0, 0.0)
    assert one is not None
    assert one.break_even is None
