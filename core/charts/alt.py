"""What the figures show, in a sentence for those who cannot see them."""

from __future__ import annotations

from core.charts.memory_bar import amount_of, segments
from core.charts.memory_curve import stops_at
from core.charts.pareto import drawn
from core.memory.serving import ServingMemory
from core.planning.day import DayCurve
from core.planning.figures import percentile, shown
from core.planning.result import Planned
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
    share = planned.question.targets.share
    cheapest = min(plans, key=lambda plan: plan.usd_per_month or 0.0)
    fastest = min(plans, key=lambda plan: plan.service.ttft[share])
    return text(
        "chart.pareto_alt",
        language,
        count=len(plans),
        share=percentile(share),
        cheapest=plan_words(cheapest),
        cost=format_usd(cheapest.usd_per_month or 0.0),
        slow=shown(cheapest, "ttft", language, share),
        fastest=plan_words(fastest),
        dear=format_usd(fastest.usd_per_month or 0.0),
        fast=shown(fastest, "ttft", language, share),
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
