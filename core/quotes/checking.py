"""Rows of a table as quotes: what is good is kept, and whatever was changed, assumed or refused is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from core.cost.quote import Quote
from core.text import Sentence, say

Level = Literal["error", "warning", "note"]
"""error: the row gives no quote; warning: it does, but look; note: what was read into it."""


@dataclass(frozen=True)
class Fault:
    """What there is to say about a row.

    row       its index in the rows that were given
    column    the key of the column, None for the whole row
    sentence  what is wrong or was assumed, and what would be right
    place     where it stood: a line and column, a cell, or a row and column of the table on the page
    """

    row: int
    column: str | None
    sentence: Sentence
    level: Level
    place: Sentence

    @property
    def told(self) -> Sentence:
        """The sentence with its place before it."""
        return say("quotes.told", place=self.place, fault=self.sentence)


@dataclass(frozen=True)
class Checked:
    """A quote for each row, None where an error kept it from being one, and all faults in the order of the rows."""

    quotes: tuple[Quote | None, ...]
    faults: tuple[Fault, ...]

    @property
    def good(self) -> tuple[Quote, ...]:
        """The quotes without the gaps."""
        return tuple(quote for quote in self.quotes if quote is not None)

    def of(self, level: Level) -> tuple[Fault, ...]:
        """Return the faults of *level*."""
        return tuple(fault for fault in self.faults if fault.level == level)


def checked(
    rows: Sequence[Mapping[str, Any]],
    *,
    today: date | None = None,
    rates: Mapping[str, float] | None = None,
) -> Checked:
    """Return the quotes of *rows*, mappings by column key: of `mapped`, of a page's editor, or of a store.

    *rates* are US dollars for a unit of a currency, for rows that state none. *today* is this day by default.
    """
    raise NotImplementedError
