"""Tables of quotes: read from CSV and XLSX, checked row by row, written, and list prices as quotes.

A page goes: `read_table` -> `guess_mapping` (shown, edited) -> `mapped` -> `checked`, then `csv_of` or `xlsx_of`.
"""

from core.quotes.checking import Checked, Fault, checked
from core.quotes.columns import COLUMNS, CURRENCIES, Column, column
from core.quotes.mapping import Guess, guess_mapping, mapped, unmapped
from core.quotes.reading import read_table
from core.quotes.table import Cell, Row, Table, Unread
from core.quotes.writing import csv_of, csv_template, rows_of, xlsx_of, xlsx_template

__all__ = [
    "COLUMNS",
    "CURRENCIES",
    "Cell",
    "Checked",
    "Column",
    "Fault",
    "Guess",
    "Row",
    "Table",
    "Unread",
    "checked",
    "column",
    "csv_of",
    "csv_template",
    "guess_mapping",
    "mapped",
    "read_table",
    "rows_of",
    "unmapped",
    "xlsx_of",
    "xlsx_template",
]
