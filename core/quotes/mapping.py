"""Which header of a table is which column of a quote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.quotes.table import Row, Table

SURE = 0.5
"""Confidence from which a guess is taken without asking."""


@dataclass(frozen=True)
class Guess:
    """The header that probably holds a column, and how sure that is: 1 where it is spelled as known."""

    header: str
    confidence: float


def guess_mapping(table: Table) -> dict[str, Guess]:
    """Return for each column key the header of *table* that probably holds it; columns without one are left out."""
    raise NotImplementedError


def mapped(table: Table, mapping: Mapping[str, str] | None = None) -> tuple[Row, ...]:
    """Return the rows of *table* by column key, after *mapping* (column key -> header), by default as guessed.

    Raises:
        BadRequest: a column or header that does not exist, or no header for the GPU or the price.
    """
    raise NotImplementedError


def unmapped(table: Table, mapping: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the headers of *table* that *mapping*, by default the guess, does not use."""
    raise NotImplementedError
