"""What the figures show, in a sentence for those who cannot see them."""

from __future__ import annotations

from core.charts.memory_bar import amount_of, segments
from core.charts.memory_curve import stops_at
from core.memory.serving import ServingMemory
from core.quantities import format_gib, format_length
from core.text import text


def bar_alt(memory: ServingMemory, language: str = "en") -> str:
    """Return the sentence for `memory_bar`: the parts with their sizes, and the capacity."""
    listed = ", ".join(
        f"{text(f'part.{name}', language)} {amount_of(memory, name, size)}"
        for name, size in segments(memory)
        if size > 0
    )
    return text("chart.bar_alt", language, parts=listed, usable=format_gib(memory.capacity or 0.0))


def curve_alt(memory: ServingMemory, language: str = "en") -> str:
    """Return the sentence for `memory_curve`: the current choice, and where it stops fitting."""
    stop = stops_at(memory)
    key = "chart.curve_alt_stops" if stop else "chart.curve_alt"
    return text(
        key,
        language,
        requests=f"{memory.deployment.requests:,}",
        tokens=format_length(memory.mean_length),
        needed=format_gib(memory.needed),
        stop=f"{stop or 0:,}",
    )
