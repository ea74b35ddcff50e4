"""A leak is told from a cache that fills, a step, a load that grows, and noise."""

from __future__ import annotations

import numpy as np
import pytest

from core.monitoring.leaks import Leak, Numbers, suspected, theil_sen
from core.monitoring.subjects import Level, Subject
from core.quantities import GIB

POINTS = 73
TIMES = np.arange(POINTS) * 300.0
HOURS = TIMES / 3600
SUBJECT = Subject(Level.GPU, node="node-1", gpu="0")
STEADY = np.full((1, POINTS), 14.0)
NOISE = np.random.default_rng(1).normal(0.0, 0.1 * GIB, POINTS)


def leaks(used: Numbers, load: Numbers = STEADY, capacity: float = 80 * GIB) -> tuple[Leak, ...]:
    return suspected([SUBJECT], TIMES, used[None, :], np.array([capacity]), load)


def test_growth_hour_after_hour_is_a_leak() -> None:
    [leak] = leaks(50 * GIB + 2 * GIB * HOURS + NOISE)
    assert leak.slope * 3600 / GIB == pytest.approx(2.0, rel=0.03)
    assert leak.full_s == pytest.approx((80 - 62) / 2 * 3600, rel=0.1)


@pytest.mark.parametrize(
    "used",
    [
        pytest.param(50 * GIB + NOISE, id="noise"),
        pytest.param(50 * GIB + np.where(HOURS > 3, 20 * GIB, 0.0) + NOISE, id="a model that is loaded"),
        pytest.param(50 * GIB + 20 * GIB * (1 - np.exp(-HOURS / 0.7)) + NOISE, id="a cache that fills"),
        pytest.param(60 * GIB - 2 * GIB * HOURS, id="memory that is given back"),
        pytest.param(50 * GIB + 0.1 * GIB * HOURS, id="too slow to matter"),
        pytest.param(50 * GIB + 4 * GIB * np.sin(HOURS), id="waves"),
        pytest.param(np.where(HOURS < 1.5, 50 * GIB + 3 * GIB * HOURS, np.nan), id="too short"),
        pytest.param(np.full(POINTS, np.nan), id="nothing"),
    ],
)
def test_what_is_no_leak(used: Numbers) -> None:
    assert leaks(used) == ()


def test_memory_that_grows_with_the_load_is_no_leak_but_without_a_known_load_it_is_one() -> None:
    used = 50 * GIB + 2 * GIB * HOURS
    assert leaks(used, (10.0 + HOURS)[None, :]) == ()
    assert leaks(used, (10.0 - HOURS / 2)[None, :])
    assert leaks(used, np.full((1, POINTS), np.nan))


def test_gaps_and_outliers_do_not_hide_a_leak() -> None:
    used = 50 * GIB + 2 * GIB * HOURS
    used[10:16] = np.nan
    used[40] = 55 * GIB
    [leak] = leaks(used)
    assert leak.slope * 3600 / GIB == pytest.approx(2.0, rel=0.03)


def test_a_line_is_found_exactly() -> None:
    assert theil_sen(TIMES, 7.0 * TIMES + 3.0) == pytest.approx(7.0)


def test_the_fastest_leak_comes_first() -> None:
    subjects = [Subject(Level.GPU, node="a", gpu="0"), Subject(Level.GPU, node="b", gpu="0")]
    used = np.stack([50 * GIB + GIB * HOURS, 50 * GIB + 3 * GIB * HOURS])
    found = suspected(subjects, TIMES, used, np.full(2, 80 * GIB), np.full((2, POINTS), np.nan))
    assert [leak.subject.node for leak in found] == ["b", "a"]
