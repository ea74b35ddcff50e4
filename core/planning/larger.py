"""Quotes that are too small for the load: how many of their servers would hold it, and what these cost."""

from __future__ import annotations

from dataclasses import dataclass

from core.cost.compare import Row, compare
from core.planning.fair import Answer


@dataclass(frozen=True)
class Larger:
    """A quote that is too small, with as many servers as hold the load, each at the same price."""

    nodes: int
    row: Row


def larger(answer: Answer, place: int) -> Larger | None:
    """Return quote *place* with as many servers as hold the load; None where it does, or nothing would."""
    known, quote, load = answer.capabilities[place], answer.quotes[place], answer.loads[place]
    if known.state != "small" or known.enough is None or load is None:
        return None
    more = quote.of_nodes(known.enough.nodes(quote.gpus_per_node))
    rate = None if load.rate is None else float(load.rate)
    served = known.enough.workload(more.gpus, rate)
    return Larger(more.nodes, compare((more,), answer.comparison.assumptions, (served,)).rows[0])
