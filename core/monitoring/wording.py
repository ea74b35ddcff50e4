"""The sentences of a finding: what, how much, since when, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.monitoring.indicators import indicators
from core.monitoring.subjects import FLEET, Level, Subject
from core.quantities import GIB, format_gib, format_seconds
from core.text import Sentence, say

_AFTER = {"celsius": " °C", "W": " W", "1/s": "/s", "tokens/s": " tok/s"}
SCALES = {"ratio": 100.0, "s": 1000.0, "bytes": 1 / GIB}
"""What a number of the core is multiplied with where people read it in %, ms or GiB."""
_STEPS = ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes"))


def printed(value: float, unit: str) -> str:
    """Return *value* with its unit, three digits at most.

    >>> printed(0.3141, "ratio"), printed(0.0035, "ratio"), printed(0.62, "s"), printed(92.1, "celsius")
    ('31 %', '0.35 %', '620 ms', '92 °C')
    >>> printed(0.05, "ratio"), printed(1.0, "ratio"), printed(0.6, "1/s"), printed(42.0, "count")
    ('5 %', '100 %', '0.6/s', '42')
    """
    if not math.isfinite(value):
        return "–"
    if unit == "ratio":
        return f"{float(f'{value * 100:.2g}') if abs(value) < 0.995 else round(value * 100):g} %"
    if unit == "s":
        return format_seconds(value) if value < 10 else f"{value:,.0f} s"
    if unit == "bytes":
        return format_gib(value)
    number = f"{value:,.0f}" if unit in {"celsius", "W", "code"} or value >= 1000 else f"{value:.3g}"
    return number + _AFTER.get(unit, "")


def apart(value: float, limit: float, unit: str) -> str:
    """Return *value* with its unit and as many digits as tell it from *limit*, which it is beyond.

    >>> apart(0.974, 0.97, "ratio"), apart(0.99, 0.95, "ratio"), apart(90.3, 90.0, "celsius")
    ('97.4 %', '99 %', '90.3 °C')
    """
    shown, other = printed(value, unit), printed(limit, unit)
    if shown != other or unit == "s":
        return shown
    factor, after = (100.0, " %") if unit == "ratio" else (1.0, _AFTER.get(unit, ""))
    more = (f"{value * factor:.{digits}g}{after}" for digits in range(3, 7))
    return next((told for told in more if told != other), shown)


def unit_of(indicator: str) -> str:
    """Return the unit of *indicator*; ages and clocks are seconds."""
    known = indicators().get(indicator)
    return known.unit if known else "s"


def duration(seconds: float) -> Sentence:
    """Return *seconds* in the largest unit of which there are two.

    >>> str(duration(5400)), str(duration(21600)), str(duration(20))
    ('90 min', '6 h', '20 s')
    """
    for size, name in _STEPS:
        if seconds >= 2 * size:
            return say(f"monitoring.duration.{name}", number=f"{seconds / size:.0f}")
    return say("monitoring.duration.seconds", number=f"{seconds:.0f}")


def lasting(since_s: float | None, *, at_least: bool) -> Sentence:
    """Return for how long something has been so."""
    if not since_s:
        return say("monitoring.since.now")
    return say(f"monitoring.since.{'at_least' if at_least else 'exact'}", duration=duration(since_s))


def slowness(indicator: str, value: float, quantile: float, *, mean: bool) -> Sentence:
    """Return what a latency of *value* seconds at *quantile* means, or one that is the *mean* of all.

    >>> str(slowness("ttft", 2.5, 0.99, mean=False))
    '1 % of the requests wait longer than 2,500 ms for their first token'
    """
    shown = printed(value, "s")
    if mean:
        return say(f"monitoring.slow.{indicator}.mean", value=shown)
    return say(f"monitoring.slow.{indicator}.share", value=shown, share=printed(1 - quantile, "ratio"))


def together(subjects: Sequence[Subject], count: int) -> Sentence:
    """Return one name for *count* subjects, of which *subjects* are those that are known by name."""
    nodes = {subject.node for subject in subjects}
    level = subjects[0].level
    if count == 1:
        return subjects[0].title
    if level is Level.GPU and len(nodes) == 1 and count == len(subjects):
        return say("monitoring.subject.gpus", count=count, node=subjects[0].node)
    if level is Level.GPU:
        return say("monitoring.subject.gpus_of_many", count=f"{count:,}", example=subjects[0].title)
    if level is Level.ENGINE:
        return say("monitoring.subject.replicas", count=f"{count:,}", example=subjects[0].title)
    return FLEET.title if level is Level.FLEET else say("monitoring.subject.nodes", count=f"{count:,}")


def facts(wording: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that the sentences of *wording* name, printed."""
    if wording == "kv_pressure":
        return {
            "queue": printed(given["queue"], "count"),
            "preemptions": printed(given["preemptions"], "1/s"),
        }
    if wording == "xid":
        xid = given["xid"]
        return {
            "name": xid.name if xid else "–",
            "meaning": xid.meaning if xid else say("monitoring.xid.other"),
        }
    if wording == "memory_leak":
        full_s = given["full_s"]
        full = (
            say("monitoring.leak.full", duration=duration(full_s)) if full_s else say("monitoring.leak.open")
        )
        return {"used": format_gib(given["used"]), "full": full}
    return {}


def amount(rule: str, value: float, indicator: str, limit: float | None) -> str:
    """Return the value of a finding as its sentence says it beside *limit*."""
    if rule == "memory_leak":
        return f"{value / GIB:.3g} GiB"
    unit = unit_of(indicator)
    return printed(value, unit) if limit is None else apart(value, limit, unit)
