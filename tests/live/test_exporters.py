"""Every reading of every exporter, asked of a real store: the value that was exported, with canonical labels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.monitoring.exporters import detect, exporters
from tests.live.one_exporter import Store, store
from tests.live.scenes import SCENES, Expected

WINDOW = "15s"

CASES = [
    pytest.param(name, one, id=f"{name}-{one.indicator}-{index}")
    for name, (_, expected) in SCENES.items()
    for index, one in enumerate(expected)
]


@pytest.fixture(scope="module", params=["prometheus", "victoria-metrics"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    scenes = {name: scene for name, (scene, _) in SCENES.items()}
    with store(request.param, scenes, tmp_path_factory.mktemp("store"), ready_s=17) as started:
        yield started


def asked(running: Store, name: str, one: Expected, **more: object) -> list[float]:
    """Return the values of the series that carry the labels expected."""
    scene = SCENES[name][0]
    ask = {"selector": f'scene="{name}"', "window": WINDOW, **one.ask, **more}
    query = detect(scene.names()).expression(one.indicator, **ask)
    assert query, f"{one.indicator} is not given by {scene.id}"
    series = running.ask(query)
    found = [
        value
        for labels, value in series
        if all(labels.get(label, "") == wanted for label, wanted in one.labels.items())
        and labels.get("mig", "") == one.labels.get("mig", "")
    ]
    assert found, f"{query}\n{series}"
    return found


@pytest.mark.prometheus
@pytest.mark.parametrize(("name", "one"), CASES)
def test_gives_what_was_exported(running: Store, name: str, one: Expected) -> None:
    assert asked(running, name, one) == pytest.approx([one.value], rel=0.08)


@pytest.mark.prometheus
@pytest.mark.parametrize("over", ["avg", "min", "max", "last"])
@pytest.mark.parametrize(("name", "one"), CASES)
def test_steady_values_have_the_same_statistics(running: Store, name: str, one: Expected, over: str) -> None:
    labels = {name: value for name, value in one.labels.items() if name not in {"pod", "namespace"}}
    (found,) = asked(running, name, Expected(one.indicator, one.value, labels, one.ask), over=over)
    if over in {"avg", "last"}:
        assert found == pytest.approx(one.value, rel=0.08)
    elif over == "min":
        # Just after the start a rate is told from two samples, which is less than it is.
        assert found <= one.value * 1.08
    else:
        assert found >= one.value * 0.92


@pytest.mark.prometheus
@pytest.mark.parametrize("name", ["dcgm", "vllm_new", "sglang", "amd"])
def test_counts_the_samples_of_a_window(running: Store, name: str) -> None:
    gauge = "gpu_utilisation" if name in {"dcgm", "amd"} else "queue"
    one = next(one for one in SCENES[name][1] if one.indicator == gauge)
    labels = {key: value for key, value in one.labels.items() if key not in {"pod", "namespace"}}
    (count,) = asked(running, name, Expected(gauge, 0, labels), over="count")
    assert 13 <= count <= 16


@pytest.mark.prometheus
def test_two_exporters_of_one_gpu_are_one_gpu(running: Store) -> None:
    """dcgm and nvidia_smi write the same uuid: DCGM, which knows more, is taken."""
    names = SCENES["dcgm"][0].names() | SCENES["nvidia_smi"][0].names()
    query = detect(names).expression("gpu_temperature", selector='scene=~"dcgm|nvidia_smi"', window=WINDOW)
    assert query
    assert [(labels["node"], value) for labels, value in running.ask(query)] == [("gpu-1", 61.0)]


@pytest.mark.prometheus
def test_engines_side_by_side_are_all_there(running: Store) -> None:
    scenes = ["vllm_new", "sglang", "trtllm", "lmdeploy"]
    names = frozenset().union(*(SCENES[name][0].names() for name in scenes))
    selector = f'scene=~"{"|".join(scenes)}"'
    detected = detect(names)
    for indicator in ("running", "ttft", "error_rate", "requests"):
        query = detected.expression(indicator, selector=selector, window=WINDOW)
        assert query
        # Three of them share instance and model here, so the first that gives it stands for them.
        assert len(running.ask(query)) == 2, query
    total = detected.expression("running", selector=selector, window=WINDOW, by=("host",))
    assert total
    assert {labels["host"]: value for labels, value in running.ask(total)} == {
        "10.0.0.7": 200,
        "10.0.0.8": 32,
    }


@pytest.mark.prometheus
def test_groups_and_keeps_only_what_was_asked(running: Store) -> None:
    detected = detect(SCENES["dcgm"][0].names())
    selector = 'scene="dcgm"'
    mean = detected.expression("gpu_utilisation", selector=selector, by=("node",), window=WINDOW)
    one = detected.expression("gpu_utilisation", selector=selector, only={"gpu": "1"}, window=WINDOW)
    none = detected.expression("gpu_utilisation", selector=selector, only={"node": 'a"b\\c'}, window=WINDOW)
    assert mean
    assert one
    assert none
    assert running.ask(mean) == [({"node": "gpu-1"}, pytest.approx((0.8 + 0.3 + 0.4) / 3))]
    assert [value for _, value in running.ask(one)] == [pytest.approx(0.4)]
    assert running.ask(none) == []


@pytest.mark.prometheus
def test_an_old_xid_is_silent(running: Store) -> None:
    """It stays as the last one for ever; what counts is that it was there before the window."""
    scene = SCENES["dcgm"][0]
    query = detect(scene.names()).expression("xid", selector='scene="dcgm"', window="5s")
    assert query
    assert running.ask(query) == []


def test_each_exporter_is_tried() -> None:
    tried = {one.id for scene, _ in SCENES.values() for one in detect(scene.names()).exporters}
    assert tried == set(exporters())


def test_each_reading_is_expected_of_some_scene() -> None:
    given = {
        (exporter.id, indicator)
        for scene, expected in SCENES.values()
        for exporter in detect(scene.names()).exporters
        for indicator in {one.indicator for one in expected}
    }
    untried = {
        (exporter.id, indicator)
        for exporter in exporters().values()
        for indicator in exporter.indicators
        if (exporter.id, indicator) not in given
    }
    assert untried <= {("nvidia_gpu_exporter", "compute_utilisation"), ("tgi", "error_rate")}
