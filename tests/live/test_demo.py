"""The demo cluster in real stores: everything is there, history and live data meet, a crash is survived."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from core.monitoring.demo.cluster import DemoCluster
from core.monitoring.demo.samples import targets
from core.monitoring.demo.scenario import HOUR

pytestmark = pytest.mark.prometheus


def ask(cluster: DemoCluster, query: str, path: str = "query", **more: Any) -> list[dict[str, Any]]:
    from urllib.parse import urlencode

    answer = cluster._get(f"/api/v1/{path}?" + urlencode({"query": query} | more))
    assert answer is not None
    result: list[dict[str, Any]] = orjson.loads(answer)["data"]["result"]
    return result


def nodes(found: list[dict[str, Any]]) -> set[str]:
    return {series["metric"]["node"] for series in found}


@pytest.fixture(params=["prometheus_demo", "victoria_demo"])
def cluster(request: pytest.FixtureRequest) -> DemoCluster:
    made: DemoCluster = request.getfixturevalue(request.param)
    return made


def test_it_is_ready_in_time(cluster: DemoCluster) -> None:
    assert cluster.ready
    assert cluster.seconds < 30


def test_every_target_is_there_and_only_the_dead_one_is_down(cluster: DemoCluster) -> None:
    assert len(ask(cluster, "up")) == len(targets(cluster.scenario))
    assert nodes(ask(cluster, "up == 0")) == {"gpu-node-08"}


def test_the_history_has_no_gap_and_nothing_is_counted_twice(cluster: DemoCluster) -> None:
    end = cluster.scenario.began + 5
    asked = {"start": end - 6 * HOUR + 120, "end": end, "step": 60}
    (series,) = ask(cluster, "count(DCGM_FI_DEV_GPU_UTIL)", "query_range", **asked)
    assert {value for _, value in series["values"]} == {"64"}
    assert len(series["values"]) == 6 * 60 - 1


@pytest.mark.parametrize(
    "counter",
    [
        "vllm:prompt_tokens_total",
        "vllm:time_to_first_token_seconds_bucket",
        "vllm:e2e_request_latency_seconds_sum",
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
        "DCGM_FI_DEV_THERMAL_VIOLATION",
        "node_cpu_seconds_total",
    ],
)
def test_counters_go_on_from_history_to_live(cluster: DemoCluster, counter: str) -> None:
    assert ask(cluster, counter)
    assert not nodes(ask(cluster, f"resets({counter}[10m]) > 0"))
    # The one restart that is planted, 17 minutes ago.
    restarted = {"gpu-node-07"} if counter.startswith("vllm:") else set()
    assert nodes(ask(cluster, f"resets({counter}[1h]) > 0")) == restarted


def test_it_survives_a_crash_of_the_store(prometheus_demo: DemoCluster) -> None:
    prometheus_demo.kill_prometheus()
    assert prometheus_demo._get("/-/ready") is None
    prometheus_demo.restart_prometheus()
    hours = ask(prometheus_demo, "count_over_time(DCGM_FI_DEV_GPU_UTIL{gpu='0'}[6h])")
    # Every minute, and every 5 s of the last twenty.
    assert min(float(series["value"][1]) for series in hours) > 340 + 240 - 10
