"""What owning costs, month by month: the purchase, how it is paid, what it takes to run, what a sale brings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.cost.assumptions import Assumptions, Number
from core.cost.months import Flow, Months, each_month
from core.cost.quote import Quote
from core.cost.renting import traffic_lines, usd_per_month

RESIDUAL_MONTHS = 36.0
"""Age at which `residual` is what a sale brings."""

STAFFED_NODES = 8.0
"""Nodes that `staff_fte` people run; more take more people in proportion."""

_NO_INTEREST = 1e-12
"""Monthly rates up to this are none: the difference is below a cent in a thousand million."""


def own_lines(
    quote: Quote, assumptions: Assumptions, months: Months, watts: float, kwh: Flow
) -> Mapping[str, Flow]:
    """Return the payments for a purchase in US dollars by month, by what they are for; a sale is negative.

    *watts* is the TDP of one GPU, *kwh* the energy of each month at the meter of the building.
    """
    nodes = quote.nodes + np.asarray(assumptions.spare_nodes)
    servers = each_month(quote.usd_once * np.asarray(assumptions.price) * nodes / quote.nodes)
    fabric = np.asarray(assumptions.network_usd) * (1.0 if quote.nodes > 1 else 0.0)
    setup = np.asarray(assumptions.installation_usd) + np.asarray(assumptions.rack_usd)
    staff = np.asarray(assumptions.staff_fte) * max(1.0, quote.nodes / STAFFED_NODES)
    lines = {
        **_paid(servers, assumptions, months),
        "network": each_month(nodes * fabric) * months.start,
        "installation": each_month(nodes * setup) * months.start,
        "lease": each_month(usd_per_month(quote, assumptions)) * months.share,
        "energy": kwh * each_month(assumptions.usd_kwh),
        "colocation": each_month(_colocation(quote, assumptions, watts)) * months.share,
        "maintenance": servers * each_month(assumptions.maintenance) / 12.0 * months.share,
        "staff": each_month(staff * assumptions.staff_usd / 12.0) * months.share,
        "sale": -servers * resale(months.horizon, assumptions) * months.end,
        **traffic_lines(quote, assumptions, months),
    }
    return {name: line for name, line in lines.items() if line.any()}


def annuity(monthly_rate: Number, term: Number) -> Number:
    """Return the instalment of each of *term* months for one dollar lent at *monthly_rate*.

    r / (1 - (1 + r)^-n), 1 / n without interest.

    >>> round(float(annuity(0.01, 12)), 6)
    0.088849
    """
    rate, count = np.asarray(monthly_rate, dtype=float), np.maximum(term, 1.0)
    some = np.where(rate > _NO_INTEREST, rate, 1.0)
    return np.where(rate > _NO_INTEREST, some / -np.expm1(-count * np.log1p(some)), 1.0 / count)


def owed(monthly_rate: Number, term: Number, paid: Number) -> Number:
    """Return what is still owed of one dollar after *paid* of *term* instalments of `annuity`.

    The value of the instalments to come: a (1 - (1 + r)^-k) / r for k of them.

    >>> round(float(owed(0.01, 12, 6)), 4), float(owed(0.0, 12, 3)), float(owed(0.01, 12, 24))
    (0.5149, 0.75, 0.0)
    """
    rate = np.asarray(monthly_rate, dtype=float)
    left = np.maximum(np.asarray(term) - paid, 0.0)
    some = np.where(rate > _NO_INTEREST, rate, 1.0)
    worth = np.where(rate > _NO_INTEREST, -np.expm1(-left * np.log1p(some)) / some, left)
    return annuity(rate, term) * worth


def resale(age_months: Number, assumptions: Assumptions) -> Flow:
    """Return what a purchase of that age brings, as a share of its price; *age_months* has an axis of months.

    The lower of market and book: residual^(age / 36) and 1 - age / life. A purchase that outlives its life is
    replaced, so the age is that of the last one.
    """
    life = 12.0 * each_month(assumptions.depreciation_years)
    age = np.asarray(age_months) - life * np.floor((np.ceil(age_months) - 1.0) / life)
    market = each_month(assumptions.residual) ** (age / RESIDUAL_MONTHS)
    return np.minimum(market, np.maximum(1.0 - age / life, 0.0))


def _paid(servers: Flow, assumptions: Assumptions, months: Months) -> dict[str, Flow]:
    """Return the payments for *servers*: at once, or a loan whose rest is paid at the end; replacements at once."""
    term = each_month(assumptions.financing_months)
    rate = each_month(assumptions.financing_rate) / 12.0
    instalments = annuity(rate, term) * months.until(term)
    rest = owed(rate, term, months.horizon) * months.end
    again = _replaced(assumptions, months)
    return {
        "hardware": servers * (np.where(term > 0, 0.0, months.start) + again),
        "financing": servers * np.where(term > 0, instalments + rest, 0.0),
    }


def _replaced(assumptions: Assumptions, months: Months) -> Flow:
    """Return 1 in the months at whose end a life is over and the horizon is not, 0 else."""
    life = 12.0 * each_month(assumptions.depreciation_years)
    before = np.floor(np.maximum(months.index - 1.0, 0.0) / life)
    return np.where(months.index < months.horizon, np.floor(months.index / life) - before, 0.0)


def _colocation(quote: Quote, assumptions: Assumptions, watts: float) -> Number:
    """Return US dollars a month for the rated power of the servers: TDP and what stands around the GPUs."""
    kilowatts = quote.gpus * watts / 1000.0 * (1.0 + np.asarray(assumptions.power_overhead))
    return kilowatts * assumptions.colo_usd_kw_month
