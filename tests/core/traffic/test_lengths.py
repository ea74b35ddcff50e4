"""How long requests are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadRequest
from core.traffic import fixed, from_values, lognormal

MEANS = st.floats(1, 1e5)
RATIOS = st.floats(1.0, 3.8)


@given(mean=MEANS, ratio=RATIOS)
def test_lognormal_lengths_have_the_stated_mean_and_p95(mean, ratio):
    lengths = lognormal(mean, mean * ratio)
    assert lengths.quantile(0.95) == pytest.approx(mean * ratio)
    assert lengths.representatives(64).mean() == pytest.approx(mean)


@pytest.mark.parametrize("p95", [50, 500])
def test_a_p95_that_no_lognormal_has_is_refused_with_the_range(p95):
    with pytest.raises(BadRequest, match=r"between the mean and 386") as caught:
        lognormal(100, p95, field="output_tokens.p95")
    assert caught.value.field == "output_tokens.p95"


@given(mean=st.floats(200, 1e4), ratio=st.floats(1.0, 3.0))
def test_samples_follow_the_distribution(mean, ratio):
    lengths = lognormal(mean, mean * ratio)
    drawn = lengths.sample(np.random.default_rng(7), 20_000)
    assert drawn.mean() == pytest.approx(mean, rel=0.05)
    assert np.quantile(drawn, 0.95) == pytest.approx(mean * ratio, rel=0.08)
    assert drawn.var() / drawn.mean() ** 2 == pytest.approx(lengths.scv, rel=0.35, abs=0.001)


def test_fixed_lengths_do_not_vary():
    lengths = fixed(800)
    assert (lengths.scv, lengths.quantile(0.99)) == (0.0, 800)
    assert set(lengths.sample(np.random.default_rng(1), 10)) == {800}


def test_lengths_of_a_trace_are_its_own():
    lengths = from_values([30, 10, 20])
    assert (lengths.mean, lengths.quantile(0.5), lengths.values) == (20, 20, (10, 20, 30))
    assert set(lengths.sample(np.random.default_rng(1), 50)) <= {10, 20, 30}
