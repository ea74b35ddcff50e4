"""The sheet of cash flows: a column for each month, a block of rows for each quote."""

from __future__ import annotations

from openpyxl.utils import column_index_from_string, get_column_letter

from core.cost.bill import LINES
from core.report import formulas
from core.report.cells import HEAD, PLAIN, USD, Formula, head, put, title, widths
from core.report.layout import FIRST, FLOWS, Book
from core.text import text


def write_flows(book: Book) -> None:
    """Write all payments month by month, below what months are."""
    sheet = book.sheets["flows"]
    title(sheet, book.words("sheet.flows"), book.words("flows_note"))
    head(sheet, FIRST - 1, [book.words(f"column.{name}") for name in ("quote", "line", "sum")])
    for place, name in enumerate(formulas.MONTHS):
        put(sheet, FIRST + place, 2, book.words(f"flow.{name}"))
    for month in range(book.months + 1):
        _write_month(book, month)
    for at in range(len(book.report.rows)):
        _write_flow_names(book, at)
    widths(sheet, 24, 13, 3)
    sheet.column_dimensions["B"].width = 34
    sheet.freeze_panes = f"{get_column_letter(FIRST)}{FIRST + 1}"


def _write_flow_names(book: Book, at: int) -> None:
    sheet = book.sheets["flows"]
    start, end = get_column_letter(FIRST), get_column_letter(FIRST + book.months)
    for name in FLOWS:
        row = book.flow_row(at, name)
        put(sheet, row, 1, Formula(book.q(at, "name")))
        key = f"cost.line.{name}" if name in LINES else f"report.flow.{name}"
        put(sheet, row, 2, text(key, book.language))
        if name not in ("busy", "busy_full", "cumulative"):
            put(sheet, row, 3, Formula(f"SUM({start}{row}:{end}{row})"), USD)
        if name in ("total", "cumulative"):
            sheet.cell(row, 2).font = HEAD


def _write_month(book: Book, month: int) -> None:
    """Write the column of one month: what it is, and the payments of every quote."""
    sheet, column = book.sheets["flows"], FIRST + month
    letter = get_column_letter(column)

    def g(name: str) -> str:
        return f"{letter}${FIRST + formulas.MONTHS.index(name)}"

    put(sheet, FIRST, column, month)
    for name, formula in formulas.of_month(g, book.a).items():
        put(sheet, FIRST + formulas.MONTHS.index(name), column, Formula(formula))
    for at in range(len(book.report.rows)):
        own = _own(book, at, letter, g)
        for name in FLOWS:
            form = PLAIN if name.startswith("busy") else USD
            put(sheet, book.flow_row(at, name), column, Formula(own[name]), form)


def _own(book: Book, at: int, letter: str, g: formulas.Cell) -> dict[str, str]:
    """Return the formulas of one quote in the month whose column is *letter*."""

    def q(name: str) -> str:
        return book.q(at, name)

    def own(name: str) -> str:
        return f"{letter}{book.flow_row(at, name)}"

    before = f"{get_column_letter(column_index_from_string(letter) - 1)}{book.flow_row(at, 'cumulative')}+"
    return {
        **formulas.of_line(q, book.a, g, own),
        "total": f"SUM({own(LINES[0])}:{own(LINES[-1])})",
        "cumulative": ("" if letter == get_column_letter(FIRST) else before) + own("total"),
        "present": f"{own('total')}*{g('discount')}",
    }
