from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from core.monitoring.consequences import FOLLOWS
from core.monitoring.export.alertmanager import ON_CALL, REVIEW, TEAM, alertmanager
from core.monitoring.export.rules import rules
from core.monitoring.thresholds import PRESETS
from core.text import LANGUAGES
from tests.conftest import need


def amtool(folder: Path, *arguments: str) -> str:
    program = need("amtool", "prometheus-alertmanager")
    found = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "alertmanager.yml").write_text(alertmanager(), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_alertmanager_takes_it(language: str, tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text(alertmanager(language), encoding="utf-8")
    assert "3 receivers" in amtool(tmp_path, "check-config", "alertmanager.yml")


@pytest.mark.parametrize(
    ("severity", "receiver"), [("critical", ON_CALL), ("warning", TEAM), ("info", REVIEW), ("other", TEAM)]
)
def test_severity_says_who_is_told(severity: str, receiver: str, folder: Path) -> None:
    said = amtool(
        folder,
        "config",
        "routes",
        "test",
        "--config.file=alertmanager.yml",
        f"--verify.receivers={receiver}",
        f"severity={severity}",
        "alertname=GpuHot",
    )
    assert receiver in said


def test_every_alert_has_a_receiver(folder: Path) -> None:
    severities = {alert.labels["severity"] for alert in rules(PRESETS["serving"]).alerts}
    assert severities == {"critical", "warning", "info"}


def test_what_hides_what_is_as_on_the_page() -> None:
    hidden = yaml.safe_load(alertmanager())["inhibit_rules"]
    told = {alert.labels["finding"] for alert in rules(PRESETS["serving"].with_capacity(8)).alerts}
    for cause, names in FOLLOWS.items():
        found = [rule for rule in hidden if f'finding="{cause}"' in rule["source_matchers"]]
        targets = "|".join(rule["target_matchers"][0].split('"')[1] for rule in found).split("|")
        assert set(targets) == set(names)
        assert cause in told
    assert all(rule["equal"] for rule in hidden)


def test_it_holds_no_address_and_no_secret() -> None:
    content = yaml.safe_load(alertmanager())
    assert all(receiver.keys() == {"name"} for receiver in content["receivers"])
    assert "http" not in alertmanager()
