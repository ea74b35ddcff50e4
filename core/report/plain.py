"""A report as plain data, for other programs."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from core.cost.cashflow import cumulative
from core.cost.compare import Row
from core.cost.quote import Quote
from core.cost.tokens import TokenCost, Workload
from core.planning.document import program_version
from core.report.content import Assumed, Report
from core.report.figures import finite
from core.text import DEFAULT_LANGUAGE, text

FORMAT = "llm-deployment-planner/report"
"""What the field `format` says."""

VERSION = 1
"""The version of the format."""


def json_report(report: Report, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
    """Return *report* as JSON can carry it: US dollars, months, kWh; None where a number is not known or not finite.

    *language* is that of the warnings and labels; names of fields are the same in all.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "created": report.created.isoformat(timespec="seconds"),
        "program": {"name": "llm-deployment-planner", "version": program_version()},
        "data": dict(report.data),
        "title": report.title or text("report.title", language),
        "horizon_months": report.horizon,
        "assumptions": {one.name: _assumed(one, language) for one in report.assumed},
        "quotes": [_quote(report, at, language) for at in range(len(report.rows))],
        "order": [report.rows[at].quote.name for at in report.order],
        "break_even": _crossings(report),
        "simulation": _simulated(report),
        "plan": None if report.plan is None else dict(report.plan),
    }


def _assumed(one: Assumed, language: str) -> dict[str, Any]:
    told: dict[str, Any] = {"label": one.label.render(language), "value": finite(one.value)}
    if one.range is not None and one.range.figure is not None:
        figure = one.range.figure
        told |= {"low": one.range.low, "typical": figure.typical, "high": one.range.high, "unit": figure.unit}
        proof = figure.provenance
        told |= {"source": proof.source, "as_of": proof.as_of.isoformat(), "confidence": proof.confidence}
    return told


def _quote(report: Report, at: int, language: str) -> dict[str, Any]:
    row = report.rows[at]
    days = report.age(row).days
    return {
        "quote": _stated(row.quote),
        "price_age_days": days,
        "price_is_old": report.age(row).is_old,
        "workload": _workload(report.workloads[at]),
        "results": _results(row),
        "warnings": [
            {"kind": warning.key.rsplit(".", 1)[-1], "message": warning.render(language)}
            for warning in row.warnings
        ],
    }


def _stated(quote: Quote) -> dict[str, Any]:
    stated = {one.name: getattr(quote, one.name) for one in fields(Quote)}
    return stated | {"as_of": None if quote.as_of is None else quote.as_of.isoformat()}


def _workload(load: Workload | None) -> dict[str, Any] | None:
    return None if load is None else {one.name: finite(getattr(load, one.name)) for one in fields(Workload)}


def _results(row: Row) -> dict[str, Any]:
    names = ("present", "yearly", "gpu_hour", "used_gpu_hour", "kwh_year", "co2_kg_year")
    flow = np.ravel(row.bill.total)
    return {
        **{name: finite(getattr(row, name)) for name in names},
        **{name: finite(getattr(row, name)) for name in ("tbs_hour", "pflop_hour", "gib_hour")},
        "per_million_tokens": None
        if row.tokens is None
        else {one.name: finite(getattr(row.tokens, one.name)) for one in fields(TokenCost)},
        "payments": {name: float(line.sum()) for name, line in row.bill.lines.items()},
        "by_month": [float(one) for one in flow],
        "cumulative": [float(one) for one in np.ravel(cumulative(row.bill.total))],
    }


def _crossings(report: Report) -> list[dict[str, Any]]:
    """Return when each purchase has cost as much as each rent."""
    owned = [at for at, row in enumerate(report.rows) if row.quote.is_purchase]
    rented = [at for at, row in enumerate(report.rows) if not row.quote.is_purchase]
    return [
        {
            "owned": report.rows[one].quote.name,
            "rented": report.rows[other].quote.name,
            "month": finite(report.comparison.break_even(one, other)),
            "utilisation": finite(report.comparison.break_even_utilisation(one, other)),
        }
        for one in owned
        for other in rented
    ]


def _simulated(report: Report) -> dict[str, Any] | None:
    """Return percentiles over the draws, by the names of the quotes in their order."""
    if report.simulation is None or report.cheapest_share is None:
        return None
    yearly, each = (report.simulation.percentiles(one) for one in ("yearly", "per_million"))
    return {
        "draws": int(report.simulation.yearly.shape[1]),
        "varied": list(report.simulation.draws),
        "percentiles": [5, 50, 95],
        "yearly": [[finite(one) for one in row] for row in yearly],
        "per_million_tokens": [[finite(one) for one in row] for row in each],
        "cheapest_share": list(report.cheapest_share),
    }
