"""What tokens cost, against sums on paper."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.ownership import ownership
from core.cost.assumptions import Assumptions
from core.cost.bill import bill
from core.cost.quote import Quote
from core.cost.tokens import (
    TokenCost,
    Workload,
    api_per_million,
    break_even_tokens,
    loaded,
    split,
    token_cost,
)
from tests.core.cost.quotes import HOURLY, any_quote

TYPICAL = Assumptions()
LOAD = Workload(1000.0, 300.0, 20.0)
tokens = st.floats(1.0, 1e5)


def cost(quote: Quote, load: Workload, assumptions: Assumptions = TYPICAL) -> TokenCost:
    own = loaded(assumptions, load)
    used, full = bill(quote, own), bill(quote, replace(own, utilisation=1.0))
    return token_cost(used, full, quote.gpus, load, own)


def test_tokens_of_an_hour() -> None:
    """55.04 USD/h; 20 requests/s of 1,300 tokens half of the time are 46.8 million tokens an hour."""
    found = cost(HOURLY, LOAD)
    assert found.total == pytest.approx(55.04 / 46.8)
    assert found.saturated == pytest.approx(55.04 / 93.6)
    assert found.million_per_month == pytest.approx(46.8 * 730)
    assert found.output / found.input == pytest.approx(4.0)
    # 5.6 kW x 1.54 x 0.885 for 46.8 million tokens an hour, 386 g/kWh
    assert found.kwh == pytest.approx(5.6 * 1.54 * 0.885 / 46.8)
    assert found.co2_kg == pytest.approx(found.kwh * 0.386)


def test_a_faster_estimate_makes_tokens_cheaper() -> None:
    quick = cost(HOURLY, LOAD, replace(TYPICAL, speed=1.25))
    assert quick.total == pytest.approx(cost(HOURLY, LOAD).total / 1.25)
    assert quick.million_per_month == pytest.approx(46.8 * 730 * 1.25)


def test_a_rate_decides_the_utilisation() -> None:
    assert loaded(TYPICAL, LOAD).utilisation == 0.5
    assert loaded(TYPICAL, replace(LOAD, rate=5.0)).utilisation == 0.25
    assert loaded(replace(TYPICAL, speed=0.5), replace(LOAD, rate=5.0)).utilisation == 0.5
    assert loaded(TYPICAL, replace(LOAD, rate=50.0)).utilisation == 1.0
    assert cost(HOURLY, replace(LOAD, rate=10.0)).total == pytest.approx(cost(HOURLY, LOAD).total)


@given(any_quote, tokens, tokens, st.floats(0.1, 1000.0), st.floats(0.01, 1.0))
def test_cost_of_a_token_times_tokens_is_the_cost(
    quote: Quote, prompt: float, answer: float, stable: float, busy: float
) -> None:
    assumed = replace(TYPICAL, utilisation=busy)
    found = cost(quote, Workload(prompt, answer, stable), assumed)
    paid = bill(quote, assumed).total.sum()
    assert found.total * found.million_per_month * 36 == pytest.approx(paid)
    parts = (found.input * prompt + found.output * answer) / (prompt + answer)
    assert parts == pytest.approx(found.total)
    assert found.saturated <= found.total * (1 + 1e-9)


@given(tokens, tokens, st.floats(0.1, 10.0))
def test_a_split_leaves_the_sum(prompt: float, answer: float, weight: float) -> None:
    first, second = split(2.0, prompt, answer, weight)
    assert first * prompt + second * answer == pytest.approx(2.0 * (prompt + answer))
    assert second / first == pytest.approx(weight)


def test_against_an_api() -> None:
    """DeepSeek asked 0.27 and 1.10 USD for a million tokens in and out (its price list, February 2025)."""
    prompt, answer = (ownership()[f"api_deepseek_chat_{one}"].typical for one in ("input", "output"))
    price = api_per_million(prompt, answer, 1000.0, 300.0)
    assert price == pytest.approx((270 + 330) / 1300)
    monthly = 55.04 * 730
    assert break_even_tokens(monthly, price) == pytest.approx(monthly / price * 1e6)
    # 87 thousand million a month, of 68 that these GPUs make when never idle: the API stays cheaper
    assert break_even_tokens(monthly, price) > 93.6e6 * 730
    assert cost(HOURLY, LOAD).saturated > price


def test_arrays_broadcast() -> None:
    found = cost(HOURLY, replace(LOAD, rate=np.array([5.0, 10.0])))
    assert found.total.tolist() == pytest.approx([2 * 55.04 / 46.8, 55.04 / 46.8])
    assert found.total.shape == found.input.shape == found.kwh.shape == (2,)
