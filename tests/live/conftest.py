"""Stores that run with the data of the demo cluster, each started once for all tests of the session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.monitoring.demo.cluster import DemoCluster
from core.monitoring.demo.stores import PROMETHEUS, VICTORIA
from tests.conftest import need


@pytest.fixture(scope="session")
def prometheus_demo() -> Iterator[DemoCluster]:
    """A ready demo cluster, kept by a real Prometheus; ask its `endpoint`."""
    need(PROMETHEUS.program, PROMETHEUS.package)
    with DemoCluster(store=PROMETHEUS) as cluster:
        print(f"\ndemo cluster with {PROMETHEUS.name}: ready after {cluster.seconds:.1f} s")
        yield cluster


@pytest.fixture(scope="session")
def victoria_demo() -> Iterator[DemoCluster]:
    """The same, kept by a real VictoriaMetrics."""
    need(VICTORIA.program, VICTORIA.package)
    with DemoCluster(store=VICTORIA) as cluster:
        print(f"\ndemo cluster with {VICTORIA.name}: ready after {cluster.seconds:.1f} s")
        yield cluster
