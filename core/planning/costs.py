"""What candidates cost: for each the cheapest offer that holds its replicas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.catalog import Accelerator
from core.catalog.nodes import gpus_per_node
from core.cost.prices import Price, hourly_cost, instances_needed, prices_of
from core.planning.question import Question
from core.planning.sizing import Sized


@dataclass(frozen=True)
class Costs:
    """US dollars per hour of each candidate (inf: no offer), and the place of its price in `prices` (-1: none)."""

    usd_per_hour: Any
    place: Any
    prices: tuple[Price, ...]

    def price(self, row: int) -> Price | None:
        """Return the price of candidate *row*."""
        place = int(self.place[row])
        return None if place < 0 else self.prices[place]


def prices_for(question: Question, accelerator: str) -> tuple[Price, ...]:
    """Return the prices that *question* admits for *accelerator*; owned GPUs have only a stated one."""
    limits, pricing = question.limits, question.pricing
    if limits.owned and accelerator not in pricing.stated:
        return ()
    return prices_of(
        accelerator,
        kind=pricing.kind,
        clouds=limits.clouds,
        regions=limits.regions,
        stated=pricing.stated,
    )


def costs_of(sized: Sized, question: Question) -> Costs:
    """Return what the replicas of *sized* and the spare ones cost in whole instances."""
    count = len(sized.row)
    best, place = np.full(count, np.inf), np.full(count, -1)
    known: list[Price] = []
    total = sized.replicas + question.limits.spare
    for device, record in enumerate(sized.prospects.field.records):
        rows = np.flatnonzero(sized.device == device)
        if not len(rows):
            continue
        for price in prices_for(question, record.id):
            groups = _together(price, record, sized, rows)
            usd = hourly_cost(price, sized.gpus_per_replica[rows], groups, total[rows])
            cheaper = usd < best[rows]
            best[rows] = np.where(cheaper, usd, best[rows])
            place[rows] = np.where(cheaper, len(known), place[rows])
            known.append(price)
    return Costs(best, place, tuple(known))


def _together(price: Price, record: Accelerator, sized: Sized, rows: Any) -> Any:
    """Return how many GPUs of one replica must be in the same instance.

    Whole servers are joined by a fast network, so that only a tensor-parallel group stays inside one. What runs
    between smaller instances is unknown: a replica then stays in one of them.
    """
    whole = price.offer is None or price.gpus >= gpus_per_node(record)
    return sized.tp[rows] if whole else sized.gpus_per_replica[rows]


def instances_of(price: Price | None, sized: Sized, row: int, spare: int) -> int | None:
    """Return how many instances of *price* candidate *row* rents; None without an offer."""
    if price is None or price.offer is None:
        return None
    record = sized.prospects.field.records[int(sized.device[row])]
    group = int(_together(price, record, sized, np.array([row]))[0])
    total = int(sized.replicas[row]) + spare
    needed: int | None = instances_needed(price, int(sized.gpus_per_replica[row]), group, total)
    return needed
