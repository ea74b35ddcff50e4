"""Rows of a table as quotes: what is good is kept, and whatever was changed, assumed or refused is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, cast

from core.catalog import known_accelerator, nearest_accelerators
from core.cost.quote import Kind, Per, Period, Quote
from core.errors import shown
from core.quotes.columns import COLUMNS, column
from core.quotes.fields import Level, Reading
from core.quotes.sense import price_doubt, rate_doubt
from core.quotes.table import Row
from core.text import Sentence, say

_TIMES = re.compile(r"(\d{1,4})\s*[x×*]\s*(.*\D.*)|(.*\D.*?)\s*[x×*]\s*(\d{1,4})", re.IGNORECASE | re.DOTALL)
_KEYS = frozenset(found.key for found in COLUMNS)
_LONGEST_NAME = 200
_NEAREST = 30
"""Unknown GPUs for which the nearest names are looked up; each takes a while."""


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

    A row with an error gives None, a row without any value None and no fault. *rates* are US dollars for a unit
    of a currency, for rows that state none. *today* is this day by default.
    """
    checking = _Checking(today or datetime.now(UTC).date(), rates or {})
    quotes = [checking.quote(index, row) for index, row in enumerate(rows)]
    faults = sorted(checking.faults, key=lambda fault: fault.row)
    return Checked(tuple(quotes), tuple(faults))


class _Checking:
    """What the rows of one call share: GPUs that were looked up, and names that are taken."""

    def __init__(self, today: date, rates: Mapping[str, float]) -> None:
        self.today, self.rates = today, rates
        self.faults: list[Fault] = []
        self.gpus: dict[str, str | Sentence] = {}
        self.names: set[str] = set()
        self.counts: dict[str, int] = {}
        self.seen: dict[Quote, Sentence] = {}
        self.unknown = 0

    def quote(self, index: int, row: Mapping[str, Any]) -> Quote | None:
        """Return the quote of *row*, None where it is empty or has an error."""
        reading = Reading(row, self.today)
        broken = row.broken if isinstance(row, Row) else None
        quote = None
        if broken is not None:
            reading.faults.append((None, "error", broken))
        elif not all(_is_blank(cell) for cell in row.values()):
            quote = self._read(reading)
        quote = None if reading.failed or quote is None else self._named(index, quote, reading)
        self.faults += [
            Fault(index, key, said, level, _place(row, index, key)) for key, level, said in reading.faults
        ]
        return quote

    def _read(self, reading: Reading) -> Quote | None:
        for key in reading.row:
            if key not in _KEYS:
                reading.tell(None, "warning", "quotes.unknown_key", value=shown(key))
        gpu, stated = self._gpu(reading)
        price, spot_high, taxed = _prices(reading)
        nodes, each = reading.count("nodes"), reading.count("gpus_per_node")
        if stated and reading.cell("gpus_per_node") is None:
            each = stated
            reading.tell("gpus_per_node", "note", "quotes.from_gpu", count=stated)
        elif stated and stated != each:
            reading.tell("gpus_per_node", "warning", "quotes.other_count", count=each, stated=stated)
        kind, per, period = _terms(reading, nodes * each)
        if per != "gpu" and not stated and reading.cell("gpus_per_node") is None:
            label = column("gpus_per_node").label
            reading.tell("gpus_per_node", "warning", "quotes.assumed", column=label, value=each)
        currency = reading.settled("currency")
        if currency is None:
            currency = "USD"
            reading.tell(
                "currency", "note", "quotes.assumed", column=column("currency").label, value=currency
            )
        rate = self._rate(reading, currency)
        quote = Quote(
            name=reading.text("name"),
            kind=kind,
            gpu=gpu,
            nodes=nodes,
            gpus_per_node=each,
            price=price or 0.0,
            per=per,
            period=period,
            currency=currency,
            usd_rate=rate,
            tax=reading.tax(),
            spot_high=spot_high,
            hours_per_day=reading.number("hours_per_day") or 24.0,
            commitment_months=reading.count("commitment_months"),
            delivery_days=reading.count("delivery_days"),
            egress_usd_gb=_dollars(reading, "egress_usd_gb", currency, rate),
            storage_usd_gb_month=_dollars(reading, "storage_usd_gb_month", currency, rate),
            region=reading.text("region") or None,
            as_of=reading.day(),
            source=reading.text("source"),
            notes=reading.text("notes"),
        )
        return None if reading.failed else _sensible(_untaxed(quote, taxed, reading), reading)

    def _gpu(self, reading: Reading) -> tuple[str, int | None]:
        """Return the id of the GPU, and how many a text such as "8x H100" counts."""
        text = reading.text("gpu")
        if not text:
            if not any(key == "gpu" for key, _, _ in reading.faults):
                reading.tell("gpu", "error", "quotes.missing", column=column("gpu").label)
            return "", None
        found, stated = self._found(text), None
        times = _TIMES.fullmatch(text) if isinstance(found, Sentence) else None
        if times:
            number, name = (times[1], times[2]) if times[1] else (times[4], times[3])
            inner = self._found(name.strip())
            if isinstance(inner, str) and 0 < int(number) <= column("gpus_per_node").most:
                found, stated = inner, int(number)
        if isinstance(found, Sentence):
            reading.faults.append(("gpu", "error", found))
            return "", None
        return found, stated

    def _found(self, name: str) -> str | Sentence:
        """Return the id of the GPU *name*, or why there is none."""
        if name not in self.gpus:
            self.gpus[name] = self._looked_up(name)
        return self.gpus[name]

    def _looked_up(self, name: str) -> str | Sentence:
        if len(name) > _LONGEST_NAME:
            return say("quotes.far_gpu", name=shown(name))
        known = known_accelerator(name)
        if known is not None:
            return known.id
        self.unknown += 1
        if self.unknown > _NEAREST:
            return say("quotes.far_gpu", name=shown(name))
        return say("quotes.unknown_gpu", name=shown(name), nearest=", ".join(nearest_accelerators(name)))

    def _rate(self, reading: Reading, currency: str) -> float:
        """Return US dollars for a unit of *currency*; told where nobody says."""
        stated = reading.amount("usd_rate")
        if not re.fullmatch(r"[A-Z]{3}", currency):
            reading.tell("currency", "error", "quotes.not_currency", value=shown(currency))
        elif stated is None and currency != "USD":
            if currency not in self.rates:
                reading.tell("usd_rate", "error", "quotes.no_rate", currency=currency)
                return 1.0
            reading.tell(
                "usd_rate", "note", "quotes.given_rate", currency=currency, rate=f"{self.rates[currency]:g}"
            )
            return self.rates[currency]
        rate = 1.0 if stated is None else reading.limited("usd_rate", stated.value) or 1.0
        if currency == "USD" and rate != 1.0:
            reading.tell("usd_rate", "error", "quotes.dollar_rate", rate=f"{rate:g}")
        elif doubt := rate_doubt(currency, rate):
            reading.faults.append(("usd_rate", "warning", doubt))
        return rate

    def _named(self, index: int, quote: Quote, reading: Reading) -> Quote:
        """Return *quote* under a name of its own."""
        if quote in self.seen:
            reading.tell(None, "warning", "quotes.same_row", place=self.seen[quote])
        self.seen.setdefault(quote, _place(reading.row, index, None))
        name = quote.name or " ".join(part for part in (quote.source, quote.gpu) if part)
        own = name
        while own in self.names:
            self.counts[name] = self.counts.get(name, 1) + 1
            own = f"{name} ({self.counts[name]})"
        self.names.add(own)
        if not quote.name:
            reading.tell("name", "note", "quotes.named", own=shown(own))
        elif own != name:
            reading.tell("name", "warning", "quotes.numbered", name=shown(name), own=shown(own))
        return replace(quote, name=own)


def _prices(reading: Reading) -> tuple[float | None, float | None, bool]:
    """Return the price, the highest spot price and whether the price holds the tax; notes what their words say."""
    for slot in ("currency", "kind", "per", "period"):
        reading.hear_slot(slot)
    before = len(reading.faults)
    found, high = reading.amount("price"), None
    if found is None and len(reading.faults) == before:
        reading.tell("price", "error", "quotes.missing", column=column("price").label)
    peak = reading.amount("spot_high")
    for key, amount in (("price", found), ("spot_high", peak)):
        if amount is not None:
            reading.hear(key, amount.unit, str(reading.row.get(key)))
    high = None if peak is None else reading.limited("spot_high", peak.value)
    if found is None:
        return None, high, False
    return reading.limited("price", found.value), high, bool(found.unit.taxed)


def _untaxed(quote: Quote, taxed: bool, reading: Reading) -> Quote:
    """Return *quote* with prices before tax, where the price says that it holds the tax."""
    if not taxed:
        return quote
    if quote.tax == 0.0:
        reading.tell("price", "note", "quotes.tax_inside")
        return quote
    price = quote.price / (1.0 + quote.tax)
    high = None if quote.spot_high is None else quote.spot_high / (1.0 + quote.tax)
    reading.tell("price", "note", "quotes.tax_taken_out", price=f"{price:g}", tax=f"{quote.tax:.4g}")
    return replace(quote, price=price, spot_high=high)


def _terms(reading: Reading, gpus: int) -> tuple[Kind, Per, Period]:
    """Return how the price is paid, with what had to be assumed told."""
    kind, per, period = (reading.settled(slot) for slot in ("kind", "per", "period"))
    if kind is None:
        kind = "purchase" if period == "once" else "on_demand"
        reading.tell("kind", "note", "quotes.assumed", column=column("kind").label, value=kind)
    if period is None:
        period = "once" if kind == "purchase" else "hour"
        reading.tell("period", "note", "quotes.assumed", column=column("period").label, value=period)
    if per is None:
        per = "gpu"
        level: Level = "warning" if gpus > 1 else "note"
        reading.tell("per", level, "quotes.assumed", column=column("per").label, value=per)
    if (kind == "purchase") != (period == "once"):
        reading.tell(
            "period",
            "error",
            f"quotes.{'bought' if kind == 'purchase' else 'rented'}",
            kind=kind,
            period=period,
        )
    return cast("Kind", kind), cast("Per", per), cast("Period", period)


def _dollars(reading: Reading, key: str, currency: str, rate: float) -> float:
    """Return a price in US dollars; in the quote's own currency it is exchanged at its rate."""
    found = reading.amount(key)
    if found is None:
        return 0.0
    value, said = found.value, found.unit.currency
    if said is not None and said != "USD":
        if said != currency:
            reading.tell(key, "error", "quotes.other_currency", value=said, currency=currency)
            return 0.0
        value *= rate
        reading.tell(key, "note", "quotes.exchanged", currency=said, usd=f"{value:g}")
    return reading.limited(key, value) or 0.0


def _sensible(quote: Quote, reading: Reading) -> Quote:
    """Return *quote*, having told what makes no sense about it."""
    if quote.spot_high is not None and quote.spot_high < quote.price:
        reading.tell(
            "spot_high", "error", "quotes.spot_low", high=f"{quote.spot_high:g}", price=f"{quote.price:g}"
        )
    if quote.spot_high is not None and quote.kind != "spot":
        reading.tell("spot_high", "warning", "quotes.not_spot", kind=quote.kind)
    if doubt := price_doubt(quote):
        reading.faults.append(("price", "warning", doubt))
    return quote


def _is_blank(cell: object) -> bool:
    return cell is None or cell == "" or (isinstance(cell, str) and not cell.strip()) or cell != cell  # noqa: PLR0124


def _place(row: Mapping[str, Any], index: int, key: str | None) -> Sentence:
    if isinstance(row, Row):
        return row.place(key)
    if key is None:
        return say("quotes.place.here", row=index + 1)
    return say("quotes.place.here_cell", row=index + 1, column=column(key).label)
