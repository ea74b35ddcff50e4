"""What is beyond a limit or missing, one subject at a time: the raw material of findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.monitoring.finding import Severity
from core.monitoring.indicators import indicators
from core.monitoring.judging import STALE_SCRAPES, stale
from core.monitoring.past import since
from core.monitoring.prometheus import SKEW_S
from core.monitoring.rules import RULES, Rule
from core.monitoring.snapshot import Snapshot, Statistic, Table
from core.monitoring.subjects import FLEET, Level, Subject
from core.monitoring.thresholds import Limit, Thresholds
from core.monitoring.verdicts import State
from core.monitoring.xid import xids


@dataclass(frozen=True)
class Flag:
    """One fault of one subject; `wording` is the key of its sentences, `facts` are what they name besides."""

    rule: str
    severity: Severity
    subject: Subject
    indicator: str
    value: float = float("nan")
    limit: float | None = None
    since_s: float | None = None
    at_least: bool = False
    wording: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def flags(snapshot: Snapshot, thresholds: Thresholds) -> list[Flag]:
    """Return every flag of *snapshot*, in no order."""
    found: list[Flag] = []
    for rule in RULES:
        limit = thresholds.limits.get(rule.indicator)
        if limit is None:
            continue
        table = snapshot.gpus if indicators()[rule.indicator].level == "gpu" else snapshot.replicas
        found += _crossed(rule, limit, table, snapshot)
    if snapshot.aggregated:
        found += _full_nodes(snapshot, thresholds)
    return [*found, *_leaking(snapshot), *_lost(snapshot), *_telemetry(snapshot)]


def _full_nodes(snapshot: Snapshot, thresholds: Thresholds) -> Iterator[Flag]:
    """Of a large fleet the memory of whole nodes is judged, where no engine has taken it on purpose."""
    rule = next(one for one in RULES if one.id == "memory_high")
    limit = thresholds.limits.get(rule.indicator)
    if limit is not None and snapshot.detected.preallocating:
        yield from _crossed(rule, limit, snapshot.nodes, snapshot)


def _crossed(rule: Rule, limit: Limit, table: Table, snapshot: Snapshot) -> Iterator[Flag]:
    values = table.column(rule.indicator)
    states = table.verdict(rule.indicator)
    first, bad = (limit.low, limit.low_bad) if rule.side == "low" else (limit.high, limit.high_bad)
    edge = first if first is not None else bad
    is_code = indicators()[rule.indicator].unit == "code"
    if edge is None:
        return
    with np.errstate(invalid="ignore"):
        beyond = values > edge if rule.side == "high" else values < edge
    for row in np.flatnonzero(beyond).tolist():
        state = State(states[row])
        if state not in rule.states:
            continue
        subject = table.subjects[row]
        lasting = since(snapshot.history.get(rule.indicator), subject, edge, above=rule.side == "high")
        crossed = bad if state is State.BAD and bad is not None else edge
        yield Flag(
            rule.id,
            severity(limit, state),
            subject,
            rule.indicator,
            float(values[row]),
            None if is_code else crossed,
            None if lasting is None or is_code else lasting[0],
            lasting is not None and lasting[1],
            rule.wording or rule.id,
            _facts(rule, table, row),
        )


def severity(limit: Limit, state: State) -> Severity:
    """Return how bad *state* is: a limit that is critical when bad is a warning before."""
    return "warning" if limit.severity == "critical" and state is not State.BAD else limit.severity


def _facts(rule: Rule, table: Table, row: int) -> dict[str, Any]:
    if rule.id == "kv_pressure":
        names = ("queue", "preemptions")
        return {name: float(np.nan_to_num(table.column(name)[row])) for name in names}
    if rule.id == "xid":
        return {"xid": xids().get(int(table.column("xid")[row]))}
    return {}


def _leaking(snapshot: Snapshot) -> Iterator[Flag]:
    for leak in snapshot.leaks:
        facts = {"used": leak.used, "full_s": leak.full_s}
        yield Flag(
            "memory_leak",
            "warning",
            leak.subject,
            "memory_used_bytes",
            leak.slope * 3600,
            since_s=leak.seen_s,
            at_least=True,
            wording="memory_leak",
            facts=facts,
        )


def _lost(snapshot: Snapshot) -> Iterator[Flag]:
    left = {subject.node for subject in snapshot.gpus.subjects}
    left |= {subject.node for subject in snapshot.nodes.subjects}
    for subject in snapshot.missing:
        rest = subject.node in left
        wording = "gpu_missing" if rest else "node_missing"
        yield Flag(
            "gpu_missing", "critical" if rest else "warning", subject, "gpu_exporter_up", wording=wording
        )
    failing = {target.instance for target in snapshot.targets if target.level is Level.ENGINE}
    for subject in snapshot.gone:
        wording = "replica_down" if subject.instance in failing else "replica_gone"
        yield Flag("replica_down", "critical", subject, "replica_up", wording=wording)


def _telemetry(snapshot: Snapshot) -> Iterator[Flag]:
    for target in snapshot.targets:
        if target.level is Level.GPU:
            subject = Subject(Level.NODE, node=target.node, instance=target.instance)
            yield Flag("telemetry", "warning", subject, "gpu_exporter_up", wording="telemetry")
    limit = STALE_SCRAPES * snapshot.scrape_s
    for table in (snapshot.gpus, snapshot.replicas):
        ages = [column for (_, what), column in table.values.items() if what is Statistic.AGE]
        old = stale(table, snapshot.scrape_s)
        for row in np.flatnonzero(old).tolist():
            age = float(np.nanmin([column[row] for column in ages]))
            yield Flag(
                "telemetry", "warning", table.subjects[row], "age", age, limit, wording="telemetry_stale"
            )
    if abs(snapshot.skew_s) > SKEW_S:
        yield Flag(
            "telemetry", "warning", FLEET, "skew", abs(snapshot.skew_s), SKEW_S, wording="telemetry_skew"
        )
