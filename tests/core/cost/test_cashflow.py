"""Values today, crossings and what they mean."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cost.assumptions import Assumptions
from core.cost.bill import bill
from core.cost.cashflow import (
    break_even_month,
    break_even_utilisation,
    cumulative,
    monthly_rate,
    payback_months,
    present_value,
)
from core.cost.quote import Quote
from tests.core.cost.quotes import HOURLY, OWNED, SPOT, any_quote

TYPICAL = Assumptions()
# Whole dollars, whose sums are exact
flows = st.lists(st.integers(0, 10**6).map(float), min_size=3, max_size=40).map(np.array)


@given(any_quote)
def test_at_rate_zero_the_value_is_the_plain_sum(quote: Quote) -> None:
    flow = bill(quote, TYPICAL).total
    assert present_value(flow, 0.0) == pytest.approx(flow.sum())


def test_a_year_from_now_counts_a_tenth_less() -> None:
    flow = np.zeros(13)
    flow[12] = 110.0
    assert present_value(flow, 0.1) == pytest.approx(100.0)
    assert (1 + monthly_rate(0.1)) ** 12 == pytest.approx(1.1)
    assert present_value(flow, np.array([0.0, 0.1])).tolist() == pytest.approx([110.0, 100.0])


@given(flows, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_later_payments_count_less_at_a_higher_rate(flow: np.ndarray, first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert present_value(flow, high) <= present_value(flow, low) * (1 + 1e-12)


def test_owning_and_renting_cross_where_the_curves_do() -> None:
    """300,000 + 3,500 at once and 10,599 a month, against 40,179 a month on demand."""
    owned, rented = bill(OWNED, TYPICAL), bill(HOURLY, TYPICAL)
    monthly = float(owned.spending[1])
    assert monthly == pytest.approx(26_074.8 / 36 + 1624 + 2000 + 6250, abs=0.1)
    month = break_even_month(owned.spending, rented.spending)
    assert month == pytest.approx(303_500 / (6.88 * 8 * 730 - monthly))
    # A page of 2026 says 14 to 18 months, without staff and space at other prices (check util_breakeven)
    assert 8 < month < 18


@given(flows, flows)
def test_at_the_break_even_both_have_cost_the_same(first: np.ndarray, second: np.ndarray) -> None:
    size = min(len(first), len(second))
    first, second = first[:size], second[:size]
    month = break_even_month(first, second)
    ahead = cumulative(second) - cumulative(first)
    if np.isnan(month):
        assert (ahead < 0).all()
    elif month > 0:
        index = np.arange(size)
        paid = [np.interp(month, index, cumulative(flow)) for flow in (first, second)]
        assert paid[0] == pytest.approx(paid[1], abs=1e-6, rel=1e-9)
        assert (ahead[: int(np.ceil(month))] < 0).all()
    else:
        assert ahead[0] >= 0


def test_no_crossing_is_said_and_arrays_cross_each_for_itself() -> None:
    upfront = np.array([10.0, 0.0, 0.0, 0.0])
    rents = np.array([[0.0, 4.0, 4.0, 4.0], [0.0, 1.0, 1.0, 1.0], [20.0, 0.0, 0.0, 0.0]])
    months = break_even_month(upfront, rents)
    assert months[0] == pytest.approx(2.5)
    assert np.isnan(months[1])
    assert months[2] == 0.0


@given(st.floats(0.5, 20.0), st.floats(0.05, 0.4), st.sampled_from((HOURLY, SPOT)))
def test_at_the_break_even_utilisation_owning_costs_what_renting_does(
    price: float, tariff: float, rented: Quote
) -> None:
    assumed = replace(TYPICAL, usd_kwh=tariff)
    quote = replace(rented, price=price, per="gpu")
    share = break_even_utilisation(OWNED, quote, assumed)
    if share <= 1.0:
        own = bill(OWNED, replace(assumed, utilisation=share)).yearly
        rent = bill(replace(quote, hours_per_day=24.0 * share), assumed).yearly
        assert own == pytest.approx(rent)
    else:
        idle = bill(OWNED, replace(assumed, utilisation=1.0)).yearly
        assert idle > bill(quote, assumed).yearly * (1 - 1e-9)


def test_as_many_gpus_are_rented_as_are_owned() -> None:
    single = replace(HOURLY, gpus_per_node=1)
    assert break_even_utilisation(OWNED, single, TYPICAL) == pytest.approx(
        break_even_utilisation(OWNED, HOURLY, TYPICAL)
    )


def test_an_hour_cheaper_than_its_energy_never_breaks_even() -> None:
    assert break_even_utilisation(OWNED, replace(HOURLY, price=0.001), TYPICAL) == np.inf


def test_payback_broadcasts() -> None:
    assert payback_months(np.array([100.0, 200.0]), 10.0).tolist() == [10.0, 20.0]
    assert payback_months(100.0, -1.0) == np.inf
