"""A fleet that is too large to read each GPU: its nodes, the worst of each indicator, and how many are beyond.

Each expression over all GPUs costs the store as much as any other, so each is asked as seldom as can be: the
worst are asked only of those beyond the first limit, and a count only where there are more than were listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.monitoring.answers import Answer
from core.monitoring.asking import GPU_LABELS, Questions, key, stands
from core.monitoring.indicators import indicators
from core.monitoring.reader import Reader
from core.monitoring.rules import RULES, Rule
from core.monitoring.snapshot import Snapshot, Statistic
from core.monitoring.subjects import Level
from core.monitoring.tables import table
from core.monitoring.thresholds import Limit
from core.monitoring.verdicts import State
from core.monitoring.windows import joined

WORST = 20
"""GPUs that are listed of each end of each indicator."""
# What a map of nodes shows and findings need of whole nodes, in two questions that run side by side.
_OF_NODES = (
    (("gpu_utilisation", Statistic.AVERAGE), ("gpu_utilisation", Statistic.MOST)),
    (
        ("memory_occupancy", Statistic.AVERAGE),
        ("gpu_temperature", Statistic.AVERAGE),
    ),
)


@dataclass(frozen=True)
class End:
    """One side of one indicator: the limit where it begins to be a fault, and where it is bad."""

    indicator: str
    sign: str
    first: float
    bad: float | None

    @property
    def name(self) -> str:
        """How the answers to it are told apart."""
        return f"{self.indicator}{'_low' if self.sign == '<' else '_high'}"


def aggregates(ask: Questions) -> dict[str, str | None]:
    """Return what is asked of a large fleet first: its nodes, and its worst GPUs."""
    ends = _ends(ask)
    half = len(ends) // 2
    return {
        "nodes_load": _nodes(ask, _OF_NODES[0]),
        "worst_first": _worst(ask, ends[:half]),
        "worst_rest": _worst(ask, ends[half:]),
        "nodes_rest": _nodes(ask, _OF_NODES[1]),
    }


def read_aggregates(
    reader: Reader, ask: Questions, snapshot: Snapshot, answers: Mapping[str, Answer | None]
) -> Snapshot:
    """Return *snapshot* with its nodes, its worst GPUs, and the exact number of GPUs in each state.

    *answers* are those to `aggregates`.
    """
    worst = [answers["worst_first"], answers["worst_rest"]]
    listed = _listed(worst)
    many = [end for end in _ends(ask) if listed.get(end.name, 0) >= WORST]
    counted: dict[str, float] = {}
    for answer in reader.instants(_beyond(ask, many)).values():
        counted |= numbers(answer)
    gpus = table(Level.GPU, [_renamed(answer) for answer in worst])
    nodes = table(Level.NODE, [answers["nodes_load"], answers["nodes_rest"]])
    totals = {
        name: float(np.nanmean(column))
        for (name, what), column in nodes.values.items()
        if what is Statistic.AVERAGE and indicators()[name].across == "mean" and np.isfinite(column).any()
    }
    return replace(
        snapshot,
        nodes=nodes,
        gpus=gpus,
        totals=replace(snapshot.totals, values=totals),
        counted=counted,
    )


def tallied(snapshot: Snapshot, limits: Mapping[str, Limit]) -> Snapshot:
    """Return *snapshot* with how many of all GPUs are in each state, and concerned by each rule."""
    counts: dict[str, dict[State, int]] = {}
    beyond: dict[str, int] = {}
    for rule in RULES:
        if indicators()[rule.indicator].level != "gpu" or rule.indicator not in limits:
            continue
        warning, bad = _of_side(snapshot, rule, limits[rule.indicator])
        one = counts.setdefault(rule.indicator, dict.fromkeys(State, 0))
        if rule.id != "gpu_underused":
            one[State.WARNING] += warning
            one[State.BAD] += bad
        number = (warning if State.WARNING in rule.states else 0) + (bad if State.BAD in rule.states else 0)
        beyond[rule.id] = beyond.get(rule.id, 0) + number
    for one in counts.values():
        fine = State.OK if snapshot.trusted else State.UNKNOWN
        one[fine] = max(0, snapshot.totals.gpus - one[State.WARNING] - one[State.BAD])
    return replace(snapshot, counts=counts, beyond=beyond)


def _of_side(snapshot: Snapshot, rule: Rule, limit: Limit) -> tuple[int, int]:
    """Return how many GPUs are a warning, and bad, on the side of *rule*: as counted, or as listed."""
    name = f"{rule.indicator}_{rule.side}"
    if f"{name}_first" in snapshot.counted:
        bad = int(snapshot.counted.get(f"{name}_bad", 0.0))
        return int(snapshot.counted[f"{name}_first"]) - bad, bad
    values = snapshot.gpus.column(rule.indicator)
    states = snapshot.gpus.verdict(rule.indicator)
    first = limit.low if rule.side == "low" else limit.high
    if first is not None:
        # A band has two sides, and the listed of both share a column.
        states = states[values < first if rule.side == "low" else values > first]
    return int((states == State.WARNING).sum()), int((states == State.BAD).sum())


def _ends(ask: Questions) -> list[End]:
    found: list[End] = []
    for rule in RULES:
        limit = ask.thresholds.limits.get(rule.indicator)
        if limit is None or indicators()[rule.indicator].level != "gpu":
            continue
        if rule.indicator == "memory_occupancy" and ask.detected.preallocating:
            # The fullest would all be those that an engine has taken on purpose; nodes are looked at instead.
            continue
        pair = (limit.low, limit.low_bad) if rule.side == "low" else (limit.high, limit.high_bad)
        first = pair[0] if pair[0] is not None else pair[1]
        if first is not None:
            found.append(End(rule.indicator, "<" if rule.side == "low" else ">", first, pair[1]))
    return list(dict.fromkeys(found))


def _nodes(ask: Questions, wanted: tuple[tuple[str, Statistic], ...]) -> str | None:
    found = {}
    for name, statistic in wanted:
        by_node = ask.expression(name, None, ask.over(name, statistic), ("node",))
        if by_node:
            found[key(name, statistic)] = by_node
    return joined(found) if found else None


def _each(ask: Questions, indicator: str, statistic: Statistic) -> str | None:
    """Return the expression with no more labels than tell the GPUs apart: each of them costs the store time."""
    return ask.expression(indicator, None, ask.over(indicator, statistic), GPU_LABELS)


def _worst(ask: Questions, ends: list[End]) -> str | None:
    found = {}
    for end in ends:
        expression = _each(ask, end.indicator, Statistic.AVERAGE)
        if expression:
            function = "bottomk" if end.sign == "<" else "topk"
            found[end.name] = f"{function}({WORST}, ({expression}) {end.sign} {end.first:g})"
    return joined(found) if found else None


def _beyond(ask: Questions, ends: list[End]) -> dict[str, str | None]:
    """Return how to count the GPUs beyond the first limit of each of *ends*, and beyond the bad one, side by side."""
    first, worse = {}, {}
    for end in ends:
        expression = _each(ask, end.indicator, Statistic.AVERAGE)
        first[f"{end.name}_first"] = f"count(({expression}) {end.sign} {end.first:g})"
        if end.bad is not None and not stands(end.indicator):
            always = ask.thresholds.limits[end.indicator].bad_always and end.sign == "<"
            extreme = _each(ask, end.indicator, Statistic.MOST) if always else expression
            worse[f"{end.name}_bad"] = f"count(({extreme}) {end.sign} {end.bad:g})"
    return {"beyond": joined(first) if first else None, "far_beyond": joined(worse) if worse else None}


def _listed(answers: list[Answer | None]) -> dict[str, int]:
    found: dict[str, int] = {}
    for answer in answers:
        for labels in answer.labels if answer else ():
            found[labels["indicator"]] = found.get(labels["indicator"], 0) + 1
    return found


def numbers(answer: Answer | None) -> dict[str, float]:
    """Return the values of *answer* by the label `indicator`."""
    if answer is None:
        return {}
    return {
        labels["indicator"]: float(value) for labels, value in zip(answer.labels, answer.latest, strict=True)
    }


def _renamed(answer: Answer | None) -> Answer | None:
    """Return *answer* with the names of indicators in place of those of their ends."""
    if answer is None:
        return None
    labels = tuple(
        {**one, "indicator": key(one["indicator"].rpartition("_")[0], Statistic.AVERAGE)}
        for one in answer.labels
    )
    return replace(answer, labels=labels)
