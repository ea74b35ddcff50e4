"""Advice that is not computed: sourced, in both languages, and for every rule."""

from __future__ import annotations

from core.monitoring.advice.guides import known
from core.text import LANGUAGES

RULES = (
    *("gpu_idle", "gpu_underused", "gpu_saturated", "memory_high", "memory_leak", "kv_pressure", "ttft_slow"),
    *("itl_slow", "batch_low", "errors", "gpu_hot", "throttled", "xid", "ecc", "replica_down", "gpu_missing"),
    "telemetry",
)


def test_every_rule_has_advice_with_a_source() -> None:
    for rule in RULES:
        found = known(rule)
        assert found, rule
        for one in found:
            for language in LANGUAGES:
                assert one.sentence.render(language)
                assert len(one.basis.render(language)) > 10


def test_an_unknown_rule_has_none() -> None:
    assert known("no such rule") == ()
