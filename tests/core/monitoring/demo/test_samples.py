"""The series: their labels are one list for history and live, and their values do not depend on who asks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.monitoring.demo.samples import Samples, targets
from core.monitoring.demo.scenario import HOUR, MINUTE, Fault, Scenario

SCENARIO = Scenario(began=1.8e9)
TIMES = np.arange(SCENARIO.origin, SCENARIO.began + 1, 30.0)
SAMPLES = Samples(SCENARIO)
VALUES = SAMPLES.values(TIMES)


def rows(name: str, node: str | None = None, **labels: str) -> np.ndarray:
    chosen = [
        place
        for place, series in enumerate(SAMPLES.series)
        if series.name == name
        and (node is None or series.target.node.name == node)
        and labels.items() <= series.labels.items()
    ]
    assert chosen
    return VALUES[chosen]


def test_no_two_series_have_the_same_labels() -> None:
    names = Counter(
        (series.name, *sorted((series.labels | series.target.labels).items())) for series in SAMPLES.series
    )
    assert names.most_common(1)[0][1] == 1


def test_labels_of_a_series_and_of_its_target_do_not_meet() -> None:
    """Prometheus would rename those of the series to exported_…."""
    assert all(not series.labels.keys() & series.target.labels.keys() for series in SAMPLES.series)


def test_it_is_eight_nodes_of_eight_gpus() -> None:
    assert len(rows("DCGM_FI_DEV_GPU_UTIL")) == 64
    assert len({series.labels["UUID"] for series in SAMPLES.series if "UUID" in series.labels}) == 64
    assert len(targets(SCENARIO)) == 24
    assert len(SAMPLES.up(TIMES)) == 24


def test_counters_never_fall_but_at_the_restart() -> None:
    falls = [
        (series.name, series.target.node.fault)
        for series, values in zip(SAMPLES.series, VALUES, strict=True)
        if series.family.grows and (np.diff(values[~np.isnan(values)]) < 0).any()
    ]
    assert falls
    assert {fault for _, fault in falls} == {Fault.XID}
    assert all(name.startswith("vllm:") for name, _ in falls)


@pytest.mark.parametrize("step", [5.0, 7.3, 60.0])
def test_values_are_the_same_for_whoever_asks(step: float) -> None:
    """History and live scraping are two processes: to the last bit, or counters would seem to restart."""
    times = np.arange(SCENARIO.began - 10 * MINUTE, SCENARIO.began + 10 * MINUTE, step)
    at_once = Samples(SCENARIO).values(times)
    other = Samples(SCENARIO)
    other.values(TIMES)
    one_by_one = np.concatenate(
        [other.values(times[place : place + 1]) for place in range(len(times))], axis=1
    )
    assert np.array_equal(at_once, one_by_one, equal_nan=True)


def test_going_back_in_time_is_allowed() -> None:
    samples = Samples(SCENARIO)
    samples.values(TIMES)
    assert np.array_equal(samples.values(TIMES[50:60]), VALUES[:, 50:60], equal_nan=True)


def test_a_rate_is_what_the_engine_does() -> None:
    done = sum(rows("vllm:request_success_total", "gpu-node-01")[:, -1])
    tokens = rows("vllm:generation_tokens_total", "gpu-node-01")[0, -1]
    assert tokens / done == pytest.approx(500, rel=0.01)
    assert 10 < done / (6 * HOUR) < 15


@pytest.mark.parametrize(
    "name",
    ["vllm:time_to_first_token_seconds", "vllm:e2e_request_latency_seconds", "vllm:iteration_tokens_total"],
)
def test_histograms_are_histograms(name: str) -> None:
    buckets = rows(f"{name}_bucket", "gpu-node-01")
    assert (np.diff(buckets, axis=0) >= 0).all()
    assert np.array_equal(buckets[-1], rows(f"{name}_count", "gpu-node-01")[0])
    mean = rows(f"{name}_sum", "gpu-node-01")[0, -1] / buckets[-1, -1]
    edges = [
        float(series.labels["le"])
        for series in SAMPLES.series
        if series.name == f"{name}_bucket" and series.target.node.name == "gpu-node-01"
    ]
    middle = edges[int(np.searchsorted(buckets[:, -1], buckets[-1, -1] / 2))]
    assert 0.2 * middle < mean < 5 * middle


def test_an_xid_is_another_series() -> None:
    node = next(node for node in SCENARIO.nodes if node.fault is Fault.XID)
    none = rows("DCGM_FI_DEV_XID_ERRORS", node.name, gpu=str(node.gpu), err_code="0")[0]
    some = rows("DCGM_FI_DEV_XID_ERRORS", node.name, gpu=str(node.gpu), err_code="94")[0]
    assert (np.isnan(none) ^ np.isnan(some)).all()
    assert some[-1] == 94
    assert np.isnan(rows("DCGM_FI_DEV_XID_ERRORS", "gpu-node-01", err_code="94")).all()


def test_an_engine_that_is_away_gives_nothing() -> None:
    gone = rows("vllm:num_requests_running", "gpu-node-08")[0]
    assert np.isnan(gone[-1])
    assert not np.isnan(gone[0])
    assert SAMPLES.up(TIMES[-1:])[:, 0].sum() == 23


def test_without_history_all_faults_are_there_at_once() -> None:
    scenario = Scenario(1.8e9, history_s=0.0)
    samples = Samples(scenario)
    first = samples.values(np.array([scenario.began + 1.0]))
    second = samples.values(np.array([scenario.began + 61.0]))
    grown = [place for place, series in enumerate(samples.series) if series.family.grows]
    engine = [place for place in grown if samples.series[place].target.node.fault is Fault.XID]
    assert np.nanmin(second[grown] - first[grown]) >= 0
    assert np.nanmin(first[engine]) >= 0
    assert samples.up(np.array([scenario.began]))[:, 0].sum() == 23
