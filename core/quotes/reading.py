"""Files with quotes, CSV and XLSX, as tables."""

from __future__ import annotations

from core.quotes.table import Table

MOST_BYTES = 50_000_000
"""Size of a file, at most."""


def read_table(content: bytes, filename: str, sheet: str | None = None) -> Table:
    """Return the table of a CSV or XLSX file; of *sheet*, by default the first sheet that holds a table.

    Raises:
        BadRequest: not such a file, too large, broken, or without a table; the message says what to do.
    """
    raise NotImplementedError
