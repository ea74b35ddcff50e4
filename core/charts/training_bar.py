"""What fills a GPU that trains: one bar at the peak of a step, and one bar for each of its phases."""

from __future__ import annotations

from typing import Any

from core.charts.bar_parts import Mark, axis_end, bar, gib_axis, segment
from core.memory.training import TrainingMemory
from core.planning.training_parts import parts_at_peak, room, shown_gib, whole_band
from core.quantities import GIB, format_gib
from core.text import text

PHASE_HEIGHT = 300
COLORS = {
    "weights": "token:weights",
    "gradients": "token:gradient",
    "optimizer": "token:optimizer",
    "activations": "token:activation",
    "logits": "token:logits",
    "transient": "token:buffers",
    "reserve": "token:runtime",
    "context": "token:runtime",
    "unused": "token:free",
}
PALE = 0.45
"""Opacity of what the allocator holds beyond its tensors: of one colour with the context, faded."""


PHASES = ("load", "forward", "loss", "backward", "step")


def segments(memory: TrainingMemory) -> list[tuple[str, float]]:
    """Return what the bar stacks, from the left, as (name, bytes): the parts of the process, then what is unused."""
    stack = [(name, size) for name, size in parts_at_peak(memory).items() if size > 0]
    device = memory.run.device
    unused = device.usable - memory.process if device else 0.0
    return [*stack, ("unused", unused)] if unused > 0 else stack


def training_bar(memory: TrainingMemory, language: str = "en") -> dict[str, Any]:
    """Return the figure of what fills the most loaded GPU at the peak of a step, with the card's limits."""
    stack, marks = segments(memory), _marks(memory, language)
    end = axis_end(stack, marks)
    amounts = {name: amount_of(memory, name, size) for name, size in stack}
    parts = [_segment(name, size, amounts[name], end, language) for name, size in stack]
    return {
        **bar(parts, marks, end),
        "legend": [_entry(name, f"{label(name, language)} {amounts[name]}") for name, _ in stack],
    }


def amount_of(memory: TrainingMemory, name: str, size: float) -> str:
    """Return *size* in GiB, with no digit beyond those that the band of the whole process supports."""
    return (room if name == "unused" else shown_gib)(size, whole_band(memory))


def label(name: str, language: str) -> str:
    """Return the name of a part of the bar as a person reads it."""
    return text(f"train_page.part.{name}", language)


def training_phases(memory: TrainingMemory, language: str = "en") -> dict[str, Any]:
    """Return the figure of each phase of a step, from loading at the top to the optimizer step.

    What the allocator holds and the context stay from phase to phase, so that every bar compares with the line
    of the card's usable memory.
    """
    beside = {"reserve": memory.reserved - memory.allocated, "context": memory.process - memory.reserved}
    phases = {name: memory.phases[name] | beside for name in PHASES if name in memory.phases}
    names = [
        name for name in next(iter(phases.values())) if any(parts[name] > 0 for parts in phases.values())
    ]
    usable = memory.run.device.usable if memory.run.device else 0.0
    end = 1.02 * max(usable, *(sum(parts.values()) for parts in phases.values())) / GIB
    rows = [text(f"train_page.phase.{phase}", language) for phase in phases]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "y": rows,
                "x": [parts[name] / GIB for parts in phases.values()],
                "name": label(name, language),
                "marker": {
                    "color": COLORS[name],
                    "opacity": PALE if name == "reserve" else 1,
                    "line": {"width": 0},
                },
                "hovertemplate": f"%{{y}}<br>{label(name, language)}: %{{x:.1f}} GiB<extra></extra>",
            }
            for name in names
        ],
        "layout": {
            "height": PHASE_HEIGHT,
            "barmode": "stack",
            "bargap": 0.3,
            "margin": {"l": 2, "r": 16, "t": 8, "b": 26},
            "xaxis": gib_axis(end),
            "yaxis": {
                "autorange": "reversed",
                "automargin": True,
                "fixedrange": True,
                "ticksuffix": "  ",
                "showgrid": False,
            },
            "showlegend": False,
            "hovermode": "closest",
            "shapes": _usable_line(usable),
        },
        "legend": [
            *(_entry(name, label(name, language)) for name in names),
            *(
                [
                    {
                        "color": "token:limit",
                        "opacity": 1,
                        "text": text("chart.usable", language, amount=format_gib(usable)),
                    }
                ]
                if usable
                else []
            ),
        ],
    }


def training_bar_alt(memory: TrainingMemory, language: str = "en") -> str:
    """Return the sentence for `training_bar`: the parts with their sizes, and the capacity."""
    listed = ", ".join(
        f"{label(name, language)} {amount_of(memory, name, size)}" for name, size in segments(memory)
    )
    usable = memory.run.device.usable if memory.run.device else 0.0
    return text("train_page.bar_alt", language, parts=listed, usable=format_gib(usable))


def training_phases_alt(memory: TrainingMemory, language: str = "en") -> str:
    """Return the sentence for `training_phases`: what each phase takes."""
    beside = memory.process - memory.allocated
    listed = ", ".join(
        f"{text(f'train_page.phase.{name}', language)} "
        f"{shown_gib(sum(memory.phases[name].values()) + beside, whole_band(memory))}"
        for name in PHASES
        if name in memory.phases
    )
    return text("train_page.phases_alt", language, phases=listed)


def _entry(name: str, words: str) -> dict[str, Any]:
    return {"color": COLORS[name], "opacity": PALE if name == "reserve" else 1, "text": words}


def _segment(name: str, size: float, amount: str, end: float, language: str) -> dict[str, Any]:
    opacity = PALE if name == "reserve" else 1
    pale = name in ("reserve", "unused")
    return segment(size, amount, end, label(name, language), COLORS[name], opacity=opacity, pale=pale)


def _marks(memory: TrainingMemory, language: str) -> list[Mark]:
    """Return the card's usable memory, and what it is sold as, each as (bytes, label, colour)."""
    device = memory.run.device
    if device is None:
        return []
    marks = [(device.usable, text("chart.usable", language, amount=format_gib(device.usable)), "token:limit")]
    if device.marketing and device.marketing > device.usable:
        sold = text("chart.marketing", language, amount=f"{device.marketing / GIB:g}")
        marks.append((device.marketing, sold, "token:muted"))
    return marks


def _usable_line(usable: float) -> list[dict[str, Any]]:
    if not usable:
        return []
    line = {"color": "token:limit", "width": 2}
    return [
        {
            "type": "line",
            "x0": usable / GIB,
            "x1": usable / GIB,
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": line,
        }
    ]
