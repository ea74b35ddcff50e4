from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from core.monitoring.export.groups import Pace
from core.monitoring.export.rules import assumed, rules
from core.monitoring.exporters import exporters
from core.monitoring.flags import RULES
from core.monitoring.indicators import xid_codes
from core.monitoring.thresholds import PRESETS, Thresholds
from core.text import LANGUAGES
from tests.core.monitoring.export.conftest import Promtool
from tests.core.monitoring.export.sets import SETS, Set

SERVING = PRESETS["serving"]


def names_in(expr: object) -> set[str]:
    """Return the metric names of a parsed expression."""
    text = str(expr)
    token = ""
    found = set()
    for sign in text + " ":
        if sign.isalnum() or sign in "_:":
            token += sign
        else:
            if ":" in token or token.startswith(("DCGM_", "nvidia_smi_", "gpu_")):
                found.add(token)
            token = ""
    return found


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_prometheus_takes_the_rules(preset: str, language: str, tmp_path: Path, promtool: Promtool) -> None:
    made = rules(PRESETS[preset], language=language)
    (tmp_path / "rules.yml").write_text(made.as_yaml(language), encoding="utf-8")
    said = promtool(tmp_path, "check", "rules", "rules.yml")
    assert f"{len(made.alerts) + len(made.recordings)} rules found" in said


@pytest.mark.parametrize("one", SETS, ids=lambda one: one.id)
def test_prometheus_takes_the_rules_of_other_exporters(one: Set, tmp_path: Path, promtool: Promtool) -> None:
    made = rules(SERVING.with_capacity(64), one.detected)
    (tmp_path / "rules.yml").write_text(made.as_yaml(), encoding="utf-8")
    promtool(tmp_path, "check", "rules", "rules.yml")
    assert {"GpuUnderutilised", "GpuMemoryHigh", "KvCachePressure", "TtftP99High", "BatchLow"} <= {
        alert.alert for alert in made.alerts
    }


@pytest.mark.parametrize("one", sorted(exporters()))
def test_every_expression_parses_for_every_exporter(one: str) -> None:
    made = rules(SERVING, assumed([one]))
    for rule in (*made.alerts, *made.recordings):
        promql_parser.parse(rule.expr)


def test_alerts_read_recorded_series_alone() -> None:
    made = rules(SERVING.with_capacity(64))
    recorded = {rule.record for rule in made.recordings}
    for alert in made.alerts:
        found = {name for name in names_in(alert.expr) if ":" in name}
        assert found, alert.alert
        assert found <= recorded
        assert not [name for name in names_in(alert.expr) if ":" not in name]


def test_names_are_ours_and_single() -> None:
    names = [rule.record for rule in rules(SERVING).recordings]
    assert len(names) == len(set(names))
    assert all(name.startswith("llmops:") and name.count(":") == 2 for name in names)


def test_every_finding_of_a_limit_has_an_alert() -> None:
    judged = SERVING.with_capacity(64).changed("e2e", high=30.0)
    told = {alert.labels["finding"] for alert in rules(judged).alerts}
    assert {rule.id for rule in RULES} <= told
    assert {"memory_leak", "gpu_missing", "telemetry"} <= told


def test_the_end_of_answers_has_an_alert_only_where_a_user_says_what_is_slow() -> None:
    assert "E2eP99High" not in severities(SERVING)
    assert "E2eP99High" in severities(SERVING.changed("e2e", high=30.0))


def test_a_changed_limit_changes_the_alert_and_nothing_else() -> None:
    before = {alert.alert: alert for alert in rules(SERVING).alerts}
    changed = SERVING.changed("gpu_temperature", high=77.0, for_s=120.0)
    after = {alert.alert: alert for alert in rules(changed).alerts}
    assert "> 77 " in after["GpuHot"].expr
    assert after["GpuHot"].hold == "2m"
    assert "77 °C" in after["GpuHot"].annotations["summary"]
    same = {name for name, alert in before.items() if after[name] == alert}
    assert before.keys() - same == {"GpuHot", "GpuTooHot"}


def test_the_presets_differ_where_the_guides_do() -> None:
    one, other = (
        {alert.alert: alert.expr for alert in rules(PRESETS[name].with_capacity(64)).alerts}
        for name in ("serving", "planner")
    )
    assert {name for name in one if one[name] != other[name]} == {"GpuMemoryHigh", "BatchLow"}


def test_the_name_says_the_percentile() -> None:
    names = {alert.alert for alert in rules(SERVING.changed("ttft", quantile=0.95)).alerts}
    assert {"TtftP95High", "TtftP95Critical"} <= names
    assert "TtftP99High" not in names


def severities(thresholds: Thresholds) -> Mapping[str, str]:
    return {alert.alert: alert.labels["severity"] for alert in rules(thresholds).alerts}


def test_costs_inform_and_faults_are_critical() -> None:
    found = severities(SERVING)
    assert found["GpuUnderutilised"] == found["GpuSaturated"] == found["GpuIdle"] == "info"
    assert found["TtftP99High"] == found["KvCachePressure"] == "warning"
    assert found["TtftP99Critical"] == found["GpuXidCritical"] == found["ReplicaDown"] == "critical"


def test_a_second_alert_of_one_limit_needs_to_be_worse() -> None:
    assert "ItlP99Critical" not in severities(SERVING)
    assert severities(SERVING.changed("itl", severity="critical"))["ItlP99Critical"] == "critical"


def test_all_xid_codes_that_are_watched_are_in_the_alerts() -> None:
    exprs = " ".join(alert.expr for alert in rules(SERVING).alerts if "Xid" in alert.alert)
    assert [code for code in xid_codes().all if f"== {code}" not in exprs] == []


def test_each_alert_says_what_and_what_to_do() -> None:
    for alert in rules(SERVING.with_capacity(64)).alerts:
        assert alert.labels.keys() == {"severity", "indicator", "level", "finding"}
        assert alert.annotations["summary"]
        assert alert.annotations["description"]
        if alert.alert not in {"GpuIdle", "GpuMissing", "ReplicaDown", "TelemetryMissing", "TelemetryAbsent"}:
            assert "{{ $value" in alert.annotations["summary"], alert.alert


def test_what_is_not_exported_is_named_and_not_watched() -> None:
    made = rules(SERVING, assumed(["vllm"]))
    assert "gpu_utilisation" in {one.id for one in made.missing}
    assert not [alert for alert in made.alerts if alert.labels["level"] == "gpu"]
    assert "GPU utilisation" in made.as_yaml()


def test_without_engines_that_preallocate_memory_is_judged_by_itself() -> None:
    made = rules(SERVING, assumed(["dcgm", "llama_cpp"]))
    expr = next(alert.expr for alert in made.alerts if alert.alert == "GpuMemoryHigh")
    assert "unless" not in expr


def test_same_arguments_same_text() -> None:
    assert rules(SERVING).as_yaml() == rules(SERVING).as_yaml()


def test_a_pace_shortens_windows_and_holds_alike() -> None:
    quick = rules(SERVING, pace=Pace(interval_s=1, shortened=60))
    alert = next(alert for alert in quick.alerts if alert.alert == "GpuSaturated")
    assert "[15s]" in alert.expr
    assert alert.hold == "15s"
    assert {group.interval_s for group in quick.groups} == {1, 10}


def test_windows_hold_at_least_four_samples() -> None:
    """Prometheus 3 leaves out the sample at the left end of a window."""
    made = rules(SERVING, pace=Pace(interval_s=120))
    text = made.as_yaml()
    content: Any = yaml.safe_load(text)
    exprs = " ".join(rule["expr"] for group in content["groups"] for rule in group["rules"])
    assert "[5m]" not in exprs.replace("_REASONS", "")
    assert "[8m]" in exprs
