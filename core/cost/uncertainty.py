"""How far costs may be off: many draws of what is assumed, and each assumption alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from core.cost.assumptions import Assumptions, Number, Range, price_range, ranges
from core.cost.bill import bill
from core.cost.device import Device
from core.cost.distributions import Shape, quantile, stream
from core.cost.months import Flow
from core.cost.quote import Quote
from core.cost.tokens import Workload, loaded, millions
from core.errors import BadRequest

Measure = Literal["yearly", "per_million"]
"""US dollars of a year, or of a million tokens."""

VARIED = ("utilisation", "growth", "usd_kwh", "depreciation_years", "speed")
"""What is drawn beside the price, if nothing else is asked for."""

DRAWS = 10_000

SHARES = (0.05, 0.5, 0.95)

_AT_ONCE = 1000
"""Draws that are worked out together: their flows of 36 months stay in the processor's cache, twice as fast."""


@dataclass(frozen=True)
class Simulation:
    """Costs of quotes in many draws of the assumptions, the same draws for all: rows are quotes.

    `yearly` and `per_million` are US dollars, the second not a number without a workload. `draws` has the
    values of the assumptions by name.
    """

    quotes: tuple[Quote, ...]
    yearly: Flow
    per_million: Flow
    draws: Mapping[str, Flow]

    def of(self, measure: Measure) -> Flow:
        """Return the costs of *measure*, quotes by draws."""
        return self.yearly if measure == "yearly" else self.per_million

    def percentiles(self, measure: Measure = "yearly", shares: Sequence[float] = SHARES) -> Flow:
        """Return the costs below which *shares* of the draws lie, quotes by shares."""
        found: Flow = np.quantile(self.of(measure), np.asarray(shares), axis=1).T
        return found

    def cheaper(self, first: int, second: int, measure: Measure = "yearly") -> float:
        """Return the share of draws in which quote *first* costs less than *second*; ties count half."""
        one, other = self.of(measure)[first], self.of(measure)[second]
        return float(np.mean((one < other) + 0.5 * (one == other)))


@dataclass(frozen=True)
class Swing:
    """What one assumption does alone: the cost at the low and at the high end of its `range`, `base` between."""

    name: str
    range: Range
    base: float
    at_low: float
    at_high: float

    @property
    def width(self) -> float:
        """US dollars between both ends."""
        return abs(self.at_high - self.at_low)


def around(one: Range, value: float) -> Range:
    """Return *one* with *value*, what is assumed, as its typical value, and wide enough to hold it."""
    return Range(min(one.low, value), value, max(one.high, value), one.figure)


def simulate(
    quotes: Sequence[Quote],
    assumptions: Assumptions,
    workloads: Sequence[Workload | None] | None = None,
    *,
    varied: Mapping[str, Range] | None = None,
    shape: Shape = "pert",
    count: int = DRAWS,
    seed: int = 1,
) -> Simulation:
    """Return the costs of *quotes* in *count* draws, the same for all of them.

    *varied* are ranges of fields of `Assumptions`, around what *assumptions* has; None: those of VARIED. Prices
    are drawn as `price_range` has them, one draw for all quotes of a kind: markets move together. Where a
    workload has a rate, it varies as much as the utilisation does.

    Raises:
        BadRequest: an assumption is an array already, or *varied* has an unknown name.
    """
    known = {name: ranges()[name] for name in VARIED} if varied is None else varied
    bases = {name: _plain(assumptions, name) for name in known}
    draws = {
        name: quantile(shape, around(one, bases[name]), stream(name, count, seed))
        for name, one in known.items()
    }
    demand = np.broadcast_to(_demand(draws, bases), (count,))
    loads = [None] * len(quotes) if workloads is None else workloads
    yearly, per_million = np.empty((len(quotes), count)), np.full((len(quotes), count), np.nan)
    for row, (quote, load) in enumerate(zip(quotes, loads, strict=True)):
        prices = quantile(shape, price_range(quote), stream(f"price of {quote.kind}", count, seed))
        drawn = {**draws, "price": np.asarray(assumptions.price) * prices}
        for first in range(0, count, _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            own = _with(assumptions, {name: values[some] for name, values in drawn.items()})
            yearly[row, some], each = _costs(quote, own, load, demand[some])
            if each is not None:
                per_million[row, some] = each
    return Simulation(tuple(quotes), yearly, per_million, draws)


def tornado(
    quote: Quote,
    assumptions: Assumptions,
    workload: Workload | None = None,
    measure: Measure = "yearly",
    varied: Mapping[str, Range] | None = None,
) -> tuple[Swing, ...]:
    """Return what each assumption does alone to the cost of *quote*, the widest swing first.

    *varied* are the ranges; None: all of `ranges()` and the price. Those that change nothing are left out.

    Raises:
        BadRequest: *measure* is per_million without a workload; an assumption is an array already.
    """
    if measure == "per_million" and workload is None:
        raise BadRequest("cost.no_workload", field="workload")
    known = {**ranges(), "price": price_range(quote)} if varied is None else varied
    bases = {name: _plain(assumptions, name) for name in known}
    spans = {name: _span(name, one, bases[name]) for name, one in known.items()}
    points = {name: np.full(2 * len(spans) + 1, base) for name, base in bases.items()}
    for place, (name, one) in enumerate(spans.items()):
        points[name][2 * place + 1 : 2 * place + 3] = one.low, one.high
    yearly, each = _costs(quote, _with(assumptions, points), workload, _demand(points, bases))
    cost = np.broadcast_to(np.asarray(yearly if measure == "yearly" else each), (2 * len(spans) + 1,))
    swings = [
        Swing(name, one, float(cost[0]), float(cost[2 * place + 1]), float(cost[2 * place + 2]))
        for place, (name, one) in enumerate(spans.items())
    ]
    return tuple(sorted((one for one in swings if one.width > 0), key=lambda one: -one.width))


def _costs(
    quote: Quote, assumptions: Assumptions, load: Workload | None, demand: Number
) -> tuple[Number, Number | None]:
    """Return US dollars of a year and, with a workload, of a million tokens."""
    # Rent includes its energy: a device that takes none spares working it out in each draw.
    device = None if quote.is_purchase else Device(quote.gpu)
    if load is None:
        return bill(quote, assumptions, device).yearly, None
    asked = load if load.rate is None else replace(load, rate=np.asarray(load.rate) * demand)
    own = loaded(assumptions, asked)
    used = bill(quote, own, device)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.divide(used.total.sum(axis=-1), millions(used, quote.gpus, asked, own))
    return used.yearly, each


def _span(name: str, one: Range, base: float) -> Range:
    """Return the range of the field *name* around *base*; that of a price is in multiples of it."""
    if name == "price":
        return Range(one.low * base, base, one.high * base, one.figure)
    return around(one, base)


def _demand(values: Mapping[str, Flow], bases: Mapping[str, float]) -> Number:
    """Return the multiple of the expected load that the utilisation of each draw stands for."""
    base = bases.get("utilisation", 0.0)
    return values["utilisation"] / base if base > 0 else 1.0


def _plain(assumptions: Assumptions, name: str) -> float:
    """Return the field *name* as a plain number."""
    value = np.asarray(getattr(assumptions, name, np.nan))
    if value.ndim or not np.isfinite(value):
        raise BadRequest("cost.not_a_number", field=name, name=name)
    return float(value)


def _with(assumptions: Assumptions, values: Mapping[str, Any]) -> Assumptions:
    return replace(assumptions, **values)
