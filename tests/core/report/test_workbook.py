"""The formulas of the workbook give our numbers, also after somebody changed what they rest on."""

from __future__ import annotations

import io
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from core.cost.assumptions import Assumptions
from core.cost.cashflow import cumulative
from core.cost.compare import compare
from core.cost.quote import Quote
from core.report import Report, formulas, xlsx_report
from core.report.layout import FIRST, Book, quote_row
from core.report.workbook import computed
from core.text import text
from tests.core.cost.quotes import any_quote
from tests.core.report.reports import ASSUMED, LOADS, NOW, QUOTES, made
from tests.core.report.spreadsheet import Spreadsheet

RISKY = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://a","b")', "=cmd|' /C calc'!A0")


def results(sheet: Spreadsheet, quote: int, language: str = "en") -> dict[str, float | None]:
    """Return what the formulas of the sheet of results say of *quote*; an empty text is nothing."""
    name = text("report.sheet.results", language)
    letter = chr(ord("B") + quote)
    found = {key: sheet.value(name, f"{letter}{FIRST + at}") for at, key in enumerate(formulas.RESULTS)}
    return {key: None if value == "" else value for key, value in found.items()}


def change(sheet: Spreadsheet, at: int, quote: Quote, assumptions: Assumptions) -> None:
    """Type *quote* in place of quote number *at*, and *assumptions*, into the cells meant for it."""
    letter = chr(ord("B") + at)
    for one in ("kind", "nodes", "gpus_per_node", "price", "per", "period", "tax", "usd_rate"):
        sheet.change("Quotes", f"{letter}{quote_row(one)}", getattr(quote, one))
    for one in ("hours_per_day", "commitment_months", "egress_usd_gb", "storage_usd_gb_month"):
        sheet.change("Quotes", f"{letter}{quote_row(one)}", getattr(quote, one))
    for row, field in enumerate(fields(Assumptions), start=FIRST):
        sheet.change("Assumptions", f"B{row}", getattr(assumptions, field.name))


def known(report: Report, at: int) -> dict[str, float | None]:
    return {
        name: value and pytest.approx(value, rel=1e-9) for name, value in computed(report.rows[at]).items()
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_formulas_give_our_numbers(language: str) -> None:
    report = made()
    sheet = Spreadsheet(xlsx_report(report, language))
    for at in range(len(QUOTES)):
        assert results(sheet, at, language) == known(report, at)


def test_each_month_is_ours() -> None:
    report = made()
    sheet = Spreadsheet(xlsx_report(report))
    book = Book(report, "en", {})
    for at, row in enumerate(report.rows):
        line = book.flow_row(at, "cumulative")
        paid = list(sheet.cells("Cash flow", f"D{line}:AQ{line}"))
        assert paid == pytest.approx([float(one) for one in cumulative(row.bill.total)], abs=1e-6)


assumed = st.builds(
    replace,
    st.just(ASSUMED),
    horizon_months=st.floats(1.0, 60.0),
    financing_months=st.sampled_from((0.0, 12.0, 36.0)),
    financing_rate=st.sampled_from((0.0, 0.08)),
    depreciation_years=st.sampled_from((1.5, 3.0, 5.0)),
    utilisation=st.floats(0.05, 1.0),
    price=st.floats(0.5, 2.0),
)


@settings(max_examples=12, deadline=None)
@given(quote=any_quote, assumptions=assumed)
def test_what_is_changed_is_followed(quote: Quote, assumptions: Assumptions) -> None:
    sheet = Spreadsheet(xlsx_report(made(QUOTES[:1], loads=LOADS[2:3])))
    changed = replace(quote, gpu=QUOTES[0].gpu)
    change(sheet, 0, changed, assumptions)
    row = compare([changed], assumptions, LOADS[2:3]).rows[0]
    expected = {name: value and pytest.approx(value, rel=1e-8) for name, value in computed(row).items()}
    assert results(sheet, 0) == expected


def test_what_a_user_wrote_is_never_a_formula() -> None:
    quotes = [replace(QUOTES[1], name=one, source=one, notes=one, region=one) for one in RISKY]
    book = load_workbook(io.BytesIO(xlsx_report(made(quotes, loads=[None] * len(quotes), title=RISKY[0]))))
    ours = ("IF(", "MIN(", "MAX(", "SUM(", "INT(", "(1+", "12*", "-'", "'")
    for sheet in book.worksheets:
        for cell in (one for row in sheet.iter_rows() for one in row if one.data_type == "f"):
            assert not any(risky in cell.value for risky in RISKY[3:]), cell.coordinate
            assert cell.value.startswith("=")
            assert cell.value[1:].startswith(ours) or cell.value[1].isalpha(), cell.value
    at = quote_row("name")
    cells = [book["Quotes"].cell(at, 2 + number) for number in range(len(RISKY))]
    assert [cell.value for cell in cells] == list(RISKY)
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in cells)


def test_odd_text_does_not_break_the_file() -> None:
    odd = replace(QUOTES[0], name="a\x00b\x1f", notes="x" * 40_000, source="行\U0001f600")
    book = load_workbook(io.BytesIO(xlsx_report(made([odd], loads=[None]))))
    assert book["Quotes"].cell(quote_row("name"), 2).value == "ab"
    assert len(book["Quotes"].cell(quote_row("notes"), 2).value) == 32_000


def test_sheets_and_sources() -> None:
    book = load_workbook(io.BytesIO(xlsx_report(made(draws=200))))
    assert book.sheetnames == ["Quotes", "Assumptions", "Results", "Cash flow", "Sources"]
    assert book.calculation.fullCalcOnLoad
    told = [str(one.value) for row in book["Sources"].iter_rows() for one in row if one.value is not None]
    assert any("21 days" in one for one in told)
    assert any("205 days" in one for one in told)
    assert "hardware_db/ownership.csv" in told
    assert f"{NOW:%Y-%m-%d}" in told[1]


def test_a_long_horizon_has_its_columns() -> None:
    report = made(QUOTES[:1], replace(ASSUMED, horizon_months=90.0), LOADS[:1])
    assert results(Spreadsheet(xlsx_report(report)), 0) == known(report, 0)
