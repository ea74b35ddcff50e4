"""The demo behaves like a cluster, and each fault shows on its node and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from core.monitoring.demo.scenario import HEALTHY, HOUR, MINUTE, NODES, PLANTED, Fault, Scenario
from core.monitoring.demo.signals import engines, gpus

SCENARIO = Scenario(began=1.8e9)
TIMES = np.arange(SCENARIO.origin, SCENARIO.began + 4 * HOUR, 30.0)
REPLICAS = engines(SCENARIO, TIMES)
CARDS = gpus(SCENARIO, TIMES, REPLICAS)
# The last quarter of an hour of the history, over which most verdicts are made.
LATELY = (SCENARIO.began - 15 * MINUTE < TIMES) & (SCENARIO.began >= TIMES)
# From there to four hours after the start: a demo that is left running.
LATER = SCENARIO.began - 10 * MINUTE < TIMES


def index(fault: Fault) -> int:
    return next(node.index for node in NODES if node.fault is fault)


def without(*faults: Fault) -> list[int]:
    return [node.index for node in NODES if node.fault not in faults]


def test_every_fault_is_planted_once_and_one_node_has_none() -> None:
    assert sorted(planted.fault for planted in PLANTED) == sorted(Fault)
    assert {planted.node for planted in PLANTED} == {node.name for node in NODES} - {HEALTHY}


@pytest.mark.parametrize(
    "name",
    ["utilisation", "sm_active", "sm_occupancy", "tensor_active", "dram_active", "throttled"],
)
def test_shares_are_shares(name: str) -> None:
    values = getattr(CARDS, name)
    assert values.min() >= 0
    assert values.max() <= 1


def test_readings_are_what_this_card_can_give() -> None:
    assert CARDS.power_w.min() > 50
    assert CARDS.power_w.max() < 700
    assert CARDS.temperature_c.min() > 25
    assert CARDS.temperature_c.max() < 96
    assert CARDS.used_mib.min() >= 0
    assert CARDS.used_mib.max() < 81559 - 551
    assert (CARDS.sm_active <= CARDS.utilisation + 1e-9).all()
    assert REPLICAS.kv_usage.max() <= 1
    assert min(REPLICAS.requests.min(), REPLICAS.running.min(), REPLICAS.waiting.min()) >= 0


def test_requests_in_flight_are_rate_times_latency() -> None:
    steady = without(Fault.KV_PRESSURE)
    latency = REPLICAS.ttft_s + REPLICAS.output_tokens * REPLICAS.itl_s
    expected = (REPLICAS.requests * latency)[steady]
    assert np.allclose(REPLICAS.running[steady], expected, rtol=0.01)


def test_the_cache_follows_the_requests() -> None:
    row = NODES[0]
    held = REPLICAS.running[0] * (row.load.prompt_tokens + row.load.output_tokens / 2)
    assert np.allclose(REPLICAS.kv_usage[0], held / row.cache_tokens)


def test_power_and_temperature_follow_utilisation() -> None:
    for node in without(Fault.HOT):
        together = np.corrcoef(
            [
                readings[node].mean(axis=0)
                for readings in (CARDS.utilisation, CARDS.power_w, CARDS.temperature_c)
            ]
        )
        assert together.min() > 0.9


def test_the_healthy_node_stays_within_every_limit() -> None:
    busy = CARDS.utilisation[0][:, LATER]
    assert busy.mean(axis=1).min() > 0.7
    assert busy.max() < 0.95
    assert CARDS.sm_active[0][:, LATER].mean(axis=1).min() > 0.7
    assert CARDS.temperature_c[0].max() < 80
    assert REPLICAS.kv_usage[0][LATER].max() < 0.9
    assert REPLICAS.ttft_s[0][LATER].max() < 0.2
    assert not REPLICAS.waiting[0].any()


def test_memory_of_an_engine_is_high_and_flat() -> None:
    total = 81559 - 551
    for node in without(Fault.LEAK, Fault.DEAD, Fault.XID):
        used = CARDS.used_mib[node] / total
        assert used.min() > 0.91
        assert used.max() < 0.97
        assert np.ptp(used, axis=1).max() < 1e-9


def test_idle() -> None:
    idle = CARDS.utilisation.max(axis=1)[:, LATELY].max(axis=1) < 0.05
    assert set(np.flatnonzero(idle)) == {index(Fault.IDLE), index(Fault.DEAD)}
    assert REPLICAS.up[index(Fault.IDLE)].all()
    assert CARDS.utilisation[index(Fault.IDLE), :, 0].min() > 0.5


def test_hot() -> None:
    hot = CARDS.temperature_c[:, :, LATER].min(axis=2) > 88
    throttled = CARDS.throttled[:, :, LATER].min(axis=2) > 0.2
    place = (index(Fault.HOT), NODES[index(Fault.HOT)].gpu)
    assert [tuple(found) for found in np.argwhere(hot)] == [place]
    assert [tuple(found) for found in np.argwhere(throttled)] == [place]
    assert CARDS.clock_mhz[place][LATER].max() < 1500
    assert CARDS.temperature_c[index(Fault.HOT), :, 0].max() < 80


def test_kv_pressure_and_what_follows() -> None:
    node = index(Fault.KV_PRESSURE)
    full = REPLICAS.kv_usage[:, LATER].min(axis=1) > 0.95
    assert list(np.flatnonzero(full)) == [node]
    assert list(np.flatnonzero(REPLICAS.preemptions.any(axis=1))) == [node]
    assert REPLICAS.waiting[node, LATER].min() > 20
    assert REPLICAS.ttft_s[node, LATER].min() > 1
    assert REPLICAS.kv_usage[without(Fault.KV_PRESSURE)].max() < 0.9


def test_slow_first_tokens_with_room_in_the_cache() -> None:
    node = index(Fault.SLOW_TTFT)
    slow = REPLICAS.ttft_s[:, LATER].min(axis=1) > 0.8
    assert set(np.flatnonzero(slow)) == {node, index(Fault.KV_PRESSURE)}
    assert REPLICAS.kv_usage[node, LATER].max() < 0.85
    assert not REPLICAS.waiting[node].any()
    assert REPLICAS.ttft_s[node, 0] < 0.2


def test_memory_leaks_on_one_node_while_its_load_stays() -> None:
    def slope(values: np.ndarray) -> float:
        return float(np.polyfit(TIMES[history] - TIMES[0], values[history], 1)[0])

    history = SCENARIO.began >= TIMES
    growing = [node.index for node in NODES if slope(CARDS.used_mib[node.index].mean(axis=0)) * HOUR > 1000.0]
    assert growing == [index(Fault.LEAK)]
    load = REPLICAS.requests[growing[0]]
    assert abs(slope(load)) * 6 * HOUR < 0.05 * load.mean()
    # It begins near the share that the engine takes, and is not yet full.
    used = CARDS.used_mib[growing[0]].mean(axis=0)[history] / (81559 - 551)
    assert 0.7 < used[0] < 0.75
    assert 0.8 < used[-1] < 0.9


def test_xid_ends_the_replica_for_some_minutes() -> None:
    node = NODES[index(Fault.XID)]
    failed = CARDS.failed[:, :, LATELY].all(axis=2)
    assert [tuple(found) for found in np.argwhere(failed)] == [(node.index, node.gpu)]
    away = TIMES[~REPLICAS.up[node.index]]
    assert away.min() >= SCENARIO.began + node.onset_s
    assert np.ptp(away) < 5 * MINUTE
    assert -HOUR < node.onset_s < 0


def test_the_dead_replica_stays_away() -> None:
    node = NODES[index(Fault.DEAD)]
    after = SCENARIO.began + node.onset_s <= TIMES
    assert not REPLICAS.up[node.index, after].any()
    assert REPLICAS.up[node.index, ~after].all()
    assert REPLICAS.up[without(Fault.DEAD, Fault.XID)].all()


def test_another_clock_shows_the_same_cluster() -> None:
    """A demo at night must not be idle."""
    times = Scenario(1.8e9 + 11 * HOUR + 137).began + np.arange(-900.0, 1.0, 30.0)
    night = Scenario(1.8e9 + 11 * HOUR + 137)
    there = gpus(night, times, engines(night, times)).utilisation[0].mean()
    assert abs(there - CARDS.utilisation[0][:, LATELY].mean()) < 0.03


def test_a_moment_alone_is_the_same_as_in_a_row() -> None:
    some = TIMES[100:101]
    alone = gpus(SCENARIO, some, engines(SCENARIO, some))
    assert np.array_equal(alone.power_w[:, :, 0], CARDS.power_w[:, :, 100])


def test_another_seed_is_another_noise() -> None:
    other = engines(Scenario(1.8e9, seed=2), TIMES)
    assert not np.allclose(other.requests, REPLICAS.requests)


def test_a_healthy_cluster_has_no_fault() -> None:
    healthy = SCENARIO.healthy()
    replicas = engines(healthy, TIMES)
    cards = gpus(healthy, TIMES, replicas)
    assert replicas.up.all()
    assert not cards.failed.any()
    assert not cards.throttled.any()
    assert cards.utilisation[:, :, LATER].mean(axis=2).min() > 0.7
    assert cards.temperature_c.max() < 80
    assert len({node.name for node in healthy.nodes}) == len(NODES)


def test_a_fault_can_begin_at_another_time() -> None:
    moved = SCENARIO.with_onsets({"xid": 5 * MINUTE})
    times = np.array([moved.began + 4 * MINUTE, moved.began + 6 * MINUTE])
    failed = gpus(moved, times, engines(moved, times)).failed
    assert not failed[:, :, 0].any()
    assert failed[:, :, 1].sum() == 1
    assert [node.onset_s for node in moved.nodes if node.fault is not Fault.XID] == [
        node.onset_s for node in NODES if node.fault is not Fault.XID
    ]
