"""How many devices a server has, and a fabric."""

import pytest

from core.catalog import accelerators
from core.catalog.nodes import fabric_gpus, gpus_per_node, joins_nodes


@pytest.mark.parametrize(
    ("id_", "node", "fabric"),
    [
        ("h100-sxm-80", 8, 8),
        ("mi300x", 8, 8),
        ("mi250x", 4, 4),
        ("l40s", 8, 8),
        ("h100-nvl", 8, 8),
        ("gh200-96", 1, 1),
        ("gb200", 4, 72),
        ("trainium2", 16, 16),
        ("m4-max-128", 1, 1),
        ("jetson-orin-32", 1, 1),
    ],
)
def test_a_node_has_what_its_board_carries(id_: str, node: int, fabric: int) -> None:
    record = accelerators()[id_]
    assert (gpus_per_node(record), fabric_gpus(record)) == (node, fabric)
    assert joins_nodes(record) == (fabric > 16)


@pytest.mark.parametrize("id_", accelerators())
def test_every_node_is_one_that_exists(id_: str) -> None:
    record = accelerators()[id_]
    assert gpus_per_node(record) in {1, 2, 4, 8, 12, 16}
    assert fabric_gpus(record) >= gpus_per_node(record)
