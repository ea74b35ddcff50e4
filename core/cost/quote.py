"""A quote as somebody wrote it, and what it says in dollars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

Kind = Literal["on_demand", "spot", "reserved", "purchase"]
KINDS: tuple[Kind, ...] = ("on_demand", "spot", "reserved", "purchase")
"""Ways to pay: by the hour, by the hour while nobody pays more, for a term, or once."""

Per = Literal["gpu", "node", "total"]
PERS: tuple[Per, ...] = ("gpu", "node", "total")
"""What a price is for."""

Period = Literal["hour", "month", "year", "once"]
PERIODS: tuple[Period, ...] = ("hour", "month", "year", "once")
"""For how long a price pays."""

HOURS = {"hour": 1.0, "month": 730.0, "year": 8760.0}
"""Hours of the periods in which rent is quoted."""

MOST_NODES = 100_000
"""Servers of the largest quote."""


@dataclass(frozen=True)
class Quote:
    """An offer for `nodes` servers with `gpus_per_node` GPUs each, as it was written.

    price        in `currency`, before `tax`, for what `per` and `period` say; once: a purchase
    usd_rate     US dollars for one unit of `currency`
    tax          share that is added, 0 to 1
    spot_high    for spot, the highest price seen, in the units of `price`; None: not stated
    hours_per_day   for rent by the hour, how long it runs
    commitment_months   term that is paid for in any case; 0: none
    delivery_days   until it can be used
    egress_usd_gb, storage_usd_gb_month   US dollars
    as_of        day of the quote, `source` who made it
    """

    name: str
    kind: Kind
    gpu: str
    nodes: int
    gpus_per_node: int
    price: float
    per: Per = "gpu"
    period: Period = "hour"
    currency: str = "USD"
    usd_rate: float = 1.0
    tax: float = 0.0
    spot_high: float | None = None
    hours_per_day: float = 24.0
    commitment_months: int = 0
    delivery_days: int = 0
    egress_usd_gb: float = 0.0
    storage_usd_gb_month: float = 0.0
    region: str | None = None
    as_of: date | None = None
    source: str = ""
    notes: str = ""

    @property
    def gpus(self) -> int:
        """GPUs of all servers."""
        return self.nodes * self.gpus_per_node

    @property
    def is_purchase(self) -> bool:
        """Whether it is paid once and owned then."""
        return self.kind == "purchase"

    @property
    def usd_once(self) -> float:
        """What a purchase costs in US dollars, tax included; 0 for rent."""
        return self._usd_of_all if self.period == "once" else 0.0

    @property
    def usd_per_hour(self) -> float:
        """Rent of all servers for an hour in which they run, US dollars, tax included; 0 for a purchase."""
        return 0.0 if self.period == "once" else self._usd_of_all / HOURS[self.period]

    def of_nodes(self, nodes: int) -> Quote:
        """Return the same offer for *nodes* servers, each at the same price."""
        share = nodes / self.nodes if self.per == "total" else 1.0
        high = None if self.spot_high is None else self.spot_high * share
        return replace(self, nodes=nodes, price=self.price * share, spot_high=high)

    @property
    def _usd_of_all(self) -> float:
        count = {"gpu": self.gpus, "node": self.nodes, "total": 1}[self.per]
        return self.price * count * self.usd_rate * (1.0 + self.tax)
