"""What each assumption does alone to the cost of a quote: bars from its low to its high end, the widest on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.charts.quotes_axes import usd_axis
from core.cost.uncertainty import Swing
from core.quantities import format_digits, format_usd
from core.text import text

MOST = 10
ROW = 34
SPACE = 62


def tornado(swings: Sequence[Swing], unit: str, language: str = "en") -> dict[str, Any]:
    """Return the figure for *swings*, which are sorted; *unit* is the title of the axis."""
    shown = list(swings[:MOST])
    if not shown:
        return {"data": [], "layout": {"height": SPACE}}
    ends = [usd for swing in shown for usd in (swing.at_low, swing.at_high)]
    pad = 0.08 * (max(ends) - min(ends))
    base = shown[0].base
    names = [named(swing, language) for swing in shown]
    return {
        "data": [_bars(shown, names, language, high=False), _bars(shown, names, language, high=True)],
        "layout": {
            "height": SPACE + ROW * len(shown),
            "margin": {"l": 8, "r": 16, "t": 24, "b": 44},
            "barmode": "overlay",
            "bargap": 0.35,
            "xaxis": {
                **usd_axis(max(ends) + pad, min(min(ends) - pad, 0.0)),
                "title": {"text": unit, "standoff": 8},
            },
            "yaxis": {
                "type": "category",
                "autorange": "reversed",
                "automargin": True,
                "showgrid": False,
                "ticks": "",
            },
            "hovermode": "closest",
            "showlegend": False,
            "shapes": [_line(base)],
            "annotations": [_note(base, language)],
        },
        "legend": [
            {"color": "token:second", "opacity": 0.9, "text": text("chart.at_low", language)},
            {"color": "token:first", "opacity": 0.9, "text": text("chart.at_high", language)},
        ],
    }


def named(swing: Swing, language: str) -> str:
    """Return the assumption of *swing* in words, short enough for an axis."""
    label = text(f"cost.assumption.{swing.name}", language)
    for sign in (",", ":", "，", "："):
        label = label.partition(sign)[0]
    return label


def tornado_alt(swings: Sequence[Swing], name: str, language: str = "en") -> str:
    """Return the sentence for `tornado`: what decides most about the quote *name*."""
    if not swings:
        return text("chart.tornado_alt_none", language, name=name)
    first = swings[0]
    return text(
        "chart.tornado_alt",
        language,
        name=name,
        base=format_usd(first.base),
        assumption=text(f"cost.assumption.{first.name}", language),
        low=format_usd(min(first.at_low, first.at_high)),
        high=format_usd(max(first.at_low, first.at_high)),
        count=len(swings),
    )


def _bars(swings: list[Swing], names: list[str], language: str, *, high: bool) -> dict[str, Any]:
    ends = [swing.at_high if high else swing.at_low for swing in swings]
    values = [swing.range.high if high else swing.range.low for swing in swings]
    return {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "base": [swing.base for swing in swings],
        "x": [end - swing.base for end, swing in zip(ends, swings, strict=True)],
        "name": "high" if high else "low",
        "text": [
            text(
                "chart.swing_told",
                language,
                assumption=text(f"cost.assumption.{swing.name}", language),
                value=format_digits(value, 3),
                usd=format_usd(end),
                base=format_usd(swing.base),
                source=swing.range.figure.provenance.source if swing.range.figure else "–",
            )
            for swing, value, end in zip(swings, values, ends, strict=True)
        ],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": "token:first" if high else "token:second", "opacity": 0.9},
    }


def _line(base: float) -> dict[str, Any]:
    line = {"color": "token:text", "width": 1.5, "dash": "dot"}
    return {"type": "line", "yref": "paper", "x0": base, "x1": base, "y0": 0, "y1": 1, "line": line}


def _note(base: float, language: str) -> dict[str, Any]:
    return {
        "text": text("chart.as_assumed", language, usd=format_usd(base)),
        "x": base,
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12},
    }
