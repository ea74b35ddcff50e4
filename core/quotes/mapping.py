"""Which header of a table is which column of a quote, and the rows under these columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache

from core.errors import BadRequest, shown
from core.quotes.columns import COLUMNS, column
from core.quotes.numbers import amount_of, decimal_of
from core.quotes.table import Cell, Row, Table
from core.quotes.units import Unit, plain, unit_of
from core.text import LANGUAGES

SURE = 0.5
"""Confidence from which a guess is taken without asking."""

STATED = ("currency", "per", "period", "kind")
"""Columns that the header of the price may fill."""

WORDED = ("price", "spot_high", "egress_usd_gb", "storage_usd_gb_month", "commitment_months", "delivery_days")
"""Columns whose headers may change what their numbers mean."""

MONEY = ("egress_usd_gb", "storage_usd_gb_month")
SPANS = {"commitment_months": "month", "delivery_days": "day"}
SCALES = {1e3: "k", 1e4: "万", 1e6: "million", 1e8: "亿"}

_BRACKETS = re.compile(r"[(\[{（【].*?[)\]}）】]")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Guess:
    """The header that probably holds a column, and how sure that is: 1 where it is spelled as known."""

    header: str
    confidence: float


def guess_mapping(table: Table) -> dict[str, Guess]:
    """Return for each column key the header of *table* that probably holds it; columns without one are left out.

    The surest pair comes first, and each header is used once.
    """
    return guess_headers(table.headers)


def guess_headers(headers: Sequence[str]) -> dict[str, Guess]:
    """Return for each column key the one of *headers* that probably holds it."""
    scores = [
        (confidence, -order, -place, found.key, header)
        for place, header in enumerate(headers)
        for order, found in enumerate(COLUMNS)
        if (confidence := likeness(header, found.key)) > 0.0
    ]
    guesses: dict[str, Guess] = {}
    used: set[str] = set()
    for confidence, _, _, key, header in sorted(scores, reverse=True):
        if key not in guesses and header not in used:
            guesses[key] = Guess(header, confidence)
            used.add(header)
    return {found.key: guesses[found.key] for found in COLUMNS if found.key in guesses}


def mapped(table: Table, mapping: Mapping[str, str] | None = None) -> tuple[Row, ...]:
    """Return the rows of *table* by column key, after *mapping* (column key -> header), by default as guessed.

    What the header of the price says of currency, GPU or node, and period fills the cells that say nothing.

    Raises:
        BadRequest: a column or header that does not exist, or no header for the GPU or the price.
    """
    chosen = _mapping(table, mapping)
    places = {key: table.headers.index(header) for key, header in chosen.items()}
    for found in COLUMNS:
        if found.required and found.key not in chosen:
            raise BadRequest(
                "quotes.no_column",
                field=found.key,
                column=found.label,
                names=", ".join(found.spellings[:4]),
                header=shown(", ".join(table.headers)),
            )
    decimal = _decimal(table, places)
    said = _said_by(chosen["price"])
    units = {key: unit for key in WORDED if key in chosen and _changes(key, unit := unit_of(chosen[key]))}
    rows = []
    for index, cells in enumerate(table.rows):
        row: dict[str, Cell] = {key: cells[place] for key, place in places.items()}
        formatted = table.currencies.get((index, places["price"]))
        given = {"currency": formatted, **said} if formatted else said
        stated = {key: value for key, value in given.items() if _is_empty(row.get(key))}
        row.update(stated)
        for key, unit in units.items():
            row[key] = _worded(row[key], key, unit, decimal)
        rows.append(Row(row, table, index, chosen, decimal=decimal, stated=frozenset(stated)))
    return tuple(rows)


def unmapped(table: Table, mapping: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the headers of *table* that *mapping*, by default the guess, does not use."""
    used = set(_mapping(table, mapping).values())
    return tuple(header for header in table.headers if header not in used)


@lru_cache(maxsize=8192)
def spelled(header: str) -> frozenset[str]:
    """Return the keys of the columns that *header* is a known spelling of."""
    joined = _joined(plain(header).strip(" :：*."))
    return frozenset(found.key for found in COLUMNS if joined in _spellings(found.key))


@lru_cache(maxsize=8192)
def likeness(header: str, key: str) -> float:
    """Return how sure it is that *header* heads the column *key*, 0 to 1."""
    parts = [part for part in header.split(" / ") if part.strip()]
    return max((_likeness(part, key) for part in {header, *parts[-1:]}), default=0.0)


def _likeness(header: str, key: str) -> float:
    known = _spellings(key)
    folded = plain(header).strip(" :：*.")
    bare = _joined(_BRACKETS.sub(" ", folded))
    if _joined(folded) in known:
        return 1.0
    if bare and bare in known:
        return 0.95
    if key == "price":
        return _price_likeness(folded, bare)
    words = {word for word in _WORD.findall(folded) if word not in {"the", "of", "per", "in", "a"}}
    if not bare or len(bare) > 60:
        return 0.0
    best = 0.0
    for spelling, spelled in known.items():
        if spelled and len(spelled) > 1 and spelled <= words:
            best = max(best, 0.6)
        elif abs(len(spelling) - len(bare)) <= 3 and len(spelling) > 4:
            ratio = SequenceMatcher(None, spelling, bare).ratio()
            best = max(best, 0.55 if ratio >= 0.88 else 0.0)
        elif not bare.isascii() and len(spelling) > 1 and not spelling.isascii() and spelling in bare:
            best = max(best, 0.6)
    return best


def _price_likeness(folded: str, bare: str) -> float:
    """Return how sure it is that a header is a price: a word for it, or only units of money and time."""
    unit = unit_of(folded)
    word = bool(re.search(r"price|\bcost|\brate\b|\bfee\b|preis|价|租金|费用|金额", folded))
    if re.search(r"storage|egress|exchange|traffic|tax rate|存储|流量|汇率|税率|high|peak|max|最高", folded):
        return 0.0
    if unit.currency and (unit.period or unit.per):
        return 0.9 if not unit.unknown else 0.75
    if word:
        return 0.85 if (unit.period or unit.per or unit.currency) and not unit.unknown else 0.6
    return 0.4 if unit.currency and not unit.unknown and bare not in {"currency"} else 0.0


@cache
def _spellings(key: str) -> dict[str, frozenset[str]]:
    """Return the known spellings of a column, joined, with their words."""
    found = column(key)
    labels = [found.label.render(language) for language in LANGUAGES]
    every = [key, key.replace("_", " "), *labels, *found.spellings]
    return {_joined(plain(name)): frozenset(_WORD.findall(plain(name).replace("_", " "))) for name in every}


def _joined(folded: str) -> str:
    return re.sub(r"[^\w%$€£¥#]|_", "", folded)


def _mapping(table: Table, mapping: Mapping[str, str] | None) -> dict[str, str]:
    """Return the header by column key, checked.

    Raises:
        BadRequest: a column or header that does not exist.
    """
    if mapping is None:
        guesses = guess_mapping(table)
        return {key: guess.header for key, guess in guesses.items() if guess.confidence >= SURE}
    known = {found.key for found in COLUMNS}
    for key, header in mapping.items():
        if key not in known:
            raise BadRequest(
                "quotes.unknown_column", field="mapping", value=shown(key), choices=", ".join(known)
            )
        if header not in table.headers:
            raise BadRequest(
                "quotes.unknown_header",
                field="mapping",
                value=shown(header),
                headers=shown(", ".join(table.headers)),
            )
    return dict(mapping)


def _said_by(header: str) -> dict[str, str]:
    """Return what the *header* of a price says for columns that the table lacks or leaves empty."""
    unit = unit_of(header)
    said = {name: getattr(unit, name) for name in STATED}
    return {name: value for name, value in said.items() if value is not None}


def _changes(key: str, unit: Unit) -> bool:
    """Return whether the words of a header change what the numbers of column *key* mean; see `_worded`."""
    return bool(
        unit.scale != 1.0
        or (key == "price" and unit.taxed)
        or (key in MONEY and unit.currency not in (None, "USD"))
        or (key in SPANS and unit.span not in (None, SPANS[key]))
    )


def _worded(cell: Cell, key: str, unit: Unit, decimal: str | None) -> Cell:
    """Return *cell* with the words of its header that change its value: thousands, tax, weeks, a currency.

    They go into the cell, so that it says the same wherever the row is checked.
    """
    if _is_empty(cell) or isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return cell
    own = amount_of(cell, decimal) if isinstance(cell, str) else None
    if isinstance(cell, str) and own is None:
        return cell
    has = own.unit if own else Unit()
    words = []
    if unit.scale != 1.0 and has.scale == 1.0 and unit.scale in SCALES:
        words.append(SCALES[unit.scale])
    if key == "price" and unit.taxed and has.taxed is None:
        words.append("incl. tax")
    if key in MONEY and unit.currency not in (None, "USD") and has.currency is None:
        words.append(str(unit.currency))
    if key in SPANS and unit.span not in (None, SPANS[key]) and has.span is None:
        words.append(str(unit.span))
    return " ".join([str(cell), *words]) if words else cell


def _decimal(table: Table, places: Mapping[str, int]) -> str | None:
    """Return the sign before the fraction in the numbers of *table*, None where it cannot be told."""
    numeric = [place for key, place in places.items() if column(key).type == "number"]
    texts = [cell for row in table.rows for place in numeric if isinstance(cell := row[place], str) and cell]
    marked = [text for text in texts if "," in text or "." in text]
    found = decimal_of(marked)
    if found is not None or not marked:
        return found
    semicolons, commas = table.separator == ";", any("," in text for text in marked)
    if decimal_of(text for text in marked if "," in text) or decimal_of(
        text for text in marked if "." in text
    ):
        return None
    if commas:
        return "," if semicolons else None
    return None if semicolons else "."


def _is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
