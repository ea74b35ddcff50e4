"""What the figures show, in a sentence for those who cannot see them."""

from __future__ import annotations

from core.charts.memory_bar import amount_of, segments
from core.charts.memory_curve import stops_at
from core.charts.pareto import axes_of, drawn
from core.memory.serving import ServingMemory
from core.planning.day import DayCurve
from core.planning.figures import percentile, shown
from core.planning.result import Plan, Planned
from core.planning.words import plan_words
from core.quantities import format_digits, format_gib, format_length, format_usd
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


def pareto_alt(planned: Planned, language: str = "en") -> str:
    """Return the sentence for `pareto`: how many plans, the cheapest and the fastest."""
    plans, _ = drawn(planned)
    if not plans:
        return text("chart.pareto_alt_none", language)
    axes = axes_of(planned)
    cheapest, fastest = min(plans, key=axes.x), min(plans, key=axes.y)

    def cost(plan: Plan) -> str:
        if axes.priced:
            return format_usd(plan.usd_per_month or 0.0)
        return text("chart.gpu_count", language, count=plan.gpus)

    return text(
        "chart.pareto_alt" if axes.priced else "chart.pareto_alt_gpus",
        language,
        count=len(plans),
        share=percentile(axes.share),
        cheapest=plan_words(cheapest),
        cost=cost(cheapest),
        slow=shown(cheapest, "ttft", language, axes.share),
        fastest=plan_words(fastest),
        dear=cost(fastest),
        fast=shown(fastest, "ttft", language, axes.share),
    )


def day_alt(curve: DayCurve, language: str = "en") -> str:
    """Return the sentence for `day`: the busiest hour against the stable load, and hours above the line."""
    return text(
        "chart.day_alt",
        language,
        busiest=format_digits(max(curve.rate), 2),
        quietest=format_digits(min(curve.rate), 2),
        stable=format_digits(curve.stable, 2),
        above=len(curve.above),
    )
