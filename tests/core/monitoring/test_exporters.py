from __future__ import annotations

import pytest

from core.monitoring.exporters import Exporter, detect, exporters
from core.monitoring.indicators import FOLDER, indicators
from core.monitoring.readings import Reading
from tests.core.monitoring.stores import DCGM_DEFAULT, DCGM_RENAMED, RELEASES, everything, release

EXPORTERS = exporters()
READINGS = [
    pytest.param(exporter, reading, id=f"{exporter.id}-{indicator}-{index}")
    for exporter in EXPORTERS.values()
    for indicator, readings in exporter.indicators.items()
    for index, reading in enumerate(readings)
]
VLLM = [
    (version, prefix)
    for version in RELEASES["vllm"]["releases"]
    for prefix in ("vllm:", "ray_vllm_", "vllm_")
]


def test_there_is_one_file_for_each_exporter() -> None:
    assert {path.stem for path in (FOLDER / "exporters").glob("*.yaml")} == set(EXPORTERS)


@pytest.mark.parametrize(("exporter", "reading"), READINGS)
def test_reads_names_that_are_exported_as_what_they_are(exporter: Exporter, reading: Reading) -> None:
    kinds = {name: export.type for name, export in exporter.exports.items()}
    for name in reading.metrics:
        base = name.removesuffix("_sum").removesuffix("_count")
        assert name in kinds or kinds[base] == "histogram"
    if reading.histogram:
        assert kinds[reading.histogram] == "histogram"
    if reading.summary:
        assert kinds[reading.summary] == "summary"
    if reading.rate in kinds:
        assert kinds[reading.rate] == "counter"
    if reading.gauge and reading.gauge not in {
        # Counters that are checked for whether there was any, as NVIDIA's errors are.
        "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL",
    }:
        assert kinds[reading.gauge] == "gauge"


@pytest.mark.parametrize(("exporter", "reading"), READINGS)
def test_spans_of_versions_are_those_that_were_seen(exporter: Exporter, reading: Reading) -> None:
    metric = reading.metrics[0]
    seen = (
        exporter.exports.get(metric) or exporter.exports[metric.removesuffix("_sum").removesuffix("_count")]
    )
    if reading.since and " to " in seen.seen:
        assert seen.seen.startswith(f"{reading.since} to ")
    if reading.until and " to " in seen.seen and reading.gauge + reading.histogram == metric:
        assert seen.seen.endswith(f" to {reading.until}")


@pytest.mark.parametrize("exporter", EXPORTERS.values(), ids=lambda exporter: exporter.id)
def test_finds_an_exporter_by_its_names_alone(exporter: Exporter) -> None:
    for prefix in exporter.prefixes:
        found = detect(everything(exporter, prefix))
        assert [one.id for one in found.at(exporter.level)] == [exporter.id]
        for indicator in exporter.indicators:
            assert found.has(indicator, capacity=1)


def test_a_store_without_exporters_has_nothing() -> None:
    found = detect(["up", "go_goroutines", "http_requests_total", "vllm", "DCGM"])
    assert not found.exporters
    assert found.absent_levels == ("gpu", "engine", "node")
    assert len(found.absent) == len(EXPORTERS)
    assert all(one.turn_on.line for one in found.absent)
    assert [found.expression(name) for name in indicators()] == [None] * len(indicators())
    assert not found.missing()


def test_an_empty_store_has_nothing() -> None:
    assert not detect([]).exporters


@pytest.mark.parametrize(("version", "prefix"), VLLM)
def test_each_release_of_vllm_gives_all_that_it_can(version: str, prefix: str) -> None:
    found = detect(release("vllm", version, prefix) | {"up"})
    assert [engine.id for engine in found.engines] == ["vllm"]
    assert found.preallocating == found.engines
    for indicator in (
        "kv_usage queue running preemptions ttft itl e2e requests error_rate output_tokens memory_expected replica_up"
        " prompt_tokens kv_blocks kv_block_tokens"
    ).split():
        assert found.expression(indicator) is not None, indicator
    kv = found.expression("kv_usage")
    assert kv
    new = tuple(int(part) for part in version.split(".")[:2]) >= (0, 9)
    assert (f"{prefix}kv_cache_usage_perc" in kv) == new
    assert (f"{prefix}gpu_cache_usage_perc" in kv) == (
        version in {"0.6.6.post1", "0.8.5", "0.9.2", "0.10.2", "0.11.2"}
    )


@pytest.mark.parametrize("version", RELEASES["vllm"]["releases"])
def test_the_latency_between_tokens_survives_its_renaming(version: str) -> None:
    itl = detect(release("vllm", version, "vllm:")).expression("itl")
    assert itl
    old = "vllm:time_per_output_token_seconds_bucket"
    new = "vllm:inter_token_latency_seconds_bucket"
    assert (old in itl, new in itl) != (False, False)
    if old in itl and new in itl:
        assert itl.index(new) < itl.index(old)


@pytest.mark.parametrize("version", RELEASES["sglang"]["releases"])
def test_each_release_of_sglang_gives_all_that_it_can(version: str) -> None:
    found = detect(release("sglang", version, "sglang:"))
    assert [engine.id for engine in found.engines] == ["sglang"]
    for indicator in ("kv_usage", "queue", "running", "ttft", "itl", "e2e", "requests", "output_tokens"):
        assert found.expression(indicator) is not None, indicator
    missing = {one.indicator for one in found.missing()}
    number = tuple(int(part) for part in version.split("."))
    assert ("preemptions" in missing) == (number < (0, 5, 8))
    assert ("error_rate" in missing) == (number < (0, 4, 7))


def test_a_default_dcgm_says_which_lines_are_missing() -> None:
    found = detect(DCGM_DEFAULT)
    assert [one.id for one in found.gpu] == ["dcgm"]
    lines = {one.indicator: one.enabling.line for one in found.missing()}
    assert set(lines) == {"compute_utilisation", "throttling", "ecc_errors"}
    assert lines["compute_utilisation"].startswith("DCGM_FI_PROF_SM_ACTIVE, gauge, ")
    assert found.missing("gpu_utilisation") == ()
    assert found.expression("compute_utilisation") is None


def test_memory_does_not_need_a_name_that_is_off_by_default() -> None:
    memory = detect(DCGM_DEFAULT).expression("memory_occupancy")
    assert memory
    assert "FB_TOTAL" not in memory


def test_renamed_dcgm_gives_the_same_indicators() -> None:
    given = [name for name in indicators() if detect(DCGM_DEFAULT).has(name)]
    assert [name for name in indicators() if detect(DCGM_RENAMED).has(name)] == given
    both = str(detect(DCGM_DEFAULT | DCGM_RENAMED).expression("gpu_temperature", selector="a=~'.+'"))
    old, new = both.split(" or max by (")
    assert "DCGM_FI_DEV_GPU_TEMP{" in old
    assert "DCGM_FI_DEV_GPU_TEMP_CELSIUS{" in new


def test_engines_are_asked_before_what_stands_in_front_of_them() -> None:
    dynamo = everything(EXPORTERS["dynamo"], "")
    vllm = release("vllm", "0.33.0", "vllm:")
    alone, together = detect(dynamo), detect(dynamo | vllm)
    assert "dynamo_" in str(alone.expression("ttft"))
    assert "dynamo_" not in str(together.expression("ttft"))
    assert {engine.id for engine in together.engines} == {"dynamo", "vllm"}


def test_a_mean_is_not_passed_off_as_a_quantile() -> None:
    triton = everything(EXPORTERS["triton"], "")
    with_summary = detect(triton)
    without = detect({name for name in triton if "summary" not in name})
    assert [one.id for one in without.means("e2e")] == ["triton"]
    assert with_summary.means("e2e") == ()
    assert [one.enabling.line for one in without.missing("e2e")] == [
        "tritonserver --metrics-config summary_latencies=true"
    ]


def test_what_an_engine_does_not_export_needs_the_user() -> None:
    found = detect(release("vllm", "0.33.0", "vllm:"))
    assert found.expression("batch_efficiency") is None
    assert [one.indicator for one in found.missing("batch_efficiency")] == ["batch_efficiency"]
    assert found.missing("batch_efficiency", capacity=256) == ()
    given = found.expression("batch_efficiency", capacity=256)
    assert given
    assert "/ 256" in given


def test_native_histograms_are_asked_without_buckets() -> None:
    names = {name for name in release("vllm", "0.33.0", "vllm:") if not name.startswith("vllm:time_to")}
    native = detect(names | {"vllm:time_to_first_token_seconds"}).expression("ttft")
    assert native
    assert "_bucket" not in native
    assert "histogram_count(" in native
