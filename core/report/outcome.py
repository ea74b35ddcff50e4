"""What a report finds, as HTML: costs, charts, bands, when quotes cross, what is paid for what."""

from __future__ import annotations

import math

import numpy as np

from core.cost.bill import LINES
from core.cost.cashflow import cumulative
from core.cost.compare import Row
from core.report.content import Report
from core.report.drawing import bar_chart, line_chart
from core.report.figures import number, percent, usd
from core.report.markup import Html, element, joined, table
from core.text import text

PAIRS = 24
"""Pairs of a purchase and a rent that are told when they cross, at most."""


def results(report: Report, language: str) -> Html:
    """Return what each quote costs, the cheapest by present value first."""
    tokens = any(row.tokens for row in report.rows)
    names = ["quote", "present", "yearly", "gpu_hour", "used_gpu_hour"]
    names += ["per_million", "per_million_input", "per_million_output", "saturated"] if tokens else []
    names += ["kwh_year", "co2_year"]
    rows = [_costs(report.rows[at], tokens) for at in report.order]
    head = [text(f"report.column.{name}", language) for name in names]
    return joined([element("p", text("report.usd", language), class_="muted"), table(head, rows)])


def warnings(report: Report, language: str) -> Html:
    """Return what to be careful of; nothing where there is nothing."""
    told = [
        element("li", element("strong", row.quote.name), ": ", warning.render(language))
        for row in report.rows
        for warning in row.warnings
    ]
    return element("ul", *told, class_="warnings") if told else Html()


def cumulative_chart(report: Report, language: str) -> Html:
    """Return the curves of what was paid up to each month."""
    lines = [[float(one) for one in np.ravel(cumulative(row.bill.total))] for row in report.rows]
    names = [row.quote.name for row in report.rows]
    title = text("report.section.cumulative", language)
    return element("figure", line_chart(title, text("report.month", language), names, lines))


def yearly_chart(report: Report, language: str) -> Html:
    """Return bars of what a year costs, with the band that the draws give."""
    bands = None
    if report.simulation is not None:
        ends = report.simulation.percentiles("yearly", (0.05, 0.95))
        bands = [(float(low), float(high)) for low, high in ends]
    names = [row.quote.name for row in report.rows]
    title = text("report.section.yearly", language)
    chart = bar_chart(title, names, [float(row.yearly) for row in report.rows], bands)
    note = Html() if bands is None else element("p", text("report.whiskers", language), class_="muted")
    return element("figure", chart, note)


def bands(report: Report, language: str) -> Html:
    """Return percentiles of the costs over many draws; nothing without a simulation."""
    if report.simulation is None or report.cheapest_share is None:
        return Html()
    yearly = report.simulation.percentiles("yearly")
    each = report.simulation.percentiles("per_million")
    rows = [
        (
            row.quote.name,
            *(usd(one) for one in yearly[at]),
            *(usd(one) for one in each[at]),
            percent(report.cheapest_share[at]),
        )
        for at, row in enumerate(report.rows)
    ]
    shares = ("5 %", "50 %", "95 %")
    head = [text("report.column.quote", language)]
    head += [
        f"{text(f'report.column.{name}', language)}, {one}"
        for name in ("yearly", "per_million")
        for one in shares
    ]
    head.append(text("report.column.cheapest", language))
    draws = text("report.draws", language, count=report.simulation.yearly.shape[1])
    names = ", ".join(text(f"cost.assumption.{name}", language) for name in report.simulation.draws)
    note = element("p", draws, " ", text("report.varied", language, names=names), class_="muted")
    return joined([note, table(head, rows)])


def break_even(report: Report, language: str) -> Html:
    """Return when each purchase has paid off against each rent; nothing where only one kind is compared."""
    owned = [at for at, row in enumerate(report.rows) if row.quote.is_purchase]
    rented = [at for at, row in enumerate(report.rows) if not row.quote.is_purchase]
    pairs = [(one, other) for one in owned for other in rented]
    rows = [
        (
            report.rows[one].quote.name,
            report.rows[other].quote.name,
            _month(report, one, other, language),
            _share(float(report.comparison.break_even_utilisation(one, other)), language),
        )
        for one, other in pairs[:PAIRS]
    ]
    if not rows:
        return Html()
    names = ("owned", "rented", "month", "utilisation")
    parts: list[object] = [table([text(f"report.column.{name}", language) for name in names], rows, (0, 1))]
    if len(pairs) > PAIRS:
        parts.append(element("p", text("report.more_pairs", language, count=len(pairs) - PAIRS)))
    return joined(parts)


def payments(report: Report, language: str) -> Html:
    """Return what all payments of the horizon are for."""
    used = [name for name in LINES if any(name in row.bill.lines for row in report.rows)]
    rows: list[tuple[object, ...]] = [
        (text(f"cost.line.{name}", language), *(_line(row, name) for row in report.rows)) for name in used
    ]
    rows.append((text("report.total", language), *(usd(row.bill.total.sum()) for row in report.rows)))
    head = [text("report.column.payment", language), *(row.quote.name for row in report.rows)]
    return table(head, rows)


def by_year(report: Report, language: str) -> Html:
    """Return what was paid up to the end of each year."""
    last = report.rows[0].bill.total.shape[-1] - 1
    months = sorted({*range(0, last + 1, 12), last})
    paid = [np.ravel(cumulative(row.bill.total)) for row in report.rows]
    rows = [(f"{month}", *(usd(float(one[month])) for one in paid)) for month in months]
    head = [text("report.column.month_end", language), *(row.quote.name for row in report.rows)]
    return table(head, rows)


def _costs(row: Row, tokens: bool) -> list[object]:
    cells: list[object] = [row.quote.name, usd(row.present), usd(row.yearly), usd(row.gpu_hour)]
    cells.append(usd(row.used_gpu_hour))
    if tokens:
        cells += [usd(getattr(row.tokens, name, None)) for name in ("total", "input", "output", "saturated")]
    return [*cells, number(row.kwh_year, 3), number(row.co2_kg_year, 3)]


def _line(row: Row, name: str) -> str:
    return usd(row.bill.lines[name].sum()) if name in row.bill.lines else "–"


def _month(report: Report, owned: int, rented: int, language: str) -> str:
    month = float(report.comparison.break_even(owned, rented))
    return text("report.never", language) if math.isnan(month) else f"{month:.1f}"


def _share(share: float, language: str) -> str:
    return percent(share) if share <= 1.0 else text("report.rent_always", language)
