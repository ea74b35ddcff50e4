"""A report as a workbook that recalculates: change a price or an assumption, and the costs follow."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from openpyxl import Workbook
from openpyxl.chart import LineChart, Reference
from openpyxl.chart.data_source import StrRef
from openpyxl.chart.series import SeriesLabel
from openpyxl.chart.series_factory import SeriesFactory
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from core.cost.compare import Row
from core.cost.quote import KINDS, PERIODS, PERS
from core.report import formulas
from core.report.cells import CENTS, HEAD, USD, Formula, head, put, title, widths
from core.report.content import Report
from core.report.figures import finite
from core.report.flows import write_flows
from core.report.layout import FIRST, SERVED, STATED, USED, Book, quote_row
from core.report.proofs import write_sources
from core.text import DEFAULT_LANGUAGE, text


def xlsx_report(report: Report, language: str = DEFAULT_LANGUAGE) -> bytes:
    """Return *report* as an XLSX file whose totals are formulas of the quotes and assumptions in it.

    Percentiles of draws are numbers: a spreadsheet does not draw them again.
    """
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    names = ("quotes", "assumptions", "results", "flows", "sources")
    sheets = {name: workbook.create_sheet(text(f"report.sheet.{name}", language)) for name in names}
    book = Book(report, language, sheets)
    _write_quotes(book)
    _write_assumptions(book)
    _write_results(book)
    write_flows(book)
    write_sources(book)
    workbook.active = names.index("results")
    workbook.calculation.fullCalcOnLoad = True
    workbook.properties.title = report.title or text("report.title", language)
    workbook.properties.creator = "LLM Deployment Planner"
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def _write_quotes(book: Book) -> None:
    sheet = book.sheets["quotes"]
    title(sheet, book.words("sheet.quotes"), book.words("change_yellow"))
    for name in STATED:
        put(sheet, quote_row(name), 1, text(f"quotes.column.{name}", book.language))
    for name in SERVED:
        put(sheet, quote_row(name), 1, book.words(f"column.{name}"))
    for name in formulas.DERIVED_QUOTE:
        put(sheet, quote_row(name), 1, book.words(f"derived.{name}"))
    for at, row in enumerate(book.report.rows):
        _write_quote(book, at, row)
    _offer_choices(sheet, len(book.report.rows))
    widths(sheet, 44, 22, len(book.report.rows) + 1)
    sheet.freeze_panes = "B5"


def _write_quote(book: Book, at: int, row: Row) -> None:
    sheet, column, load = book.sheets["quotes"], 2 + at, book.report.workloads[at]
    for name in STATED:
        value = getattr(row.quote, name)
        put(sheet, quote_row(name), column, value if value != "" else None, changes=name in USED)
    put(sheet, quote_row("watts"), column, row.device.watts, changes=True)
    for name in SERVED[1:]:
        served = None if load is None else finite(getattr(load, name))
        put(sheet, quote_row(name), column, served, changes=True)
    derived = formulas.of_quote(lambda name: book.q(at, name), book.a)
    for name in formulas.DERIVED_QUOTE:
        put(sheet, quote_row(name), column, Formula(derived[name]), CENTS)
    sheet.cell(quote_row("name"), column).font = HEAD


def _offer_choices(sheet: Any, count: int) -> None:
    for name, choices in (("kind", KINDS), ("per", PERS), ("period", PERIODS)):
        rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"', showErrorMessage=True)
        row = quote_row(name)
        rule.add(f"B{row}:{get_column_letter(1 + count)}{row}")
        sheet.add_data_validation(rule)


def _write_assumptions(book: Book) -> None:
    sheet = book.sheets["assumptions"]
    title(sheet, book.words("sheet.assumptions"), book.words("change_yellow"))
    names = ("assumption", "value", "low", "typical", "high", "unit", "as_of", "confidence", "source")
    head(sheet, FIRST - 1, [book.words(f"column.{name}") for name in names])
    for row, one in enumerate(book.report.assumed, start=FIRST):
        put(sheet, row, 1, one.label.render(book.language))
        put(sheet, row, 2, one.value, changes=True)
        figure = None if one.range is None else one.range.figure
        if one.range is not None and figure is not None:
            proof = figure.provenance
            told: tuple[object, ...] = (
                one.range.low,
                figure.typical,
                one.range.high,
                figure.unit,
                proof.as_of,
            )
            confidence = book.words(f"confidence.{proof.confidence}")
            for column, value in enumerate((*told, confidence, proof.source), start=3):
                put(sheet, row, column, value)
    first = FIRST + len(book.report.assumed) + 1
    put(sheet, first, 1, book.words("follows"))
    sheet.cell(first, 1).font = HEAD
    derived = formulas.of_assumptions(book.a)
    for row, name in enumerate(formulas.DERIVED_ASSUMPTIONS, start=first + 1):
        put(sheet, row, 1, book.words(f"derived.{name}"))
        put(sheet, row, 2, Formula(derived[name]))
    _limit_horizon(book)
    widths(sheet, 48, 14, 9)
    sheet.freeze_panes = f"B{FIRST}"


def _limit_horizon(book: Book) -> None:
    """Refuse months that the sheet of cash flows has no column for."""
    told = book.words("months_at_most", months=book.months)
    rule = DataValidation(type="decimal", operator="between", formula1="1", formula2=str(book.months))
    rule.error, rule.showErrorMessage = told, True
    rule.add(f"B{FIRST}")
    book.sheets["assumptions"].add_data_validation(rule)


def _write_results(book: Book) -> None:
    sheet, rows = book.sheets["results"], book.report.rows
    title(sheet, book.report.title or book.words("title"), book.words("live"))
    names = [row.quote.name for row in rows]
    head(sheet, FIRST - 1, [book.words("column.quantity")])
    for at in range(len(rows)):
        put(sheet, FIRST - 1, 2 + at, Formula(book.q(at, "name")))
        sheet.cell(FIRST - 1, 2 + at).font = HEAD
    for place, name in enumerate(formulas.RESULTS):
        put(sheet, FIRST + place, 1, book.words(f"column.{name}"))
    for at in range(len(rows)):
        _write_result(book, at)
    first = FIRST + len(formulas.RESULTS) + 1
    put(sheet, first, 1, book.words("as_computed", created=book.report.created.isoformat(" ", "minutes")))
    head(sheet, first, names, 2)
    for place, name in enumerate(formulas.RESULTS):
        put(sheet, first + 1 + place, 1, book.words(f"column.{name}"))
        for at, row in enumerate(rows):
            put(sheet, first + 1 + place, 2 + at, computed(row)[name], _form(name))
    last = _write_bands(book, first + len(formulas.RESULTS) + 2)
    sheet.add_chart(_chart(book), f"A{last + 2}")
    widths(sheet, 48, 22, len(rows) + 1)
    sheet.freeze_panes = f"B{FIRST}"


def _write_result(book: Book, at: int) -> None:
    sheet = book.sheets["results"]
    found = formulas.of_results(lambda name: book.q(at, name), book.a, lambda name: book.total(at, name))
    each = book.at("results", 2 + at, FIRST + formulas.RESULTS.index("per_million"))
    for place, name in enumerate(formulas.RESULTS):
        formula = found[name].replace("{per_million}", each)
        put(sheet, FIRST + place, 2 + at, Formula(formula), _form(name))


def computed(row: Row) -> dict[str, float | None]:
    """Return the results of *row* by the names of `formulas.RESULTS`, as core.cost has them."""
    tokens = row.tokens
    found = {
        "sum": row.bill.total.sum(),
        "yearly": row.yearly,
        "present": row.present,
        "gpu_hour": row.gpu_hour,
        "used_gpu_hour": row.used_gpu_hour,
        "per_million": tokens and tokens.total,
        "per_million_input": tokens and tokens.input,
        "per_million_output": tokens and tokens.output,
        "saturated": tokens and tokens.saturated,
        "kwh_year": row.kwh_year,
        "co2_year": row.co2_kg_year,
    }
    return {name: finite(value) for name, value in found.items()}


def _form(name: str) -> str:
    return USD if name in ("sum", "yearly", "present", "kwh_year", "co2_year") else CENTS


def _write_bands(book: Book, first: int) -> int:
    """Write percentiles over the draws, numbers that do not recalculate; return the last row."""
    simulation = book.report.simulation
    if simulation is None:
        return first
    sheet = book.sheets["results"]
    put(sheet, first, 1, book.words("draws_fixed", count=simulation.yearly.shape[1]))
    sheet.cell(first, 1).font = HEAD
    row = first
    for measure, name in (("yearly", "yearly"), ("per_million", "per_million")):
        found = simulation.percentiles("yearly" if measure == "yearly" else "per_million")
        for place, share in enumerate(("5 %", "50 %", "95 %")):
            row += 1
            put(sheet, row, 1, f"{book.words(f'column.{name}')}, {share}")
            for at in range(len(book.report.rows)):
                put(sheet, row, 2 + at, finite(found[at][place]), _form(name))
    return row


def _chart(book: Book) -> LineChart:
    """Return curves of what was paid up to each month, which follow the cells."""
    sheet, chart = book.sheets["flows"], LineChart()
    last = FIRST + int(np.ceil(book.report.horizon))
    chart.title, chart.height, chart.width = book.words("section.cumulative"), 9, 24
    for at in range(len(book.report.rows)):
        row = book.flow_row(at, "cumulative")
        line = SeriesFactory(Reference(sheet, min_col=FIRST, max_col=last, min_row=row, max_row=row))
        line.tx = SeriesLabel(strRef=StrRef(f=book.q(at, "name")))
        line.smooth = False
        chart.series.append(line)
    months = Reference(sheet, min_col=FIRST, max_col=last, min_row=FIRST, max_row=FIRST)
    chart.set_categories(months)
    chart.x_axis.title, chart.y_axis.title = book.words("month"), "USD"
    chart.x_axis.delete = chart.y_axis.delete = False
    return chart
