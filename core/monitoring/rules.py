"""Which limit of which indicator makes which finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.monitoring.verdicts import State

Side = Literal["low", "high"]


@dataclass(frozen=True)
class Rule:
    """A limit of one indicator that makes a flag when it is crossed on one side."""

    id: str
    indicator: str
    side: Side
    states: tuple[State, ...] = (State.WARNING, State.BAD)
    wording: str = ""


RULES = (
    Rule("gpu_idle", "gpu_utilisation", "low", (State.BAD,)),
    Rule("gpu_underused", "gpu_utilisation", "low", (State.WARNING,)),
    Rule("gpu_saturated", "gpu_utilisation", "high"),
    Rule("memory_high", "memory_occupancy", "high"),
    Rule("gpu_hot", "gpu_temperature", "high"),
    Rule("throttled", "throttling", "high"),
    Rule("xid", "xid", "high"),
    Rule("ecc", "ecc_errors", "high"),
    Rule("ecc", "row_remap_failed", "high", wording="ecc_remap"),
    Rule("kv_pressure", "kv_usage", "high"),
    Rule("queue", "queue", "high"),
    Rule("preemptions", "preemptions", "high"),
    Rule("ttft_slow", "ttft", "high"),
    Rule("itl_slow", "itl", "high"),
    Rule("e2e_slow", "e2e", "high"),
    Rule("errors", "error_rate", "high"),
    Rule("batch_low", "batch_efficiency", "low"),
)

RULED = frozenset(rule.indicator for rule in RULES)
"""Indicators that can make a finding. Others are judged for their own column, and colour no GPU."""
