"""Quotes as CSV and XLSX, and templates to fill in."""

from __future__ import annotations

from collections.abc import Sequence

from core.cost.quote import Quote
from core.quotes.table import Cell
from core.text import DEFAULT_LANGUAGE


def rows_of(quotes: Sequence[Quote]) -> list[dict[str, Cell]]:
    """Return *quotes* as rows by column key, as a page's editor takes them and `checked` reads them."""
    raise NotImplementedError


def csv_of(quotes: Sequence[Quote], language: str = DEFAULT_LANGUAGE) -> bytes:
    """Return *quotes* as CSV with commas, in UTF-8 with a byte order mark, so that spreadsheets read Chinese."""
    raise NotImplementedError


def xlsx_of(quotes: Sequence[Quote], language: str = DEFAULT_LANGUAGE) -> bytes:
    """Return *quotes* as a workbook with typed cells, lists of the allowed values and a comment at each header."""
    raise NotImplementedError


def csv_template(language: str = DEFAULT_LANGUAGE) -> bytes:
    """Return a CSV with two example rows to overwrite."""
    raise NotImplementedError


def xlsx_template(language: str = DEFAULT_LANGUAGE) -> bytes:
    """Return a workbook with two example rows to overwrite."""
    raise NotImplementedError
