"""What is assumed, and how far it may be off."""

from dataclasses import fields

import numpy as np
import pytest

from core.catalog.ownership import ownership
from core.cost.assumptions import Assumptions, price_range, ranges, usd_of
from core.text import LANGUAGES, sentences
from tests.core.cost.quotes import HOURLY, OWNED, SPOT, TERM

NAMES = [one.name for one in fields(Assumptions)]
UNRANGED = {"financing_months", "egress_gb_month", "storage_gb", "price"}


def test_defaults_are_the_typical_values() -> None:
    assumed = Assumptions()
    for name, one in ranges().items():
        assert getattr(assumed, name) == one.typical
        assert one.figure is not None
        assert one.figure.provenance.source
    assert set(NAMES) - ranges().keys() == UNRANGED
    assert (assumed.financing_months, assumed.price, assumed.egress_gb_month, assumed.storage_gb) == (
        0,
        1,
        0,
        0,
    )


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_assumption_has_a_title(language: str) -> None:
    assert {f"cost.assumption.{name}" for name in NAMES} == {
        key for key in sentences(language) if key.startswith("cost.assumption.")
    }


def test_a_place_has_its_tariff_in_dollars_and_its_grid() -> None:
    german = Assumptions().at("eu-central-1")
    # 0.19 EUR/kWh (Eurostat, non-household) at 1.08 USD, 381 g/kWh (Ember 2023)
    assert german.usd_kwh == pytest.approx(0.19 * 1.08)
    assert german.grid_g_kwh == 381
    tokyo = Assumptions(usd_kwh=0.2).at("ap-northeast-1")
    assert (tokyo.usd_kwh, tokyo.grid_g_kwh) == (0.2, 513)


def test_the_range_of_a_tariff_is_that_of_its_place_in_dollars() -> None:
    german, plain = ranges("de"), ranges()
    assert german["usd_kwh"].values == pytest.approx((0.093 * 1.08, 0.19 * 1.08, 0.256 * 1.08))
    assert german["grid_g_kwh"].values == (381, 381, 385)
    figure = german["usd_kwh"].figure
    assert figure is not None
    assert (figure.unit, figure.typical) == ("USD/kWh", pytest.approx(0.19 * 1.08))
    assert {name for name in plain if german[name] != plain[name]} == {"usd_kwh", "grid_g_kwh"}
    assert ranges("jp")["usd_kwh"] == plain["usd_kwh"]


def test_currencies() -> None:
    assert usd_of(ownership()["cn_a100"]) == ownership()["fx_cny"].typical
    assert usd_of(ownership()["card_t4"]) == 1.0


def test_prices_may_end_up_otherwise_than_quoted() -> None:
    assert price_range(SPOT).high == pytest.approx(55.04 / 18.6838)
    assert price_range(HOURLY).low == pytest.approx(55.04 / 98.32, abs=0.005)  # the p5 cut of June 2025
    assert price_range(OWNED) == price_range(TERM)
    for quote in (OWNED, HOURLY, SPOT, TERM):
        one = price_range(quote)
        assert one.low < one.typical == 1.0 <= one.high
        assert np.isfinite(one.values).all()
