from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.monitoring.export.groups import Pace
from core.monitoring.export.names import PREALLOCATED, series
from core.monitoring.export.rule_tests import RULES_FILE, TESTS_FILE, cases, rule_tests
from core.monitoring.export.rules import Rules, rules
from core.monitoring.exporters import detect
from core.monitoring.thresholds import PRESETS, Thresholds
from tests.conftest import need
from tests.core.monitoring.export.conftest import Promtool
from tests.core.monitoring.export.sets import SETS, Set

SERVING = PRESETS["serving"]

# The cases hold at any pace; fewer evaluations make them quick.
QUICK = Pace(interval_s=120)

STRICTER = (
    SERVING.changed("gpu_utilisation", low=0.65, high=0.9, window_s=1800.0, least_samples=5)
    .changed("memory_occupancy", high=0.6, for_s=0.0)
    .changed("gpu_temperature", high=70.0, high_bad=75.0)
    .changed("kv_usage", high=0.5, for_s=60.0)
    .changed("ttft", high=0.2, high_bad=0.4, quantile=0.95)
    .changed("itl", severity="critical")
    .changed("queue", high=2.0)
    .with_capacity(256)
)


def write(folder: Path, made: Rules, tests: str) -> None:
    (folder / RULES_FILE).write_text(made.as_yaml(), encoding="utf-8")
    (folder / TESTS_FILE).write_text(tests, encoding="utf-8")


@pytest.mark.parametrize(
    "thresholds",
    [SERVING, PRESETS["planner"].with_capacity(64), STRICTER],
    ids=["serving", "planner", "stricter"],
)
def test_alerts_fire_beyond_their_limits_and_not_inside(
    thresholds: Thresholds, tmp_path: Path, promtool: Promtool
) -> None:
    made = rules(thresholds, pace=QUICK)
    write(tmp_path, made, rule_tests(made))
    assert "SUCCESS" in promtool(tmp_path, "test", "rules", TESTS_FILE)


def test_at_the_pace_of_the_export(tmp_path: Path, promtool: Promtool) -> None:
    made = rules(SERVING)
    content: Any = yaml.safe_load(rule_tests(made))
    # The leak looks back over hours: at this pace that one case takes longer than all others.
    content["tests"] = [test for test in content["tests"] if test["name"] != "GpuMemoryLeak"]
    write(tmp_path, made, yaml.safe_dump(content))
    assert "SUCCESS" in promtool(tmp_path, "test", "rules", TESTS_FILE)


@pytest.mark.parametrize("thresholds", [SERVING, STRICTER], ids=["serving", "stricter"])
def test_every_alert_has_a_case_that_fires_and_one_that_is_silent(thresholds: Thresholds) -> None:
    made = rules(thresholds)
    found = {case.alert.alert: case for case in cases(made)}
    assert found.keys() == {alert.alert for alert in made.alerts}
    for name, case in found.items():
        assert [place for place in case.places if place.fires], name
        if name != "TelemetryAbsent":
            assert [place for place in case.places if not place.fires], name


def test_a_rule_that_forgets_its_limit_is_found_out(tmp_path: Path) -> None:
    """The tests can fail: a limit that was moved after they were made makes them."""
    made = rules(SERVING, pace=QUICK)
    content: Any = yaml.safe_load(rule_tests(made))
    content["tests"] = [test for test in content["tests"] if test["name"] in {"GpuHot", "GpuMemoryHigh"}]
    write(tmp_path, rules(SERVING.changed("gpu_temperature", high=88.0), pace=QUICK), yaml.safe_dump(content))
    command = [need("promtool", "prometheus"), "test", "rules", TESTS_FILE]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode != 0
    assert "GpuHot" in found.stdout + found.stderr
    assert "GpuMemoryHigh" not in found.stdout + found.stderr


@pytest.mark.parametrize("one", SETS, ids=lambda one: one.id)
def test_raw_samples_of_a_healthy_node_become_our_series_and_no_alert(
    one: Set, tmp_path: Path, promtool: Promtool
) -> None:
    """97 % of the memory is taken by the engine, its counters start anew once, and no request has failed."""
    made = rules(SERVING, one.detected)

    def asked(expr: str, *values: float) -> dict[str, Any]:
        samples = [{"labels": "{}", "value": value} for value in values]
        return {"expr": expr, "eval_time": "50m", "exp_samples": samples}

    inputs = [{"series": series, "values": values} for series, values in (one.gpu | one.engine).items()]
    test = {
        "interval": "30s",
        "input_series": inputs,
        "promql_expr_test": [
            asked(f"count({series('gpu_utilisation')})", 1),
            asked(f"round(max({series('gpu_utilisation')}), 0.01)", 0.8),
            asked(f"round(max({series('memory_occupancy')}), 0.01)", 0.97),
            asked(f"max({series('gpu_temperature')})", 60),
            asked(f"max({PREALLOCATED})", 1),
            asked(f"max({series('kv_usage')})", 0.6),
            asked(f"round(max({series('ttft')}), 0.01)", 0.1),
            asked(f"max({series('error_rate')})", 0),
            # The counter begins at 0 again after half an hour: the rate neither drops to nothing nor jumps.
            asked(f"count(min_over_time({series('requests')}[40m]) > 0.5)", 1),
            asked(f"count(max_over_time({series('requests')}[40m]) < 0.7)", 1),
            asked(f"count({series('replica_up')} == 1)", 1),
            {"expr": 'ALERTS{alertstate="firing"}', "eval_time": "50m", "exp_samples": []},
        ],
    }
    content = {"rule_files": [RULES_FILE], "evaluation_interval": "30s", "tests": [test]}
    write(tmp_path, made, yaml.safe_dump(content))
    promtool(tmp_path, "test", "rules", TESTS_FILE)


def test_xid_of_any_spelling_fires_once_and_is_over_after_its_window(
    tmp_path: Path, promtool: Promtool
) -> None:
    """The exporter shows the last Xid for ever; a new one comes with a new err_code, so with a new series."""
    one = SETS[0]
    labels = 'gpu="0",UUID="GPU-1",Hostname="n1",instance="n1:9400",job="dcgm"'
    made = rules(SERVING, detect(one.detected.names | {"DCGM_FI_DEV_XID_ERRORS"}), pace=QUICK)
    firing = 'count(ALERTS{alertname="GpuXidCritical", alertstate="firing"})'
    tests = {
        "interval": "2m",
        "input_series": [
            {"series": f'DCGM_FI_DEV_XID_ERRORS{{{labels},err_code="0"}}', "values": "0x20 stale"},
            {"series": f'DCGM_FI_DEV_XID_ERRORS{{{labels},err_code="79"}}', "values": "_x20 79x240"},
            {"series": f"DCGM_FI_DEV_GPU_TEMP{{{labels}}}", "values": "50x260"},
        ],
        "promql_expr_test": [
            {"expr": firing, "eval_time": "38m", "exp_samples": []},
            {"expr": firing, "eval_time": "50m", "exp_samples": [{"labels": "{}", "value": 1}]},
            {"expr": firing, "eval_time": "390m", "exp_samples": [{"labels": "{}", "value": 1}]},
            {"expr": firing, "eval_time": "420m", "exp_samples": []},
        ],
    }
    content = {"rule_files": [RULES_FILE], "evaluation_interval": "2m", "tests": [tests]}
    write(tmp_path, made, yaml.safe_dump(content))
    promtool(tmp_path, "test", "rules", TESTS_FILE)
