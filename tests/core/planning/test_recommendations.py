"""What the guides recommend, and why the rules give something else."""

from datetime import date

import pytest

from core.catalog import accelerators, find_accelerator
from core.planning.materials import materials
from core.planning.recommendations import (
    compare,
    guides,
    headroom,
    recommendation_for,
    recommendations,
)


def rows(gpu, per_replica, tp, replicas, checkpoint):
    found = compare(materials(find_accelerator(gpu), per_replica, tp, replicas, checkpoint))
    return {row.name: row for row in found}


def test_figures_are_those_of_the_guides():
    enterprise = recommendation_for(4)
    assert (enterprise.cores, enterprise.threads, enterprise.ram_gb, enterprise.disk_gb) == (
        32,
        64,
        128,
        2000,
    )
    assert (enterprise.gpus, enterprise.accelerator) == (4, "a100-pcie-80")
    assert enterprise.source.published == date(2025, 9, 26)
    assert headroom() == 0.2
    finance = next(one for one in recommendations() if one.id == "finance")
    assert (finance.nodes, finance.ram_gb) == (4, 384)


@pytest.mark.parametrize(
    ("gpus", "id_"),
    [
        *((1, "development"), (2, "medium"), (3, "enterprise"), (4, "enterprise")),
        *((8, "production"), (9, "training"), (16, "training"), (100, "training")),
    ],
)
def test_the_smallest_machine_with_as_many_gpus(gpus, id_):
    assert recommendation_for(gpus).id == id_


@pytest.mark.parametrize("one", recommendations(), ids=lambda one: one.id)
def test_every_recommendation_names_its_guide_and_a_device(one):
    assert one.guide in guides()
    assert one.accelerator in accelerators()
    assert one.title.render("en") != one.title.render("zh")


def test_four_a100_have_more_memory_than_the_server():
    found = rows("a100-pcie-80", 4, 4, 1, 70e9)
    assert (found["ram"].guide, found["ram"].ours) == (128, 768)
    assert "less than the GPU memory of 4 × 80 GB" in found["ram"].why.render()


def test_a_large_checkpoint_fits_neither_memory_nor_twice_on_a_small_disk():
    found = rows("rtx-6000-ada", 2, 2, 1, 688.6e9)
    assert "less than the checkpoint" in found["ram"].why.render()
    assert found["disk"].guide == 1000
    assert "once" in found["disk"].why.render()
    assert "does not hold" in rows("rtx-3090", 1, 1, 1, 688.6e9)["disk"].why.render()


def test_where_a_guide_is_silent_the_next_larger_machine_speaks():
    found = rows("H100", 16, 8, 2, 688.6e9)
    speakers = {name: row.by.id for name, row in found.items()}
    assert speakers == {
        "gpus": "production",
        "cpu_cores": "training",
        "ram": "finance",
        "disk": "training",
        "network": "training",
    }
    assert (found["network"].guide, found["network"].ours) == (200, 400)
    assert "A100" in found["network"].why.render()


@pytest.mark.parametrize(
    ("gpu", "per_replica", "word"),
    [
        ("H100", 8, "no replica leaves its server"),
        ("A100", 16, "or more"),
        ("GB200", 16, "fabric"),
        ("M4 Max", 1, "Part of the device"),
    ],
)
def test_why_networks_differ(gpu, per_replica, word):
    assert word in rows(gpu, per_replica, min(per_replica, 8), 1, 140e9)["network"].why.render()


def test_a_machine_that_no_guide_matches_is_told():
    found = rows("trainium2", 16, 16, 1, 140e9)
    assert found["cpu_cores"].by is None
    assert found["cpu_cores"].guide is None
    assert "No guide says" in found["cpu_cores"].why.render()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("gpu", ["rtx-3090", "a100-pcie-40", "a100-pcie-80", "a100-sxm-80", "gb200", "gb10"])
@pytest.mark.parametrize("checkpoint", [1e9, 15e9, 90e9, 500e9, 1.2e12, 3e12])
def test_every_row_reads_in_both_languages(gpu, checkpoint, language):
    found = rows(gpu, 1, 1, 4, checkpoint)
    assert list(found) == ["gpus", "cpu_cores", "ram", "disk", "network"]
    for row in found.values():
        assert row.title.render(language)
        assert row.unit.render(language)
        assert row.why.render(language)
