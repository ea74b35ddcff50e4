"""Reports that several tests start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from core.cost.assumptions import Assumptions
from core.cost.compare import compare
from core.cost.quote import Quote
from core.cost.tokens import Workload
from core.cost.uncertainty import simulate
from core.report import Report, report_of
from tests.core.cost.quotes import HOURLY, OWNED, SPOT, TERM

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
SCRIPT = '<script>alert("1")</script>'
PREPAID = Quote(
    "prepaid",
    "reserved",
    "nobody knows it",
    1,
    8,
    90_000.0,
    "total",
    "once",
    "EUR",
    1.1,
    0.19,
    commitment_months=12,
)
QUOTES = (
    replace(OWNED, nodes=2, as_of=date(2026, 11, 1), source="Vendor A"),
    replace(HOURLY, as_of=date(2026, 5, 1), hours_per_day=12.0),
    SPOT,
    replace(TERM, commitment_months=48, egress_usd_gb=0.05, storage_usd_gb_month=0.02),
    PREPAID,
)
ASSUMED = Assumptions(
    horizon_months=38.5,
    growth=0.2,
    financing_months=24.0,
    spare_nodes=1.0,
    egress_gb_month=1000.0,
    storage_gb=10.0,
)
LOADS: tuple[Workload | None, ...] = (
    Workload(1000.0, 250.0, 40.0, 10.0),
    Workload(1000.0, 250.0, 20.0, 10.0),
    Workload(1000.0, 250.0, 20.0),
    None,
    Workload(1000.0, 250.0, 20.0, 30.0),
)


def made(
    quotes: Sequence[Quote] = QUOTES,
    assumptions: Assumptions = ASSUMED,
    loads: Sequence[Workload | None] = LOADS,
    draws: int = 0,
    title: str = "",
) -> Report:
    found = compare(quotes, assumptions, loads, NOW.date())
    simulation = simulate(quotes, assumptions, loads, count=draws) if draws else None
    return report_of(found, loads, simulation=simulation, title=title, created=NOW)
