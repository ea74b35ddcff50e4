"""What a metric of the demo cluster is: its name and labels, and how it follows from the signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.monitoring.demo.noise import Array
from core.monitoring.demo.scenario import Node, Scenario
from core.monitoring.demo.signals import Engines, Gpus, engines, gpus

DCGM, VLLM, HOST = "dcgm-exporter", "vllm", "node-exporter"
PORTS = {DCGM: 9400, VLLM: 8000, HOST: 9100}

Row = tuple[str, dict[str, str]]
"""What follows the family's name (such as _bucket), and the labels besides those of the target."""


@dataclass(frozen=True)
class Moment:
    """All signals at some times."""

    scenario: Scenario
    times: Array
    engines: Engines
    gpus: Gpus


def moment(scenario: Scenario, times: Array) -> Moment:
    """Return the signals of *scenario* at *times*, unix seconds."""
    replicas = engines(scenario, times)
    return Moment(scenario, times, replicas, gpus(scenario, times, replicas))


@dataclass(frozen=True)
class Family:
    """One metric of one exporter.

    `values` gives shape (n_nodes, n_rows, n_times), one row for each of `rows`; NaN is a series that does not
    exist at that time. Where the family `grows`, these are rates per second, and the metric is their sum so far.
    """

    job: str
    name: str
    kind: str
    """gauge, counter or histogram, as the exporter declares it."""
    help: str
    rows: Callable[[Node], tuple[Row, ...]]
    values: Callable[[Moment], Array]
    grows: bool = False
