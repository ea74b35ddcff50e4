"""Where everything is in a workbook: the addresses that formulas use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from openpyxl.utils import get_column_letter

from core.cost.bill import LINES
from core.report import formulas
from core.report.content import Report
from core.text import text

MOST_MONTHS = 60
"""Months that a workbook has columns for, so that a longer horizon can be typed in; more where it is longer now."""

STATED = (
    *(
        "name",
        "kind",
        "gpu",
        "nodes",
        "gpus_per_node",
        "price",
        "per",
        "period",
        "currency",
        "usd_rate",
        "tax",
    ),
    *("spot_high", "hours_per_day", "commitment_months", "delivery_days", "egress_usd_gb"),
    *("storage_usd_gb_month", "region", "as_of", "source", "notes"),
)
"""Fields of a quote, in the order of their rows."""

SERVED = ("watts", "input_tokens", "output_tokens", "stable", "rate")
"""What a GPU draws and what the GPUs serve."""

USED = frozenset(STATED) - {"name", "gpu", "currency", "spot_high", "delivery_days", "region", "as_of"}
FLOWS = (*formulas.HOURS, *LINES, "total", "cumulative", "present", *formulas.FULL)
"""Rows of a quote on the sheet of cash flows."""

FIRST = 4
"""Row, and on the sheet of cash flows column, of the first value."""


@dataclass(frozen=True)
class Book:
    """A workbook in the making: what it tells, its sheets by name, and where on them everything is."""

    report: Report
    language: str
    sheets: dict[str, Any]

    def words(self, key: str, **values: Any) -> str:
        """Return a sentence of the section `report`."""
        return text(f"report.{key}", self.language, **values)

    def at(self, sheet: str, column: int, row: int) -> str:
        """Return the address of a cell, the same wherever it is used."""
        return f"'{self.sheets[sheet].title}'!${get_column_letter(column)}${row}"

    @cached_property
    def assumed(self) -> dict[str, str]:
        """The cells of the assumptions, and of what follows from them."""
        names = [one.name for one in self.report.assumed]
        places = dict(enumerate(names, start=FIRST))
        places |= dict(enumerate(formulas.DERIVED_ASSUMPTIONS, start=FIRST + len(names) + 2))
        return {name: self.at("assumptions", 2, row) for row, name in places.items()}

    @cached_property
    def quoted(self) -> tuple[dict[str, str], ...]:
        """The cells of the fields of each quote, and of what follows from them."""
        names = (*STATED, *SERVED, *formulas.DERIVED_QUOTE)
        columns = range(2, 2 + len(self.report.rows))
        return tuple({name: self.at("quotes", at, quote_row(name)) for name in names} for at in columns)

    def a(self, name: str) -> str:
        """Return the cell of an assumption, or of what follows from them."""
        return self.assumed[name]

    def q(self, quote: int, name: str) -> str:
        """Return the cell of a field of a quote, or of what follows from it."""
        return self.quoted[quote][name]

    @property
    def months(self) -> int:
        """The last month that has a column."""
        return max(MOST_MONTHS, int(np.ceil(self.report.horizon)))

    def flow_row(self, quote: int, name: str) -> int:
        """Return the row of a line of a quote on the sheet of cash flows."""
        return FIRST + len(formulas.MONTHS) + 1 + quote * (len(FLOWS) + 1) + FLOWS.index(name)

    def total(self, quote: int, name: str) -> str:
        """Return the cell with the sum of a line over all months."""
        return self.at("flows", 3, self.flow_row(quote, name))


def quote_row(name: str) -> int:
    """Return the row of a field of a quote, or of what follows from it."""
    every = (*STATED, *SERVED, "", *formulas.DERIVED_QUOTE)
    return FIRST + every.index(name)
