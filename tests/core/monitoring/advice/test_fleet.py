"""How many GPUs the work needs, by hand."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.monitoring.advice import remedies
from core.monitoring.advice.fleet import EASY, Work, gpus_per_replica, work_of
from core.monitoring.snapshot import Snapshot
from core.monitoring.subjects import Subject
from tests.core.monitoring.advice.clusters import finding, gpus, replicas, snapshot

TODAY = date(2026, 11, 22)


def said(rule: str, of: Snapshot, *subjects: Subject) -> list[str]:
    return [str(one.sentence) for one in remedies(finding(rule, *subjects), of, TODAY)]


def test_twelve_quiet_gpus_of_sixteen() -> None:
    """Twelve at 31 % and four at 80 % are 6.92 GPUs of work: ten at 70 %, in replicas of one GPU."""
    fleet = snapshot(gpus({"a": [0.31] * 8, "b": [0.31] * 4 + [0.8] * 4}))
    quiet = fleet.gpus.subjects[:12]
    assert work_of(fleet) == Work(16, pytest.approx((12 * 0.31 + 4 * 0.8) / 16), 1, "NVIDIA H100 80GB HBM3")
    first, second, *_ = said("gpu_underused", fleet, *quiet)
    assert "16 GPUs" in first
    assert "fit on 10 at 70%: 6 could" in first
    # Six H100 at the cheapest list price for 730 hours.
    assert second.startswith("6 such GPUs cost $")


def test_replicas_come_and_go_as_a_whole() -> None:
    """Four replicas of eight GPUs at 31 % are 9.92 GPUs of work, 14.2 at 70 %: two replicas, not fifteen GPUs."""
    fleet = snapshot(gpus({name: [0.31] * 8 for name in "abcd"}), replicas("abcd"))
    assert gpus_per_replica(fleet) == 8
    assert "fit on 16 at 70%: 16 could" in said("gpu_underused", fleet, *fleet.gpus.subjects)[0]


def test_idle_gpus_are_priced_alone() -> None:
    """Eight idle GPUs: only they are offered back, though the others have room too."""
    fleet = snapshot(gpus({"a": [0.0] * 8, "b": [0.35] * 8}))
    first, second, *_ = said("gpu_idle", fleet, *fleet.gpus.subjects[:8])
    assert "The other 8 GPUs do all the work and are busy 35% of the time" in first
    assert second.startswith("8 such GPUs cost $")


def test_no_saving_is_invented() -> None:
    """A fleet that is busy has nothing to spare, an unknown GPU no price, and no utilisation no advice."""
    busy = snapshot(gpus({"a": [0.9] * 7 + [0.1]}))
    assert not any("could be" in text for text in said("gpu_underused", busy, busy.gpus.subjects[7]))
    unknown = snapshot(gpus({"a": [0.1] * 8}, model="Nobody's card"))
    assert not any("$" in text for text in said("gpu_underused", unknown, *unknown.gpus.subjects))
    silent = snapshot(gpus({"a": [float("nan")] * 8}))
    assert work_of(silent) is None
    assert not any("GPUs are busy" in text for text in said("gpu_underused", silent, *silent.gpus.subjects))


def test_a_full_fleet_needs_more_and_an_uneven_one_does_not() -> None:
    full = snapshot(gpus({"a": [0.99] * 8}))
    assert "1 more, 9 in all" in said("gpu_saturated", full, *full.gpus.subjects)[0]
    uneven = snapshot(gpus({"a": [0.99] * 4 + [0.2] * 4}))
    assert "spread the requests" in said("gpu_saturated", uneven, *uneven.gpus.subjects[:4])[0]


def test_what_is_left_after_a_replica_died() -> None:
    fleet = snapshot(gpus({}), replicas("abcd", kv_usage=[0.5, 0.5, 0.5, 0.0]))
    dead = fleet.replicas.subjects[3]
    assert "3 of 4 replicas carry the load, each with 33% more" in said("replica_down", fleet, dead)[0]
    alone = snapshot(gpus({}), replicas("a"))
    assert "not served at all" in said("replica_down", alone, alone.replicas.subjects[0])[0]
    tight = snapshot(gpus({}), replicas("abc", kv_usage=[0.95, 0.8, 0.0]))
    assert "nearly full" in said("replica_down", tight, tight.replicas.subjects[2])[0]


@given(
    count=st.integers(1, 5000),
    mean=st.floats(0.0, 1.0),
    granule=st.sampled_from([1, 2, 4, 8, 16]),
)
def test_the_work_fits_on_what_is_needed(count: int, mean: float, granule: int) -> None:
    needed = Work(count, mean, granule, None).needed(EASY)
    assert needed % granule == 0
    assert count * mean <= needed * EASY + 1e-4
    # One replica less would not do, unless there is only one.
    assert needed == granule or count * mean > (needed - granule) * EASY - 1e-4
