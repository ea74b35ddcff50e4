"""What a store said about a cluster at one moment, as tables that the findings are a pure function of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.monitoring.exporters import Detected
from core.monitoring.faults import MonitoringFault
from core.monitoring.leaks import Leak
from core.monitoring.prometheus import StoreInfo
from core.monitoring.subjects import Level, Subject
from core.monitoring.verdicts import State, States
from core.text import Sentence

Numbers = NDArray[np.float64]


def _none(rows: int) -> Numbers:
    return np.full(rows, np.nan)


def every(rows: int, state: State) -> States:
    """Return *state* for each of *rows*."""
    return np.full(rows, state, dtype=object)


class Statistic(StrEnum):
    """What is made of the samples of a window."""

    AVERAGE = "average"
    LEAST = "least"
    MOST = "most"
    SAMPLES = "samples"
    AGE = "age"
    """Seconds since the last sample."""


@dataclass(frozen=True)
class Table:
    """The GPUs, nodes or replicas that were read: one row each, in the order of `subjects`.

    `labels` has the canonical labels of each row (uuid, model, instance ...), `values` one array for each
    indicator and statistic that was asked for, NaN where a subject has none, and `states` the
    verdict on each indicator that has a limit. `state` is the worst of a row, unknown where nothing is known.
    """

    level: Level
    subjects: tuple[Subject, ...] = ()
    labels: tuple[Mapping[str, str], ...] = ()
    values: Mapping[tuple[str, Statistic], Numbers] = field(default_factory=dict)
    states: Mapping[str, States] = field(default_factory=dict)
    state: States = field(default_factory=lambda: np.empty(0, dtype=object))

    def __len__(self) -> int:
        return len(self.subjects)

    def column(self, indicator: str, statistic: Statistic = Statistic.AVERAGE) -> Numbers:
        """Return one number for each row, in the unit of *indicator*; NaN where it was not read."""
        found: Numbers | None = self.values.get((indicator, statistic))
        return _none(len(self)) if found is None else found

    def label(self, name: str) -> tuple[str, ...]:
        """Return the label *name* of each row, empty where it has none."""
        return tuple(labels.get(name, "") for labels in self.labels)

    def verdict(self, indicator: str) -> States:
        """Return the verdict on *indicator* for each row: unknown where it was not read or has no limit."""
        found = self.states.get(indicator)
        return every(len(self), State.UNKNOWN) if found is None else found

    @property
    def indicators(self) -> tuple[str, ...]:
        """Every indicator that has an average, in the order in which they were asked."""
        return tuple(name for name, statistic in self.values if statistic is Statistic.AVERAGE)

    def rows(self) -> dict[str, int]:
        """Return the row of each subject by its id."""
        return {subject.id: row for row, subject in enumerate(self.subjects)}

    def frame(self) -> pd.DataFrame:
        """Return one row a subject, indexed by its id: node, gpu, instance, model, the averages and state."""
        columns: dict[str, object] = {
            "node": [subject.node for subject in self.subjects],
            "gpu": [subject.gpu for subject in self.subjects],
            "instance": [subject.instance for subject in self.subjects] or self.label("instance"),
            "uuid": self.label("uuid"),
            "model": [
                subject.model or labels.get("model", "")
                for subject, labels in zip(self.subjects, self.labels, strict=True)
            ],
        }
        columns |= {name: self.column(name) for name in self.indicators}
        columns["state"] = [State(state).value for state in self.state]
        return pd.DataFrame(columns, index=pd.Index([subject.id for subject in self.subjects], name="id"))


@dataclass(frozen=True)
class History:
    """An indicator of a few subjects over the last hours: `values` has shape (subjects, times)."""

    subjects: tuple[Subject, ...]
    times: Numbers
    values: Numbers

    def of(self, subject: Subject) -> Numbers | None:
        """Return the values of *subject*, None where it was not asked."""
        for row, one in enumerate(self.subjects):
            if one.id == subject.id:
                return np.asarray(self.values[row], dtype=np.float64)
        return None


@dataclass(frozen=True)
class Target:
    """An exporter or a replica whose scrape fails: `up` is 0, and it gave samples within the last hours."""

    level: Level
    instance: str
    node: str
    host: str


@dataclass(frozen=True)
class Totals:
    """How large the fleet is and what it does as a whole; NaN where nothing says it."""

    gpus: int = 0
    gpus_seen: int = 0
    nodes: int = 0
    replicas: int = 0
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Coverage:
    """Why the memory of a GPU is not judged by how full it is: an engine has preallocated it."""

    replica: Subject
    expected: float
    reason: Sentence


@dataclass(frozen=True)
class Snapshot:
    """Everything that one refresh read, at the time *at* of the store.

    Above the limit of `core.monitoring.collect.AGGREGATE_ABOVE` GPUs `aggregated` is True: `gpus` then has
    only the worst of each indicator, `counts` still says how many of all are in which state, and `beyond`
    how many each rule of a finding concerns.
    """

    at: float
    endpoint: str
    store: StoreInfo
    detected: Detected
    selector: str = ""
    aggregated: bool = False
    gpus: Table = field(default_factory=lambda: Table(Level.GPU))
    nodes: Table = field(default_factory=lambda: Table(Level.NODE))
    replicas: Table = field(default_factory=lambda: Table(Level.ENGINE))
    totals: Totals = field(default_factory=Totals)
    counts: Mapping[str, Mapping[State, int]] = field(default_factory=dict)
    beyond: Mapping[str, int] = field(default_factory=dict)
    counted: Mapping[str, float] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    missing: tuple[Subject, ...] = ()
    gone: tuple[Subject, ...] = ()
    covered: Mapping[str, Coverage] = field(default_factory=dict)
    history: Mapping[str, History] = field(default_factory=dict)
    leaks: tuple[Leak, ...] = ()
    scrape_s: float = 30.0
    skew_s: float = 0.0
    warnings: tuple[str, ...] = ()
    faults: tuple[MonitoringFault, ...] = ()
    partial: bool = False
    queries: int = 0
    seconds: float = 0.0

    @property
    def trusted(self) -> bool:
        """Whether the store said that its answers are whole: else nothing may be called healthy."""
        return not self.partial
