"""Constants by engine, version or date, and device."""

import pytest

from core.catalog import accelerators
from core.errors import BadRequest
from core.memory.engines.profile import ENGINES
from core.speed.constants import base_values, check_version, constants_of, data, span_of


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("version", [None, "2023", "2025-05", "0.1", "99"])
def test_every_engine_and_version_has_constants(engine, version):
    found = constants_of(engine, version)
    assert 0 < found.ceiling <= 1
    assert found.pace > 0


@pytest.mark.parametrize(
    ("engine", "version", "older"),
    [
        ("vllm", "0.7.3", True), ("vllm", "0.8.0", False), ("vllm", "2024", True), ("vllm", "2024-11", True),
        ("vllm", "2025", False), ("vllm", None, False), ("tensorrt-llm", "2024", True), ("tensorrt-llm", "0.17", False),
        ("sglang", "2024", False),
    ],
)  # fmt: skip
def test_versions_and_dates_choose_a_span(engine, version, older):
    assert bool(span_of(engine, version).get("older")) is older


def test_a_newer_version_is_told_from_none():
    assert constants_of("tensorrt-llm", "1.2.0").pace < constants_of("tensorrt-llm").pace == 1


def test_a_device_that_reaches_less_of_its_peak_is_known(h100):
    assert constants_of("vllm", None, "mi300x").matrix_efficiency(h100)[0] == 0.51
    assert constants_of("vllm").matrix_efficiency(h100)[0] == pytest.approx(0.69, abs=0.02)


def test_gddr_comes_closer_to_its_peak_than_hbm():
    assert constants_of("vllm", None, "rtx-4090").memory > constants_of("vllm", None, "h100-sxm-80").memory
    assert constants_of("vllm", None, "no-such-device") is not None


def test_devices_are_of_the_catalogue():
    assert all(name in accelerators() for row in data()["devices"] for name in row["ids"])


def test_every_value_and_span_has_a_source():
    assert all(row["source"] for row in data()["base"].values())
    assert all(span["source"] for spans in data()["engines"].values() for span in spans)
    assert all(row["source"] for row in data()["devices"] + data()["memories"])


def test_spans_set_values_that_exist():
    rows = (
        [span for spans in data()["engines"].values() for span in spans]
        + data()["devices"]
        + data()["memories"]
    )
    assert all(row["set"].keys() <= base_values().keys() for row in rows)


@pytest.mark.parametrize("version", ["latest", "", "main"])
def test_what_is_no_version_and_no_date_is_refused(version):
    with pytest.raises(BadRequest, match="2025-05"):
        check_version(version)
