"""Quotes side by side for one workload."""

from __future__ import annotations

import numpy as np
import pytest

from core.cost.uncertainty import VARIED
from core.planning.fair import LOADS, UNITS, answer, assumed, has_tariff, places, rates
from tests.quotes import BOUGHT, CHEAP, LISTED, can, compared, without_model


def test_the_cheapest_token_and_the_cheapest_hour_are_not_the_same_quote() -> None:
    found = compared()
    assert found.quotes[found.cheapest_tokens or 0] is BOUGHT
    assert found.quotes[found.cheapest_hour] is CHEAP
    assert found.contrast == (1, 2)


def test_only_those_that_serve_the_load_are_ranked() -> None:
    found = compared()
    assert found.serving == (0, 1)
    assert found.ranked == (1, 0)
    assert found.measure == "per_million"


def test_where_fewer_than_two_serve_the_load_all_are_ranked_by_year() -> None:
    found = compared(LISTED, CHEAP)
    assert found.measure == "yearly"
    assert [found.quotes[place] for place in found.ranked] == [CHEAP, LISTED]


def test_a_million_tokens_cost_the_bill_over_the_tokens() -> None:
    found = compared(LISTED, growth=0.0)
    tokens = found.loads[0].tokens if found.loads[0] else 0.0
    each = 54.0 / (20.0 * 3600 * tokens / 1e6)
    assert found.tokens(0) == pytest.approx(each)
    assert found.used(0) == pytest.approx(0.25)


def test_the_pair_is_the_cheapest_purchase_and_the_cheapest_rent_that_serve() -> None:
    assert compared().pair == (1, 0)
    assert compared(LISTED, CHEAP).pair is None


def test_the_break_even_is_where_the_bills_cross() -> None:
    found = compared()
    month = found.crossing(1, 0)
    assert month is not None
    bills = [
        np.interp(month, np.arange(37), np.cumsum(found.comparison.rows[row].bill.spending)) for row in (0, 1)
    ]
    assert bills[0] == pytest.approx(bills[1])
    assert found.crossing(0, 2) is None or found.crossing(0, 2) == 0


def test_bands_hold_the_value_and_chances_add_up() -> None:
    found = compared()
    for place in range(3):
        low, high = found.band(place, "yearly") or (0.0, 0.0)
        assert low < float(found.comparison.rows[place].yearly) * 1.1
        assert low < high
        hour = found.hour_band(place)
        assert hour is not None
        assert hour[0] / hour[1] == pytest.approx(low / high)
    assert found.cheaper(0, 1) + found.cheaper(1, 0) == pytest.approx(1.0)


def test_units_are_those_of_the_table_and_their_ratio() -> None:
    found = compared()
    for name in UNITS:
        one, other = found.unit(1, name), found.unit(2, name)
        assert one
        assert other
        assert found.ratio(1, 2, name) == pytest.approx(other / one)


def test_tokens_cost_less_the_more_the_gpus_work() -> None:
    curve = compared(growth=0.0).by_load(1)
    assert curve is not None
    assert len(curve) == len(LOADS)
    assert (np.diff(curve) < 0).all()


def test_the_curve_goes_through_the_load() -> None:
    found = compared(LISTED, growth=0.0)
    curve = found.by_load(0)
    assert curve is not None
    assert np.interp(0.25, LOADS, curve) == pytest.approx(found.tokens(0), rel=0.01)


def test_without_the_model_there_are_no_tokens_but_all_other_costs() -> None:
    found = without_model(LISTED, BOUGHT)
    assert found.cheapest_tokens is None
    assert found.by_load(0) is None
    assert found.used(0) is None
    assert found.band(0, "per_million") is None
    assert found.band(0, "yearly")
    assert found.swings(1)[0].width > 0
    assert 0 <= found.cheaper(0, 1) <= 1


def test_a_stated_utilisation_goes_before_the_load() -> None:
    found = compared(rate=None, utilisation=0.8)
    assert found.used(0) == pytest.approx(0.8)


def test_a_place_brings_its_tariff_and_grid() -> None:
    here, there = assumed({}), assumed({}, "de")
    assert there.usd_kwh == pytest.approx(0.19 * 1.08)
    assert (here.usd_kwh, here.grid_g_kwh) != (there.usd_kwh, there.grid_g_kwh)
    assert assumed({"usd_kwh": 0.5}, "de").usd_kwh == 0.5


def test_draws_and_swings_of_a_place_reach_from_its_low_to_its_high_tariff() -> None:
    """0.093 to 0.256 EUR/kWh in Europe, at 1.08 USD; 0.097 to 0.245 USD in the United States."""
    for place, low, high in (("de", 0.093 * 1.08, 0.256 * 1.08), (None, 0.097, 0.245)):
        found = answer((BOUGHT,), [can(BOUGHT)], assumed({}, place), 20.0, place=place)
        drawn = found.simulation.draws["usd_kwh"]
        assert found.simulation.draws.keys() == set(VARIED)
        assert low <= drawn.min() < drawn.max() <= high
        assert drawn.max() - drawn.min() > 0.8 * (high - low)
        swing = next(one for one in found.swings(0) if one.name == "usd_kwh")
        assert (swing.range.low, swing.range.high) == pytest.approx((low, high))


def test_a_place_without_a_tariff_is_told() -> None:
    assert has_tariff("de")
    assert not has_tariff("jp")


def test_places_and_currencies_have_names() -> None:
    assert places()["de"] == "Germany"
    assert set(rates()) >= {"EUR", "CNY", "GBP", "JPY"}
