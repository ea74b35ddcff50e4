"""Estimates against 301 published peaks: how far off they may be, and how many lie within their bands."""

from __future__ import annotations

import json
from collections import defaultdict
from statistics import median
from typing import Any

import pytest

from core.api import answer
from tests.conftest import ROOT

MEASURED = ROOT / "hardware_db" / "measurements" / "training.jsonl"


@pytest.fixture(scope="module")
def compared() -> list[dict[str, Any]]:
    """Measured runs with their error in percent and whether the measurement lies within the band."""
    rows = [json.loads(line) for line in MEASURED.read_text(encoding="utf-8").splitlines()]
    answers = answer("train", [row["request"] for row in rows])
    for row, found in zip(rows, answers, strict=True):
        assert "error" not in found, (row["id"], found)
        predicted = found[f"peak_{row['figure']}_gib"]
        low, high = (edge / found["peak_reserved_gib"] for edge in found["band"]["peak_reserved_gib"])
        row["error"] = abs(predicted / row["measured_gib"] - 1) * 100
        row["inside"] = low <= row["measured_gib"] / predicted <= high
    return rows


def errors(rows: list[dict[str, Any]]) -> tuple[float, float]:
    ordered = sorted(row["error"] for row in rows)
    return median(ordered), ordered[int(0.9 * len(ordered))]


@pytest.mark.parametrize(
    ("methods", "middle", "nine_of_ten"),
    [(("full", "lora", "qlora"), 4, 17), (("lora", "qlora"), 3.5, 14), (("full",), 5.5, 24)],
)
def test_errors(
    compared: list[dict[str, Any]], methods: tuple[str, ...], middle: float, nine_of_ten: float
) -> None:
    found = errors([row for row in compared if row["request"]["method"] in methods])
    assert found[0] < middle
    assert found[1] < nine_of_ten


def test_latent_attention_and_experts_are_less_certain(compared: list[dict[str, Any]]) -> None:
    kinds = ("deepseek_v3", "mixtral")
    rows = [row for row in compared if row["request"]["model"]["model_type"] in kinds]
    assert len(rows) >= 8
    assert errors(rows)[0] < 20


def test_no_family_of_measurements_carries_the_figure(compared: list[dict[str, Any]]) -> None:
    families: dict[str, list[float]] = defaultdict(list)
    for row in compared:
        families[row["family"]].append(row["error"])
    assert median(median(family) for family in families.values()) < 6.5


def test_bands_hold_what_they_say(compared: list[dict[str, Any]]) -> None:
    """Eight of ten, a little more since bands are widened."""
    share = sum(row["inside"] for row in compared) / len(compared)
    assert 0.8 <= share <= 0.9


def test_every_measurement_names_its_source(compared: list[dict[str, Any]]) -> None:
    assert all(row["source"] and row["figure"] in ("allocated", "reserved", "process") for row in compared)
