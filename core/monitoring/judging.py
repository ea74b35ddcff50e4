"""Verdicts for what was read: pure, so that a changed limit needs no new question to the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.monitoring.aggregates import tallied
from core.monitoring.exporters import Detected
from core.monitoring.indicators import indicators
from core.monitoring.rules import RULED
from core.monitoring.snapshot import Coverage, Numbers, Snapshot, Statistic, Table, every
from core.monitoring.subjects import Level
from core.monitoring.tables import located
from core.monitoring.thresholds import Limit, Thresholds
from core.monitoring.verdicts import State, States, judge, judge_codes
from core.monitoring.wording import printed
from core.text import say

# Scrapes without a sample after which a value is no longer that of now.
STALE_SCRAPES = 3
# From the state that says least to the worst; unknown gives way to all of them.
_RISING = (State.OK, State.WARMING_UP, State.WARNING, State.BAD)


def judged(snapshot: Snapshot, thresholds: Thresholds) -> Snapshot:
    """Return *snapshot* with the verdicts of *thresholds* on its GPUs, replicas and nodes."""
    replicas = _judged(snapshot.replicas, snapshot, thresholds)
    covered = coverage(snapshot.gpus, replicas, snapshot.detected)
    gpus = _excused(_judged(snapshot.gpus, snapshot, thresholds), set(covered), snapshot.trusted)
    nodes = _judged(snapshot.nodes, snapshot, thresholds)
    if snapshot.aggregated:
        covered = {**covered, **coverage(nodes, replicas, snapshot.detected)}
        nodes = _excused(nodes, set(covered), snapshot.trusted)
        judged_all = replace(snapshot, replicas=replicas, gpus=gpus, nodes=nodes, covered=covered)
        return tallied(judged_all, thresholds.limits)
    nodes = replace(nodes, state=_worst_by_node(nodes, gpus))
    counts = {name: counted(states) for name, states in gpus.states.items()}
    return replace(snapshot, replicas=replicas, gpus=gpus, nodes=nodes, covered=covered, counts=counts)


def verdict(limit: Limit, table: Table, snapshot: Snapshot) -> States:
    """Return the state of each row of *table* for the indicator of *limit*.

    A value whose last sample is old is unknown, and so is one that looks fine in an answer that is not whole.
    """
    average = table.column(limit.indicator)
    if indicators()[limit.indicator].unit == "code":
        # No code is good news only about a GPU that is read at all.
        states = judge_codes(average)
    else:
        held = limit.window_s / snapshot.scrape_s
        states = judge(
            limit,
            average,
            least=table.values.get((limit.indicator, Statistic.LEAST)),
            most=table.values.get((limit.indicator, Statistic.MOST)),
            samples=np.fmin(samples(table), held) if limit.least_samples > 1 else None,
            expected_samples=held,
            age_s=table.column("replica_age") if table.level is Level.ENGINE else None,
            condition=_condition(limit, table),
        )
    states = states.copy()
    states[stale(table, snapshot.scrape_s)] = State.UNKNOWN
    if not snapshot.trusted:
        states[states == State.OK] = State.UNKNOWN
    return states


def _condition(limit: Limit, table: Table) -> NDArray[np.bool_] | None:
    """Return where one of the other indicators that the limit depends on is above its value."""
    if not limit.only_with:
        return None
    above = [table.column(name) > least for name, least in limit.only_with.items()]
    return np.asarray(np.logical_or.reduce(above), dtype=bool)


def counted(states: States) -> Mapping[State, int]:
    """Return how many of *states* are of each kind."""
    return {state: int((states == state).sum()) for state in State}


def coverage(gpus: Table, replicas: Table, detected: Detected) -> Mapping[str, Coverage]:
    """Return the GPUs, by id, whose memory an engine that preallocates has taken as a whole."""
    found: dict[str, Coverage] = {}
    if not detected.preallocating:
        return found
    places = located(replicas, gpus.subjects, gpus.label("host"))
    expected = replicas.column("memory_expected")
    cache = replicas.column("kv_usage")
    for row, replica in enumerate(replicas.subjects):
        # Without a reading of its cache an engine explains nothing.
        if not np.isfinite(cache[row]):
            continue
        if np.isfinite(expected[row]):
            share = printed(float(expected[row]), "ratio")
            reason = say("monitoring.preallocated.share", replica=replica.instance, share=share)
        else:
            reason = say("monitoring.preallocated.unknown", replica=replica.instance)
        for gpu in places[row]:
            found[gpus.subjects[gpu].id] = Coverage(replica, float(expected[row]), reason)
    return found


def samples(table: Table) -> Numbers:
    """Return how many samples each row has in the longest window; infinite where nobody counted."""
    counts = [column for (_, statistic), column in table.values.items() if statistic is Statistic.SAMPLES]
    return np.fmax.reduce(counts) if counts else np.full(len(table), np.inf)


def stale(table: Table, scrape_s: float) -> NDArray[np.bool_]:
    """Return which rows have had no sample for some scrapes; what was not asked is not stale."""
    ages = [column for (_, statistic), column in table.values.items() if statistic is Statistic.AGE]
    age = np.fmin.reduce(ages) if ages else np.full(len(table), np.nan)
    return np.asarray(age > STALE_SCRAPES * scrape_s)


def _judged(table: Table, snapshot: Snapshot, thresholds: Thresholds) -> Table:
    states = {
        name: verdict(limit, table, snapshot)
        for name, limit in thresholds.limits.items()
        if (name, Statistic.AVERAGE) in table.values and wanted(name, thresholds)
    }
    return replace(table, states=states, state=_worst(len(table), states))


def wanted(indicator: str, thresholds: Thresholds) -> bool:
    """Return whether *indicator* is judged: how long an answer may take to its end only a user can say."""
    return indicator != "e2e" or indicator in thresholds.edited


def _worst(rows: int, verdicts: Mapping[str, States]) -> States:
    """Return the worst state of each row; a replica without requests has no latency, and is not unknown for it."""
    found = every(rows, State.UNKNOWN)
    for state in _RISING:
        for name in RULED & verdicts.keys():
            found[verdicts[name] == state] = state
    return found


def _excused(gpus: Table, covered: set[str], trusted: bool) -> Table:
    """Return *gpus* without a verdict on memory that an engine has taken on purpose."""
    if "memory_occupancy" not in gpus.states:
        return gpus
    taken = np.array([subject.id in covered for subject in gpus.subjects], dtype=bool)
    memory = gpus.states["memory_occupancy"].copy()
    memory[taken & ((memory == State.WARNING) | (memory == State.BAD))] = (
        State.OK if trusted else State.UNKNOWN
    )
    states = {**gpus.states, "memory_occupancy": memory}
    return replace(gpus, states=states, state=_worst(len(gpus), states))


def _worst_by_node(nodes: Table, gpus: Table) -> States:
    """Return the worst state of the GPUs of each node, unknown where all of them are."""
    row_of = {subject.node: row for row, subject in enumerate(nodes.subjects)}
    found = every(len(nodes), State.UNKNOWN)
    rows = np.array([row_of[subject.node] for subject in gpus.subjects], dtype=np.int64)
    for state in _RISING:
        found[rows[gpus.state == state]] = state
    return found
