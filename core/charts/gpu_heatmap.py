"""Every GPU as a cell: rows are nodes, columns the indices of their GPUs; a large fleet has a cell a node."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.monitoring.subjects import natural_key
from core.monitoring.wording import SCALES, printed
from core.text import text

SHADES = ("low", "ok", "warning", "bad", "unknown")
"""What a colour means, in the order of the colour scale. plot.js has a colour for each, light and dark."""

MOST_ROWS = 32
"""Nodes below each other; more of them continue in further blocks to the right."""
ROOM_FOR_NUMBERS = 24
"""Cells side by side in which a number can be read."""
MOST_HATCHED = 4000
"""Cells beyond which those without a value are grey alone."""
ROW, EDGE = 30, 64
"""Pixels of a row with numbers, and around all of them."""


@dataclass(frozen=True)
class Cells:
    """What is drawn, one entry a cell, in any order.

    `gpus` is empty where each cell is a whole node. `values` (n,) hold NaN where there is none, `shades` one of
    `SHADES` each, `ids` what a click on the cell gives, and `told` what else is said when the pointer rests on it.
    """

    nodes: Sequence[str]
    gpus: Sequence[str]
    values: NDArray[np.float64]
    shades: Sequence[str]
    ids: Sequence[str]
    told: Sequence[str]
    unit: str
    title: str


@dataclass(frozen=True)
class _Place:
    """Where the cells lie: a row and a column for each, and what stands along the axes."""

    rows: list[int]
    columns: list[int]
    row_names: list[str]
    column_names: list[str]

    @property
    def shape(self) -> tuple[int, int]:
        return max(self.rows, default=0) + 1, max(self.columns, default=0) + 1


def gpu_heatmap(cells: Cells, chosen: str | None = None, language: str = "en") -> dict[str, Any]:
    """Return the figure; the cell with the id *chosen* has a frame."""
    if not len(cells.values):
        return {"data": [], "layout": {"height": ROW + EDGE}}
    place = _blocks(cells) if cells.gpus else _wrapped(cells)
    rows, columns = place.shape
    numbers = columns <= ROOM_FOR_NUMBERS
    height = EDGE + rows * (ROW if numbers else max(11, ROW - rows // 2))
    left = 12 + 7 * min(22, max(map(len, place.row_names), default=0))
    return {
        "data": [_cells(cells, place, language, numbers=numbers), *_hatch(cells, place)],
        "layout": {
            "height": height,
            "margin": {"l": left, "r": 8, "t": 8, "b": 40},
            "xaxis": _axis(place.column_names, columns)
            | {
                "title": {
                    "text": text("monitor_chart.gpu_index", language) if cells.gpus else "",
                    "standoff": 4,
                }
            },
            "yaxis": _axis(place.row_names, rows) | {"range": [rows - 0.5, -0.5]},
            "hovermode": "closest",
            "dragmode": False,
            "showlegend": False,
            "shapes": _frame(cells, place, chosen),
        },
        "legend": [
            {"color": f"token:{shade}", "opacity": 1, "text": text(f"monitor_chart.shade.{shade}", language)}
            for shade in SHADES
            if shade in cells.shades
        ],
    }


def heatmap_alt(cells: Cells, language: str = "en") -> str:
    """Return the sentence for `gpu_heatmap`: how many cells are in which state, and the extremes."""
    counts = Counter(cells.shades)
    states = ", ".join(
        f"{text(f'monitor_chart.shade.{shade}', language)} {counts[shade]}"
        for shade in SHADES
        if counts[shade]
    )
    measured = cells.values[~np.isnan(cells.values)]
    return text(
        "monitor_chart.heatmap_alt" if measured.size else "monitor_chart.heatmap_alt_none",
        language,
        title=cells.title,
        count=len(cells.values),
        states=states,
        low=printed(float(measured.min()), cells.unit) if measured.size else "",
        high=printed(float(measured.max()), cells.unit) if measured.size else "",
    )


def _blocks(cells: Cells) -> _Place:
    """Return nodes below each other, in blocks side by side where they are many."""
    nodes, gpus = sorted(set(cells.nodes), key=natural_key), sorted(set(cells.gpus), key=natural_key)
    blocks = math.ceil(len(nodes) / MOST_ROWS)
    per_block = math.ceil(len(nodes) / blocks)
    row_of = {node: place for place, node in enumerate(nodes)}
    column_of = {gpu: place for place, gpu in enumerate(gpus)}
    width = len(gpus) + 1
    rows = [row_of[node] % per_block for node in cells.nodes]
    columns = [
        row_of[node] // per_block * width + column_of[gpu]
        for node, gpu in zip(cells.nodes, cells.gpus, strict=True)
    ]
    if blocks > 1:
        return _Place(rows, columns, [], [])
    return _Place(rows, columns, nodes, gpus)


def _wrapped(cells: Cells) -> _Place:
    """Return nodes in lines, as text is: from left to right, then below."""
    nodes = sorted(set(cells.nodes), key=natural_key)
    width = min(len(nodes), max(8, math.ceil(math.sqrt(2.5 * len(nodes)))))
    at = {node: place for place, node in enumerate(nodes)}
    return _Place(
        [at[node] // width for node in cells.nodes], [at[node] % width for node in cells.nodes], [], []
    )


def _cells(cells: Cells, place: _Place, language: str, *, numbers: bool) -> dict[str, Any]:
    rows, columns = place.shape
    codes = np.full((rows, columns), np.nan)
    codes[place.rows, place.columns] = [SHADES.index(shade) for shade in cells.shades]
    shown = np.full((rows, columns), "", dtype=object)
    told = shown.copy()
    ids = shown.copy()
    for index, (row, column) in enumerate(zip(place.rows, place.columns, strict=True)):
        value = float(cells.values[index])
        shown[row, column] = bare(value, cells.unit) if numbers else ""
        told[row, column] = _told(cells, index, language)
        ids[row, column] = cells.ids[index]
    steps = len(SHADES)
    scale = [
        [edge / steps, f"token:{shade}"]
        for number, shade in enumerate(SHADES)
        for edge in (number, number + 1)
    ]
    return {
        "type": "heatmap",
        "z": [[None if math.isnan(code) else int(code) for code in row] for row in codes],
        "zmin": -0.5,
        "zmax": steps - 0.5,
        "colorscale": scale,
        "showscale": False,
        "text": shown.tolist(),
        "texttemplate": "%{text}" if numbers else "",
        "textfont": {"size": 12},
        "hovertext": told.tolist(),
        "hovertemplate": "%{hovertext}<extra></extra>",
        "hoverongaps": False,
        "customdata": ids.tolist(),
        "xgap": 2 if columns <= 100 else 1,
        "ygap": 2 if columns <= 100 else 1,
    }


def _told(cells: Cells, index: int, language: str) -> str:
    shade = text(f"monitor_chart.shade.{cells.shades[index]}", language)
    where = cells.nodes[index]
    if cells.gpus:
        where = text("monitor_chart.gpu_of", language, node=where, gpu=cells.gpus[index])
    lines = [
        f"<b>{escaped(where)}</b>",
        f"{cells.title}: {printed(float(cells.values[index]), cells.unit)}, {shade}",
        escaped(cells.told[index]),
    ]
    return "<br>".join(line for line in lines if line)


def bare(value: float, unit: str) -> str:
    """Return *value* as a cell has room for it: its number alone, in the unit of `printed`.

    >>> bare(0.3141, "ratio"), bare(0.62, "s"), bare(412.3, "W"), bare(3 * 2**30, "bytes")
    ('31', '620', '412', '3')
    """
    if math.isnan(value):
        return ""
    return f"{float(f'{value * SCALES.get(unit, 1.0):.3g}'):,.0f}"


def escaped(label: str) -> str:
    """Return *label* so that Plotly prints it as it is: names come from other machines.

    >>> escaped("<b>gpu</b>")
    '&lt;b&gt;gpu&lt;/b&gt;'
    """
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _hatch(cells: Cells, place: _Place) -> list[dict[str, Any]]:
    """Return strokes over the cells without a value: grey alone could be taken for a state."""
    unknown = [index for index, value in enumerate(cells.values) if math.isnan(value)]
    if not unknown or len(cells.values) > MOST_HATCHED:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [place.columns[index] for index in unknown],
            "y": [place.rows[index] for index in unknown],
            "marker": {"symbol": "line-ne-open", "size": 9, "color": "token:ground", "line": {"width": 2}},
            "hoverinfo": "skip",
        }
    ]


def _axis(names: Sequence[str], count: int) -> dict[str, Any]:
    return {
        "range": [-0.5, count - 0.5],
        "tickvals": list(range(len(names))),
        "ticktext": [escaped(name if len(name) <= 22 else f"…{name[-21:]}") for name in names],
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
        "automargin": False,
    }


def _frame(cells: Cells, place: _Place, chosen: str | None) -> list[dict[str, Any]]:
    if chosen is None or chosen not in cells.ids:
        return []
    index = list(cells.ids).index(chosen)
    row, column = place.rows[index], place.columns[index]
    return [
        {
            "type": "rect",
            "x0": column - 0.5,
            "x1": column + 0.5,
            "y0": row - 0.5,
            "y1": row + 0.5,
            "line": {"color": "token:text", "width": 2.5},
        }
    ]
