"""Memory of one GPU against the length of requests, for several numbers of them at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.memory.serving import ServingMemory, needed_by_load
from core.quantities import GIB, format_gib, format_length
from core.text import text

HEIGHT = 360
SHORTEST = 1024
POINTS = 61


def memory_curve(memory: ServingMemory, language: str = "en") -> dict[str, Any]:
    """Return the figure: a curve for the wanted requests, thinner ones for fewer and more, and the limit."""
    deployment = memory.deployment
    longest = _longest(memory)
    lengths = np.round(np.geomspace(SHORTEST, longest, POINTS))
    wanted = max(1, deployment.requests)
    counts = sorted({1, max(1, wanted // 4), wanted, wanted * 4})
    curves = needed_by_load(deployment, memory, lengths[None, :], np.array(counts)[:, None]) / GIB
    limit = limit_line(memory)
    here = (memory.mean_length, memory.needed / GIB)
    top = (
        1.3 * max(limit or 0.0, here[1])
        if limit
        else 1.15 * max(here[1], float(curves[counts.index(wanted)][-1]))
    )
    data = [
        _curve(lengths, curve, count, count == wanted, language)
        for count, curve in sorted(zip(counts, curves, strict=True), key=lambda pair: pair[0] == wanted)
    ]
    notes = _ends(lengths, dict(zip(counts, curves, strict=True)), wanted, top, language)
    shapes: list[dict[str, Any]] = []
    if limit:
        shapes = _limit(limit, top)
        crossing = _crossing(lengths, curves[counts.index(wanted)], limit)
        if crossing:
            data.append(_stop(crossing, limit, longest, language))
        else:
            notes.append(_limit_note(limit, limit < float(np.min(curves)), language))
    data.append(_dot(here, wanted, language))
    return {"data": data, "layout": _layout(longest, top, shapes, notes, language)}


def limit_line(memory: ServingMemory) -> float | None:
    """Return the GiB at which the cache pool is full; None where the GPU is unknown.

    Where the fixed parts alone exceed it, no curve reaches down to it.
    """
    if memory.pool is None:
        return None
    return max(0.0, memory.needed - memory.part("kv").bytes + memory.pool.bytes) / GIB


def stops_at(memory: ServingMemory) -> int | None:
    """Return the length at which the wanted requests stop fitting, None where they fit at every length."""
    limit = limit_line(memory)
    if limit is None:
        return None
    lengths = np.round(np.geomspace(SHORTEST, _longest(memory), POINTS))
    curve = needed_by_load(memory.deployment, memory, lengths, max(1, memory.deployment.requests)) / GIB
    return _crossing(lengths, curve, limit)


def _longest(memory: ServingMemory) -> int:
    """Return the right end of the axis: the model's limit or the chosen context, up to a power of two."""
    deployment = memory.deployment
    ends = (deployment.model.max_context or 0, deployment.context, 16 * SHORTEST)
    return int(2 ** math.ceil(math.log2(max(ends))))


def _crossing(lengths: Any, curve: Any, limit: float) -> int | None:
    if curve[0] > limit or curve[-1] <= limit:
        return None
    return int(np.interp(limit, curve, lengths))


def _requests(count: int, language: str) -> str:
    return text("chart.one_request" if count == 1 else "chart.requests", language, count=count)


def _curve(lengths: Any, curve: Any, count: int, wanted: bool, language: str) -> dict[str, Any]:
    label = _requests(count, language)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": lengths,
        "y": np.round(curve, 2),
        "name": label,
        "showlegend": False,
        "line": {"color": "token:kv" if wanted else "token:muted", "width": 3 if wanted else 1.25},
        "hovertemplate": text("chart.hover", language, requests=label) + "<extra></extra>",
    }


def _ends(
    lengths: Any, curves: dict[int, Any], wanted: int, top: float, language: str
) -> list[dict[str, Any]]:
    """Return the labels of the curves: where they leave through the top, else at their right end."""
    notes: list[dict[str, Any]] = []
    lowest = math.inf
    for count, curve in sorted(curves.items(), reverse=True):
        label = _requests(count, language) if count == wanted else f"{count:,}"
        if curve[0] >= top:
            continue
        if curve[-1] > top:
            x = float(np.interp(top, curve, lengths))
            notes.append(
                _note(label, math.log10(x), 1, xref="x", yref="paper", xanchor="center", yanchor="bottom")
            )
        elif lowest - curve[-1] > 0.06 * top:
            lowest = float(curve[-1])
            notes.append(
                _note(label, 1, lowest, xref="paper", yref="y", xanchor="left", yanchor="middle", xshift=6)
            )
    return notes


def _note(label: str, x: float, y: float, **where: Any) -> dict[str, Any]:
    return {"text": label, "x": x, "y": y, "showarrow": False, "font": {"size": 12}, "borderpad": 0, **where}


def _limit(limit: float, top: float) -> list[dict[str, Any]]:
    band = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": limit, "y1": top, "layer": "below"}
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": limit, "y1": limit}
    return [
        {**band, "fillcolor": "token:limit", "opacity": 0.08, "line": {"width": 0}},
        {**line, "line": {"color": "token:limit", "width": 2, "dash": "dash"}},
    ]


def _limit_note(limit: float, below: bool, language: str) -> dict[str, Any]:
    """Return the label of the limit, on the side of its line where no curve runs."""
    label = text("chart.full", language, amount=format_gib(limit * GIB))
    side = "top" if below else "bottom"
    return _note(label, 0, limit, xref="paper", yref="y", xanchor="left", yanchor=side, xshift=4)


def _stop(tokens: int, limit: float, longest: int, language: str) -> dict[str, Any]:
    label = text(
        "chart.stops", language, tokens=format_length(_rounded(tokens)), amount=format_gib(limit * GIB)
    )
    # Beside the curve, on the side where there is room.
    left = tokens > math.sqrt(SHORTEST * longest)
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [tokens],
        "y": [limit],
        "text": [label],
        "textposition": "top left" if left else "bottom right",
        "name": label,
        "showlegend": False,
        "marker": {"color": "token:limit", "size": 11, "symbol": "x"},
        "hovertemplate": f"{label}<extra></extra>",
        "cliponaxis": False,
    }


def _rounded(tokens: int) -> int:
    """Return *tokens* with three digits: the curve is no more exact than that."""
    return round(tokens, 2 - int(math.log10(max(1, tokens))))


def _dot(here: tuple[int, float], requests: int, language: str) -> dict[str, Any]:
    label = text(
        "chart.here",
        language,
        requests=_requests(requests, language),
        tokens=format_length(here[0]),
        amount=format_gib(here[1] * GIB),
    )
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [here[0]],
        "y": [here[1]],
        "name": label,
        "showlegend": False,
        "marker": {"color": "token:kv", "size": 13, "line": {"color": "token:text", "width": 2}},
        "hovertemplate": f"{label}<extra></extra>",
        "cliponaxis": False,
    }


def _layout(
    longest: int, top: float, shapes: list[dict[str, Any]], notes: list[dict[str, Any]], language: str
) -> dict[str, Any]:
    ticks = [2**power for power in range(10, int(math.log2(longest)) + 1, 2)]  # room for them on a telephone
    return {
        "height": HEIGHT,
        "margin": {"l": 60, "r": 88, "t": 24, "b": 46},
        "xaxis": {
            "type": "log",
            "range": [math.log10(SHORTEST * 0.94), math.log10(longest)],
            "tickvals": ticks,
            "ticktext": [format_length(tick) for tick in ticks],
            "title": {"text": text("chart.length", language), "standoff": 10},
            "tickangle": 0,
            "automargin": False,
        },
        "yaxis": {
            "range": [0, top],
            "ticksuffix": " GiB",
            "nticks": 7,
            "automargin": False,
            "rangemode": "tozero",
        },
        "hovermode": "closest",
        "showlegend": False,
        "shapes": shapes,
        "annotations": notes,
    }
