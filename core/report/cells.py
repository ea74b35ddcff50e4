"""Cells of a workbook: what a user wrote stays text, formulas are ours alone."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill

TITLE = Font(bold=True, size=14)
HEAD = Font(bold=True)
NOTE = Font(italic=True, color="64748B")
INPUT = PatternFill("solid", fgColor="FEF9C3")
"""Cells that are meant to be changed."""

USD = '#,##0;-#,##0;"–"'
CENTS = "#,##0.0000"
PLAIN = "General"
DAY = "yyyy-mm-dd"

LONGEST = 32_000
"""Characters of a cell; a workbook holds 32,767."""


class Formula(str):
    """A formula of ours; any other text is written as text."""

    __slots__ = ()


def put(
    sheet: Any, row: int, column: int, value: object, form: str = PLAIN, *, changes: bool = False
) -> None:
    """Write *value* into a cell: `Formula`, number, day or text; None and what is not a number leave it empty.

    Text is never taken for a formula, whatever it begins with, also after it was edited.
    """
    cell = sheet.cell(row, column)
    if isinstance(value, Formula):
        cell.value = f"={value}"
    elif isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)[:LONGEST]
        cell.data_type = "s"
        cell.quotePrefix = cell.value[:1] in "=+-@\t\r"
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    elif isinstance(value, bool | date) or value is None:
        cell.value = value
    elif isinstance(value, int | float):
        cell.value = value if math.isfinite(value) else None
    if isinstance(value, date):
        form = DAY
    if form != PLAIN:
        cell.number_format = form
    if changes:
        cell.fill = INPUT


def title(sheet: Any, told: str, note: str) -> None:
    """Write the first two rows of *sheet*."""
    for row, (value, font) in enumerate(((told, TITLE), (note, NOTE)), start=1):
        put(sheet, row, 1, value)
        sheet.cell(row, 1).font = font
        sheet.cell(row, 1).alignment = Alignment(wrap_text=False)


def head(sheet: Any, row: int, names: list[str], column: int = 1) -> None:
    """Write *names* as the heads of columns."""
    for at, name in enumerate(names, start=column):
        put(sheet, row, at, name)
        sheet.cell(row, at).font = HEAD


def widths(sheet: Any, first: float, others: float, count: int) -> None:
    """Set the widths of the first and of *count* columns in all."""
    for at in range(1, count + 1):
        letter = sheet.cell(1, at).column_letter
        sheet.column_dimensions[letter].width = first if at == 1 else others
