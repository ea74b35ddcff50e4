"""Quotes as CSV and XLSX, and templates to fill in; what is written is read again as the same quotes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from core.cost.quote import Quote
from core.quotes.columns import COLUMNS, Column
from core.quotes.fields import tidy
from core.quotes.heading import MOST_ROWS
from core.quotes.table import Cell
from core.text import DEFAULT_LANGUAGE, text

SHEET = "Quotes"

EXAMPLES = (
    Quote(
        name="Example: rent, delete this row",
        kind="on_demand",
        gpu="h100-sxm-80",
        nodes=1,
        gpus_per_node=8,
        price=2.5,
        region="us-east-1",
        as_of=date(2026, 5, 31),
        source="Vendor A",
    ),
    Quote(
        name="Example: purchase, delete this row",
        kind="purchase",
        gpu="h200-sxm",
        nodes=2,
        gpus_per_node=8,
        price=285000.0,
        per="node",
        period="once",
        currency="EUR",
        usd_rate=1.1,
        tax=0.19,
        delivery_days=60,
        as_of=date(2026, 5, 31),
        source="Vendor B",
        notes="Rack and power not included",
    ),
)
"""The rows of a template."""

_RISKY = re.compile(r"'*\s*[=+\-@\t\r]")
_SHORTENED = 32_000
"""Characters of a cell; a workbook holds 32,767."""


def rows_of(quotes: Sequence[Quote]) -> list[dict[str, Cell]]:
    """Return *quotes* as rows by column key, as a page's editor takes them and `checked` reads them."""
    return [{column.key: getattr(quote, column.key) for column in COLUMNS} for quote in quotes]


def csv_of(quotes: Sequence[Quote], language: str = DEFAULT_LANGUAGE) -> bytes:
    """Return *quotes* as CSV with commas, in UTF-8 with a byte order mark, so that spreadsheets read Chinese."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow([_header(column, language) for column in COLUMNS])
    for row in rows_of(quotes):
        writer.writerow([_plain(row[column.key]) for column in COLUMNS])
    return lines.getvalue().encode("utf-8-sig")


def xlsx_of(quotes: Sequence[Quote], language: str = DEFAULT_LANGUAGE) -> bytes:
    """Return *quotes* as a workbook with typed cells, lists of the allowed values and a comment at each header."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = SHEET
    _write_header(sheet, language)
    for line, row in enumerate(rows_of(quotes), start=2):
        for place, column in enumerate(COLUMNS, start=1):
            _write_cell(sheet.cell(line, place), row[column.key])
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{max(2, len(quotes) + 1)}"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def csv_template(language: str = DEFAULT_LANGUAGE) -> bytes:
    """Return a CSV with two example rows to overwrite."""
    return csv_of(EXAMPLES, language)


def xlsx_template(language: str = DEFAULT_LANGUAGE) -> bytes:
    """Return a workbook with two example rows to overwrite."""
    return xlsx_of(EXAMPLES, language)


def safe(value: str) -> str:
    """Return *value* such that no spreadsheet takes it for a formula; reading takes the apostrophe away again.

    >>> safe("=1+1"), safe("a=1")
    ("'=1+1", 'a=1')
    """
    clean = tidy(value)
    return f"'{clean}" if _RISKY.match(clean) else clean


def _header(column: Column, language: str) -> str:
    return text(column.label.key, language)


def _plain(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return safe(value)
    return value.isoformat() if isinstance(value, date) else repr(value)


def _write_header(sheet: Any, language: str) -> None:
    for place, column in enumerate(COLUMNS, start=1):
        cell = sheet.cell(1, place, _header(column, language))
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.comment = Comment(text(column.help.key, language), "")
        letters = get_column_letter(place)
        sheet.column_dimensions[letters].width = 28 if column.key in ("name", "notes") else 14
        rule = _rule(column)
        if rule is not None:
            rule.add(f"{letters}2:{letters}{MOST_ROWS}")
            sheet.add_data_validation(rule)


def _rule(column: Column) -> DataValidation | None:
    """Return what a spreadsheet lets be typed into *column*; None where that is anything.

    A currency may be another than those of the list, so the list only proposes there.
    """
    if column.type == "choice":
        strict = column.key != "currency"
        quoted = f'"{",".join(column.choices)}"'
        return DataValidation(type="list", formula1=quoted, allow_blank=True, showErrorMessage=strict)
    if column.type not in ("count", "number"):
        return None
    return DataValidation(
        type="whole" if column.type == "count" else "decimal",
        operator="between",
        formula1=f"{column.least:g}",
        formula2=f"{column.most:.0f}",
        allow_blank=True,
        showErrorMessage=True,
    )


def _write_cell(cell: Any, value: Cell) -> None:
    if value is None or value == "":
        return
    if isinstance(value, str):
        cell.value = safe(value)[:_SHORTENED]
        cell.data_type = "s"
    elif isinstance(value, float) and float(f"{value:.16g}") != value:
        cell.value = repr(value)  # openpyxl itself would keep 16 digits
        cell.data_type = "n"
    else:
        cell.value = value
        if isinstance(value, date):
            cell.number_format = "yyyy-mm-dd"
