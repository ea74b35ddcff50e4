"""What the Monitor page shows: read once for all its visitors, with the last good data where a store is down."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from core.monitoring.advice import Remedy, remedies
from core.monitoring.answers import Answer
from core.monitoring.collect import collect
from core.monitoring.endpoints import Endpoint
from core.monitoring.exporters import detect
from core.monitoring.faults import MonitoringFault
from core.monitoring.finding import Finding
from core.monitoring.findings import findings
from core.monitoring.judging import judged
from core.monitoring.prometheus import Prometheus
from core.monitoring.snapshot import Snapshot
from core.monitoring.thresholds import Thresholds

GRID_S = 10
"""Readings of all sessions fall on multiples of this, so that they share them."""
NAMES_S = 300.0
"""For how long the metric names of a store are taken to stay."""
ADVICE_S = 300.0
"""For how long the advice on a finding is taken to stay right."""
AT_ONCE = 3
"""Charts that are asked for at the same time: VictoriaMetrics serves four questions at once."""
MOST_KEPT = 4
"""Last good readings of an endpoint that are kept, one for each filter and set of windows."""
NOW = "monitor:now"
"""Where the session keeps the moment of its newest reading."""


@dataclass(frozen=True)
class Look:
    """The last good data of an endpoint, judged; and the fault, where it could not be read anew."""

    snapshot: Snapshot | None
    findings: tuple[Finding, ...]
    fault: MonitoringFault | None
    tick: float

    @property
    def stale(self) -> bool:
        """Whether the data is older than it should be."""
        return self.fault is not None

    @property
    def age_s(self) -> float:
        """Seconds since the moment of the data, by the clock of the store."""
        if self.snapshot is None:
            return math.nan
        return max(0.0, time.time() + self.snapshot.skew_s - self.snapshot.at)


class Store:
    """A client with the metric names that it found; one for all sessions of an endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.client = Prometheus(endpoint)
        self.kept: dict[str, Snapshot] = {}
        self._change = threading.Lock()
        self._names: frozenset[str] = frozenset()
        self._until = 0.0

    def names(self) -> frozenset[str]:
        """Return the metric names, asked for every five minutes, at once where none is known."""
        with self._change:
            if time.monotonic() > self._until or not self._names:
                self._names = self.client.names()
                self._until = time.monotonic() + NAMES_S
            return self._names

    def keep(self, key: str, snapshot: Snapshot) -> None:
        """Keep *snapshot* as the last good one; the oldest of many is dropped."""
        with self._change:
            self.kept.pop(key, None)
            self.kept[key] = snapshot
            while len(self.kept) > MOST_KEPT:
                self.kept.pop(next(iter(self.kept)))

    @property
    def large(self) -> bool:
        """Whether its fleet is so large that it is asked for no more than what is beyond the limits."""
        return any(snapshot.aggregated for snapshot in self.kept.values())

    def forget(self) -> None:
        """Ask for the names again: a store that was away may have others."""
        with self._change:
            self._until = 0.0


@st.cache_resource(max_entries=16, show_spinner=False, on_release=lambda left: left.client.close())
def store(_endpoint: Endpoint, identity: str) -> Store:
    """Return the store of an endpoint."""
    del identity
    return Store(_endpoint)


def tick(refresh_s: float | None, *, again: bool = False) -> float:
    """Return the moment of this session's newest reading: a new one when it is due, or *again* is asked for."""
    now = time.time()
    kept: float = st.session_state.get(NOW, 0.0)
    due = again or not kept or (refresh_s is not None and now - kept >= refresh_s - 1)
    if due:
        kept = now if again else math.floor(now / GRID_S) * GRID_S
        st.session_state[NOW] = kept
    return kept


def read_again() -> None:
    """Have the next run read the store anew, whatever the interval."""
    tick(None, again=True)


def look(endpoint: Endpoint, thresholds: Thresholds, selector: str, at: float) -> Look:
    """Return what is known of *endpoint*, judged by *thresholds*; never raises for a store that is down."""
    one = store(endpoint, endpoint.identity)
    asked = _asked(thresholds, selector, of_all=one.large)
    found = _read(one, thresholds, endpoint.identity, asked, selector, at)
    fault = found if isinstance(found, MonitoringFault) else None
    snapshot = one.kept.get(asked) if isinstance(found, MonitoringFault) else found
    if snapshot is None:
        return Look(None, (), fault, at)
    # As it was read: a slow scrape has longer windows, which hold fewer samples.
    thresholds = thresholds.with_scrape(snapshot.scrape_s)
    snapshot = judged(snapshot, thresholds)
    return Look(snapshot, findings(snapshot, thresholds), fault, at)


def _asked(thresholds: Thresholds, selector: str, *, of_all: bool) -> str:
    """Return a text that is the same where the store is asked the same.

    Limits are judged here, but a large fleet is only asked for what is beyond them: then `of_all` of them count.
    """
    if of_all:
        return f"{thresholds.model_dump_json()}{selector}"
    limits = thresholds.limits.items()
    windows = [(name, limit.window_s, limit.for_s, limit.quantile) for name, limit in limits]
    return f"{windows}{thresholds.max_num_seqs}{selector}"


@st.cache_resource(max_entries=24, ttl=900, show_spinner=False)
def _read(
    _store: Store,
    _thresholds: Thresholds,
    identity: str,
    asked: str,
    selector: str,
    at: float,
) -> Snapshot | MonitoringFault:
    """Return one reading, or why there is none: kept too, so that many visitors do not wait one after the other."""
    del identity, at
    try:
        snapshot = collect(_store.client, detect(_store.names()), _thresholds, selector=selector)
    except MonitoringFault as fault:
        _store.forget()
        return fault.kept()
    _store.keep(asked, snapshot)
    return snapshot


def advice(endpoint: Endpoint, finding: Finding, snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return what to do about *finding*; worked out anew every few minutes, since it may take a second."""
    return _advice(finding, snapshot, endpoint.identity, finding.id, finding.limit, snapshot.at // ADVICE_S)


@st.cache_resource(max_entries=64, ttl=900, show_spinner=False)
def _advice(
    _finding: Finding, _snapshot: Snapshot, identity: str, finding: str, limit: float | None, at: float
) -> tuple[Remedy, ...]:
    del identity, finding, limit, at
    return remedies(_finding, _snapshot, datetime.now(UTC).date())


@dataclass(frozen=True)
class Wanted:
    """A question for a chart, how many series it has, and the seconds between its points; None: as it fits."""

    expression: str
    series: int = 12
    step: float | None = None


def curves(
    endpoint: Endpoint, wanted: Sequence[Wanted], end: float, span_s: float
) -> list[Answer | MonitoringFault]:
    """Return the answers over time, or for each why there is none."""
    return _curves(endpoint, endpoint.identity, tuple(wanted), end, span_s) if wanted else []


@st.cache_resource(max_entries=64, ttl=900, show_spinner=False)
def _curves(
    _endpoint: Endpoint, identity: str, wanted: tuple[Wanted, ...], end: float, span_s: float
) -> list[Answer | MonitoringFault]:
    client = store(_endpoint, identity).client

    def ask(one: Wanted) -> Answer | MonitoringFault:
        try:
            return client.range(one.expression, end - span_s, end, one.step, one.series)
        except MonitoringFault as fault:
            return fault.kept()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, wanted))
