"""Traffic that a person states."""

from __future__ import annotations

import pytest

from core.errors import BadRequest
from core.traffic import fixed, traffic_of

TEN = fixed(10)


@pytest.mark.parametrize(("per", "rate"), [("second", 2), ("minute", 120), ("hour", 7200), ("day", 172_800)])
def test_a_rate_may_have_any_unit(per, rate):
    traffic = traffic_of(rate, TEN, TEN, per=per, peak=3.0, prefix_hits=0.2)
    assert traffic.rate == pytest.approx(2.0)
    assert traffic.peak_rate == pytest.approx(6.0)


@pytest.mark.parametrize("rate", [0, -1, 1e7, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_is_refused_by_name(rate):
    with pytest.raises(BadRequest, match="out of range") as caught:
        traffic_of(rate, TEN, TEN)
    assert caught.value.field == "requests_per_second"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"peak": 0.5}, "peak_factor"), ({"prefix_hits": 1.1}, "prefix_cache_hit_rate"), ({"per": "week"}, "per"),
    ],
)  # fmt: skip
def test_other_fields_are_refused_by_name(fields, name):
    with pytest.raises(BadRequest) as caught:
        traffic_of(1.0, TEN, TEN, **fields)
    assert caught.value.field == name


def test_lengths_of_less_than_a_token_are_refused():
    with pytest.raises(BadRequest) as caught:
        traffic_of(1.0, TEN, fixed(0.5))
    assert caught.value.field == "output_tokens"
