"""Records of arrays, for searches."""

import numpy as np

from core.speed.arrays import stacked, taken
from core.speed.profile import FORMATS


def test_records_stack_to_arrays(profile):
    both = stacked([profile(), profile(tp=2)])
    assert both.layers.shape == (2,)
    assert both.dense_flops.shape == (len(FORMATS), 2)
    assert np.all(both.tp == [1, 2])


def test_rows_are_taken_in_any_order_and_often(profile):
    rows = taken(stacked([profile(), profile(tp=2)]), np.array([1, 0, 1]))
    assert np.all(rows.tp == [2, 1, 2])
    assert rows.dense_flops.shape == (len(FORMATS), 3)
