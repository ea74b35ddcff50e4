"""A table as it was read from a file, and one of its rows as a mapping that knows where it stood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from core.text import Sentence, say


@dataclass(frozen=True)
class Unread:
    """A cell whose value is not in the file: a formula that no program has worked out. `sentence` says so."""

    sentence: Sentence


Cell = str | int | float | bool | date | Unread | None
"""What a cell holds; None where it is empty."""


@dataclass(frozen=True)
class Table:
    """The rows of a file below its header.

    headers   unique names, those of two-row headers joined by " / ", a letter where a column has none
    rows      the cells, as many a row as there are headers
    lines     the row's number in the file, 1 the first
    notes     what a reader of the file should know: encoding, formulas, merged cells, hidden sheets
    sheet     its name and `sheets` the names of all, for a workbook, else None and ()
    columns   where each header stands in the file, 1 the first
    broken    rows, by index, whose cells cannot be told apart, and why
    separator of a CSV, else None
    currencies   the currency that a workbook's number format shows, by (row, place of the header)
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    lines: tuple[int, ...]
    notes: tuple[Sentence, ...] = ()
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()
    broken: Mapping[int, Sentence] = field(default_factory=dict)
    separator: str | None = None
    currencies: Mapping[tuple[int, int], str] = field(default_factory=dict)

    def place(self, row: int, header: str | None) -> Sentence:
        """Return where a cell, or a whole *row* where *header* is None, stands: "C7", or "Line 7, column 'Price'"."""
        line = self.lines[row]
        if header is None:
            return say("quotes.place.line" if self.sheet is None else "quotes.place.row", line=line)
        if self.sheet is None:
            return say("quotes.place.cell", line=line, header=header)
        return say(
            "quotes.place.sheet_cell", cell=f"{letter(self.columns[self.headers.index(header)])}{line}"
        )


class Row(dict[str, Cell]):
    """Cells of a row of *table* by column key, and where they stood; `checked` tells it in its faults.

    `decimal` is the sign before the fraction in the table's numbers, None where the table does not say.
    `stated` are the columns that the header of the price, or a number format, filled for want of a cell.
    """

    def __init__(
        self,
        cells: Mapping[str, Cell],
        table: Table,
        index: int,
        mapping: Mapping[str, str],
        *,
        decimal: str | None = None,
        stated: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(cells)
        self.table, self.index, self.mapping = table, index, mapping
        self.decimal, self.stated = decimal, stated

    @property
    def broken(self) -> Sentence | None:
        """Why the row cannot be read at all, else None."""
        return self.table.broken.get(self.index)

    def place(self, column: str | None) -> Sentence:
        """Return where the cell of *column* stood."""
        header = self.mapping.get(column) if column else None
        return self.table.place(self.index, header)


def letter(number: int) -> str:
    """Return the letters of a spreadsheet's column, 1 the first.

    >>> letter(1), letter(27)
    ('A', 'AA')
    """
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
