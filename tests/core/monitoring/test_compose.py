"""Every expression that can be made is PromQL, and keeps the rules that stores need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import promql_parser
import pytest

from core.monitoring.exporters import Exporter, detect, exporters
from core.monitoring.indicators import indicators
from core.monitoring.readings import Reading
from tests.core.monitoring.stores import DCGM_DEFAULT, DCGM_RENAMED, everything, release, stored

ASKED: list[dict[str, object]] = [
    {},
    {"selector": 'cluster="a",zone=~"x|y"', "window": "1h30m"},
    {"by": ("node",)},
    {"by": ("model_name", "namespace"), "quantile": 0.5},
    {"only": {"node": 'a"\\b\n', "pod": "p"}},
    {"by": ("node",), "only": {"uuid": "GPU-1"}},
    *({"over": over, "window": "15m"} for over in ("avg", "min", "max", "count", "last")),
    *({"over": over, "by": ("node",)} for over in ("avg", "count")),
]


def every_store() -> Iterator[tuple[str, frozenset[str]]]:
    """Yield name sets: each exporter with each prefix, each reading alone, and mixtures."""
    for exporter in exporters().values():
        for prefix in exporter.prefixes:
            yield f"{exporter.id}-{prefix}", everything(exporter, prefix)
            for indicator, readings in exporter.indicators.items():
                for index, reading in enumerate(readings):
                    yield f"{exporter.id}-{prefix}-{indicator}-{index}", _alone(exporter, prefix, reading)
    every = [everything(one, prefix) for one in exporters().values() for prefix in one.prefixes]
    yield "all at once", frozenset().union(*every)
    yield "old and new dcgm", DCGM_DEFAULT | DCGM_RENAMED
    yield "rolling update", release("vllm", "0.6.6.post1", "vllm:") | release("vllm", "0.33.0", "vllm:")


def _alone(exporter: Exporter, prefix: str, reading: Reading) -> frozenset[str]:
    names: set[str] = {prefix + exporter.needs_any[0]}
    for name in reading.metrics:
        export = exporter.exports.get(name)
        names |= stored(prefix + name, export.type if export else "counter")
    return frozenset(names)


STORES = [pytest.param(names, id=name) for name, names in every_store()]


@pytest.mark.parametrize("names", STORES)
def test_every_expression_is_promql(names: frozenset[str]) -> None:
    detected = detect(names)
    made = 0
    for indicator in indicators():
        for ask in ASKED:
            found = detected.expression(indicator, capacity=256, **ask)  # type: ignore[arg-type]
            if found is None:
                assert not detected.has(indicator, capacity=256)
                continue
            made += 1
            try:
                promql_parser.parse(found)
            except ValueError as error:
                pytest.fail(f"{error}: {indicator} {ask}\n{found}")
            assert "__name__" not in found
            assert "{sel" not in found
            assert not re.search(r"\{(w|ws|p|q|code)\}", found)
    assert made


@pytest.mark.parametrize("names", STORES)
def test_only_names_of_the_store_are_asked(names: frozenset[str]) -> None:
    """A name that the store does not have would make a quotient empty, or a managed store refuse."""
    detected = detect(names)
    for indicator in indicators():
        found = detected.expression(indicator, capacity=256, selector='s="1"')
        if found is None:
            continue
        selected = set(re.findall(r"([A-Za-z_:][\w:]*)\{", found))
        assert selected <= names, indicator


@pytest.mark.parametrize("over", [None, "avg"])
@pytest.mark.parametrize("exporter", exporters().values(), ids=lambda exporter: exporter.id)
def test_labels_are_the_same_whoever_exports(exporter: Exporter, over: Literal["avg"] | None) -> None:
    detected = detect(everything(exporter, exporter.prefixes[0]))
    for indicator in exporter.indicators:
        found = str(detected.expression(indicator, over=over, capacity=2))
        labels = ", ".join(detected.labels(indicator, over))
        if (extra := indicators()[indicator].value_label) and extra in found:
            labels += f", {extra}"
        assert f"by ({labels}) (" in found


def test_a_device_is_not_split_by_its_pods_within_a_window() -> None:
    detected = detect(DCGM_DEFAULT)
    now, past = detected.expression("gpu_utilisation"), detected.expression("gpu_utilisation", over="avg")
    assert now
    assert past
    assert '"pod"' in now
    assert '"pod"' not in past
    assert detected.labels("gpu_utilisation") == (
        *detected.labels("gpu_utilisation", "avg"),
        "namespace",
        "pod",
    )


def test_statistics_of_a_gauge_need_no_subquery() -> None:
    found = detect(DCGM_DEFAULT).expression("memory_occupancy", over="avg", window="15m")
    assert found
    assert found.count("avg_over_time(") == 3
    assert "[15m:" not in found


def test_the_average_of_a_quantile_is_the_quantile_of_the_window() -> None:
    detected = detect(release("vllm", "0.33.0", "vllm:"))
    found = detected.expression("ttft", over="avg", window="15m")
    assert found
    assert "avg_over_time" not in found
    assert "_bucket[15m]" in found


def test_what_stands_for_not_supported_is_dropped() -> None:
    detected = detect(DCGM_DEFAULT)
    dcgm = exporters()["dcgm"]
    assert dcgm.drop_above is not None
    assert all(value > dcgm.drop_above for value in dcgm.drop_values)
    assert "< 1e+09" in str(detected.expression("gpu_temperature"))
    assert "< 1e+09" not in str(detected.expression("gpu_temperature", over="count"))


def test_errors_that_never_happened_are_none_and_idle_is_absent() -> None:
    found = str(detect(release("vllm", "0.33.0", "vllm:")).expression("error_rate"))
    assert " or 0 * sum by (" in found
    assert re.search(r"\) / \(sum by \(.*\) > 0\)", found)


def test_a_quantile_needs_traffic() -> None:
    found = str(detect(release("vllm", "0.33.0", "vllm:")).expression("ttft"))
    assert re.search(r"and sum by \([^)]*\) \(.*_count\[5m\]\)\) > 0.05\)", found)
