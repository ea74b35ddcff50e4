"""The demo cluster, as a real Prometheus and a real VictoriaMetrics tell of it: its faults, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from core.monitoring.collect import collect
from core.monitoring.demo.cluster import DemoCluster
from core.monitoring.demo.scenario import HEALTHY, NODES, PLANTED, Planted
from core.monitoring.exporters import detect
from core.monitoring.finding import Finding
from core.monitoring.findings import findings
from core.monitoring.prometheus import Prometheus
from core.monitoring.snapshot import Snapshot
from core.monitoring.thresholds import PRESETS
from core.monitoring.verdicts import State

SERVING = PRESETS["serving"]
MOST_QUESTIONS = 19


@pytest.fixture(scope="module", params=["prometheus_demo", "victoria_demo"])
def client(request: pytest.FixtureRequest) -> Iterator[Prometheus]:
    cluster: DemoCluster = request.getfixturevalue(request.param)
    made = Prometheus(cluster.endpoint)
    yield made
    made.close()


@pytest.fixture(scope="module")
def snapshot(client: Prometheus) -> Snapshot:
    return collect(client, detect(client.names()), SERVING)


@pytest.fixture(scope="module")
def found(snapshot: Snapshot) -> tuple[Finding, ...]:
    return findings(snapshot, SERVING)


def test_reads_the_whole_cluster_in_few_questions(snapshot: Snapshot) -> None:
    assert not snapshot.faults
    assert not snapshot.partial
    assert snapshot.queries <= MOST_QUESTIONS
    assert len(snapshot.gpus) == snapshot.totals.gpus == 8 * len(NODES)
    assert len(snapshot.nodes) == len(NODES)
    assert not snapshot.aggregated


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.fault.value)
def test_every_planted_fault_is_flagged(planted: Planted, found: tuple[Finding, ...]) -> None:
    rules = {one.rule for one in found if planted.node in one.nodes}
    assert set(planted.expected) <= rules


@pytest.mark.parametrize(
    "planted", [one for one in PLANTED if one.gpu], ids=lambda planted: planted.fault.value
)
def test_a_fault_of_one_gpu_names_that_gpu(planted: Planted, found: tuple[Finding, ...]) -> None:
    own = [one for one in found if one.rule in planted.expected]
    assert own
    for one in own:
        assert [(subject.node, subject.gpu) for subject in one.subjects] == [(planted.node, planted.gpu)]


def test_nothing_else_is_flagged(found: tuple[Finding, ...]) -> None:
    permitted = {planted.node: {*planted.expected, *planted.allowed} for planted in PLANTED}
    wrong = [
        (one.rule, node)
        for one in found
        for node in (one.nodes or ("the fleet",))
        if one.rule not in permitted.get(node, set())
    ]
    assert not wrong


def test_the_idle_node_is_one_finding_of_eight_gpus(found: tuple[Finding, ...]) -> None:
    [idle] = [one for one in found if one.rule == "gpu_idle"]
    assert idle.count == len(idle.subjects) == 8
    assert idle.since_s is not None
    assert idle.since_s > 3 * 3600


def test_a_healthy_engine_that_fills_the_memory_raises_no_alarm(
    snapshot: Snapshot, found: tuple[Finding, ...]
) -> None:
    rows = [row for row, subject in enumerate(snapshot.gpus.subjects) if subject.node == HEALTHY]
    occupied = snapshot.gpus.column("memory_occupancy")[rows]
    assert ((occupied > 0.91) & (occupied < 0.975)).all()
    assert set(snapshot.gpus.state[rows]) == {State.OK}
    assert not [one for one in found if HEALTHY in one.nodes or one.rule == "memory_high"]
    cover = snapshot.covered[snapshot.gpus.subjects[rows[0]].id]
    assert cover.expected == pytest.approx(NODES[0].memory_share)


def test_every_chart_that_is_offered_as_evidence_has_data(
    client: Prometheus, snapshot: Snapshot, found: tuple[Finding, ...]
) -> None:
    for one in found:
        if one.rule == "replica_down":
            continue
        shown = one.evidence[0]
        answer = client.instant(shown.expression, snapshot.at)
        assert np.isfinite(answer.latest).any(), (one.id, shown.expression)


def test_causes_take_their_consequences_with_them(found: tuple[Finding, ...]) -> None:
    by_rule = {one.rule: one for one in found}
    assert {one.rule for one in by_rule["replica_down"].explains} == {"gpu_idle"}
    assert "ttft_slow" in {one.rule for one in by_rule["kv_pressure"].explains}
    assert by_rule["memory_leak"].value == pytest.approx(1.77 * 2**30, rel=0.15)
