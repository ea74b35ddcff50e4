"""Bills of materials: every line follows from a stated rule."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import accelerators, find_accelerator
from core.errors import BadRequest
from core.planning.materials import Materials, materials, rules, sold

V3 = 688.6e9
LINES = (
    *("gpus", "nodes", "cpu_cores", "ram", "disk", "network"),
    *("power", "power_building", "heat", "rack_units"),
)


def bill(gpu: str, per_replica: int, tp: int, replicas: int, checkpoint: float = V3) -> Materials:
    return materials(find_accelerator(gpu), per_replica, tp, replicas, checkpoint)


def test_a_replica_over_two_nodes() -> None:
    found = bill("H100", 16, 8, 2)
    assert (found.gpus, found.nodes, found.gpus_per_node) == (32, 4, 8)
    assert [line.name for line in found.lines] == list(LINES)
    assert (found.line("cpu_cores").per_node, found.line("cpu_cores").quantity) == (96, 384)
    assert found.line("ram").per_node == 2048  # twice 640 GiB, as sold
    assert found.line("disk").per_node == 1920  # 2 x 688.6 + 200 GB
    network = found.line("network")
    assert (network.quantity, network.unit.values["rate"]) == (32, 400)
    assert "InfiniBand" in network.rule.render()


def test_power_of_a_node_agrees_with_published_servers() -> None:
    power = bill("H100", 8, 8, 1).line("power")
    assert 6.5 <= (power.quantity or 0) <= 10.2  # kW, DGX H100 typical and rated
    assert power.quantity == pytest.approx(8 * 0.7 * 1.45)
    assert 11 <= (bill("B200", 8, 8, 1).line("power").quantity or 0) <= 14.3
    rack = bill("GB200", 72, 8, 1).line("power")
    assert 100 <= (rack.quantity or 0) <= 132  # NVL72


def test_building_and_heat_follow_from_power() -> None:
    found = bill("H100", 8, 8, 3)
    power = found.line("power")
    assert power.quantity is not None
    assert found.line("power_building").quantity == pytest.approx(power.quantity * 1.54)
    assert found.line("heat").quantity == pytest.approx(power.quantity * 3412)


def test_boards_come_whole_and_cards_do_not() -> None:
    assert bill("H100", 4, 4, 1).gpus == 8
    cards = bill("L40S", 4, 4, 1)
    assert (cards.gpus, cards.nodes, cards.gpus_per_node) == (4, 1, 4)
    shared = bill("L40S", 2, 2, 5)
    assert (shared.gpus, shared.nodes, shared.gpus_per_node) == (10, 2, 6)  # whole replicas: 6 and 4
    assert shared.line("power").quantity == pytest.approx(10 * 0.35 * 1.45)
    spread = bill("L40S", 12, 4, 1)
    assert (spread.gpus, spread.nodes, spread.gpus_per_node) == (12, 2, 8)  # whole groups of 4: 8 and 4


def test_replicas_inside_a_server_need_no_fast_network() -> None:
    network = bill("H100", 8, 8, 4).line("network")
    assert (network.per_node, network.unit.values["rate"]) == (2, 100)
    assert bill("L4", 1, 1, 4).line("network").unit.values["rate"] == 25


@pytest.mark.parametrize(("gpu", "rate"), [("A100", 200), ("H100", 400), ("B300", 800)])
def test_ports_are_as_fast_as_the_slot_that_feeds_them(gpu: str, rate: int) -> None:
    assert bill(gpu, 16, 8, 1).line("network").unit.values["rate"] == rate


def test_ram_holds_the_checkpoint_where_the_gpus_are_small() -> None:
    assert (bill("T4", 8, 8, 1, 800e9).line("ram").per_node or 0) * 2**30 >= 800e9


def test_a_computer_of_its_own_brings_cpu_and_memory() -> None:
    found = bill("M4 Max", 1, 1, 2, 15e9)
    assert (found.gpus, found.nodes) == (2, 2)
    for name in ("cpu_cores", "ram", "network"):
        assert found.line(name).quantity is None
        assert "Part of the device" in found.line(name).rule.render()


@pytest.mark.parametrize("gpu", ["GB200", "GH200"])
def test_a_superchip_brings_its_cpu_and_memory(gpu: str) -> None:
    found = bill(gpu, 1, 1, 2, 15e9)
    assert found.line("cpu_cores").quantity is None
    assert found.line("ram").quantity is None
    assert found.line("network").quantity is not None


def test_a_device_without_published_power_says_so() -> None:
    found = bill("TPU v5e", 4, 4, 1, 15e9)
    assert found.line("power").quantity is None
    assert "No power is published" in found.line("power").rule.render()


def test_a_group_wider_than_a_node_is_refused() -> None:
    with pytest.raises(BadRequest, match="at most 8") as refused:
        bill("H100", 16, 16, 1)
    assert refused.value.field == "tp"
    assert bill("GB200", 16, 16, 1).nodes == 4


@pytest.mark.parametrize("id_", accelerators())
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_device_has_a_bill_in_words(id_: str, language: str) -> None:
    found = materials(accelerators()[id_], 1, 1, 3, 15e9)
    assert found.gpus >= 3
    for line in found.lines:
        assert line.title.render(language)
        assert line.unit.render(language)
        assert line.rule.render(language)
        if line.quantity is not None and line.low is not None and line.high is not None:
            assert 0 < line.low <= line.quantity <= line.high
            assert line.quantity == pytest.approx((line.per_node or 0) * found.nodes)
            assert line.source


@given(st.sampled_from(["H100", "L40S", "GB200"]), st.sampled_from([1, 2, 4, 8]), st.integers(1, 30))
def test_more_replicas_never_need_less(gpu: str, per_replica: int, replicas: int) -> None:
    fewer, more = (bill(gpu, per_replica, per_replica, count) for count in (replicas, replicas + 1))
    assert fewer.gpus >= per_replica * replicas
    assert fewer.nodes <= more.nodes
    assert fewer.gpus <= more.gpus


def test_rules_say_where_they_come_from() -> None:
    for name, rule in rules().items():
        assert rule.low <= rule.value <= rule.high, name
        assert len(rule.provenance.source) > 10
        if rule.provenance.source.endswith("from memory"):
            assert rule.provenance.confidence != "high", name


def test_sizes_that_are_sold() -> None:
    assert sold(1300, (512, 1024)) == 2048
    assert sold(512, (512, 1024)) == 512


def test_power_follows_the_tdp() -> None:
    row = find_accelerator("H100")
    twice = materials(replace_tdp(row, 1400.0), 8, 8, 1, V3).line("power")
    assert twice.quantity == pytest.approx(2 * (bill("H100", 8, 8, 1).line("power").quantity or 0))
    assert replace(twice, name="heat").title.render() == "Heat"


def replace_tdp(row, watts):
    return row.model_copy(update={"tdp_w": watts})
