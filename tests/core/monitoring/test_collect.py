"""One refresh is few questions about one moment, whatever the size, and one that fails spoils no other."""

from __future__ import annotations

import re
import time

import numpy as np
import promql_parser
import pytest

from core.monitoring.aggregates import WORST
from core.monitoring.collect import AGGREGATE_ABOVE, collect
from core.monitoring.exporters import detect
from core.monitoring.faults import MonitoringFault
from core.monitoring.findings import findings
from core.monitoring.snapshot import Snapshot
from core.monitoring.subjects import Level, Subject, parsed
from core.monitoring.tables import table
from core.monitoring.thresholds import PRESETS
from core.monitoring.verdicts import State
from tests.core.monitoring.cluster import NOW, Cluster, changed, detected, gpu, healthy, replica, without

SERVING = PRESETS["serving"]
MOST_QUESTIONS = 19


def read(cluster: Cluster) -> Snapshot:
    return collect(cluster, detected(), SERVING)  # type: ignore[arg-type]


def large(gpus: int = 10_000) -> Cluster:
    """Return a fleet of which the store gives nodes, the worst and counts."""
    made = healthy(nodes=2)
    nodes = [{"node": f"node-{number}"} for number in range(gpus // 8)]
    usual = {"gpu_utilisation:average": 0.8, "gpu_utilisation:most": 0.9, "gpu_temperature:average": 60.0}
    for name, value in {**usual, "memory_occupancy:average": 0.95}.items():
        made.put(name, [(node, value) for node in nodes])
    for name in ("throttling:average", "ecc_errors:average", "memory_used_bytes:average"):
        made.put(name, [])
    for name in list(made.rows):
        if name.split(":")[0] in {"kv_usage", "queue", "memory_expected"}:
            made.put(
                name,
                [
                    ({**replica(one["node"]), "memory_expected": "0.92"}, made.rows[name][0][1])
                    for one in nodes
                ],
            )
    made.put("gpu", [({}, float(gpus))])
    return made


def test_asks_few_questions_about_one_moment() -> None:
    cluster = healthy()
    changed(cluster, "gpu_temperature:average", 93.0, node="node-1", gpu="3")
    changed(cluster, "ttft:average", 3.0, node="node-1")
    cluster.put("engine_gone", [(replica("node-9"), 1.0)])
    snapshot = read(cluster)
    assert snapshot.queries == len(cluster.asked) <= MOST_QUESTIONS
    assert {at for _, at in cluster.asked} == {NOW}
    for query, _ in cluster.asked:
        promql_parser.parse(query)


@pytest.mark.parametrize("gpus", [AGGREGATE_ABOVE + 8, 20_000])
def test_asks_no_more_of_a_large_fleet_and_nothing_of_each_gpu(gpus: int) -> None:
    cluster = large(gpus)
    cluster.put("gpu_temperature_high", [(gpu(f"node-{number}", 0), 95.0) for number in range(WORST)])
    snapshot = read(cluster)
    assert snapshot.aggregated
    assert len(cluster.asked) <= MOST_QUESTIONS
    assert len(snapshot.gpus) == WORST
    assert len(snapshot.nodes) == gpus // 8
    each = [query for query, _ in cluster.asked if re.search(r'"(gpu_\w+|memory_occupancy):average"', query)]
    assert all("by (node)" in query for query in each)


def test_counts_of_a_large_fleet_are_those_of_all_gpus() -> None:
    cluster = large()
    cluster.put("gpu_temperature_high", [(gpu(f"node-{number}", 0), 95.0) for number in range(WORST)])
    cluster.put("gpu_temperature_high_first", [({}, 130.0)])
    cluster.put("gpu_temperature_high_bad", [({}, 90.0)])
    cluster.put("gpu_utilisation_low", [(gpu("node-3", number), 0.2) for number in range(3)])
    snapshot = read(cluster)
    assert snapshot.counts["gpu_temperature"] == {
        State.OK: 9870,
        State.WARNING: 40,
        State.BAD: 90,
        State.UNKNOWN: 0,
        State.WARMING_UP: 0,
    }
    assert snapshot.counts["gpu_utilisation"][State.WARNING] == 3
    assert snapshot.counts["gpu_utilisation"][State.OK] == 9997
    hot, underused = findings(snapshot, SERVING)
    assert (hot.id, hot.count, len(hot.subjects)) == ("gpu_hot~fleet", 130, WORST)
    assert "130 GPUs, such as" in str(hot.sentence)
    assert (underused.rule, underused.count) == ("gpu_underused", 3)


def test_memory_of_a_large_fleet_is_judged_where_no_engine_has_taken_it() -> None:
    cluster = large()
    assert findings(read(cluster), SERVING) == ()
    without(cluster, instance="node-5:8000")
    [full] = findings(read(cluster), SERVING)
    assert (full.rule, full.nodes) == ("memory_high", ("node-5",))


def test_ten_thousand_gpus_are_put_in_tables_quickly() -> None:
    cluster = large()
    began = time.process_time()
    findings(read(cluster), SERVING)
    assert time.process_time() - began < 2.0


def test_counts_of_a_small_fleet() -> None:
    cluster = healthy()
    changed(cluster, "gpu_temperature:average", 93.0, node="node-1", gpu="3")
    counts = read(cluster).counts["gpu_temperature"]
    assert (counts[State.OK], counts[State.BAD]) == (15, 1)


def test_one_question_that_is_refused_leaves_the_others_and_no_green() -> None:
    cluster = healthy()
    cluster.failing["ttft:average"] = MonitoringFault("bad_query", reason="x", host="h")
    snapshot = read(cluster)
    assert snapshot.partial
    assert [fault.fault for fault in snapshot.faults] == ["bad_query"]
    assert set(snapshot.gpus.state) == {State.UNKNOWN}
    assert len(snapshot.gpus) == 16


def test_a_store_that_is_away_ends_the_refresh() -> None:
    cluster = healthy()
    cluster.failing["ttft:average"] = MonitoringFault("unreachable", reason="x", host="h")
    with pytest.raises(MonitoringFault) as raised:
        read(cluster)
    assert raised.value.fault == "unreachable"


def test_warnings_are_kept_once() -> None:
    cluster = healthy()
    cluster.warnings = ("store a is away",)
    assert read(cluster).warnings == ("store a is away",)


def test_a_store_without_gpus_or_engines_is_an_empty_snapshot() -> None:
    snapshot = collect(Cluster(), detect(["up", "go_goroutines"]), SERVING)  # type: ignore[arg-type]
    assert len(snapshot.gpus) == len(snapshot.replicas) == len(snapshot.nodes) == 0
    assert findings(snapshot, SERVING) == ()


def test_the_scrape_interval_is_read_from_the_samples() -> None:
    cluster = healthy()
    assert read(cluster).scrape_s == 30.0
    cluster.put("gpu_samples", [({}, 40.0)])
    assert read(cluster).scrape_s == 15.0


def test_nodes_put_their_gpus_together() -> None:
    cluster = healthy()
    changed(cluster, "gpu_temperature:average", 93.0, node="node-1", gpu="3")
    nodes = read(cluster).nodes
    assert nodes.column("gpu_temperature").tolist() == [61.0, 93.0]
    assert nodes.column("memory_used_bytes").tolist() == pytest.approx([8 * 76e9] * 2)
    assert nodes.state.tolist() == [State.OK, State.BAD]


def test_a_table_merges_what_came_twice_and_sorts_as_people_count() -> None:
    cluster = Cluster()
    name = "gpu_temperature:average"
    cluster.put(name, [(gpu("node-10", 0), 50.0), (gpu("node-9", 0), 60.0), (gpu("node-9", 0), 61.0)])
    made = table(Level.GPU, [cluster.instant(f'"indicator", "{name}"')])
    assert [subject.node for subject in made.subjects] == ["node-9", "node-10"]
    assert made.column("gpu_temperature").tolist() == [61.0, 50.0]
    assert np.isnan(made.column("gpu_power")).all()
    frame = made.frame()
    assert frame.loc["gpu~node-9~0", "gpu_temperature"] == 61.0


def test_an_answer_about_no_gpu_in_particular_is_no_row() -> None:
    cluster = Cluster()
    cluster.put("gpu_power:average", [({}, 500.0), ({"node": "a"}, 300.0)])
    assert len(table(Level.GPU, [cluster.instant('"indicator", "gpu_power:average"')])) == 0


@pytest.mark.parametrize(
    "subject",
    [
        Subject(Level.GPU, node="a~b/c?d&e=f", gpu="0"),
        Subject(Level.GPU, node="n", gpu="0", mig="3"),
        Subject(Level.NODE, node="节点 1"),
        Subject(Level.ENGINE, node="n", instance="n:8000", model="org/model"),
    ],
    ids=lambda subject: subject.level.value,
)
def test_an_id_names_its_subject_and_fits_a_url(subject: Subject) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.:~%-]+", subject.id)
    assert parsed(subject.id) == subject
