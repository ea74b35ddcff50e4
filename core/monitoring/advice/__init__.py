"""What to do about a finding: first what is computed from the cluster and the sizing core, then what is known.

Nothing is made up: a number comes from the snapshot, the catalogue or an estimate, and each remedy says from
which. What cannot be computed says what is missing for it.
"""

from __future__ import annotations

from datetime import date

from core.errors import PlannerError
from core.monitoring.advice.device import hot, leaking
from core.monitoring.advice.fleet import fewer, more, none_of, one_less
from core.monitoring.advice.guides import known
from core.monitoring.advice.remedy import Link, Remedy
from core.monitoring.advice.serving import full_cache, slow_first_token, slow_tokens
from core.monitoring.finding import Finding
from core.monitoring.snapshot import Snapshot
from core.text import say

__all__ = ["Link", "Remedy", "remedies"]


def remedies(finding: Finding, snapshot: Snapshot, today: date) -> tuple[Remedy, ...]:
    """Return what to do about *finding*, what matters most first; prices as of *today*.

    Takes up to a second where the sizing core searches for a plan: ask for one finding at a time.
    """
    try:
        computed = _computed(finding, snapshot, today)
    except PlannerError as error:
        reason = say("monitoring.advice.not_computed", reason=error.sentence)
        computed = (Remedy(reason, say("monitoring.advice.on_plan"), Link("plan")),)
    return (*computed, *known(finding.rule))


def _computed(finding: Finding, snapshot: Snapshot, today: date) -> tuple[Remedy, ...]:
    match finding.rule:
        case "gpu_idle":
            return none_of(finding, snapshot, today)
        case "gpu_underused":
            return fewer(finding, snapshot, today)
        case "gpu_saturated":
            return more(snapshot)
        case "replica_down":
            return one_less(finding, snapshot)
        case "kv_pressure" | "queue" | "preemptions":
            return full_cache(finding, snapshot)
        case "ttft_slow" | "e2e_slow":
            return slow_first_token(finding, snapshot)
        case "itl_slow":
            return slow_tokens(finding, snapshot)
        case "gpu_hot" | "throttled":
            return hot(finding, snapshot)
        case "memory_leak":
            return leaking(finding, snapshot)
    return ()
