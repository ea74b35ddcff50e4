"""Figures are printed with the digits that their bands support, and told to be unstable where they have no end."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from core.planning.figures import is_stable, percentile, ranged, shown, utilisation
from core.planning.result import Plan
from tests.plans import made


def queued() -> Plan:
    """Return a plan whose load is above the stable one."""
    plan = made(rate=20.0, stable=16.0)
    return replace(plan, service=replace(plan.service, ttft=dict.fromkeys((0.5, 0.95, 0.99), math.inf)))


def test_a_latency_has_the_digits_of_its_band() -> None:
    plan = made(ttft=0.3123)
    assert shown(plan, "ttft", "en") == "310 ms"
    assert ranged(plan, "ttft") == "250 – 410 ms"


def test_a_whole_request_is_told_in_seconds() -> None:
    assert shown(made(), "request", "en") == "8.0 s"
    assert ranged(made(), "request") == "7.0 – 9.5 s"


@pytest.mark.parametrize(("language", "said"), [("en", "unstable"), ("zh", "不稳定")])
def test_above_the_stable_load_there_is_no_number(language: str, said: str) -> None:
    assert not is_stable(queued())
    assert all(shown(queued(), name, language) == said for name in ("ttft", "tpot", "request"))
    assert ranged(queued(), "ttft") is None


def test_utilisation_and_percentiles_in_words() -> None:
    assert utilisation(made(rate=8.0, stable=16.0)) == "50%"
    assert [percentile(share) for share in (0.5, 0.95, 0.99)] == ["P50", "P95", "P99"]
