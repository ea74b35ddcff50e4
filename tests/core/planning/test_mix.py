"""Servers all day and others for the busy hours, against sums on paper."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.planning.fair import Answer
from core.planning.mix import Mix, bases, mix, rests, usual
from core.traffic.day import typical_day
from tests.quotes import BOUGHT, CHEAP, LISTED, compared, enough

TERM = replace(LISTED, name="Term", kind="reserved", price=15.0, commitment_months=36)
SPOT = replace(LISTED, name="Spot", kind="spot", price=10.0)
STEADY = {"growth": 0.0, "discount_rate": 0.0}

# 20 requests/s on average, twice that in the busiest hour; a replica of four GPUs takes 5, a server holds two.
NEEDED = [max(-(-20.0 * share * (1 - 1e-9) // 5.0), 1.0) for share in typical_day(2.0)]
"""Replicas of each hour."""


def mixed(answer: Answer, kept: int | None = None) -> Mix:
    found = mix(answer, 0, 1, kept)
    assert found is not None
    return found


def servers(replicas: float, kept: int) -> int:
    """Return the servers of two replicas that are needed beside *kept*."""
    return max(int(-(-replicas // 2)) - kept, 0)


def test_the_rest_runs_in_the_hours_that_ask_for_it() -> None:
    found = mixed(compared(TERM, LISTED, **STEADY), 2)
    assert found.hours == tuple(servers(replicas, 2) for replicas in NEEDED)
    assert found.most == 2
    assert 0 < found.hours_per_day < 24


@pytest.mark.parametrize("kept", [0, 1, 2, 4])
def test_a_year_is_the_term_all_day_and_the_hours_of_the_rest(kept: int) -> None:
    found = mixed(compared(TERM, LISTED, **STEADY), kept)
    hours = sum(servers(replicas, kept) for replicas in NEEDED)
    assert found.yearly == pytest.approx(365 * (15.0 * 24 * kept + 27.0 * hours))
    assert found.present == pytest.approx(3 * found.yearly)
    tokens = 20.0 * 3600 * 8760 * (enough().plan.traffic.input.mean + enough().plan.traffic.output.mean)
    assert found.per_million == pytest.approx(found.yearly / tokens * 1e6)


def test_hours_of_spot_that_are_lost_are_paid_again() -> None:
    found = mixed(compared(TERM, SPOT, spot_interruption=0.08, **STEADY), 1)
    hours = sum(servers(replicas, 1) for replicas in NEEDED)
    assert found.yearly == pytest.approx(365 * (15.0 * 24 + 10.0 * 1.08 * hours))


def test_the_number_that_is_kept_costs_least_of_all() -> None:
    answer = compared(TERM, LISTED)
    best = mixed(answer)
    assert best.present == min(mixed(answer, kept).present for kept in range(6))
    assert 0 < best.kept < 4


def test_a_dear_term_is_not_kept_and_a_cheap_one_all_the_more() -> None:
    assert mixed(compared(replace(TERM, price=26.9), LISTED, **STEADY)).kept < 4
    assert mixed(compared(replace(TERM, price=1.0), LISTED, **STEADY)).kept == 4
    assert mixed(compared(replace(TERM, price=100.0), LISTED, **STEADY)).kept == 0


def test_a_load_that_grows_runs_the_rest_longer() -> None:
    small, large = (mixed(compared(TERM, LISTED, discount_rate=0.0, growth=share), 2) for share in (0.0, 0.5))
    assert small.hours == large.hours
    assert small.yearly < large.yearly
    assert large.bill.total[36] > large.bill.total[1]


def test_a_purchase_is_kept_with_its_energy_and_its_sale() -> None:
    found = mixed(compared(BOUGHT, LISTED), 2)
    assert {"hardware", "energy", "rent", "sale"} <= found.bill.lines.keys()
    assert found.bill.lines["hardware"][0] == pytest.approx(2 * 158_000.0)


def test_only_quotes_of_one_gpu_are_mixed_and_only_hours_fill_up() -> None:
    answer = compared(TERM, CHEAP, LISTED, replace(LISTED, name="Monthly", period="month"))
    assert rests(answer, 0) == (2,)
    assert rests(answer, 1) == (1,)
    assert bases(answer) == (0, 1, 2, 3)
    assert usual(answer) == (0, 2)
    assert mix(answer, 0, 1) is None
    assert rests(compared(TERM, replace(LISTED, gpus_per_node=2)), 0) == ()


def test_without_a_load_or_a_rent_by_the_hour_there_is_no_mix() -> None:
    assert usual(compared(TERM, LISTED, rate=None)) is None
    assert usual(compared(TERM, BOUGHT)) is None


def test_the_busy_hours_are_on_demand_where_somebody_offers_it() -> None:
    """Spot is cheaper, but may be taken away just then."""
    assert usual(compared(TERM, SPOT, LISTED)) == (0, 2)
    assert usual(compared(TERM, SPOT)) == (0, 1)
