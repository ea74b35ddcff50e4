"""A purchase, month by month, against sums on paper."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cost.assumptions import Assumptions
from core.cost.bill import bill
from core.cost.cashflow import present_value
from core.cost.owning import annuity
from core.cost.quote import Quote
from tests.core.cost.quotes import OWNED

TYPICAL = Assumptions()


def sums(quote: Quote, assumptions: Assumptions) -> dict[str, float]:
    return {name: float(flow.sum()) for name, flow in bill(quote, assumptions).lines.items()}


def test_three_years_of_eight_h100() -> None:
    """Typical inputs: 300,000 USD (HGX server, 2024 to 2026), 0.13 USD/kWh (EIA), PUE 1.54 (Uptime 2025)."""
    found = sums(OWNED, TYPICAL)
    # 8 x 700 W; waiting 0.12 of it, around 0.45, at work 0.75 half of the time; 36 months of 730 h
    kwh = 5.6 * 1.54 * (0.12 + 0.45 + (0.75 - 0.12) * 0.5) * 730 * 36
    assert found == pytest.approx(
        {
            "hardware": 300_000,
            "installation": 2000 + 1500,
            "energy": kwh * 0.13,
            "colocation": 5.6 * 1.45 * 200 * 36,
            "maintenance": 0.08 * 300_000 * 3,
            "staff": 0.5 * 150_000 * 3,
            "sale": -0.3 * 300_000,
        }
    )
    # technolynx.com says 380,000 to 530,000, another page 450,000 to 650,000 (check tco_3y_8xh100)
    assert 380_000 < sum(found.values()) < 650_000
    assert sum(found.values()) == pytest.approx(595_039, abs=1)


def test_a_dgx_b200() -> None:
    """420,000 USD for 8 x 1000 W; datasheets say 14.3 kW at most, 11 to 13 kW typically."""
    quote = replace(OWNED, gpu="b200-sxm", price=420_000.0)
    found = bill(quote, TYPICAL)
    assert found.lines["colocation"][1] / 200 == pytest.approx(11.6)  # kW, rated
    busy = bill(quote, replace(TYPICAL, utilisation=1.0, power_load=1.0, pue=1.0))
    assert busy.kwh[1] / 730 == pytest.approx(11.6)
    energy = 8.0 * 1.54 * 0.885 * 730 * 36 * 0.13
    total = 420_000 * (1 + 0.08 * 3 - 0.3) + 3500 + energy + 11.6 * 200 * 36 + 225_000
    assert found.total.sum() == pytest.approx(total)
    assert found.usd_per_gpu_hour == pytest.approx(total / (8 * 730 * 36))
    # AWS asks 14.24 for it by the hour (p6-b200.48xlarge, us-east-1)
    assert found.usd_per_gpu_hour < 113.9328 / 8


def test_what_belongs_to_a_cluster_grows_with_it() -> None:
    sixteen = replace(OWNED, nodes=16)
    found = sums(sixteen, TYPICAL)
    assert found["network"] == 16 * 18_000
    assert found["staff"] == 2 * 225_000
    spare = sums(sixteen, replace(TYPICAL, spare_nodes=1))
    assert spare["hardware"] == 17 * 300_000
    assert spare["energy"] == pytest.approx(found["energy"])


def test_a_loan_is_paid_back_in_equal_parts() -> None:
    # Any table of annuities: 100,000 at 6 % over 36 months is 3,042.19 a month
    assert 100_000 * annuity(0.06 / 12, 36) == pytest.approx(3042.19, abs=0.005)
    loan = replace(TYPICAL, financing_months=36, financing_rate=0.06)
    paid = bill(replace(OWNED, price=100_000.0), loan).lines
    assert "hardware" not in paid
    assert paid["financing"] == pytest.approx([0.0] + [3042.19] * 36, abs=0.005)


@given(st.floats(0.0, 0.3), st.integers(1, 84), st.integers(1, 60))
def test_at_its_own_interest_a_loan_is_worth_its_sum(rate: float, term: int, horizon: int) -> None:
    """Also where it outlasts the horizon: the rest is paid then."""
    loan = Assumptions(
        financing_months=term, financing_rate=rate, horizon_months=horizon, depreciation_years=10.0
    )
    flow = bill(OWNED, loan).lines["financing"]
    assert present_value(flow, (1 + rate / 12) ** 12 - 1) == pytest.approx(300_000)


def test_servers_that_outlive_their_life_are_bought_again() -> None:
    found = bill(OWNED, replace(TYPICAL, horizon_months=60.0, depreciation_years=4.0)).lines
    assert np.flatnonzero(found["hardware"]).tolist() == [0, 48]
    # The second server is 12 months old: 0.3^(12/36) on the market, 0.75 in the books
    assert found["sale"][60] == pytest.approx(-300_000 * 0.3 ** (1 / 3))
    whole = bill(OWNED, replace(TYPICAL, horizon_months=48.0, depreciation_years=4.0)).lines
    assert np.flatnonzero(whole["hardware"]).tolist() == [0]
    assert "sale" not in whole


def test_a_sale_brings_the_lower_of_market_and_book() -> None:
    short = bill(OWNED, replace(TYPICAL, depreciation_years=4.0)).lines["sale"]
    assert short[36] == pytest.approx(-300_000 * 0.25)
    assert short[:36].sum() == 0


def test_a_sale_comes_after_the_last_part_of_a_month() -> None:
    sale = bill(OWNED, replace(TYPICAL, horizon_months=2.5)).lines["sale"]
    assert sale.tolist() == pytest.approx([0, 0, 0, -300_000 * 0.3 ** (2.5 / 36)])


def test_a_lease_is_paid_by_the_month_and_never_sold() -> None:
    lease = replace(OWNED, price=9000.0, period="month")
    found = sums(lease, TYPICAL)
    assert found["lease"] == pytest.approx(9000 * 36)
    assert not {"hardware", "sale", "maintenance"} & found.keys()
