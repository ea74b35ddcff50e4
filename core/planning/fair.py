"""Quotes for one workload under the same assumptions: what each can do, costs, may cost, and which is the cheapest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np

from core.catalog.ownership import figures_of, tariff
from core.cost.assumptions import Assumptions, price_range, ranges
from core.cost.bill import bill
from core.cost.compare import Comparison, Row, compare
from core.cost.months import Flow
from core.cost.quote import Quote
from core.cost.tokens import Workload, millions
from core.cost.uncertainty import VARIED, Measure, Simulation, Swing, simulate, tornado
from core.planning.quoted import Capability

SHARES = (0.05, 0.1, 0.5, 0.9, 0.95)
LOADS = tuple(share / 100 for share in range(2, 101, 2))
UNITS = ("gpu_hour", "tbs_hour", "pflop_hour", "gib_hour", "tokens", "saturated")
"""What prices are for, in the table of two quotes."""


@dataclass(frozen=True)
class Answer:
    """Quotes side by side; all sequences are in the order of `quotes`.

    `loads` say what the GPUs of each serve, None where they cannot hold the model. `place` has the tariff and
    the grid of what is owned; None: those of the typical assumptions.
    """

    quotes: tuple[Quote, ...]
    capabilities: tuple[Capability, ...]
    loads: tuple[Workload | None, ...]
    comparison: Comparison
    simulation: Simulation
    place: str | None = None

    @property
    def serving(self) -> tuple[int, ...]:
        """The quotes that serve the load within the targets."""
        return tuple(place for place, one in enumerate(self.capabilities) if one.state == "keeps")

    @property
    def measure(self) -> Measure:
        """What quotes are ranked by: a million tokens where two or more serve the load, else a year."""
        return "per_million" if len(self.serving) > 1 else "yearly"

    @property
    def contenders(self) -> tuple[int, ...]:
        """The quotes that are ranked: those that serve the load, or all where fewer than two do."""
        return self.serving if len(self.serving) > 1 else tuple(range(len(self.quotes)))

    @property
    def ranked(self) -> tuple[int, ...]:
        """The contenders, the cheapest first."""
        return tuple(sorted(self.contenders, key=self.cost))

    @property
    def order(self) -> tuple[int, ...]:
        """All quotes: the contenders, the cheapest first, and then the others."""
        return (*self.ranked, *(place for place in range(len(self.quotes)) if place not in self.ranked))

    def cost(self, place: int) -> float:
        """Return US dollars of quote *place*, for what `measure` says."""
        row = self.comparison.rows[place]
        if self.measure == "yearly" or row.tokens is None:
            return float(row.yearly)
        return float(row.tokens.total)

    @property
    def cheapest_tokens(self) -> int | None:
        """The quote with the cheapest million tokens among those that serve the load, else among all."""
        rows = self.comparison.rows
        able = self.serving or tuple(place for place, row in enumerate(rows) if row.tokens)
        return min(able, key=lambda place: self.tokens(place) or math.inf, default=None)

    @property
    def cheapest_hour(self) -> int:
        """The quote with the cheapest hour of a GPU."""
        rows = self.comparison.rows
        return min(range(len(rows)), key=lambda place: float(rows[place].gpu_hour))

    def tokens(self, place: int) -> float | None:
        """Return US dollars of quote *place* for a million tokens at the load."""
        tokens = self.comparison.rows[place].tokens
        return None if tokens is None else float(tokens.total)

    @property
    def pair(self) -> tuple[int, int] | None:
        """The cheapest purchase and the cheapest rent, those that serve the load first; None without both."""

        def first(*, owned: bool) -> int | None:
            some = [place for place, quote in enumerate(self.quotes) if quote.is_purchase == owned]
            able = [place for place in some if place in self.serving] or some
            return min(able, key=lambda place: float(self.comparison.rows[place].present), default=None)

        bought, rented = first(owned=True), first(owned=False)
        return None if bought is None or rented is None else (bought, rented)

    @property
    def contrast(self) -> tuple[int, int] | None:
        """The cheapest tokens and the cheapest hour, where these are two quotes; else the usual pair."""
        tokens, hour = self.cheapest_tokens, self.cheapest_hour
        return self.pair if tokens is None or tokens == hour else (tokens, hour)

    def crossing(self, first: int, second: int) -> float | None:
        """Return the month in which *second* has cost as much as *first*; None where it never does."""
        month = float(self.comparison.break_even(first, second))
        return None if math.isnan(month) else month

    @cached_property
    def spreads(self) -> Mapping[Measure, Flow]:
        """The costs below which SHARES of the draws lie, quotes by shares."""
        measures: tuple[Measure, ...] = ("yearly", "per_million")
        return {measure: self.simulation.percentiles(measure, SHARES) for measure in measures}

    def band(self, place: int, measure: Measure) -> tuple[float, float] | None:
        """Return the costs between which eight of ten draws of quote *place* lie."""
        low, high = self.spreads[measure][place][[SHARES.index(0.1), SHARES.index(0.9)]]
        return (float(low), float(high)) if np.isfinite(low) and np.isfinite(high) else None

    def hour_band(self, place: int) -> tuple[float, float] | None:
        """Return the same for an hour of a GPU."""
        found, used = self.band(place, "yearly"), self.comparison.rows[place].bill
        hours = float(used.per_year(used.gpu_hours))
        return None if found is None or hours <= 0 else (found[0] / hours, found[1] / hours)

    def cheaper(self, first: int, second: int) -> float:
        """Return how probable it is that *first* is cheaper than *second*, by `measure` where both have it."""
        both = self.loads[first] is not None and self.loads[second] is not None
        return self.simulation.cheaper(first, second, "per_million" if both else "yearly")

    def swings(self, place: int) -> tuple[Swing, ...]:
        """Return what each assumption does alone to quote *place*: to a million tokens, or a year without a load."""
        load = self.loads[place]
        measure: Measure = "yearly" if load is None else "per_million"
        quote = self.quotes[place]
        varied = {**ranges(self.place), "price": price_range(quote)}
        return tornado(quote, self.comparison.assumptions, load, measure, varied)

    def unit(self, place: int, name: str) -> float | None:
        """Return US dollars of quote *place* for the unit *name* of UNITS."""
        row = self.comparison.rows[place]
        value = _token_unit(row, name) if name in ("tokens", "saturated") else getattr(row, name)
        return None if value is None else float(value)

    def ratio(self, first: int, second: int, name: str) -> float | None:
        """Return how many times as much *second* costs as *first* for the unit *name*."""
        one, other = self.unit(first, name), self.unit(second, name)
        return other / one if one and other else None

    def by_load(self, place: int) -> Flow | None:
        """Return US dollars of quote *place* for a million tokens at each utilisation of LOADS."""
        load, quote = self.loads[place], self.quotes[place]
        if load is None:
            return None
        steady = replace(self.comparison.assumptions, utilisation=np.array(LOADS), growth=0.0)
        used = bill(quote, steady)
        each: Flow = used.total.sum(axis=-1) / np.asarray(millions(used, quote.gpus, load, steady))
        return each

    def used(self, place: int) -> float | None:
        """Return the share of its stable load that quote *place* serves; None where it cannot hold the model."""
        load = self.loads[place]
        if load is None or load.rate is None:
            return None if load is None else float(self.comparison.assumptions.utilisation)
        return float(load.rate) / (float(load.stable) * float(self.comparison.assumptions.speed))


def answer(
    quotes: Sequence[Quote],
    capabilities: Sequence[Capability],
    assumptions: Assumptions,
    rate: float | None,
    *,
    today: date | None = None,
    place: str | None = None,
) -> Answer:
    """Return *quotes* side by side for *rate* requests/s; None: at the assumed utilisation.

    Tariff and grid vary as those of *place* do; what they are is said by *assumptions*, see `assumed`.
    """
    loads = tuple(one.workload(rate) for one in capabilities)
    compared = compare(quotes, assumptions, loads, today)
    known = ranges(place)
    drawn = simulate(quotes, assumptions, loads, varied={name: known[name] for name in VARIED})
    return Answer(tuple(quotes), tuple(capabilities), loads, compared, drawn, place)


def assumed(given: Mapping[str, float], place: str | None = None) -> Assumptions:
    """Return the typical assumptions, with tariff and grid of *place*, and what is *given* in their place."""
    base = Assumptions().at(place) if place else Assumptions()
    return replace(base, **given)


def rates() -> dict[str, float]:
    """Return US dollars for a unit of each currency that the catalogue knows."""
    return {figure.key.removeprefix("fx_").upper(): figure.typical for figure in figures_of("currency")}


def has_tariff(place: str) -> bool:
    """Return whether it is known what a kWh costs companies in *place*."""
    return tariff(place) is not None


def places() -> dict[str, str]:
    """Return the places whose grid is known, by id, with their names."""
    return {figure.places[0]: figure.item for figure in figures_of("carbon") if figure.places}


def _token_unit(row: Row, name: str) -> float | None:
    if row.tokens is None:
        return None
    return float(row.tokens.total if name == "tokens" else row.tokens.saturated)
