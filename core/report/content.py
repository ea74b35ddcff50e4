"""What a report tells: a comparison of quotes with all that it rests on, at one time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from core.catalog.accelerators import PATH as ACCELERATORS
from core.catalog.offers import PATH as OFFERS
from core.catalog.ownership import PATH as OWNERSHIP
from core.cost.assumptions import Assumptions, Range, ranges
from core.cost.compare import Comparison, Row
from core.cost.prices import Age, age_of
from core.cost.tokens import Workload
from core.cost.uncertainty import Simulation, around
from core.errors import BadRequest
from core.planning.document import files_version
from core.text import Sentence, say


@dataclass(frozen=True)
class Assumed:
    """One assumption: its field, what is assumed, and its range with the source (None: nobody published one)."""

    name: str
    value: float
    range: Range | None

    @property
    def label(self) -> Sentence:
        """What it is called."""
        return say(f"cost.assumption.{self.name}")


@dataclass(frozen=True)
class Report:
    """A comparison of quotes and what it rests on; build it with `report_of`.

    workloads   what the GPUs of each quote serve; None: nothing is said of it
    simulation  the same quotes in many draws, None where none were made
    plan        names and numbers of a chosen plan, as `core.planning.record.recorded` gives them
    data        the files of hardware_db behind the numbers, with the SHA-256 of each
    created     the time of the report; the age of prices is as of then
    place       whose tariff and grid are assumed; None: the typical ones
    """

    title: str
    created: datetime
    comparison: Comparison
    workloads: tuple[Workload | None, ...]
    simulation: Simulation | None
    plan: Mapping[str, Any] | None
    data: Mapping[str, Any]
    place: str | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of the comparison, in the order of the quotes."""
        return self.comparison.rows

    @property
    def today(self) -> date:
        """The day of the report."""
        return self.created.date()

    @property
    def horizon(self) -> float:
        """The months that are compared."""
        return float(np.asarray(self.comparison.assumptions.horizon_months))

    @property
    def assumed(self) -> tuple[Assumed, ...]:
        """All assumptions, in the order of `Assumptions`."""
        known = ranges(self.place)
        return tuple(
            Assumed(one.name, value, around(known[one.name], value) if one.name in known else None)
            for one in fields(Assumptions)
            for value in [float(getattr(self.comparison.assumptions, one.name))]
        )

    @property
    def order(self) -> tuple[int, ...]:
        """The numbers of the rows, the cheapest by present value first."""
        return tuple(sorted(range(len(self.rows)), key=lambda index: float(self.rows[index].present)))

    @property
    def cheapest_share(self) -> tuple[float, ...] | None:
        """The share of draws in which each quote costs least in a year; None without a simulation."""
        if self.simulation is None:
            return None
        least = self.simulation.yearly == self.simulation.yearly.min(axis=0)
        return tuple(float(one) for one in (least / least.sum(axis=0)).mean(axis=1))

    def age(self, row: Row) -> Age:
        """Return how old the price of *row* is."""
        return age_of(row.quote.as_of, self.today)


def report_of(
    comparison: Comparison,
    workloads: Sequence[Workload | None] | None = None,
    *,
    simulation: Simulation | None = None,
    plan: Mapping[str, Any] | None = None,
    title: str = "",
    created: datetime | None = None,
    place: str | None = None,
) -> Report:
    """Return what a report of *comparison* tells; *workloads* are those that it was made with, quote by quote.

    *plan* is a chosen plan as `recorded` gives it. *created* is the time to note, by default now. *place* is
    that whose tariff and grid the assumptions have.

    Raises:
        BadRequest: no quotes, assumptions that are arrays, or a simulation or workloads of other quotes.
    """
    quotes = tuple(row.quote for row in comparison.rows)
    loads = (None,) * len(quotes) if workloads is None else tuple(workloads)
    if not quotes:
        raise BadRequest("report.no_quotes", field="quotes")
    if any(np.ndim(getattr(comparison.assumptions, one.name)) for one in fields(Assumptions)):
        raise BadRequest("report.arrays", field="assumptions")
    if len(loads) != len(quotes) or (simulation is not None and simulation.quotes != quotes):
        raise BadRequest("report.other_quotes", field="quotes")
    data = files_version([ACCELERATORS, OFFERS, OWNERSHIP])
    return Report(
        title.strip(), created or datetime.now(UTC), comparison, loads, simulation, plan, data, place
    )
