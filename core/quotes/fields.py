"""The cells of one row as values of their columns, with what there is to say about each."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal

from core.errors import shown
from core.quotes.columns import MOST_TEXT, column
from core.quotes.numbers import Amount, amount_of
from core.quotes.table import Row, Unread
from core.quotes.units import Unit, plain, unit_of
from core.text import Sentence, say

Level = Literal["error", "warning", "note"]
"""error: the row gives no quote; warning: it does, but look; note: what was read into it."""

SLOTS = ("kind", "per", "period", "currency")
"""Columns that words of other cells may fill: "元/月" in a column of units says two of them."""

_ABSENT = {
    "",
    "-",
    "--",
    "—",
    "–",
    "/",
    "n/a",
    "na",
    "none",
    "null",
    "nil",
    "无",
    "暂无",
    "没有",
    "未知",
    "unknown",
    "?",
}
_WHOLE_OR_DAY = (int, date)
_NUMBERS = (int, float)
_SHEET_ERROR = re.compile(r"#(?:REF!|N/A|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile(r"'+\s*[=+\-@\t\r]")
_ISO = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ].*)?")
_DAY_FIRST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
_TO_MONTHS = {"month": 1.0, "year": 12.0, None: 1.0}
_TO_DAYS = {"day": 1.0, "week": 7.0, "month": 30.0, "year": 365.0, None: 1.0}
_DOLLARS = {"USD", "CAD", "AUD", "SGD", "HKD", "TWD", "NZD", "MXN", "BRL"}


class Reading:
    """One row being read: `faults` are (column, level, sentence), `said` the words for SLOTS by where they stood."""

    def __init__(self, row: Mapping[str, Any], today: date) -> None:
        self.row, self.today = row, today
        self.decimal = row.decimal if isinstance(row, Row) else None
        self.assumed = row.stated if isinstance(row, Row) else frozenset()
        self.faults: list[tuple[str | None, Level, Sentence]] = []
        self.said: dict[str, dict[str, str]] = {}

    @property
    def failed(self) -> bool:
        """Whether an error was found."""
        return any(level == "error" for _, level, _ in self.faults)

    def tell(self, column: str | None, level: Level, key: str, /, **values: Any) -> None:
        """Add a fault."""
        self.faults.append((column, level, say(key, **values)))

    def cell(self, key: str) -> Any:
        """Return what stands in column *key*, None where that is nothing or cannot be read."""
        value = self.row.get(key)
        if value is None or isinstance(value, str):
            return self._words(key, value) if value else None
        if isinstance(value, Unread):
            self.faults.append((key, "error", value.sentence))
            return None
        if isinstance(value, _WHOLE_OR_DAY):
            return None if value != value else value  # noqa: PLR0124 - NaT
        value = value.item() if hasattr(value, "item") else value
        return None if isinstance(value, float) and math.isnan(value) else value

    def _words(self, key: str, value: str) -> str | None:
        text = value.strip()
        if _SHEET_ERROR.fullmatch(text):
            self.tell(key, "error", "quotes.sheet_error", value=text)
            return None
        if column(key).type != "text" and text.lower() in _ABSENT:
            return None
        return text or None

    def text(self, key: str) -> str:
        """Return a text, "" where there is none; without control signs and, from a file, the sign that escapes it."""
        value = self.cell(key)
        if value is None:
            return ""
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            value = int(value)
        text = tidy(str(value))
        if isinstance(self.row, Row) and _ESCAPED.match(text):
            text = text[1:].strip()
        if len(text) > MOST_TEXT:
            self.tell(key, "error", "quotes.too_long", found=len(text), most=MOST_TEXT)
            return ""
        return text

    def number(self, key: str) -> float | None:
        """Return a number in the limits of its column, or its default."""
        found = self.amount(key)
        return self.limited(key, None if found is None else found.value)

    def count(self, key: str) -> int:
        """Return a whole number in the limits of its column, or its default."""
        kind = column(key)
        found = self.amount(key)
        value = None if found is None else found.value
        if found is not None and value is not None and key in ("commitment_months", "delivery_days"):
            factors = _TO_MONTHS if key == "commitment_months" else _TO_DAYS
            if found.unit.span not in factors:
                self.tell(key, "error", "quotes.span", value=shown(str(self.row.get(key))))
                return 0
            value *= factors[found.unit.span]
        value = self.limited(key, value)
        if value is not None and value != int(value):
            self.tell(key, "error", "quotes.not_whole", value=f"{value:g}")
            return int(kind.least)
        return int(value or 0)

    def limited(self, key: str, value: float | None) -> float | None:
        """Return *value* where it lies in the limits of column *key*, its default for None; else None, and told."""
        kind = column(key)
        if value is None:
            default = kind.default
            return float(default) if isinstance(default, int | float) else None
        if kind.least <= value <= kind.most and not (kind.above and value == kind.least):
            return value
        sign = "negative" if value < 0 else "zero" if value == 0 else "range"
        self.tell(
            kind.key,
            "error",
            f"quotes.{sign}",
            value=f"{value:g}",
            least=f"{kind.least:g}",
            most=f"{kind.most:g}",
        )
        return None

    def amount(self, key: str) -> Amount | None:
        """Return the number of column *key* with its words; None where there is none, told where it is unreadable."""
        value = self.cell(key)
        if value is None:
            return None
        if isinstance(value, _NUMBERS) and not isinstance(value, bool):
            if math.isfinite(value):
                return Amount(float(value), Unit())
        elif isinstance(value, str):
            found = amount_of(value, self.decimal)
            if found is not None and not found.unit.unknown:
                if found.doubtful:
                    self.tell(key, "warning", "quotes.doubtful", value=shown(value), read=f"{found.value:g}")
                return found
            if found is not None:
                self.tell(
                    key, "error", "quotes.words", value=shown(value), words=", ".join(found.unit.unknown[:3])
                )
                return None
        self.tell(key, "error", "quotes.not_number", value=shown(str(value)))
        return None

    def tax(self) -> float:
        """Return the share of tax; a number above 1 is per cent."""
        found = self.amount("tax")
        if found is None:
            return 0.0
        value = found.value
        if found.unit.percent or 1.0 < value <= 100.0:
            if not found.unit.percent:
                self.tell("tax", "note", "quotes.percent", value=f"{value:g}", share=f"{value / 100:g}")
            value /= 100.0
        return self.limited("tax", value) or 0.0

    def day(self) -> date | None:
        """Return the day of the quote, None where none is given."""
        value = self.cell("as_of")
        if value is None:
            return None
        found: date | None = None
        if isinstance(value, datetime):
            found = value.date()
        elif isinstance(value, date):
            found = value
        elif isinstance(value, str):
            found = _day(value)
        if found is None:
            self.tell("as_of", "error", "quotes.not_date", value=shown(str(value)))
        elif found > self.today + timedelta(days=1):  # it may be tomorrow elsewhere
            self.tell("as_of", "error", "quotes.future", day=found.isoformat(), today=self.today.isoformat())
        return found

    def hear(self, key: str, unit: Unit, text: str) -> None:
        """Note what *unit*, of *text* in column *key*, says for the SLOTS."""
        for slot in SLOTS:
            value = getattr(unit, slot)
            if value is None or (slot == "kind") != (key == "kind"):
                continue
            told = self.said.get("currency", {})
            own = told.get("currency") or told.get("header")
            if slot == "currency" and own in _like(value) and _loose(value, text):
                continue
            self.said.setdefault(slot, {})[key] = value

    def hear_slot(self, key: str) -> None:
        """Read the cell of a column of SLOTS: one of its choices, or words."""
        text = self.text(key)
        if not text or (text.lower() in _ABSENT):
            return
        if key in self.assumed:
            self.said.setdefault(key, {})["header"] = text
            return
        if text in column(key).choices:
            self.said.setdefault(key, {})[key] = text
            return
        folded = plain(text).replace("-", "_").replace(" ", "_")
        if folded in column(key).choices:
            self.said.setdefault(key, {})[key] = folded
            return
        if key == "currency" and re.fullmatch(r"[A-Za-z]{3}", text):
            words = unit_of(text).currency
            self.said.setdefault(key, {})[key] = words or text.upper()
            return
        unit = unit_of(text)
        if unit.unknown or not any(getattr(unit, slot) for slot in SLOTS):
            choices = ", ".join(column(key).choices[:8])
            self.tell(key, "error", "quotes.not_choice", value=shown(text), choices=choices)
            return
        self.hear(key, unit, text)

    def settled(self, slot: str) -> str | None:
        """Return what was said for *slot*; None where nothing was. Two that differ are told."""
        said = self.said.get(slot, {})
        plainly = {key: value for key, value in said.items() if key != "header"} or said
        if len(set(plainly.values())) > 1:
            (first, one), (second, other) = list(plainly.items())[:2]
            self.tell(
                slot,
                "error",
                "quotes.contradiction",
                first=column(first).label,
                one=one,
                second=column(second).label,
                other=other,
            )
        return next(iter(plainly.values()), None)


def tidy(text: str) -> str:
    """Return *text* as a quote keeps it: no control signs but line ends and tabs inside."""
    if text.isprintable():
        return text.strip()
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _day(text: str) -> date | None:
    """Return the day of a text, None where it names none, or may name two."""
    folded = plain(text).upper()
    if found := _ISO.fullmatch(folded):
        year, month, day = (int(part) for part in found.groups())
    elif found := _DAY_FIRST.fullmatch(folded):
        first, sign, second, year = int(found[1]), found[2], int(found[3]), int(found[4])
        if sign == "." or first > 12:
            day, month = first, second
        elif second > 12 or first == second:
            day, month = second, first
        else:
            return None
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _loose(currency: str, text: str) -> bool:
    """Return whether a sign that several currencies share said *currency*."""
    folded = text.lower()
    return (currency == "USD" and "$" in folded and "us" not in folded) or (
        currency == "CNY" and ("¥" in folded or "￥" in folded)
    )


def _like(currency: str) -> set[str]:
    return _DOLLARS if currency == "USD" else {"CNY", "JPY"}
