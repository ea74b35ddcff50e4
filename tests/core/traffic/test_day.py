"""The shape of a typical day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadRequest
from core.traffic import typical_day


@given(peak=st.floats(1.0, 23.9))
def test_a_day_has_its_peak_and_mean_one(peak):
    day = typical_day(peak)
    assert len(day) == 24
    assert max(day) == pytest.approx(peak, rel=1e-6)
    assert sum(day) / 24 == pytest.approx(1.0)
    assert min(day) >= 0


def test_a_day_without_peak_is_flat():
    assert set(typical_day(1.0)) == {1.0}


def test_the_afternoon_is_busy_and_the_night_quiet():
    day = typical_day(3.0)
    assert day.index(max(day)) == 15
    assert day[3] < 0.01


@pytest.mark.parametrize("peak", [0.9, 25.0, float("nan")])
def test_a_peak_that_no_day_has_is_refused(peak):
    with pytest.raises(BadRequest, match="1 to 24 times") as caught:
        typical_day(peak)
    assert caught.value.field == "peak_factor"
