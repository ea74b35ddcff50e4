"""Rent, month by month, against sums on paper."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import offers
from core.cost.assumptions import Assumptions
from core.cost.bill import bill, mixed
from core.cost.quote import Quote
from core.cost.renting import quote_of, reserved, run_share
from core.errors import BadRequest
from tests.core.cost.quotes import HOURLY, OWNED, SPOT, TERM, any_quote

TYPICAL = Assumptions()
P4D = offers()["aws/p4d.24xlarge/us-east-1"]


def total(quote: Quote, assumptions: Assumptions = TYPICAL) -> float:
    return float(bill(quote, assumptions).total.sum())


def test_a_p4d_on_demand() -> None:
    """List price 21.957642 USD/h (skypilot-catalog v9, after the cut of June 2025)."""
    found = bill(quote_of(P4D), TYPICAL)
    assert found.total[1] == pytest.approx(21.957642 * 730)
    assert found.yearly == pytest.approx(21.957642 * 8760)
    assert found.usd_per_gpu_hour == pytest.approx(21.957642 / 8)
    assert found.usd_per_used_gpu_hour == pytest.approx(21.957642 / 8 / 0.5)


def test_a_p4d_on_the_spot_market() -> None:
    """Zones of us-east-1 ask 6.5323 to 13.9933 USD/h, 9.8979 in the middle; 8 % of the hours are paid twice."""
    quote = quote_of(P4D, "spot", nodes=2)
    assert (quote.price, quote.spot_high, quote.gpus) == (9.8979, 13.9933, 16)
    assert total(quote) == pytest.approx(2 * 9.8979 * 1.08 * 730 * 36)


def test_an_offer_without_spot_price() -> None:
    with pytest.raises(BadRequest, match="spot price"):
        quote_of(next(one for one in offers().values() if one.spot_median is None), "spot")


def test_instances_are_at_least_one() -> None:
    with pytest.raises(BadRequest, match="0 nodes"):
        quote_of(P4D, nodes=0)


def test_hours_a_day_count_for_rent_by_the_hour_alone() -> None:
    day = replace(HOURLY, hours_per_day=8.0)
    assert total(day) == pytest.approx(total(HOURLY) / 3)
    assert total(replace(TERM, hours_per_day=8.0)) == pytest.approx(total(TERM))
    assert run_share(replace(OWNED, hours_per_day=8.0)) == 1.0
    # Half of all hours do not fit in a third of them
    assert bill(day, TYPICAL).used_hours.sum() == pytest.approx(8 * 730 * 36 / 3)


def test_a_term_is_paid_in_any_case() -> None:
    short = replace(TYPICAL, horizon_months=12.0)
    assert total(TERM, short) == pytest.approx(total(TERM))
    assert bill(TERM, short).lines["committed"][12] == pytest.approx(24 * 3 * 730 * 24 / 3)
    assert total(replace(TERM, commitment_months=0), short) == pytest.approx(total(TERM) / 3)


def test_a_rent_paid_in_advance_is_paid_each_term() -> None:
    quote = Quote("upfront", "reserved", "t4", 1, 1, 1000.0, period="once", commitment_months=12)
    assert bill(quote, TYPICAL).total.nonzero()[0].tolist() == [0, 12, 24]


def test_the_usual_discounts_for_a_term() -> None:
    """GCP took 30.7 % off for one year and 55 % for three in March 2025."""
    three = reserved(quote_of(P4D), 3, TYPICAL)
    assert three.price == pytest.approx(21.957642 * 0.45)
    assert (three.kind, three.commitment_months) == ("reserved", 36)
    assert reserved(HOURLY, 1, TYPICAL).price == pytest.approx(6.88 * 0.693)
    with pytest.raises(BadRequest, match="discount"):
        reserved(HOURLY, 1, replace(TYPICAL, reserved_1y=1.0))


def test_traffic_and_storage() -> None:
    quote = replace(HOURLY, egress_usd_gb=0.09, storage_usd_gb_month=0.08)
    found = bill(quote, replace(TYPICAL, egress_gb_month=1000.0, storage_gb=500.0)).lines
    assert found["egress"].sum() == pytest.approx(90 * 36)
    assert found["storage"].sum() == pytest.approx(40 * 36)


def test_a_mix_pays_its_parts() -> None:
    parts = [bill(one, TYPICAL) for one in (TERM, SPOT)]
    both = mixed(parts, (2 / 3, 1 / 3))
    assert both.total.sum() == pytest.approx(total(TERM) * 2 / 3 + total(SPOT) / 3)
    assert both.gpu_hours.sum() == pytest.approx(8 * 730 * 36)


@given(any_quote, st.sampled_from(("gpu", "node", "total")), st.floats(0.01, 200.0))
def test_units_and_currency_of_a_quote_do_not_matter(quote: Quote, per: str, rate: float) -> None:
    counts = {"gpu": quote.gpus, "node": quote.nodes, "total": 1}
    price = quote.price * counts[quote.per] / counts[per] / rate
    other = replace(quote, per=per, price=price, usd_rate=rate, currency="XXX")
    assert total(other) == pytest.approx(total(quote), rel=1e-9)
    assert bill(other, TYPICAL).usd_per_gpu_hour == pytest.approx(bill(quote, TYPICAL).usd_per_gpu_hour)


@given(st.floats(0.1, 100.0), st.sampled_from(("month", "year")))
def test_the_period_of_a_term_does_not_matter(price: float, period: str) -> None:
    hours = {"month": 730, "year": 8760}[period]
    assert total(replace(TERM, price=price * hours, period=period)) == pytest.approx(
        total(replace(TERM, price=price))
    )


@given(any_quote, st.floats(0.0, 1.0))
def test_a_cheaper_price_never_costs_more(quote: Quote, less: float) -> None:
    assert total(replace(quote, price=quote.price * less)) <= total(quote) * (1 + 1e-12)


@given(any_quote, st.floats(1.0, 24.0))
def test_more_hours_never_cost_less(quote: Quote, hours: float) -> None:
    few, many = sorted((quote.hours_per_day, hours))
    assert total(replace(quote, hours_per_day=few)) <= total(replace(quote, hours_per_day=many)) * (1 + 1e-12)


@given(any_quote, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_more_work_never_costs_less(quote: Quote, first: float, second: float) -> None:
    few, many = sorted((first, second))
    costs = [total(quote, replace(TYPICAL, utilisation=one)) for one in (few, many)]
    assert costs[0] <= costs[1] * (1 + 1e-12)
