from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.monitoring.indicators import xid_codes
from core.monitoring.thresholds import PRESETS, Limit
from core.monitoring.verdicts import State, judge, judge_codes

SERVING = PRESETS["serving"]
UTILISATION = SERVING["gpu_utilisation"]
LIMITS = [limit for preset in PRESETS.values() for limit in preset.limits.values()]
RANK = {State.OK: 0, State.WARNING: 1, State.BAD: 2}

limits = st.sampled_from(LIMITS)
values = st.floats(min_value=0, max_value=1e4)


def one(limit: Limit, average: float, **more: float) -> State:
    found = judge(limit, average, **more)[()]
    assert type(found) is State
    return found


@pytest.mark.parametrize(
    ("average", "most", "state"),
    [
        (0.8, 0.9, State.OK),
        (0.5, 0.6, State.OK),
        (0.499, 0.6, State.WARNING),
        (0.95, 1.0, State.OK),
        (0.951, 1.0, State.WARNING),
        (0.02, 0.04, State.BAD),
        (0.02, 0.30, State.WARNING),
    ],
)
def test_utilisation_by_the_guide(average: float, most: float, state: State) -> None:
    assert one(UTILISATION, average, most=most) is state


@pytest.mark.parametrize(
    ("indicator", "average", "state"),
    [
        ("memory_occupancy", 0.9, State.OK),
        ("memory_occupancy", 0.91, State.WARNING),
        ("memory_occupancy", 0.99, State.BAD),
        ("ttft", 0.5, State.OK),
        ("ttft", 0.7, State.WARNING),
        ("ttft", 1.01, State.BAD),
        ("error_rate", 0.02, State.WARNING),
        ("error_rate", 0.06, State.BAD),
        ("gpu_temperature", 86, State.WARNING),
        ("gpu_temperature", 91, State.BAD),
        ("ecc_errors", 0, State.OK),
        ("ecc_errors", 1, State.BAD),
        ("replica_up", 1, State.OK),
        ("replica_up", 0, State.BAD),
    ],
)
def test_limits_are_beyond_not_at(indicator: str, average: float, state: State) -> None:
    assert one(SERVING[indicator], average) is state


@given(limits, values, values)
def test_a_value_further_beyond_a_limit_is_never_milder(limit: Limit, first: float, second: float) -> None:
    less, more = sorted((first, second))
    low = limit.low if limit.low is not None else limit.low_bad
    high = limit.high if limit.high is not None else limit.high_bad
    if high is not None and less > high:
        assert RANK[one(limit, more)] >= RANK[one(limit, less)]
    if low is not None and more < low:
        assert RANK[one(limit, less)] >= RANK[one(limit, more)]


@given(limits, st.lists(values, min_size=1, max_size=60), st.floats(min_value=0, max_value=100))
def test_each_sample_further_up_is_never_milder_on_the_high_side(
    limit: Limit, samples: list[float], shift: float
) -> None:
    high = limit.high if limit.high is not None else limit.high_bad
    window = np.array(samples)
    if high is None or window.mean() <= high:
        return
    states = [
        one(limit, moved.mean(), least=moved.min(), most=moved.max()) for moved in (window, window + shift)
    ]
    assert RANK[states[1]] >= RANK[states[0]]


@given(
    usual=st.floats(min_value=0.7, max_value=0.9),
    dipped=st.integers(min_value=0, max_value=7),
    depth=st.floats(min_value=0, max_value=1),
)
def test_a_short_dip_or_peak_does_not_flag(usual: float, dipped: int, depth: float) -> None:
    """Seven of 30 samples (3.5 of 15 min) anywhere between none and all leave a GPU of the usual band alone."""
    window = np.full(30, usual)
    window[:dipped] = depth
    assert one(UTILISATION, window.mean(), least=window.min(), most=window.max(), samples=30) is State.OK


def test_a_dip_that_lasts_does_flag() -> None:
    window = np.full(30, 0.7)
    window[:15] = 0.0
    assert one(UTILISATION, window.mean(), samples=30) is State.WARNING


@given(limits)
def test_no_data_is_unknown(limit: Limit) -> None:
    assert one(limit, np.nan) is State.UNKNOWN
    assert one(limit, np.nan, samples=0, age_s=0) is State.UNKNOWN


@given(limits, values)
def test_too_few_samples_are_warming_up(limit: Limit, average: float) -> None:
    assert one(limit, average, samples=limit.least_samples - 1) is State.WARMING_UP
    assert one(limit, average, samples=limit.least_samples) is not State.WARMING_UP


@given(limits, values)
def test_a_young_process_is_warming_up(limit: Limit, average: float) -> None:
    settled = max(limit.window_s, limit.for_s)
    assert one(limit, average, age_s=settled - 1) is State.WARMING_UP
    assert one(limit, average, age_s=settled) is not State.WARMING_UP
    assert one(limit, average, age_s=np.nan) is not State.WARMING_UP


def test_a_half_empty_window_is_warming_up() -> None:
    assert one(UTILISATION, 0.1, samples=25, expected_samples=60) is State.WARMING_UP
    assert one(UTILISATION, 0.1, samples=31, expected_samples=60) is State.WARNING


@given(limits, values)
def test_a_limit_whose_condition_does_not_hold_is_silent(limit: Limit, average: float) -> None:
    assert judge(limit, average, condition=False)[()] is State.OK
    assert judge(limit, average, condition=True)[()] is one(limit, average)


def test_arrays_broadcast() -> None:
    found = judge(
        UTILISATION,
        np.array([[0.8], [0.3], [np.nan]]),
        samples=np.array([30, 3]),
        condition=np.array([True, True]),
    )
    assert {type(state) for state in found.ravel()} == {State}
    assert found.tolist() == [
        [State.OK, State.WARMING_UP],
        [State.WARNING, State.WARMING_UP],
        [State.UNKNOWN, State.UNKNOWN],
    ]
    assert judge(UTILISATION, np.array([])).shape == (0,)


def test_ten_thousand_are_judged_at_once() -> None:
    found = judge(UTILISATION, np.linspace(0, 1, 10_000), samples=np.full(10_000, 30))
    assert {State(state) for state in set(found)} == {State.OK, State.WARNING, State.BAD}


def test_xid_codes_by_what_they_say_about_the_gpu() -> None:
    codes = xid_codes()
    assert judge_codes(codes.critical).tolist() == [State.BAD] * len(codes.critical)
    assert judge_codes(codes.warning).tolist() == [State.WARNING] * len(codes.warning)
    assert judge_codes([np.nan, 0, 13, 31, 43, 45]).tolist() == [State.OK] * 6
    assert judge_codes([79, 94], silent={79}).tolist() == [State.OK, State.WARNING]
