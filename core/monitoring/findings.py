"""From a snapshot to what is wrong: grouped, each cause once, the worst first."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from core.monitoring.asking import QUANTILES
from core.monitoring.consequences import Explained, explained
from core.monitoring.evidence import evidence
from core.monitoring.finding import SEVERITIES, Finding
from core.monitoring.flags import Flag, flags
from core.monitoring.indicators import indicators
from core.monitoring.snapshot import Snapshot
from core.monitoring.subjects import FLEET, Level
from core.monitoring.tables import natural
from core.monitoring.thresholds import Thresholds
from core.monitoring.wording import amount, facts, lasting, printed, slowness, together, unit_of
from core.text import Sentence, say

# These concern what the whole fleet does with its capacity, not one machine.
OF_THE_FLEET = frozenset({"gpu_underused", "gpu_saturated"})
MANY = 8
"""Groups of one rule beyond which they are one finding: a list of hundreds says less than a number."""
# Of a group the average is what counts; elsewhere its worst.
_AVERAGED = frozenset({"gpu_utilisation"})


def findings(snapshot: Snapshot, thresholds: Thresholds) -> tuple[Finding, ...]:
    """Return what is wrong in *snapshot*, the worst first.

    A fault that follows from another of the same place is named there (`Finding.explains`) and nowhere else.
    """
    left = explained(flags(snapshot, thresholds), snapshot)
    short = {rule for rule, number in snapshot.beyond.items() if number > _listed(left, rule)}
    found = [_finding(key, group, snapshot, thresholds) for key, group in _grouped(left, short).items()]
    return tuple(sorted(found, key=_rank))


def _rank(finding: Finding) -> tuple[int, int, str]:
    return SEVERITIES.index(finding.severity), -finding.count, finding.id


def _listed(left: Sequence[Explained], rule: str) -> int:
    return sum(one.flag.rule == rule for one in left)


def _grouped(left: Sequence[Explained], short: Collection[str] = ()) -> dict[str, list[Explained]]:
    """Return the flags by the id of their finding; rules in *short* concern more than are known by name."""
    groups: dict[str, dict[str, list[Explained]]] = {}
    for one in left:
        subject = one.flag.subject
        place = subject.of_node.id if subject.level is Level.GPU else subject.id
        if one.flag.rule in OF_THE_FLEET or subject.level is Level.FLEET:
            place = FLEET.id
        groups.setdefault(one.flag.rule, {}).setdefault(place, []).append(one)
    made: dict[str, list[Explained]] = {}
    for rule, places in groups.items():
        if len(places) > MANY or rule in short:
            made[f"{rule}~{FLEET.id}"] = [one for group in places.values() for one in group]
            continue
        for place, group in places.items():
            alone = len(group) == 1 and group[0].flag.subject.level is Level.GPU and place != FLEET.id
            made[f"{rule}~{group[0].flag.subject.id if alone else place}"] = group
    return made


def _finding(key: str, group: Sequence[Explained], snapshot: Snapshot, thresholds: Thresholds) -> Finding:
    found = [one.flag for one in group]
    worst = _worst(found)
    ordered = sorted({flag.subject.id: flag.subject for flag in found}.values(), key=natural)
    subjects = (worst.subject, *(one for one in ordered if one.id != worst.subject.id))
    count = max(len(subjects), snapshot.beyond.get(worst.rule, 0) if snapshot.aggregated else 0)
    value = _value(found, worst)
    known = [flag for flag in found if flag.since_s is not None]
    shortest = min(known, key=lambda flag: flag.since_s or 0.0) if known else None
    what = together(ordered, count)
    said = {
        "what": what,
        "value": amount(worst.rule, value, worst.indicator, worst.limit),
        "limit": "–" if worst.limit is None else printed(worst.limit, unit_of(worst.indicator)),
        "since": lasting(
            shortest.since_s if shortest else None, at_least=bool(shortest and shortest.at_least)
        ),
        **facts(worst.wording, worst.facts),
        **_slowness(worst.indicator, value, snapshot, thresholds),
    }
    prefix = f"monitoring.finding.{worst.wording}"
    return Finding(
        id=key,
        rule=worst.rule,
        severity=min((flag.severity for flag in found), key=SEVERITIES.index),
        subjects=subjects,
        indicator=worst.indicator,
        value=value,
        limit=worst.limit,
        unit=unit_of(worst.indicator),
        since_s=shortest.since_s if shortest else None,
        at_least=bool(shortest and shortest.at_least),
        title=say(f"{prefix}.title"),
        sentence=say(f"{prefix}.sentence", **said),
        cause=say(f"{prefix}.cause", **said),
        evidence=evidence(worst.rule, subjects, worst.limit, snapshot, thresholds),
        explains=_consequences(group, snapshot, thresholds),
        count=count,
    )


def _slowness(
    indicator: str, value: float, snapshot: Snapshot, thresholds: Thresholds
) -> dict[str, Sentence]:
    """Return what a latency means in words; nothing for other indicators."""
    if indicator not in QUANTILES:
        return {}
    means = snapshot.detected.means(indicator)
    # Where other engines give quantiles, these are what is the slowest.
    only = bool(means) and len(means) == len(snapshot.detected.engines)
    quantile = thresholds.limits[indicator].quantile
    return {"slow": slowness(indicator, value, quantile, mean=only)}


def _worst(found: Sequence[Flag]) -> Flag:
    """Return the flag that stands for a group: the most severe, then the farthest beyond its limit."""
    low = indicators()[found[0].indicator].sense != "high" if found[0].indicator in indicators() else False

    def far(flag: Flag) -> float:
        if not np.isfinite(flag.value) or flag.limit is None:
            return flag.value if np.isfinite(flag.value) else 0.0
        return flag.limit - flag.value if low and flag.value < flag.limit else flag.value - flag.limit

    return min(found, key=lambda flag: (SEVERITIES.index(flag.severity), -far(flag), natural(flag.subject)))


def _value(found: Sequence[Flag], worst: Flag) -> float:
    if worst.indicator in _AVERAGED:
        return float(np.mean([flag.value for flag in found]))
    return worst.value


def _consequences(
    group: Sequence[Explained], snapshot: Snapshot, thresholds: Thresholds
) -> tuple[Finding, ...]:
    follows = [Explained(flag) for one in group for flag in one.follows]
    made = [_finding(key, some, snapshot, thresholds) for key, some in _grouped(follows).items()]
    return tuple(sorted(made, key=_rank))
