"""The heatmap: every GPU has its place, every state a colour and a word, and names are only names."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from core.charts.gpu_heatmap import MOST_ROWS, SHADES, Cells, gpu_heatmap, heatmap_alt
from core.text import LANGUAGES


def cells(node_count: int = 3, each: int = 4, /, **changes: Any) -> Cells:
    places = [(f"gpu-{node}", str(gpu)) for node in range(node_count) for gpu in range(each)]
    count = len(places)
    made: dict[str, Any] = {
        "nodes": [node for node, _ in places],
        "gpus": [gpu for _, gpu in places],
        "values": np.linspace(0.1, 0.9, count),
        "shades": ["ok"] * count,
        "ids": [f"{node}/{gpu}" for node, gpu in places],
        "told": [""] * count,
        "unit": "ratio",
        "title": "GPU utilisation",
    }
    return Cells(**(made | changes))


def drawn(figure: dict[str, Any]) -> set[str]:
    return {id_ for row in figure["data"][0]["customdata"] for id_ in row if id_}


def test_rows_are_nodes_and_columns_their_gpus() -> None:
    figure = gpu_heatmap(cells())
    assert figure["layout"]["yaxis"]["ticktext"] == ["gpu-0", "gpu-1", "gpu-2"]
    assert figure["layout"]["xaxis"]["ticktext"] == ["0", "1", "2", "3"]
    assert figure["data"][0]["customdata"][1][2] == "gpu-1/2"
    assert figure["data"][0]["text"][2][3] == "90"


def test_order_of_the_cells_does_not_matter() -> None:
    one = cells()
    names = ("nodes", "gpus", "shades", "ids", "told")
    turned = cells(values=one.values[::-1], **{name: list(reversed(getattr(one, name))) for name in names})
    assert gpu_heatmap(one)["data"][0]["text"] == gpu_heatmap(turned)["data"][0]["text"]


def test_a_node_with_fewer_gpus_leaves_gaps() -> None:
    few = cells(1, 2, nodes=["a", "b"], gpus=["0", "1"], ids=["a/0", "b/1"])
    assert gpu_heatmap(few)["data"][0]["z"] == [[1, None], [None, 1]]


@pytest.mark.parametrize("shade", SHADES)
def test_a_state_has_its_step_of_the_scale_and_its_word(shade: str) -> None:
    figure = gpu_heatmap(cells(1, 1, shades=[shade]))
    trace = figure["data"][0]
    code = trace["z"][0][0]
    share = (code - trace["zmin"]) / (trace["zmax"] - trace["zmin"])
    below = [color for edge, color in trace["colorscale"] if edge <= share]
    above = [color for edge, color in trace["colorscale"] if edge >= share]
    assert below[-1] == above[0] == f"token:{shade}"
    assert [entry["color"] for entry in figure["legend"]] == [f"token:{shade}"]
    assert figure["legend"][0]["text"] in trace["hovertext"][0][0]


def test_unknown_is_hatched_and_has_no_number() -> None:
    values = np.array([0.5, np.nan])
    figure = gpu_heatmap(cells(1, 2, values=values, shades=["ok", "unknown"]))
    assert figure["data"][0]["text"] == [["50", ""]]
    assert figure["data"][1]["x"] == [1]
    assert "–" in figure["data"][0]["hovertext"][0][1]


def test_a_name_is_printed_as_it_is() -> None:
    figure = gpu_heatmap(cells(1, 1, nodes=["<b onload=x>&"], ids=["x"]))
    assert "&lt;b onload=x&gt;&amp;" in figure["data"][0]["hovertext"][0][0]
    assert figure["layout"]["yaxis"]["ticktext"] == ["&lt;b onload=x&gt;&amp;"]


def test_the_chosen_cell_has_a_frame() -> None:
    shape = gpu_heatmap(cells(), "gpu-1/2")["layout"]["shapes"][0]
    assert (shape["x0"], shape["y0"]) == (1.5, 0.5)
    assert gpu_heatmap(cells(), "gone")["layout"]["shapes"] == []


@pytest.mark.parametrize(("nodes", "gpus"), [(1, 1), (32, 8), (33, 8), (250, 8)])
def test_every_gpu_has_a_place_of_its_own_on_a_page_that_stays_short(nodes: int, gpus: int) -> None:
    figure = gpu_heatmap(cells(nodes, gpus))
    assert len(drawn(figure)) == nodes * gpus
    assert len(figure["data"][0]["z"]) <= MOST_ROWS
    assert figure["layout"]["height"] <= 1100


def test_a_large_fleet_has_a_cell_for_each_node() -> None:
    count = 1250
    names = [f"node-{number}" for number in range(count)]
    figure = gpu_heatmap(
        cells(1, count, nodes=names, gpus=(), ids=[f"{name}/" for name in names]),
    )
    assert len(drawn(figure)) == count
    rows = len(figure["data"][0]["z"])
    columns = len(figure["data"][0]["z"][0])
    assert rows * columns < count + columns
    assert figure["layout"]["height"] <= 600


def test_two_thousand_gpus_are_drawn_in_a_moment() -> None:
    large = cells(250, 8)
    began = time.process_time()
    gpu_heatmap(large)
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_counts_the_states(language: str) -> None:
    told = heatmap_alt(cells(1, 4, shades=["ok", "ok", "bad", "unknown"]), language)
    assert " 2" in told
    assert "90 %" in told
    assert "{" not in told
    assert heatmap_alt(cells(1, 1, values=np.array([np.nan]), shades=["unknown"]), language)


def test_nothing_to_draw_is_an_empty_figure() -> None:
    empty = cells(0, 0, values=np.array([]))
    assert gpu_heatmap(empty)["data"] == []
    assert heatmap_alt(empty)
