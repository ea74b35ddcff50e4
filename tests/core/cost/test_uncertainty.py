"""Draws, percentiles, tornado."""

from dataclasses import replace

import numpy as np
import pytest

from core.cost.assumptions import Assumptions, Range, price_range, ranges
from core.cost.bill import bill
from core.cost.tokens import Workload
from core.cost.uncertainty import VARIED, around, simulate, tornado
from core.errors import BadRequest
from tests.core.cost.quotes import ALL, HOURLY, OWNED, SPOT, TERM

TYPICAL = Assumptions()
LOAD = Workload(1000.0, 300.0, 20.0)
CERTAIN = {"utilisation": Range(0.5, 0.5, 0.5)}


def test_draws_are_the_same_for_all_quotes() -> None:
    dearer = replace(OWNED, name="dearer", price=OWNED.price * 1.01)
    found = simulate((OWNED, OWNED, dearer), TYPICAL, count=500)
    assert (found.yearly[0] == found.yearly[1]).all()
    assert found.cheaper(0, 1) == 0.5
    assert found.cheaper(0, 2) == 1.0
    assert found.cheaper(2, 0) == 0.0


def test_a_further_quote_changes_no_other() -> None:
    alone, together = simulate((SPOT,), TYPICAL, count=500), simulate((OWNED, SPOT), TYPICAL, count=500)
    assert (alone.yearly[0] == together.yearly[1]).all()


def test_percentiles_lie_around_what_is_assumed() -> None:
    found = simulate(ALL, TYPICAL, [LOAD] * 4)
    for row, quote in enumerate(ALL):
        low, middle, high = found.percentiles()[row]
        assert low < middle < high
        assert low < bill(quote, TYPICAL).yearly < high
    assert found.percentiles("per_million", (0.1, 0.9)).shape == (4, 2)
    assert np.isfinite(found.per_million).all()
    assert np.isnan(simulate((OWNED,), TYPICAL, count=10).per_million).all()
    assert found.draws.keys() == set(VARIED)


def test_a_draw_is_the_cost_of_its_values() -> None:
    """One draw of all, worked out again alone; its price is what is left."""
    found = simulate((OWNED,), TYPICAL, count=50)
    drawn = replace(TYPICAL, **{name: float(values[7]) for name, values in found.draws.items()})
    ends = [float(bill(OWNED, replace(drawn, price=one)).yearly) for one in price_range(OWNED).values[::2]]
    assert ends[0] < found.yearly[0, 7] < ends[1]


def test_without_uncertainty_there_is_one_cost() -> None:
    term = replace(SPOT, spot_high=None)
    found = simulate((OWNED, term), TYPICAL, [LOAD, LOAD], varied=CERTAIN, count=20)
    ratio = found.yearly[0] / bill(OWNED, TYPICAL).yearly
    assert ratio.min() > 0.9
    assert ratio.max() < 1.1


def test_a_rate_varies_as_the_utilisation_does() -> None:
    rated = replace(LOAD, rate=10.0)
    varied = {"utilisation": ranges()["utilisation"]}
    found = simulate((OWNED, OWNED), TYPICAL, [LOAD, rated], varied=varied, count=200)
    assert found.per_million[0] == pytest.approx(found.per_million[1])


def test_shapes_and_seeds() -> None:
    triangle = simulate((OWNED,), TYPICAL, shape="triangular", count=2000).yearly
    smooth = simulate((OWNED,), TYPICAL, count=2000).yearly
    assert triangle.std() > smooth.std()
    assert np.median(simulate((OWNED,), TYPICAL, seed=2).yearly) == pytest.approx(
        np.median(smooth), rel=0.005
    )


def test_what_is_assumed_is_the_centre() -> None:
    assert around(Range(0.2, 0.5, 0.8), 0.9).values == (0.2, 0.9, 0.9)
    low = simulate((HOURLY,), replace(TYPICAL, price=0.5), count=500).yearly
    assert low * 2 == pytest.approx(simulate((HOURLY,), TYPICAL, count=500).yearly)


@pytest.mark.parametrize("quote", ALL, ids=lambda quote: quote.name)
@pytest.mark.parametrize("measure", ["yearly", "per_million"])
def test_a_tornado_changes_one_at_a_time(quote: object, measure: str) -> None:
    found = tornado(quote, TYPICAL, LOAD, measure)
    assert [one.width for one in found] == sorted((one.width for one in found), reverse=True)
    assert len({one.base for one in found}) == 1
    for one in found:
        if measure == "yearly":
            for value, cost in ((one.range.low, one.at_low), (one.range.high, one.at_high)):
                assert cost == pytest.approx(bill(quote, replace(TYPICAL, **{one.name: value})).yearly)


def test_what_decides() -> None:
    """Of owning a node: people; of spot: the price, which reached the list price in one zone."""
    assert tornado(OWNED, TYPICAL)[0].name == "staff_fte"
    assert tornado(SPOT, TYPICAL)[0].name == "price"
    assert {one.name for one in tornado(TERM, TYPICAL)} == {"price", "horizon_months"}
    assert tornado(OWNED, TYPICAL, LOAD, "per_million")[0].name == "utilisation"


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(BadRequest, match="workload"):
        tornado(OWNED, TYPICAL, measure="per_million")
    with pytest.raises(BadRequest, match="one number"):
        simulate((OWNED,), replace(TYPICAL, growth=np.array([0.0, 0.1])))
    with pytest.raises(BadRequest, match="one number"):
        simulate((OWNED,), TYPICAL, varied={"nonsense": Range(0.0, 1.0, 2.0)})
