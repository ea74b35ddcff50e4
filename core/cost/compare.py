"""Quotes side by side, in the same units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from core.cost.assumptions import Assumptions, Number
from core.cost.bill import Bill, bill
from core.cost.cashflow import break_even_month, break_even_utilisation, present_value
from core.cost.device import Device, device_of
from core.cost.prices import OLD_AFTER
from core.cost.quote import Quote
from core.cost.renting import run_share
from core.cost.tokens import TokenCost, Workload, loaded, token_cost
from core.text import Sentence, say


@dataclass(frozen=True)
class Row:
    """What one quote costs under the assumptions of the comparison; US dollars. None: nobody knows what it takes.

    gpu_hour       for an hour in which a GPU can be used; `used_gpu_hour` for one in which it works
    yearly         mean of a year, `present` all payments of the horizon as of today
    tokens         for a million tokens; None without a workload
    kwh_year, co2_kg_year   energy at the meter of the building, and what it emits
    tbs_hour       for an hour of a TB/s of memory bandwidth, `pflop_hour` of a PFLOP/s (dense, 16 bit),
                   `gib_hour` of a GiB of memory
    """

    quote: Quote
    device: Device
    bill: Bill
    gpu_hour: Number
    used_gpu_hour: Number
    yearly: Number
    present: Number
    tokens: TokenCost | None
    kwh_year: Number | None
    co2_kg_year: Number | None
    tbs_hour: Number | None
    pflop_hour: Number | None
    gib_hour: Number | None
    warnings: tuple[Sentence, ...]


@dataclass(frozen=True)
class Comparison:
    """Quotes under the same assumptions, in the order in which they were given."""

    assumptions: Assumptions
    rows: tuple[Row, ...]

    @property
    def ranked(self) -> tuple[Row, ...]:
        """The rows by present value, the cheapest first; of arrays by their mean."""
        return tuple(sorted(self.rows, key=lambda row: float(np.mean(row.present))))

    def break_even(self, first: int, second: int) -> Number:
        """Return the month in which row *second* has cost as much as row *first*; not a number if never."""
        return break_even_month(self.rows[first].bill.spending, self.rows[second].bill.spending)

    def break_even_utilisation(self, owned: int, rented: int) -> Number:
        """Return the share of hours at which the purchase *owned* costs what renting *rented* then does."""
        one, other = self.rows[owned].quote, self.rows[rented].quote
        return break_even_utilisation(one, other, self.assumptions)


def compare(
    quotes: Sequence[Quote],
    assumptions: Assumptions,
    workloads: Sequence[Workload | None] | None = None,
    today: date | None = None,
) -> Comparison:
    """Return what each of *quotes* costs, with what to be careful of.

    *workloads* say, quote by quote, what its GPUs serve; a rate decides the utilisation of that quote. None:
    no tokens, and the assumed utilisation. *today* decides whether a quote is old; None does not look.
    """
    loads = [None] * len(quotes) if workloads is None else workloads
    pairs = zip(quotes, loads, strict=True)
    return Comparison(assumptions, tuple(_row(quote, assumptions, load, today) for quote, load in pairs))


def _row(quote: Quote, assumptions: Assumptions, load: Workload | None, today: date | None) -> Row:
    device = device_of(quote.gpu)
    own = assumptions if load is None else loaded(assumptions, load)
    used = bill(quote, own, device)
    tokens = None
    if load is not None:
        full = bill(quote, replace(own, utilisation=1.0), device)
        tokens = token_cost(used, full, quote.gpus, load, own)
    hour = used.usd_per_gpu_hour
    known = device.watts is not None
    return Row(
        quote,
        device,
        used,
        hour,
        used.usd_per_used_gpu_hour,
        used.yearly,
        present_value(used.total, own.discount_rate),
        tokens,
        used.per_year(used.kwh) if known else None,
        used.per_year(used.co2_kg) if known else None,
        _per(hour, device.bandwidth, 1e12),
        _per(hour, device.flops, 1e15),
        _per(hour, device.gib, 1.0),
        tuple(_warnings(quote, own, device, load, today)),
    )


def _per(usd: Number, amount: float | None, unit: float) -> Number | None:
    return None if amount is None else usd / (amount / unit)


def _warnings(
    quote: Quote, assumptions: Assumptions, device: Device, load: Workload | None, today: date | None
) -> list[Sentence]:
    """Return what to be careful of with *quote*."""
    found = []
    horizon = float(np.min(assumptions.horizon_months))
    if today is not None and quote.as_of is not None and (today - quote.as_of).days > OLD_AFTER:
        found.append(say("cost.warn.old", as_of=quote.as_of.isoformat(), days=(today - quote.as_of).days))
    if quote.delivery_days > 0:
        found.append(say("cost.warn.delivery", days=quote.delivery_days))
    if quote.commitment_months > horizon:
        found.append(say("cost.warn.commitment", months=quote.commitment_months, horizon=horizon))
    if quote.kind == "spot":
        found.append(say("cost.warn.spot"))
    if device.watts is None:
        found.append(say("cost.warn.power", gpu=device.name))
    life = 12.0 * float(np.min(assumptions.depreciation_years))
    if quote.is_purchase and life < horizon:
        found.append(say("cost.warn.replaced", months=life, horizon=horizon))
    if load is not None and load.rate is not None:
        found += _capacity(quote, assumptions, load)
    return found


def _capacity(quote: Quote, assumptions: Assumptions, load: Workload) -> list[Sentence]:
    """Return a warning where the GPUs of *quote* cannot serve the load of the last month."""
    years = np.maximum(np.asarray(assumptions.horizon_months) - 1.0, 0.0) / 12.0
    asked = float(np.max(np.asarray(load.rate) * (1.0 + np.asarray(assumptions.growth)) ** years))
    most = float(np.min(load.stable)) * float(np.min(assumptions.speed)) * run_share(quote)
    return [say("cost.warn.too_small", rate=asked, most=most)] if asked > most else []
