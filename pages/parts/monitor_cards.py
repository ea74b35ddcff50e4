"""The fleet in eight cards: how much there is, how busy it is, how it answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from core.monitoring.indicators import indicators
from core.monitoring.snapshot import Snapshot, Table
from core.monitoring.subjects import Level
from core.monitoring.verdicts import State
from core.monitoring.wording import printed
from pages.parts.card import cards_of
from pages.parts.monitor_words import STATE_COLORS

Translator = Callable[..., str]
_card = cards_of("monitor_page")

WIDTH = 132
"""Pixels of the narrowest card: four side by side, two on a telephone."""
_RANK = (State.BAD, State.WARNING, State.WARMING_UP, State.OK, State.UNKNOWN)
_MEANS = ("gpu_utilisation", "memory_occupancy")
_SUMS = ("requests", "output_tokens")


def fleet_cards(snapshot: Snapshot, t: Translator) -> None:
    """Draw the cards; each says its state in colour and in words."""
    with st.grid(4, min_column_width=WIDTH, gap="xsmall"):
        _gpus(snapshot, t)
        _replicas(snapshot, t)
        for name in _MEANS:
            _judged(name, snapshot, t)
        _judged("kv_usage", snapshot, t)
        _judged("ttft", snapshot, t)
        for name in _SUMS:
            _summed(name, snapshot, t)


def value_of(name: str, snapshot: Snapshot) -> float:
    """Return what *name* is for the whole fleet, in its unit: mean, sum or worst; NaN where nothing says it."""
    if name in snapshot.totals.values:
        return float(snapshot.totals.values[name])
    column = _table(name, snapshot).column(name)
    known = column[np.isfinite(column)]
    if not known.size:
        return float("nan")
    across = indicators()[name].across
    return float({"mean": np.mean, "sum": np.sum}.get(across, np.max)(known))


def _table(name: str, snapshot: Snapshot) -> Table:
    if indicators()[name].level == "engine":
        return snapshot.replicas
    return snapshot.nodes if snapshot.aggregated else snapshot.gpus


def _state(name: str, snapshot: Snapshot) -> State:
    """Return the worst state of any subject."""
    counts = snapshot.counts.get(name) if _table(name, snapshot).level is not Level.ENGINE else None
    if counts is not None:
        return next((state for state in _RANK if counts.get(state)), State.UNKNOWN)
    states = set(_table(name, snapshot).verdict(name))
    return next((state for state in _RANK if state in states), State.UNKNOWN)


def _outside(name: str, snapshot: Snapshot) -> int:
    """Return how many GPUs or replicas are beyond a limit of *name*."""
    counts = snapshot.counts.get(name) if _table(name, snapshot).level is not Level.ENGINE else None
    if counts is not None:
        return counts.get(State.WARNING, 0) + counts.get(State.BAD, 0)
    return sum(state in (State.WARNING, State.BAD) for state in _table(name, snapshot).verdict(name))


def _gpus(snapshot: Snapshot, t: Translator) -> None:
    missing = sum(subject.level is Level.GPU for subject in snapshot.missing)
    seen = snapshot.totals.gpus or len(snapshot.gpus)
    nodes = snapshot.totals.nodes or len(snapshot.nodes)
    told = t("monitor_page.card.nodes_one" if nodes == 1 else "monitor_page.card.nodes", count=nodes)
    if missing:
        _card("gpus", t, f"{seen:,}", t("monitor_page.card.gpus_missing", count=missing), "red")
    else:
        _card("gpus", t, f"{seen:,}", told, "off")


def _replicas(snapshot: Snapshot, t: Translator) -> None:
    failing = {target.instance for target in snapshot.targets if target.level is Level.ENGINE}
    away = {subject.id for subject in snapshot.gone if subject.instance not in failing}
    down = len(failing) + len(away)
    up = sum(subject.instance not in failing for subject in snapshot.replicas.subjects)
    told = t("monitor_page.card.replicas_down", count=down) if down else t("monitor_page.card.replicas_all")
    _card("replicas", t, f"{up:,}", told, "red" if down else "off")


def _judged(name: str, snapshot: Snapshot, t: Translator) -> None:
    value, state = value_of(name, snapshot), _state(name, snapshot)
    shown = printed(value, indicators()[name].unit)
    if not np.isfinite(value):
        _card(name, t, shown, t("monitor_page.card.none"), "off")
    elif name == "memory_occupancy" and snapshot.covered and state is State.OK:
        _card(name, t, shown, t("monitor_page.card.reserved"), "off")
    elif outside := _outside(name, snapshot):
        # The figure is of the whole fleet; what is wrong is some of it.
        _card(name, t, shown, t("monitor_page.card.outside", count=f"{outside:,}"), STATE_COLORS[state])
    else:
        _card(name, t, shown, t(f"monitor_page.card.state.{state}"), STATE_COLORS[state])


def _summed(name: str, snapshot: Snapshot, t: Translator) -> None:
    value = value_of(name, snapshot)
    shown = printed(value, "count")
    below = None if np.isfinite(value) else t("monitor_page.card.none")
    waiting = value_of("queue", snapshot)
    if name == "requests" and below is None and np.isfinite(waiting):
        below = t("monitor_page.card.queue", count=f"{waiting:,.0f}")
    _card(name, t, shown, below, "off")
