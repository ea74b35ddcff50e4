from __future__ import annotations

import json
import re
from typing import Any

import promql_parser
import pytest

from core.monitoring.export.grafana import WORST, dashboard, steps
from core.monitoring.export.rules import assumed, rules
from core.monitoring.thresholds import PRESETS
from tests.core.monitoring.export.sets import SETS

SERVING = PRESETS["serving"]
MADE = [rules(SERVING), rules(SERVING, assumed(["vllm"])), *(rules(SERVING, one.detected) for one in SETS)]


def panels(content: bytes) -> list[dict[str, Any]]:
    return json.loads(content)["panels"]


def plain(expr: str) -> str:
    """Return *expr* as Grafana sends it: with its variables filled in."""
    filled = expr.replace("$__rate_interval_ms", "60000").replace("$__rate_interval", "1m")
    return re.sub(r"\$(node|model)\b", "a|b", filled)


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "computed"])
@pytest.mark.parametrize("made", MADE, ids=range(len(MADE)))
def test_every_panel_asks_what_prometheus_understands(made: Any, recorded: bool) -> None:
    content = dashboard(made, recorded=recorded)
    asked = [target["expr"] for panel in panels(content) for target in panel.get("targets", [])]
    assert asked
    for expr in asked:
        promql_parser.parse(plain(expr))
        assert ("llmops:" in expr or "ALERTS" in expr) == recorded
        assert "86399" not in expr
    for variable in json.loads(content)["templating"]["list"]:
        found = (
            re.fullmatch(r"query_result\((.*)\)", variable["query"].get("query", ""))
            if (variable["type"] == "query")
            else None
        )
        if found:
            promql_parser.parse(found.group(1))


def test_rates_use_grafanas_own_window() -> None:
    text = dashboard(rules(SERVING), recorded=False).decode()
    assert "[$__rate_interval]" in text
    assert "$__interval" not in text


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "computed"])
def test_panels_have_their_own_number_and_place(recorded: bool) -> None:
    found = panels(dashboard(rules(SERVING), recorded=recorded))
    assert len({panel["id"] for panel in found}) == len(found)
    taken: set[tuple[int, int]] = set()
    for panel in found:
        grid = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not taken & cells, panel["title"]
        assert grid["x"] + grid["w"] <= 24
        taken |= cells


def test_colours_follow_the_limits() -> None:
    assert steps(SERVING["gpu_utilisation"]) == (
        ("red", None),
        ("orange", 0.05),
        ("green", 0.5),
        ("orange", 0.95),
    )
    assert steps(SERVING["ttft"]) == (("green", None), ("orange", 0.5), ("red", 1.0))
    changed = rules(SERVING.changed("ttft", high=0.25))
    curve = next(
        panel
        for panel in panels(dashboard(changed))
        if panel["type"] == "timeseries" and "ttft" in panel["targets"][0]["expr"]
    )
    values = [step["value"] for step in curve["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert values == [None, 0.25, 1.0]


def test_panels_stay_small_for_a_large_fleet() -> None:
    """No panel asks for a curve of each GPU: nodes, or the few worst."""
    for panel in panels(dashboard(rules(SERVING))):
        for target in panel.get("targets", []):
            assert re.match(r"(avg|sum|max|min|count|topk|bottomk)\b", target["expr"])
            if target["expr"].startswith(("topk", "bottomk")):
                assert f"({WORST}," in target["expr"]
                assert target["instant"]


def test_schema_and_source_of_data() -> None:
    content = json.loads(dashboard(rules(SERVING)))
    assert content["schemaVersion"] == 39
    assert [one["name"] for one in content["templating"]["list"]] == ["datasource", "node", "model"]
    for panel in content["panels"]:
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_same_arguments_same_bytes() -> None:
    assert dashboard(rules(SERVING)) == dashboard(rules(SERVING))
