"""Quotes side by side."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from core.cost.assumptions import Assumptions
from core.cost.cashflow import present_value
from core.cost.compare import compare
from core.cost.quote import Quote
from core.cost.tokens import Workload
from core.text import LANGUAGES
from tests.core.cost.quotes import ALL, HOURLY, OWNED, SPOT, TERM

TODAY = date(2026, 11, 22)
TYPICAL = Assumptions()
LOAD = Workload(1000.0, 300.0, 20.0)


def warned(quote: Quote, assumptions: Assumptions = TYPICAL, load: Workload | None = None) -> set[str]:
    (row,) = compare([quote], assumptions, [load], TODAY).rows
    assert all(one.render(language) for one in row.warnings for language in LANGUAGES)
    return {one.key.removeprefix("cost.warn.") for one in row.warnings}


def test_one_row_for_each_quote_in_the_same_units() -> None:
    found = compare(ALL, TYPICAL, [LOAD] * 4)
    assert [row.quote for row in found.rows] == list(ALL)
    hourly = found.rows[1]
    assert hourly.gpu_hour == pytest.approx(6.88)
    assert hourly.yearly == pytest.approx(6.88 * 8 * 8760)
    # An H100 SXM has 3.35 TB/s, 989.4 TFLOP/s dense in 16 bit, 79.1 GiB that an engine sees
    assert hourly.tbs_hour == pytest.approx(6.88 / 3.35)
    assert hourly.pflop_hour == pytest.approx(6.88 / 0.9894)
    assert hourly.gib_hour == pytest.approx(6.88 / 79.1)
    assert hourly.kwh_year == pytest.approx(5.6 * 1.54 * 0.885 * 8760)
    assert hourly.co2_kg_year == pytest.approx(hourly.kwh_year * 0.386)
    assert hourly.present == pytest.approx(present_value(hourly.bill.total, 0.1))
    assert hourly.tokens is not None
    assert hourly.tokens.total == pytest.approx(55.04 / 46.8)
    assert hourly.tokens.saturated == pytest.approx(55.04 / 93.6)
    assert compare(ALL, TYPICAL).rows[1].tokens is None


def test_ranked_by_value_today() -> None:
    values = [row.present for row in compare(ALL, TYPICAL).ranked]
    assert values == sorted(values)


def test_crossings() -> None:
    found = compare(ALL, TYPICAL)
    month = found.break_even(0, 1)
    assert 10 < month < 11
    assert found.break_even_utilisation(0, 1) == pytest.approx(0.4102, abs=1e-4)
    # Median spot is cheaper than owning even all day
    assert found.break_even_utilisation(0, 2) > 1


def test_each_gpu_is_busy_as_its_own_speed_says() -> None:
    slow, fast = (replace(LOAD, rate=5.0, stable=one) for one in (10.0, 20.0))
    found = compare([HOURLY, HOURLY], TYPICAL, [slow, fast]).rows
    assert found[0].used_gpu_hour == pytest.approx(found[1].used_gpu_hour / 2)
    assert found[0].tokens is not None
    assert found[1].tokens is not None
    assert found[0].tokens.total == pytest.approx(found[1].tokens.total)


def test_draws_go_through() -> None:
    found = compare(ALL, replace(TYPICAL, usd_kwh=np.array([0.1, 0.2, 0.3])), [LOAD] * 4, TODAY)
    assert found.rows[0].present.shape == (3,)
    assert np.diff(found.rows[0].present).min() > 0


def test_warnings() -> None:
    assert warned(HOURLY) == set()
    assert warned(replace(HOURLY, as_of=date(2026, 8, 24))) == set()
    assert warned(replace(HOURLY, as_of=date(2026, 8, 23))) == {"old"}
    assert warned(replace(OWNED, delivery_days=90)) == {"delivery"}
    assert warned(replace(TERM, commitment_months=37)) == {"commitment"}
    assert warned(SPOT) == {"spot"}
    assert warned(replace(HOURLY, gpu="nobody's")) == {"power"}
    assert warned(OWNED, replace(TYPICAL, horizon_months=72.0)) == {"replaced"}
    assert warned(HOURLY, load=replace(LOAD, rate=20.0)) == set()
    assert warned(HOURLY, load=replace(LOAD, rate=20.1)) == {"too_small"}
    assert warned(HOURLY, replace(TYPICAL, growth=1.0), replace(LOAD, rate=5.0)) == {"too_small"}
    assert warned(replace(HOURLY, hours_per_day=8.0), load=replace(LOAD, rate=10.0)) == {"too_small"}


def test_of_an_unknown_gpu_nothing_is_made_up() -> None:
    (row,) = compare([replace(OWNED, gpu="nobody's")], TYPICAL).rows
    assert (row.kwh_year, row.co2_kg_year, row.tbs_hour, row.pflop_hour, row.gib_hour) == (None,) * 5
    assert "energy" not in row.bill.lines
