"""Three quotes and their answer, for tests: a list price, a purchase, and GPUs that are too few."""

from __future__ import annotations

from dataclasses import replace

from core.cost.quote import Quote
from core.planning.fair import Answer, answer, assumed
from core.planning.quoted import Capability, Enough
from tests.plans import made

LISTED = Quote("Listed", "on_demand", "a100-sxm-80", 2, 8, 27.0, per="node")
BOUGHT = Quote("Bought", "purchase", "a100-sxm-80", 2, 8, 158_000.0, per="node", period="once")
CHEAP = Quote("Cheap", "on_demand", "t4", 2, 8, 8.0, per="node")


def compared(*quotes: Quote, rate: float | None = 20.0, **given: float) -> Answer:
    """Return the answer for *quotes*, by default all three; A100s serve 80 requests/s, T4s 8."""
    chosen = quotes or (LISTED, BOUGHT, CHEAP)
    return answer(chosen, [can(quote) for quote in chosen], assumed(given), rate)


def can(quote: Quote) -> Capability:
    """Return what a quote of these can do."""
    if quote.gpu == "t4":
        return Capability("small", made(), 2, 8.0, enough=enough())
    return Capability("keeps", made(), 16, 80.0, enough=enough())


def enough() -> Enough:
    """Return what would serve the load: eight replicas of four GPUs, of which each takes 5 requests/s of 10."""
    return Enough(made(tp=4, replicas=8, rate=40.0, stable=80.0), 5.0)


def without_model(*quotes: Quote) -> Answer:
    """Return the answer where no quote holds the model."""
    return answer(quotes, [Capability("none") for _ in quotes], assumed({}), 20.0)


def named(quote: Quote, name: str) -> Quote:
    """Return *quote* under another name."""
    return replace(quote, name=name)
