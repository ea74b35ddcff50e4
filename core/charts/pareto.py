"""Plans by cost and latency, the front that no plan beats in both, and the chosen one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.charts.axes import log_axis
from core.planning.figures import is_stable, percentile, shown, utilisation
from core.planning.result import Plan, Planned
from core.planning.words import plan_words
from core.quantities import format_seconds, format_usd, short_seconds, short_usd
from core.text import text

HEIGHT = 400
COLORS = ("token:first", "token:second", "token:third", "token:fourth", "token:fifth", "token:muted")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "pentagon", "star")
VENDORS = ("NVIDIA", "AMD", "Google", "Intel", "AWS")
SMALLEST, LARGEST = 7.0, 34.0
"""Diameters in pixels: below that of a single GPU, and of very many."""

MOST_BEHIND = 400
"""Layouts beside the best ones that are drawn: more would only slow the page."""


@dataclass(frozen=True)
class _Axes:
    """What the axes show: TTFT at `share` against the cost, or against GPUs where no plan is `priced`."""

    share: float
    language: str
    priced: bool

    def x(self, plan: Plan) -> float:
        """Return the cost of *plan*, or its GPUs."""
        return (plan.usd_per_month or 0.0) if self.priced else float(plan.gpus)

    def y(self, plan: Plan) -> float:
        """Return the seconds to the first token of *plan*."""
        return plan.service.ttft[self.share]

    def place(self, plans: list[Plan]) -> dict[str, list[float]]:
        """Return where *plans* are."""
        return {"x": [self.x(plan) for plan in plans], "y": [self.y(plan) for plan in plans]}

    def has(self, plan: Plan) -> bool:
        """Return whether *plan* has a place."""
        return is_stable(plan) and (not self.priced or plan.usd_per_month is not None)


def axes_of(planned: Planned, language: str = "en") -> _Axes:
    """Return the axes for *planned*: by cost where a plan has a price."""
    priced = any(plan.usd_per_month is not None for plan in planned.plans)
    return _Axes(planned.question.targets.share, language, priced)


def pareto(planned: Planned, chosen: Plan | None = None, language: str = "en") -> dict[str, Any]:
    """Return the figure: a point for the best plan of each accelerator, pale ones for the other layouts."""
    axes = axes_of(planned, language)
    plans, others = drawn(planned)
    if not plans:
        return {"data": [], "layout": {"height": HEIGHT}}
    names = _groups(planned, plans)
    data = [
        _behind(others, axes),
        _front(planned, axes),
        *(
            _group([plan for plan in plans if _group_of(planned, plan) == name], (name, place), axes)
            for place, name in enumerate(names)
        ),
    ]
    if chosen and axes.has(chosen):
        data.append(_ring(chosen, axes))
    return {
        "data": data,
        "layout": _layout(planned, [*plans, *others], chosen, axes),
        "legend": [
            {"color": COLORS[min(place, len(COLORS) - 1)], "opacity": 1, "text": name}
            for place, name in enumerate(names)
        ],
    }


def drawn(planned: Planned) -> tuple[list[Plan], list[Plan]]:
    """Return the plans that have a place: the best and those of the front, and the layouts behind them."""
    axes = axes_of(planned)
    best = _once(plan for plan in (*planned.plans, *planned.front) if axes.has(plan))
    known = {plan.id for plan in best}
    dearest = max(map(axes.x, best), default=0.0)
    # A layout that costs more than every best plan would only stretch the axis.
    behind = _once(
        plan
        for plan in planned.alternatives
        if axes.has(plan) and plan.id not in known and axes.x(plan) <= dearest
    )
    return best, behind[:MOST_BEHIND]


def _once(plans: Iterable[Plan]) -> list[Plan]:
    return list({plan.id: plan for plan in plans}.values())


def _group_of(planned: Planned, plan: Plan) -> str:
    """Return what colours *plan*: its model where several are asked for, else the maker of its accelerator."""
    return plan.deployment.model.name if len(planned.question.models) > 1 else plan.record.vendor


def _groups(planned: Planned, plans: list[Plan]) -> list[str]:
    """Return the names of the groups; the order, and so the colour, does not depend on what was found."""
    found = {_group_of(planned, plan) for plan in plans}
    if len(planned.question.models) > 1:
        return [model.name for model in planned.question.models if model.name in found]
    return [name for name in VENDORS if name in found] + sorted(found - set(VENDORS))


def _size(plan: Plan) -> float:
    """Return the diameter that says how many GPUs *plan* has, the same on every page: area grows with them."""
    return min(LARGEST, SMALLEST + 1.5 * math.sqrt(plan.gpus))


def _group(plans: list[Plan], group: tuple[str, int], axes: _Axes) -> dict[str, Any]:
    name, place = group
    return {
        "type": "scatter",
        "mode": "markers",
        **axes.place(plans),
        "name": name,
        "text": [told(plan, axes.share, axes.language) for plan in plans],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "color": COLORS[min(place, len(COLORS) - 1)],
            "symbol": SYMBOLS[min(place, len(SYMBOLS) - 1)],
            "size": [_size(plan) for plan in plans],
            "opacity": 0.82,
            "line": {"color": "token:free", "width": 1},
        },
        "cliponaxis": False,
    }


def _behind(plans: list[Plan], axes: _Axes) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        **axes.place(plans),
        "name": text("chart.other_layouts", axes.language),
        "text": [told(plan, axes.share, axes.language) for plan in plans],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": "token:muted", "size": 5, "opacity": 0.35},
    }


def _front(planned: Planned, axes: _Axes) -> dict[str, Any]:
    """Return the front as a staircase: what is above and to the right of it costs more and is slower."""
    return {
        "type": "scatter",
        "mode": "lines",
        **axes.place([plan for plan in planned.front if axes.has(plan)]),
        "name": "front",
        "line": {"color": "token:muted", "width": 1.5, "dash": "dot", "shape": "hv"},
        "hoverinfo": "skip",
    }


def _ring(plan: Plan, axes: _Axes) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        **axes.place([plan]),
        "name": "chosen",
        "text": [told(plan, axes.share, axes.language)],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "color": "rgba(0,0,0,0)",
            "size": _size(plan) + 8,
            "line": {"color": "token:text", "width": 2.5},
        },
        "cliponaxis": False,
    }


def told(plan: Plan, share: float, language: str) -> str:
    """Return everything about *plan* that its point can say, a line each."""
    return text(
        "chart.plan_told",
        language,
        words=plan_words(plan),
        model=plan.deployment.model.name,
        weights=plan.deployment.weights.label,
        engine=plan.deployment.engine.label,
        gpus=plan.gpus,
        cost="–" if plan.usd_per_month is None else format_usd(plan.usd_per_month),
        share=percentile(share),
        ttft=shown(plan, "ttft", language, share),
        tpot=shown(plan, "tpot", language),
        used=utilisation(plan),
    )


def _layout(planned: Planned, plans: list[Plan], chosen: Plan | None, axes: _Axes) -> dict[str, Any]:
    asked, language = planned.question.targets.ttft, axes.language
    place = axes.place(plans)
    xaxis = log_axis(place["x"], short_usd if axes.priced else "{:,.0f}".format)
    yaxis = log_axis([*place["y"], asked] if asked else place["y"], short_seconds)
    notes = [_chosen_note(chosen, axes, xaxis)] if chosen and axes.has(chosen) else []
    if asked:
        # On the other side than the chosen plan, which may be just below.
        right = bool(notes) and notes[0]["xanchor"] == "left"
        notes.append(_target_note(asked, yaxis, language, right=right))
    xtitle = text("chart.cost_month" if axes.priced else "chart.gpus", language)
    ytitle = text("chart.ttft", language, share=percentile(axes.share))
    return {
        "height": HEIGHT,
        "margin": {"l": 70, "r": 16, "t": 14, "b": 48},
        "xaxis": {**xaxis, "title": {"text": xtitle, "standoff": 10}},
        "yaxis": {**yaxis, "title": {"text": ytitle, "standoff": 6}},
        "hovermode": "closest",
        "showlegend": False,
        "shapes": [_target(asked)] if asked else [],
        "annotations": notes,
    }


def _target(asked: float) -> dict[str, Any]:
    line = {"color": "token:limit", "width": 1.5, "dash": "dash"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": asked, "y1": asked, "line": line}


def _target_note(asked: float, axis: dict[str, Any], language: str, *, right: bool) -> dict[str, Any]:
    return {
        "text": text("chart.target", language, amount=format_seconds(asked)),
        "xref": "paper",
        "x": int(right),
        "y": math.log10(asked) if axis["type"] == "log" else asked,
        "xanchor": "right" if right else "left",
        "yanchor": "bottom",
        "xshift": -4 if right else 4,
        "showarrow": False,
        "font": {"size": 12, "color": "token:limit"},
        "borderpad": 0,
    }


def _chosen_note(plan: Plan, axes: _Axes, axis: dict[str, Any]) -> dict[str, Any]:
    """Return the name of the chosen plan, beside its point on the side where there is room."""
    x = math.log10(axes.x(plan)) if axis["type"] == "log" else axes.x(plan)
    left, right = axis["range"]
    near_end = x > (left + right) / 2
    return {
        "text": f"<b>{plan_words(plan)}</b>",
        "x": x,
        "y": math.log10(axes.y(plan)),
        "xanchor": "right" if near_end else "left",
        "yanchor": "bottom",
        "xshift": -10 if near_end else 10,
        "yshift": 12,
        "showarrow": False,
        "font": {"size": 13},
        "bgcolor": "token:ground",
        "borderpad": 1,
    }
