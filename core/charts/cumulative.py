"""What was paid for each quote up to each month, and the month in which two of them have cost the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.charts.quotes_axes import legend_of, line_of, mark, shown, usd_axis
from core.cost.cashflow import cumulative as summed
from core.cost.months import Flow
from core.planning.fair import Answer
from core.quantities import format_digits, format_usd
from core.text import text

HEIGHT = 380


def cumulative(answer: Answer, pair: tuple[int, int] | None = None, language: str = "en") -> dict[str, Any]:
    """Return the figure: a curve for each quote, and where those of *pair*, by default the usual one, cross."""
    chosen = pair or answer.pair
    curves = paid(answer, chosen)
    top = 1.08 * max(float(curve.max()) for curve in curves.values())
    months = len(next(iter(curves.values()))) - 1
    step = 3 if months <= 24 else 6 if months <= 48 else 12
    note = _crossing(answer, chosen, curves, language)
    return {
        "data": [_curve(answer, place, curve, language) for place, curve in curves.items()],
        "layout": {
            "height": HEIGHT,
            "margin": {"l": 64, "r": 16, "t": 14, "b": 48},
            "xaxis": {
                "range": [0, months * 1.02],
                "tickvals": list(range(0, months + 1, step)),
                "title": {"text": text("chart.months", language), "standoff": 8},
                "automargin": False,
                "showgrid": False,
            },
            "yaxis": {
                **usd_axis(top),
                "title": {"text": text("chart.paid", language), "standoff": 6},
            },
            "hovermode": "closest",
            "showlegend": False,
            "annotations": [note] if note else [],
        },
        "legend": legend_of(answer, list(curves)),
    }


def paid(answer: Answer, pair: tuple[int, int] | None = None) -> dict[int, Flow]:
    """Return what was paid by month for each quote that is drawn, before a sale at the end; those of *pair* are."""
    rows = answer.comparison.rows
    return {place: summed(np.atleast_1d(rows[place].bill.spending)) for place in shown(answer, pair)}


def cumulative_alt(answer: Answer, pair: tuple[int, int] | None = None, language: str = "en") -> str:
    """Return the sentence for `cumulative`: what each has cost at the end, and where two cross."""
    chosen = pair or answer.pair
    ends = ", ".join(
        f"{answer.quotes[place].name} {format_usd(float(curve[-1]))}"
        for place, curve in paid(answer, chosen).items()
    )
    month = answer.crossing(*chosen) if chosen else None
    months = f"{float(answer.comparison.assumptions.horizon_months):g}"
    if chosen is None or month is None:
        return text("chart.cumulative_alt_never", language, ends=ends, months=months)
    return text(
        "chart.cumulative_alt",
        language,
        ends=ends,
        months=months,
        month=format_digits(month, 2),
        first=answer.quotes[chosen[0]].name,
        second=answer.quotes[chosen[1]].name,
    )


def _curve(answer: Answer, place: int, curve: Flow, language: str) -> dict[str, Any]:
    name = answer.quotes[place].name
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(range(len(curve))),
        "y": [round(float(usd), 2) for usd in curve],
        "name": name,
        "text": [
            text("chart.paid_told", language, name=name, month=month, usd=format_usd(float(usd)))
            for month, usd in enumerate(curve)
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "line": line_of(place),
    }


def _crossing(
    answer: Answer, pair: tuple[int, int] | None, curves: dict[int, Flow], language: str
) -> dict[str, Any] | None:
    """Return the mark at which the curves of *pair* cross; None where they never do, or from the first day."""
    month = answer.crossing(*pair) if pair else None
    if pair is None or not month:
        return None
    curve = curves[pair[0]]
    height = float(np.interp(month, np.arange(len(curve)), curve))
    label = text("chart.break_even", language, month=format_digits(month, 2))
    return mark(f"<b>{label}</b>", month, height, month / len(curve))
