"""Distributions of three numbers have the means and ends that the books say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cost.assumptions import Range
from core.cost.distributions import pert, quantile, stream, triangular

three = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3).map(sorted)
EVEN = (np.arange(20_000) + 0.5) / 20_000


@given(three)
def test_means(values: list[float]) -> None:
    low, typical, high = values
    near = {"abs": 2e-4 * (high - low) + 1e-9}
    assert triangular(EVEN, *values).mean() == pytest.approx((low + typical + high) / 3, **near)
    assert pert(EVEN, *values).mean() == pytest.approx((low + 4 * typical + high) / 6, **near)


@given(three)
def test_values_rise_within_their_range(values: list[float]) -> None:
    for shape in ("pert", "triangular"):
        found = quantile(shape, Range(*values), EVEN)
        assert (np.diff(found) >= -1e-9).all()
        assert found.min() >= values[0] - 1e-9
        assert found.max() <= values[2] + 1e-9


def test_a_triangle_on_paper() -> None:
    """Half of 0 to 4 with its tip at 1 lies below 4 - sqrt(6); a quarter, exactly, below the tip."""
    assert triangular(np.array([0.25, 0.5]), 0.0, 1.0, 4.0).tolist() == pytest.approx([1.0, 4 - 6**0.5])


def test_the_variance_of_a_pert() -> None:
    """(mean - low)(high - mean) / 7."""
    found = pert(EVEN, 1.0, 2.0, 7.0)
    mean = (1 + 8 + 7) / 6
    assert found.var() == pytest.approx((mean - 1) * (7 - mean) / 7, rel=1e-3)


def test_streams_are_even_and_their_own() -> None:
    first = stream("a", 1000, 1)
    assert np.sort((first * 1000).astype(int)).tolist() == list(range(1000))
    assert (first == stream("a", 1000, 1)).all()
    assert abs(np.corrcoef(first, stream("b", 1000, 1))[0, 1]) < 0.1
    assert (first != stream("a", 1000, 2)).any()
