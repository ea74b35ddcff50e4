"""The exported rules in a real Prometheus with a real Alertmanager, on the demo cluster.

Durations are shortened, so that faults which take a quarter of an hour to be sure of show within seconds.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from core.monitoring.demo.cluster import DemoCluster
from core.monitoring.demo.scenario import HEALTHY, MINUTE, PLANTED
from core.monitoring.demo.stores import PROMETHEUS
from core.monitoring.export.alertmanager import alertmanager
from core.monitoring.export.alerts import Terms, leak
from core.monitoring.export.groups import Pace
from core.monitoring.export.names import GPU_MEMORY
from core.monitoring.export.rules import Rules, assumed, recorded_expression, rules
from core.monitoring.thresholds import PRESETS
from tests.conftest import free_port, need

PACE = Pace(interval_s=1, shortened=180)
LONGEST_S = 75.0

# What fires before Prometheus has found its Alertmanager is lost, and usually told again only after a minute.
STORE = replace(PROMETHEUS, arguments=(*PROMETHEUS.arguments, "--rules.alert.resend-delay=2s"))

pytestmark = pytest.mark.prometheus


@dataclass(frozen=True)
class Watched:
    """A demo cluster whose Prometheus evaluates the rules and tells an Alertmanager."""

    cluster: DemoCluster
    manager: str
    made: Rules

    def alerts(self) -> list[dict[str, Any]]:
        """Return what Alertmanager was told of, and whether it hides it."""
        return get(f"{self.manager}/api/v2/alerts")

    def found(self) -> set[tuple[str, str]]:
        """Return node and finding of the alerts that Alertmanager does not hide."""
        return {
            (alert["labels"].get("node", ""), alert["labels"]["finding"])
            for alert in self.alerts()
            if alert["status"]["state"] == "active" and alert["labels"]["finding"] != "memory_leak"
        }


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    need(PROMETHEUS.program, PROMETHEUS.package)
    program = need("prometheus-alertmanager", "prometheus-alertmanager")
    folder = tmp_path_factory.mktemp("alerts")
    made = rules(PRESETS["serving"], pace=PACE)
    (folder / "rules.yml").write_text(made.as_yaml(), encoding="utf-8")
    (folder / "alertmanager.yml").write_text(alertmanager(group_wait="1s"), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    config = {
        "rule_files": [str(folder / "rules.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [address]}]}]},
        "global": {"evaluation_interval": "1s"},
        "storage": {"tsdb": {"out_of_order_time_window": "12h"}},
    }
    manager = start_alertmanager(program, folder, address)
    try:
        with DemoCluster(store=STORE, history_s=30 * MINUTE, scrape_s=1.0, extra_config=config) as cluster:
            yield Watched(cluster, f"http://{address}", made)
    finally:
        manager.terminate()
        manager.wait(20)


def start_alertmanager(program: str, folder: Path, address: str) -> subprocess.Popen[bytes]:
    with (folder / "alertmanager.log").open("wb") as log:
        return subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'data'}",
                f"--web.listen-address={address}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )


# A leak shows over hours, not over shortened minutes: it is tried on the history instead.
SHORT = {(one.node, rule) for one in PLANTED for rule in one.expected if rule != "memory_leak"}
ALLOWED = SHORT | {(one.node, rule) for one in PLANTED for rule in one.allowed}


@pytest.fixture(scope="module")
def settled(watched: Watched) -> Watched:
    """All that is planted has been reported, or the time is over; then a while for what should not come."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        if watched.found() >= SHORT:
            break
        time.sleep(0.5)
    # Three times the longest window and hold.
    time.sleep(3 * 2 * PACE.seconds(900))
    return watched


def test_each_planted_fault_reaches_alertmanager(settled: Watched) -> None:
    assert SHORT - settled.found() == set()


def test_nothing_else_does(settled: Watched) -> None:
    assert settled.found() - ALLOWED == set()
    assert not [alert for alert in settled.alerts() if alert["labels"].get("node") == HEALTHY]


def test_the_gpu_that_is_ill_is_named(settled: Watched) -> None:
    named = {
        (alert["labels"].get("node"), alert["labels"]["finding"], alert["labels"].get("gpu"))
        for alert in settled.alerts()
    }
    for one in PLANTED:
        if one.gpu is not None:
            for rule in one.expected:
                assert {gpu for node, finding, gpu in named if (node, finding) == (one.node, rule)} == {
                    one.gpu
                }


def test_memory_that_an_engine_took_in_advance_raises_no_alarm(settled: Watched) -> None:
    full = asked(settled.cluster, "llmops:memory_occupancy:ratio > 0.9")
    assert len(full) >= 40  # gpu_memory_utilization 0.92 and more, on most nodes
    memory = {one.node for one in PLANTED if "memory_high" in one.allowed}
    alarmed = {
        alert["labels"]["node"]
        for alert in settled.alerts()
        if alert["labels"]["alertname"] == "GpuMemoryHigh"
    }
    assert alarmed <= memory


def test_what_follows_from_a_fault_is_hidden(settled: Watched) -> None:
    hidden = {
        (alert["labels"].get("node"), alert["labels"]["finding"])
        for alert in settled.alerts()
        if alert["status"]["inhibitedBy"]
    }
    dead = next(one.node for one in PLANTED if "replica_down" in one.expected)
    assert hidden & {(dead, "gpu_idle"), (dead, "gpu_underused")}
    slow = next(one.node for one in PLANTED if "ttft_slow" in one.expected)
    assert (slow, "ttft_slow") in hidden  # the warning, behind the critical one


def test_no_rule_fails(settled: Watched) -> None:
    groups = get(f"{settled.cluster.url}/api/v1/rules")["data"]["groups"]
    failed = {
        rule["name"]: rule["lastError"]
        for group in groups
        for rule in group["rules"]
        if rule.get("lastError")
    }
    assert not failed
    assert sum(len(group["rules"]) for group in groups) == len(settled.made.alerts) + len(
        settled.made.recordings
    )


def test_a_leak_is_told_from_memory_that_varies(prometheus_demo: DemoCluster) -> None:
    thresholds = PRESETS["serving"]
    expression = leak(Terms(thresholds, Pace(), {GPU_MEMORY}))
    memory = recorded_expression(assumed(), thresholds, "memory_used_bytes")
    assert expression is not None
    # The history holds what the exporters wrote, not what rules would have recorded of it.
    for window in ("6h", "3h"):
        expression = expression.replace(f"{GPU_MEMORY}[{window}]", f"({memory})[{window}:5m]")
    assert GPU_MEMORY not in expression
    found = {one["metric"]["node"] for one in asked(prometheus_demo, expression)}
    assert found == {one.node for one in PLANTED if "memory_leak" in one.expected}


def asked(cluster: DemoCluster, query: str) -> list[dict[str, Any]]:
    return get(f"{cluster.url}/api/v1/query?query={urllib.parse.quote(query)}")["data"]["result"]
