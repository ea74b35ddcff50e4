"""All series of the demo cluster, and their values at any times.

History and live scraping both read this one list, so that their labels are the same: a series with another label
would be counted twice where the two meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.monitoring.demo.dcgm import GPU_FAMILIES
from core.monitoring.demo.families import DCGM, HOST, PORTS, VLLM, Family, Moment, moment
from core.monitoring.demo.hosts import HOST_FAMILIES
from core.monitoring.demo.noise import Array
from core.monitoring.demo.scenario import NAMESPACE, RESTART_S, Fault, Node, Scenario
from core.monitoring.demo.vllm import ENGINE_FAMILIES

FAMILIES: tuple[Family, ...] = (*GPU_FAMILIES, *ENGINE_FAMILIES, *HOST_FAMILIES)

STEP_S = 30.0
"""Counters are sums over steps of this length, and straight lines between."""


@dataclass(frozen=True)
class Target:
    """What Prometheus scrapes: one exporter on one node."""

    job: str
    node: Node

    @property
    def labels(self) -> dict[str, str]:
        """The labels that Prometheus adds to each series of this target, as in a Kubernetes cluster."""
        pod = {"namespace": NAMESPACE, "pod": self.node.pod} if self.job == VLLM else {}
        return {
            "job": self.job,
            "instance": f"{self.node.name}:{PORTS[self.job]}",
            "node": self.node.name,
        } | pod

    @property
    def path(self) -> str:
        """Where the exporter of the demo answers for this target."""
        return f"/{self.job}/{self.node.name}"


def targets(scenario: Scenario) -> tuple[Target, ...]:
    """Return all targets of *scenario*."""
    return tuple(Target(job, node) for job in (DCGM, VLLM, HOST) for node in scenario.nodes)


@dataclass(frozen=True)
class Series:
    """One time series: the target that gives it, its family, name and own labels."""

    target: Target
    family: Family
    name: str
    labels: dict[str, str]


class Samples:
    """The series of a scenario, in a fixed order, and their values."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.series: tuple[Series, ...] = tuple(self._series())
        self._base = 0
        self._totals: Array | None = None
        self._at_restart: Array | None = None

    def _series(self) -> Iterator[Series]:
        for family in FAMILIES:
            for node in self.scenario.nodes:
                target = Target(family.job, node)
                for suffix, labels in family.rows(node):
                    yield Series(target, family, family.name + suffix, labels)

    def values(self, times: Array) -> Array:
        """Return the values at *times* (rising unix seconds), shape (n_series, n_times); NaN where there is none.

        Times go forward from call to call in the usual case; going back is allowed, and takes longer.
        """
        now = moment(self.scenario, times)
        totals = self._grown(times)
        if self._at_restart is None:
            self._at_restart = self._before_restart()
        parts, place = [], 0
        for family in FAMILIES:
            if family.grows:
                rows = sum(len(family.rows(node)) for node in self.scenario.nodes)
                values = totals[place : place + rows].reshape(len(self.scenario.nodes), -1, len(times))
                if family.job == VLLM:
                    reset = self._at_restart[place : place + rows].reshape(len(values), -1, 1)
                    values = values - np.where(self._restarted(times)[:, None, :], reset, 0.0)
                values = np.round(values, 3)
                place += rows
            else:
                values = family.values(now)
            if family.job == VLLM:
                values = np.where(now.engines.up[:, None, :], values, np.nan)
            parts.append(values.reshape(-1, len(times)))
        return np.concatenate(parts)

    def up(self, times: Array) -> Array:
        """Return 1 where a target answers and 0 where not, shape (n_targets, n_times), in the order of `targets`."""
        answers = moment(self.scenario, times).engines.up
        always = np.ones_like(answers)
        return np.concatenate([answers if job == VLLM else always for job in (DCGM, VLLM, HOST)]).astype(
            float
        )

    def _rates(self, now: Moment) -> Array:
        rates = [family.values(now).reshape(-1, len(now.times)) for family in FAMILIES if family.grows]
        return np.concatenate(rates)

    def _grown(self, times: Array) -> Array:
        """Return the sums of all rates from the origin of the scenario to *times*."""
        steps = (times - self.scenario.origin) / STEP_S
        first, last = int(np.floor(steps[0])), int(np.floor(steps[-1])) + 1
        if self._totals is None or first < self._base:
            self._base, self._totals = 0, None
        grid = np.arange(self._base, last + 1)
        rates = self._rates(moment(self.scenario, self.scenario.origin + STEP_S * grid.astype(np.float64)))
        start = np.zeros((len(rates), 1)) if self._totals is None else self._totals
        # Added one after the other from the origin, so that all processes have the same sums to the last bit: a
        # counter that were a little less when scraped than in the history would seem to have restarted.
        steps_sums = np.concatenate([start, (rates[:, 1:] + rates[:, :-1]) * (0.5 * STEP_S)], axis=1)
        sums = np.cumsum(steps_sums, axis=1)
        low = np.floor(steps).astype(int) - self._base
        between = steps - np.floor(steps)
        answer = sums[:, low] + (sums[:, low + 1] - sums[:, low]) * between
        # The next call mostly asks for a little later: it goes on from the last step.
        self._base, self._totals = last - 1, sums[:, -2:-1].copy()
        return np.asarray(answer)

    def _restarts(self) -> Array:
        """When the engine of each node came back with counters at zero, unix seconds; shape (n_nodes, 1)."""
        back = [
            self.scenario.began + node.onset_s + RESTART_S if node.fault is Fault.XID else np.inf
            for node in self.scenario.nodes
        ]
        return np.array(back)[:, None]

    def _restarted(self, times: Array) -> Array:
        return np.asarray(times[None, :] >= self._restarts())

    def _before_restart(self) -> Array:
        """Return what the counters had reached when an engine restarted, shape (n_growing, 1)."""
        back = self._restarts()
        at = np.min(back)
        if not np.isfinite(at) or at <= self.scenario.origin:
            return np.zeros((sum(series.family.grows for series in self.series), 1))
        other = Samples(self.scenario)
        return other._grown(np.array([at]))
