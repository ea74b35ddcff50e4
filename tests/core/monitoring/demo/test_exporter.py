"""What the exporters of the demo say is Prometheus' text format, and what our monitor reads."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.monitoring.demo.exporter import CONTENT_TYPE, Exporter, labelled, server
from core.monitoring.demo.samples import FAMILIES
from core.monitoring.demo.scenario import Scenario
from core.monitoring.exporters import detect

SCENARIO = Scenario(began=1.8e9)
EXPORTER = Exporter(SCENARIO)
NOW = SCENARIO.began + 10


@pytest.mark.parametrize("path", [path for path in EXPORTER.targets if path != "/vllm/gpu-node-08"])
def test_it_can_be_read(path: str) -> None:
    text = EXPORTER.text(path, NOW)
    assert text is not None
    node = EXPORTER.targets[path].node
    plain = {family.name for family in FAMILIES if not family.name.endswith("_total")}
    found = {
        # This parser ends the names of counters in _total, which DCGM does not.
        (name if (name := sample.name.removesuffix("_total")) in plain else sample.name)
        + str(sorted(sample.labels.items()))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    expected = [series for series in EXPORTER.samples.series if series.target.path == path]
    named = {series.name + str(sorted(series.labels.items())) for series in expected}
    assert found <= named
    # Of each pair of Xid series one is missing.
    assert len(named) - len(found) == (8 if path.startswith("/dcgm") else 0)
    assert all(f'Hostname="{node.name}"' in line for line in text.splitlines() if line.startswith("DCGM"))


def test_kinds_are_those_of_the_families() -> None:
    text = "".join(EXPORTER.text(path, NOW) or "" for path in EXPORTER.targets if path.endswith("-01"))
    said = {line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")}
    assert said == {family.name: family.kind for family in FAMILIES}


def test_the_dead_replica_does_not_answer() -> None:
    assert EXPORTER.text("/vllm/gpu-node-08", NOW) is None
    assert EXPORTER.text("/dcgm-exporter/gpu-node-08", NOW) is not None


def test_labels_are_escaped() -> None:
    assert labelled({"a": 'x"\\\n'}) == '{a="x\\"\\\\\\n"}'
    assert labelled({}) == ""


def test_the_monitor_finds_all_indicators_of_these_exporters() -> None:
    names = {series.name for series in EXPORTER.samples.series} | {"up"}
    detected = detect(names)
    assert {exporter.id for exporter in detected.exporters} >= {"dcgm", "vllm"}
    # The filling of a batch needs a number that vLLM does not export.
    assert {missing.indicator for missing in detected.missing()} <= {"batch_efficiency"}


@pytest.fixture
def address() -> Iterator[str]:
    listening = server(EXPORTER, clock=lambda: NOW)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_it_answers_over_http(address: str) -> None:
    with urllib.request.urlopen(f"{address}/dcgm-exporter/gpu-node-01", timeout=10) as answer:
        assert answer.headers["Content-Type"] == CONTENT_TYPE
        assert answer.read().decode() == EXPORTER.text("/dcgm-exporter/gpu-node-01", NOW)


@pytest.mark.parametrize(("path", "status"), [("/vllm/gpu-node-08", 503), ("/", 404), ("/vllm/none", 404)])
def test_who_is_away_and_who_is_unknown(address: str, path: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address + path, timeout=10)
    assert refused.value.code == status
    refused.value.close()
