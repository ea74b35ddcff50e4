"""Where the header of a table stands, and the table below it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import BadRequest, shown
from core.quotes.mapping import SURE, guess_headers, spelled
from core.quotes.table import Cell, Table, letter
from core.quotes.units import unit_of
from core.text import Sentence, say

MOST_ROWS = 50_000
MOST_COLUMNS = 256
_SEARCHED = 40
"""Rows, not counting empty ones, among which the header is looked for."""
_LIKELY = 12

Line = tuple[int, list[Cell]]
"""A row's number in the file, 1 the first, and its cells."""


@dataclass
class Raw:
    """The rows of a file as they stand, before anyone knows which is the header; empty ones are left out.

    `spans` are merged cells: (first row, first column, last row, last column), 1 the first.
    """

    lines: list[Line]
    notes: list[Sentence] = field(default_factory=list)
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    separator: str | None = None
    spans: Sequence[tuple[int, int, int, int]] = ()
    currencies: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """By (line, column), 1 the first."""


def table_of(raw: Raw) -> Table:
    """Return the table of *raw*, whose header may stand below a title and have two rows.

    Raises:
        BadRequest: no row looks like a header, or nothing stands below it, or there is too much.
    """
    place = header_place(raw.lines)
    if place is None:
        first = ", ".join(str(cell) for cell in raw.lines[0][1] if cell is not None) if raw.lines else ""
        raise BadRequest(
            "quotes.no_header" if raw.lines else "quotes.empty", field="file", first=shown(first)
        )
    top, bottom = _rows_of_header(raw, place)
    body = raw.lines[bottom + 1 :]
    if not body:
        raise BadRequest("quotes.only_header", field="file")
    if len(body) > MOST_ROWS:
        raise BadRequest("quotes.too_many_rows", field="file", most=f"{MOST_ROWS:,}")
    names = _names([cells for _, cells in raw.lines[top : bottom + 1]])
    kept = _kept(names, [cells for _, cells in body], strict=raw.separator is not None)
    if len(kept) > MOST_COLUMNS:
        raise BadRequest("quotes.too_many_columns", field="file", found=len(kept), most=MOST_COLUMNS)
    headers = _unique([names[at] if at < len(names) and names[at] else letter(at + 1) for at in kept])
    rows = tuple(tuple(cells[at] if at < len(cells) else None for at in kept) for _, cells in body)
    return Table(
        headers=headers,
        rows=rows,
        lines=tuple(line for line, _ in body),
        notes=(*raw.notes, *_title(raw.lines[:top])),
        sheet=raw.sheet,
        sheets=raw.sheets,
        columns=tuple(at + 1 for at in kept),
        broken=_broken(body, names) if raw.separator is not None else {},
        separator=raw.separator,
        currencies=_currencies(raw, body, kept),
    )


def header_place(lines: Sequence[Line]) -> int | None:
    """Return the index of the row that is the header, None where none looks like one."""
    candidates = [index for index, (_, cells) in enumerate(lines[:_SEARCHED]) if _may_head(cells)]
    if not candidates:
        return None
    scores = {index: _score(lines[index][1]) for index in candidates}
    best = max(candidates, key=lambda index: scores[index])
    if scores[best] >= 2:
        return best
    likely = {index: _likely(lines[index][1]) for index in candidates[:_LIKELY]}
    return max(likely, key=lambda index: likely[index])


def header_score(cells: Iterable[Cell]) -> int:
    """Return how many columns of quotes the texts of *cells* surely head."""
    return _score(list(cells))


def _may_head(cells: Sequence[Cell]) -> bool:
    """Return whether *cells* are two texts or more, and no number or date."""
    full = [cell for cell in cells if cell is not None and cell != ""]
    return len(full) >= 2 and all(
        isinstance(cell, str) and re.search(r"[^\W\d]|[$€£¥%#]", cell) for cell in full
    )


def _score(cells: Sequence[Cell]) -> int:
    found = set()
    for cell in cells[:MOST_COLUMNS]:
        if isinstance(cell, str) and 0 < len(cell) <= 60:
            unit = unit_of(cell)
            if unit.currency and (unit.per or unit.period) and not re.search(r"\d", cell):
                found.add("price")
            found |= spelled(cell)
    return len(found)


def _likely(cells: Sequence[Cell]) -> float:
    texts = [cell for cell in cells[:64] if isinstance(cell, str) and 0 < len(cell) <= 100]
    return sum(guess.confidence for guess in guess_headers(texts).values() if guess.confidence >= SURE)


def _rows_of_header(raw: Raw, place: int) -> tuple[int, int]:
    """Return the first and last row of the header: merged cells may join the rows above and below."""
    line = raw.lines[place][0]
    width = max(len(cells) for _, cells in raw.lines[place : place + 2])
    top = bottom = place
    for first, left, last, right in raw.spans:
        whole = right - left + 1 >= max(width, 2)
        if first <= line <= last and last - first <= 3:
            bottom = max(bottom, _at_most(raw.lines, last, place))
        above = place > 0 and raw.lines[place - 1][0] == line - 1
        if above and last >= line - 1 >= first and not whole:
            top = place - 1
    return top, bottom


def _at_most(lines: Sequence[Line], last: int, place: int) -> int:
    while place + 1 < len(lines) and lines[place + 1][0] <= last:
        place += 1
    return place


def _names(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Return the names of columns, each the different texts above one another."""
    names = []
    for at in range(max(len(cells) for cells in rows)):
        parts = [
            " ".join(str(cells[at]).split()) for cells in rows if at < len(cells) and cells[at] is not None
        ]
        names.append(" / ".join(dict.fromkeys(part for part in parts if part))[:200])
    return names


def _kept(names: Sequence[str], body: Sequence[Sequence[Cell]], *, strict: bool) -> list[int]:
    """Return the places of columns with a name, and where rows are not *strict* also of those with a value."""
    kept = {at for at, name in enumerate(names) if name}
    if not strict or not all(names):
        widest = len(names) if strict else max(len(cells) for cells in body)
        kept |= {
            at
            for at in range(widest)
            if at not in kept and any(at < len(cells) and cells[at] not in (None, "") for cells in body)
        }
    return sorted(kept)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Return *names* with a number behind those that were there before."""
    taken: dict[str, None] = {}
    for name in names:
        own, count = name, 1
        while own in taken:
            count += 1
            own = f"{name} ({count})"
        taken[own] = None
    return tuple(taken)


def _title(above: Sequence[Line]) -> list[Sentence]:
    """Return a note of the rows above the header, which are not read."""
    if not above:
        return []
    first = " ".join(str(cell) for cell in above[0][1] if cell not in (None, ""))
    return [say("quotes.note.title", count=len(above), first=shown(first))]


def _broken(body: Sequence[Line], names: Sequence[str]) -> dict[int, Sentence]:
    """Return why rows of a CSV with more cells than the header cannot be told apart."""
    broken = {}
    for index, (_, cells) in enumerate(body):
        found = next((at + 1 for at in range(len(cells) - 1, -1, -1) if cells[at] not in (None, "")), 0)
        if found > len(names):
            broken[index] = say("quotes.long_row", found=found, wanted=len(names))
    return broken


def _currencies(raw: Raw, body: Sequence[Line], kept: Sequence[int]) -> dict[tuple[int, int], str]:
    if not raw.currencies:
        return {}
    rows = {line: index for index, (line, _) in enumerate(body)}
    places = {at + 1: place for place, at in enumerate(kept)}
    return {
        (rows[line], places[at]): currency
        for (line, at), currency in raw.currencies.items()
        if line in rows and at in places
    }
