"""Whether a card, a node or the room is hot, and how long memory lasts."""

from __future__ import annotations

from datetime import date

import pytest

from core.monitoring.advice import remedies
from core.monitoring.leaks import Leak
from core.quantities import GIB
from tests.core.monitoring.advice.clusters import finding, gpus, snapshot

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("degrees", "said"),
    [
        ([91, 60, 61, 60, 60, 60, 60, 60], "this card's own cooling"),
        ([91, 90, 89, 90, 60, 60, 60, 60], "The whole node is hot"),
        ([91, 90, 89, 90, 88, 89, 90, 90], "All are about as hot"),
    ],
)
def test_what_is_hot(degrees: list[float], said: str) -> None:
    fleet = snapshot(gpus({"a": [0.8] * 4, "b": [0.8] * 4}, gpu_temperature=degrees))
    first = remedies(finding("gpu_hot", fleet.gpus.subjects[0]), fleet, TODAY)[0]
    assert said in str(first.sentence)
    assert "91 °C" in str(first.sentence)


def test_when_memory_is_full() -> None:
    """1 GiB an hour, 70 GiB used, 9 hours left."""
    fleet = snapshot(gpus({"a": [0.8]}))
    leak = Leak(fleet.gpus.subjects[0], GIB / 3600, 70 * GIB, 6 * 3600.0, 0.99, 9 * 3600.0)
    leaking = snapshot(fleet.gpus, leaks=(leak,))
    said = str(remedies(finding("memory_leak", fleet.gpus.subjects[0]), leaking, TODAY)[0].sentence)
    assert "grows by 1 GiB an hour and holds 70" in said
    assert "full in 9.0 h" in said
