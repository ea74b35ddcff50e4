"""A day of a plan: rates by hour, the line that headroom draws, and the replicas that would be enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.api.deployments import model_of
from core.architecture.formats import weight_format
from core.catalog import find_accelerator
from core.errors import BadRequest
from core.memory.deployment import Deployment, Device, kv_format
from core.memory.engines import find_engine
from core.planning.day import day_of
from core.planning.result import Plan, Service
from core.traffic import Traffic, fixed

FLAT = [1.0] * 24
WAVE = [0.5] * 12 + [1.0] * 6 + [2.0] * 6


def made(replicas: int = 4, rate: float = 10.0, peak: float = 2.0, stable: float = 25.0, **more: Any) -> Plan:
    """Return a plan of *replicas* whose figures are as stated, and else plausible."""
    record = find_accelerator("h100")
    deployment = Deployment(
        model_of("Qwen/Qwen3-8B"), Device.of(record), find_engine("vllm"), weight_format("bf16"), kv_format("bf16")
    )  # fmt: skip
    service = Service(
        rate * peak, stable, 20.0, 200.0, {0.5: 0.1, 0.95: 0.2, 0.99: 0.3}, 0.02, 4.0, "memory", {}
    )
    traffic = Traffic(rate, fixed(1000), fixed(200), peak)
    return replace(Plan(deployment, record, traffic, replicas, 0, service, None, None, None, None), **more)


def test_hours_follow_the_multipliers() -> None:
    day = day_of(made(), WAVE, headroom=0.2)
    assert day.rate == (5.0,) * 12 + (10.0,) * 6 + (20.0,) * 6
    assert day.utilisation == (0.2,) * 12 + (0.4,) * 6 + (0.8,) * 6
    assert (day.stable, day.line, day.replicas) == (25.0, 20.0, 4)
    assert day.above == ()
    assert day.mean_utilisation == pytest.approx(0.4)


def test_replicas_follow_the_line() -> None:
    day = day_of(made(), WAVE, headroom=0.2)
    assert day.needed == (1,) * 12 + (2,) * 6 + (4,) * 6
    assert day.saved == pytest.approx(1 - (12 + 12 + 24) / 96)


def test_where_latency_decides_replicas_take_what_they_are_known_to_bear() -> None:
    day = day_of(made(replicas=10, stable=100.0), WAVE, headroom=0.2)
    assert day.needed == (3,) * 12 + (5,) * 6 + (10,) * 6


def test_hours_above_the_line_are_named() -> None:
    day = day_of(made(stable=20.0), WAVE, headroom=0.2)
    assert day.above == tuple(range(18, 24))
    assert max(day.needed) > day.replicas
    assert day_of(made(stable=20.0), FLAT).above == ()


def test_a_quiet_hour_needs_one_replica() -> None:
    day = day_of(made(), [0.0] * 23 + [2.0])
    assert day.needed[0] == 1
    assert day.utilisation[0] == 0


def test_a_typical_day_has_the_peak_of_the_traffic() -> None:
    day = day_of(made())
    assert max(day.rate) == pytest.approx(20.0)
    assert sum(day.rate) / 24 == pytest.approx(10.0)
    assert day.above == ()


@pytest.mark.parametrize("multipliers", [[], [1.0] * 23, [1.0] * 25, [-1.0] * 24, [float("nan")] * 24])
def test_other_days_are_refused(multipliers: list[float]) -> None:
    with pytest.raises(BadRequest, match="24"):
        day_of(made(), multipliers)
