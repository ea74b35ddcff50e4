"""Plans in the few words that people use for them: `5 × TP8 H200`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.memory.layout import Layout
from core.planning.result import Plan
from core.quantities import format_seconds


def layout_words(layout: Layout) -> str:
    """Return the ranks of *layout* that are more than one, nothing for a single GPU.

    >>> layout_words(Layout(tp=8)), layout_words(Layout(pp=2, dp=8, ep=8, attention_dp=True)), layout_words(Layout())
    ('TP8', 'PP2 DP8 EP8', '')
    """
    ranks = (("TP", layout.tp), ("PP", layout.pp), ("DP", layout.dp), ("EP", layout.ep))
    return " ".join(f"{name}{size}" for name, size in ranks if size > 1)


def seconds_words(seconds: float) -> str:
    """Return a latency with at most three digits, and no zeros at the end.

    >>> seconds_words(0.5), seconds_words(0.002), seconds_words(1.2345), seconds_words(30), seconds_words(45.67)
    ('500 ms', '2 ms', '1,230 ms', '30 s', '45.7 s')
    """
    number, _, unit = format_seconds(seconds).partition(" ")
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{number} {unit}".strip()


def plan_words(plan: Plan) -> str:
    """Return how many replicas, of what layout, on which accelerator: spare replicas are counted too."""
    parts = (f"{plan.replicas + plan.spare} ×", layout_words(plan.deployment.layout), plan.record.name)
    return " ".join(part for part in parts if part)


def recorded_words(record: Mapping[str, Any]) -> str:
    """Return the words of a plan that was recorded as plain data, see `core.planning.record`.

    >>> recorded_words({"layout": "5 x TP8", "gpu_name": "H200"}), recorded_words({"layout": "2 x TP1", "gpu": "l4"})
    ('5 × TP8 H200', '2 × l4')
    """
    layout = str(record.get("layout", "")).replace(" x ", " × ")
    name = record.get("gpu_name") or record.get("gpu") or ""
    return f"{layout.removesuffix(' TP1')} {name}".strip()
