"""One GPU's memory as a stacked bar, with the limits that its engine, its runtime and its vendor set."""

from __future__ import annotations

from typing import Any

from core.charts.bar_parts import Mark, axis_end, bar, segment
from core.memory.headline import part_estimate
from core.memory.overheads import graphs_are_budgeted
from core.memory.serving import ServingMemory
from core.quantities import GIB, format_gib
from core.text import text

COLORS = {
    "weights": "token:weights",
    "activation": "token:activation",
    "runtime": "token:runtime",
    "cuda_graph": "token:graph",
    "kv": "token:kv",
    "pool": "token:kv",
    "unused": "token:free",
}
PALE = 0.32
"""Opacity of what is set aside but not needed: the colour of its kind, faded."""


def segments(memory: ServingMemory) -> list[tuple[str, float]]:
    """Return what the bar stacks, from the left, as (name, bytes).

    First what counts against the engine's limit, so that the limit stands where the cache pool ends: fixed
    parts, the cache that the requests need, and what is left of the pool. Then what the engine takes beside
    its limit, and what nobody takes.
    """
    budgeted = _budgeted(memory)
    part = {part.name: part.bytes for part in memory.parts}
    inside = [(name, part[name]) for name in budgeted]
    outside = [(name, part[name]) for name in ("activation", "cuda_graph") if name not in budgeted]
    pool = max(0.0, memory.pool.bytes) if memory.pool else 0.0
    stack = [*inside, ("kv", part["kv"]), ("pool", max(0.0, pool - part["kv"])), *outside]
    taken = sum(size for _, size in stack)
    return [*stack, ("unused", max(0.0, (memory.capacity or 0.0) - taken))]


def limit_of(memory: ServingMemory) -> float | None:
    """Return where the engine's limit lies on the bar, in bytes: at the end of the cache pool."""
    if memory.pool is None:
        return None
    return sum(memory.part(name).bytes for name in _budgeted(memory)) + memory.pool.bytes


def _budgeted(memory: ServingMemory) -> list[str]:
    """Return the parts that the engine subtracts before it sizes its pool."""
    names = ["weights", "runtime"]
    if memory.deployment.engine.rule != "of_free":
        names.append("activation")
    if memory.deployment.engine.rule == "of_total" and graphs_are_budgeted(memory.deployment):
        names.append("cuda_graph")
    return names


def memory_bar(memory: ServingMemory, language: str = "en") -> dict[str, Any]:
    """Return the figure of what fills the most loaded GPU of *memory*."""
    stack = [(name, size) for name, size in segments(memory) if size > 0]
    amounts = {name: amount_of(memory, name, size) for name, size in stack}
    marks = _marks(memory, language)
    end = axis_end(stack, marks)
    parts = [_segment(name, size, amounts[name], end, language) for name, size in stack]
    return {
        **bar(parts, marks, end),
        "legend": [
            {
                "color": COLORS[name],
                "opacity": PALE if name == "pool" else 1,
                "text": f"{text(f'part.{name}', language)} {amounts[name]}",
            }
            for name, _ in stack
        ],
    }


def amount_of(memory: ServingMemory, name: str, size: float) -> str:
    """Return *size* in GiB: a part with the digits that its band supports, others as they are."""
    if name in ("kv", "pool", "unused"):
        return format_gib(size)
    return f"{part_estimate(memory, name).shown(GIB)} GiB"


def _segment(name: str, size: float, amount: str, end: float, language: str) -> dict[str, Any]:
    opacity = PALE if name == "pool" else 1
    pale = name in ("pool", "unused")
    return segment(
        size, amount, end, text(f"part.{name}", language), COLORS[name], opacity=opacity, pale=pale
    )


def _marks(memory: ServingMemory, language: str) -> list[Mark]:
    """Return the limits as (bytes, label, colour), the engine's first."""
    device, limit = memory.deployment.device, limit_of(memory)
    if device is None or limit is None:
        return []
    marks = []
    if memory.deployment.engine.rule != "of_context":
        label = text(
            "chart.limit",
            language,
            engine=memory.deployment.engine.label,
            fraction=memory.deployment.fraction,
            amount=format_gib(limit),
        )
        marks.append((max(0.0, limit), label, "token:warn"))
    marks.append(
        (device.usable, text("chart.usable", language, amount=format_gib(device.usable)), "token:limit")
    )
    if device.marketing and device.marketing > device.usable:
        sold = text("chart.marketing", language, amount=f"{device.marketing / GIB:g}")
        marks.append((device.marketing, sold, "token:muted"))
    return marks
