"""What is wrong is said once, where it begins, and nothing is said of what is fine."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import promql_parser
import pytest

from core.monitoring.collect import collect
from core.monitoring.consequences import FOLLOWS
from core.monitoring.evidence import SHOWN_BY
from core.monitoring.exporters import detect
from core.monitoring.finding import SEVERITIES, Finding
from core.monitoring.findings import findings
from core.monitoring.indicators import indicators, xid_codes
from core.monitoring.judging import judged
from core.monitoring.rules import RULES
from core.monitoring.snapshot import Snapshot
from core.monitoring.thresholds import PRESETS, Thresholds
from core.monitoring.verdicts import State
from core.monitoring.wording import slowness
from core.monitoring.xid import xids
from core.text import sentences
from tests.core.monitoring.cluster import (
    NOW,
    Cluster,
    changed,
    detected,
    gpu,
    healthy,
    replica,
    without,
)

SERVING = PRESETS["serving"]


def read(cluster: Cluster, thresholds: Thresholds = SERVING) -> Snapshot:
    return collect(cluster, detected(), thresholds)  # type: ignore[arg-type]


def found(cluster: Cluster, thresholds: Thresholds = SERVING) -> tuple[Finding, ...]:
    return findings(read(cluster, thresholds), thresholds)


def rules(cluster: Cluster) -> list[str]:
    return [one.rule for one in found(cluster)]


def test_a_healthy_cluster_has_no_finding_though_its_memory_is_nearly_full() -> None:
    snapshot = read(healthy())
    assert findings(snapshot, SERVING) == ()
    assert set(snapshot.gpus.state) == set(snapshot.replicas.state) == set(snapshot.nodes.state) == {State.OK}
    cover = snapshot.covered[snapshot.gpus.subjects[0].id]
    assert "92 %" in str(cover.reason)


def test_memory_that_no_engine_has_taken_is_judged_by_how_full_it_is() -> None:
    cluster = healthy()
    without(cluster, instance="node-1:8000")
    [full] = [one for one in found(cluster) if one.rule == "memory_high"]
    assert full.count == 8
    assert full.nodes == ("node-1",)
    assert full.limit == 0.9


def test_an_idle_node_is_one_finding() -> None:
    cluster = healthy()
    changed(cluster, "gpu_utilisation:average", 0.01, node="node-1")
    changed(cluster, "gpu_utilisation:most", 0.02, node="node-1")
    [idle] = found(cluster)
    assert (idle.rule, idle.id, idle.count, idle.severity) == ("gpu_idle", "gpu_idle~node~node-1", 8, "info")
    assert [subject.gpu for subject in idle.subjects] == [str(number) for number in range(8)]
    assert "8 GPUs of node-1" in str(idle.sentence)
    assert "1 %" in str(idle.sentence)


def test_a_gpu_that_works_now_and_then_is_underused_not_idle() -> None:
    cluster = healthy()
    changed(cluster, "gpu_utilisation:average", 0.03, node="node-1", gpu="4")
    assert rules(cluster) == ["gpu_underused"]


@pytest.mark.parametrize(
    ("name", "value", "rule", "severity"),
    [
        ("gpu_temperature:average", 87.0, "gpu_hot", "warning"),
        ("gpu_temperature:average", 93.0, "gpu_hot", "critical"),
        ("throttling:average", 0.4, "throttled", "warning"),
        ("ecc_errors:average", 2.0, "ecc", "critical"),
        ("gpu_utilisation:average", 0.99, "gpu_saturated", "info"),
    ],
)
def test_one_gpu_beyond_its_limit(name: str, value: float, rule: str, severity: str) -> None:
    cluster = healthy()
    changed(cluster, name, value, node="node-1", gpu="3")
    [one] = found(cluster)
    assert (one.rule, one.severity, one.value) == (rule, severity, value)
    assert [(subject.node, subject.gpu) for subject in one.subjects] == [("node-1", "3")]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("ttft:average", 0.7, "ttft_slow"),
        ("itl:average", 0.15, "itl_slow"),
        ("error_rate:average", 0.03, "errors"),
        ("queue:average", 30.0, "queue"),
        ("preemptions:average", 0.5, "preemptions"),
    ],
)
def test_one_replica_beyond_its_limit(name: str, value: float, rule: str) -> None:
    cluster = healthy()
    changed(cluster, name, value, node="node-1")
    [one] = found(cluster)
    assert one.rule == rule
    assert one.subjects[0].instance == "node-1:8000"


def test_a_quantile_is_said_as_what_it_is() -> None:
    cluster = healthy()
    changed(cluster, "ttft:average", 0.7, node="node-1")
    [slow] = found(cluster)
    assert "1 % of the requests wait longer than 700 ms for their first token" in str(slow.sentence)
    [slow] = found(cluster, SERVING.changed("ttft", quantile=0.95))
    assert "5 % of the requests" in str(slow.sentence)


def test_a_mean_is_not_said_to_be_a_quantile() -> None:
    assert str(slowness("itl", 0.2, 0.99, mean=True)) == "tokens come 200 ms on average after the one before"
    cluster = healthy()
    changed(cluster, "itl:average", 0.15, node="node-1")
    metrics = ("requests_processing", "tokens_predicted_seconds_total", "tokens_predicted_total")
    llama = detect({f"llamacpp:{name}" for name in metrics})
    [slow] = findings(replace(read(cluster), detected=llama), SERVING)
    assert "tokens come 150 ms on average" in str(slow.sentence)


def test_a_full_cache_is_a_fault_only_where_somebody_waits() -> None:
    cluster = healthy()
    changed(cluster, "kv_usage:average", 0.98, node="node-1")
    assert rules(cluster) == []
    changed(cluster, "queue:average", 3.0, node="node-1")
    assert rules(cluster) == ["kv_pressure"]


def test_a_full_cache_takes_slow_tokens_and_busy_gpus_of_its_replica_with_it_and_no_others() -> None:
    cluster = healthy()
    for name, value in (("kv_usage", 0.98), ("queue", 90.0), ("preemptions", 2.0), ("ttft", 4.0)):
        changed(cluster, f"{name}:average", value, node="node-1")
    changed(cluster, "gpu_utilisation:average", 0.99, node="node-1")
    changed(cluster, "ttft:average", 0.8, node="node-0")
    pressure, other = found(cluster)
    assert (pressure.rule, other.rule, other.nodes) == ("kv_pressure", "ttft_slow", ("node-0",))
    follows = {one.rule for one in pressure.explains}
    assert follows == {"queue", "preemptions", "ttft_slow", "gpu_saturated"}


def test_a_dead_replica_explains_the_idle_gpus_of_its_node() -> None:
    cluster = healthy()
    changed(cluster, "gpu_utilisation:average", 0.0, node="node-1")
    changed(cluster, "gpu_utilisation:most", 0.0, node="node-1")
    changed(cluster, "memory_occupancy:average", 0.01, node="node-1")
    without(cluster, instance="node-1:8000")
    cluster.put("engine_gone", [(replica("node-1"), 3.0)])
    cluster.put("engine_down", [(replica("node-1"), 0.0)])
    [down] = found(cluster)
    assert (down.rule, down.severity) == ("replica_down", "critical")
    assert [one.id for one in down.explains] == ["gpu_idle~node~node-1"]


def test_a_replica_that_another_has_replaced_is_not_missed() -> None:
    cluster = healthy()
    cluster.put("engine_gone", [({**replica("node-9"), "instance": "10.0.0.9:8000"}, 3.0)])
    assert rules(cluster) == ["replica_down"]
    changed(cluster, "replica_age:average", 4000.0, node="node-1")
    assert rules(cluster) == []


def test_an_xid_and_its_idle_gpu_are_one_finding() -> None:
    cluster = healthy()
    cluster.put("xid:average", [(gpu("node-1", 2), 79.0)])
    changed(cluster, "gpu_utilisation:average", 0.0, node="node-1", gpu="2")
    changed(cluster, "gpu_utilisation:most", 0.0, node="node-1", gpu="2")
    [xid] = found(cluster)
    assert (xid.rule, xid.id, xid.severity) == ("xid", "xid~gpu~node-1~2", "critical")
    assert "fallen off the bus" in str(xid.sentence)
    assert [one.rule for one in xid.explains] == ["gpu_idle"]


def test_an_error_of_an_application_is_no_finding() -> None:
    cluster = healthy()
    cluster.put("xid:average", [(gpu("node-1", 2), 31.0)])
    assert rules(cluster) == []


def test_every_watched_xid_has_a_meaning() -> None:
    assert set(xid_codes().all) <= xids().keys()
    assert all(f"monitoring.xid.{one.kind}" in sentences("en") for one in xids().values())


def test_a_vanished_gpu_is_missing_and_a_vanished_node_is_another_thing() -> None:
    cluster = healthy()
    without(cluster, node="node-1", gpu="5")
    cluster.put("gpu_gone", [(gpu("node-1", 5), 1.0), (gpu("node-7", 0), 1.0), (gpu("node-7", 1), 1.0)])
    card, node = found(cluster)
    assert (card.rule, card.severity, card.title.key) == (
        "gpu_missing",
        "critical",
        "monitoring.finding.gpu_missing.title",
    )
    assert (node.severity, node.count, node.title.key) == (
        "warning",
        2,
        "monitoring.finding.node_missing.title",
    )


def test_a_failing_exporter_explains_the_gpus_that_nobody_tells_of() -> None:
    cluster = healthy()
    without(cluster, node="node-1", instance="")
    gone = [gpu("node-1", number) for number in range(8)]
    for name in list(cluster.rows):
        cluster.rows[name] = [row for row in cluster.rows[name] if row[0] not in gone]
    cluster.put("gpu_gone", [(card, 1.0) for card in gone])
    cluster.put("gpu_down", [({"node": "node-1", "host": "node-1", "instance": "node-1:9400"}, 0.0)])
    [telemetry] = found(cluster)
    assert telemetry.rule == "telemetry"
    assert [(one.rule, one.count) for one in telemetry.explains] == [("gpu_missing", 8)]


def test_old_samples_are_unknown_and_said_to_be_old() -> None:
    cluster = healthy()
    changed(cluster, "gpu_temperature:age", 240.0, node="node-1")
    snapshot = read(cluster)
    states = dict(zip((subject.node for subject in snapshot.gpus.subjects), snapshot.gpus.state, strict=True))
    assert states == {"node-0": State.OK, "node-1": State.UNKNOWN}
    [old] = findings(snapshot, SERVING)
    assert (old.rule, old.count, old.value) == ("telemetry", 8, 240.0)


def test_a_clock_that_differs_is_said() -> None:
    cluster = healthy()
    cluster.skew_s = -95.0
    [skew] = found(cluster)
    assert skew.value == 95.0
    assert "95 s" in str(skew.sentence)


def test_a_partial_answer_looks_not_green_but_what_is_wrong_stays_wrong() -> None:
    cluster = healthy()
    cluster.partial = True
    changed(cluster, "gpu_temperature:average", 95.0, node="node-1", gpu="0")
    snapshot = read(cluster)
    assert set(snapshot.gpus.state) == {State.UNKNOWN, State.BAD}
    assert [one.rule for one in findings(snapshot, SERVING)] == ["gpu_hot"]


def test_half_a_window_is_warming_up_and_no_finding() -> None:
    cluster = healthy()
    changed(cluster, "gpu_utilisation:average", 0.2, node="node-1")
    changed(cluster, "gpu_temperature:samples", 6.0, node="node-1")
    changed(cluster, "ttft:average", 3.0, node="node-1")
    changed(cluster, "replica_age:average", 60.0, node="node-1")
    snapshot = read(cluster)
    assert State.WARMING_UP in set(snapshot.gpus.state)
    assert findings(snapshot, SERVING) == ()


def test_the_end_of_answers_is_judged_only_where_a_user_says_what_is_slow() -> None:
    cluster = healthy()
    cluster.put("e2e:average", [(replica("node-0"), 90.0), (replica("node-1"), 20.0)])
    assert rules(cluster) == []
    [slow] = found(cluster, SERVING.changed("e2e", high=30.0))
    assert slow.rule == "e2e_slow"


def test_a_changed_limit_is_judged_without_a_new_question() -> None:
    snapshot = read(healthy())
    strict = SERVING.changed("ttft", high=0.2, high_bad=0.9, normal_high=0.2)
    assert [one.rule for one in findings(judged(snapshot, strict), strict)] == ["ttft_slow"] * 2


def test_how_long_it_has_been_so() -> None:
    cluster = healthy()
    changed(cluster, "ttft:average", 0.8, node="node-1")
    values = [0.3] * 48 + [0.8] * 25
    cluster.past["ttft:average"] = [(replica("node-1"), values)]
    [slow] = found(cluster)
    assert slow.since_s == pytest.approx(24 * 300)
    assert not slow.at_least
    cluster.past["ttft:average"] = [(replica("node-1"), [0.8] * 73)]
    [slow] = found(cluster)
    assert (slow.since_s, slow.at_least) == (pytest.approx(6 * 3600), True)
    assert "at least 6 h" in str(slow.sentence)


def test_a_leak_says_how_fast_and_when_it_is_full() -> None:
    cluster = healthy()
    used = np.linspace(60e9, 60e9 + 12 * 2**30, 73)
    cluster.past["memory"] = [(gpu("node-1", 0), used.tolist()), (gpu("node-1", 1), [76e9] * 73)]
    cluster.past["load"] = [(replica("node-1"), [14.0] * 73)]
    [leak] = found(cluster)
    assert leak.rule == "memory_leak"
    assert leak.value == pytest.approx(2 * 2**30, rel=0.01)
    assert "2 GiB" in str(leak.sentence)
    assert [(subject.node, subject.gpu) for subject in leak.subjects] == [("node-1", "0")]
    cluster.past["load"] = [(replica("node-1"), np.linspace(10.0, 18.0, 73).tolist())]
    assert rules(cluster) == []


def test_a_rule_on_many_nodes_is_one_finding_with_a_number() -> None:
    cluster = healthy(nodes=12)
    for name in ("average", "most"):
        cluster.put(
            f"gpu_utilisation:{name}", [(card, 0.0) for card, _ in cluster.rows[f"gpu_utilisation:{name}"]]
        )
    [idle] = found(cluster)
    assert (idle.id, idle.count) == ("gpu_idle~fleet", 96)
    assert "96 GPUs, such as" in str(idle.sentence)


def test_the_worst_comes_first_and_ids_stay() -> None:
    cluster = healthy()
    changed(cluster, "gpu_temperature:average", 93.0, node="node-1", gpu="3")
    changed(cluster, "gpu_utilisation:average", 0.3, node="node-0")
    changed(cluster, "throttling:average", 0.4, node="node-1", gpu="3")
    first = found(cluster)
    ranks = [SEVERITIES.index(one.severity) for one in first]
    assert ranks == sorted(ranks)
    changed(cluster, "gpu_temperature:average", 94.0, node="node-1", gpu="3")
    assert [one.id for one in found(cluster)] == [one.id for one in first]
    assert all(re.fullmatch(r"[A-Za-z0-9_.:~%-]+", one.id) for one in first)


def test_every_rule_has_its_sentences_its_charts_and_known_consequences() -> None:
    named = {rule.id for rule in RULES} | {"memory_leak", "replica_down", "gpu_missing", "telemetry"}
    assert named == SHOWN_BY.keys()
    assert FOLLOWS.keys() | {rule for some in FOLLOWS.values() for rule in some} <= named
    assert {name for some in SHOWN_BY.values() for name in some} <= indicators().keys()
    wordings = {rule.wording or rule.id for rule in RULES} | named
    for part in ("title", "sentence", "cause"):
        assert {f"monitoring.finding.{name}.{part}" for name in wordings} <= sentences("en").keys()


def test_no_rule_follows_from_itself_in_a_circle() -> None:
    def reached(rule: str, seen: tuple[str, ...]) -> None:
        assert rule not in seen
        for other in FOLLOWS.get(rule, ()):
            reached(other, (*seen, rule))

    for rule in FOLLOWS:
        reached(rule, ())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sentences_are_whole_and_charts_are_promql(language: str) -> None:
    cluster = healthy()
    changed(cluster, "gpu_temperature:average", 93.0, node="node-1", gpu="3")
    for name, value in (("kv_usage", 0.98), ("queue", 90.0)):
        changed(cluster, f"{name}:average", value, node="node-1")
    cluster.put("xid:average", [(gpu("node-1", 2), 79.0)])
    for one in found(cluster):
        for sentence in (one.title, one.sentence, one.cause):
            assert "{" not in sentence.render(language)
        assert one.evidence
        for shown in one.evidence:
            promql_parser.parse(shown.expression)


def test_is_about_the_moment_of_the_store() -> None:
    cluster = healthy()
    cluster.kind = "victoriametrics"
    assert read(cluster).at == NOW - 30
