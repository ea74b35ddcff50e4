"""What a flow of payments says: its sum, its value today, where two of them cross."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.cost.assumptions import Assumptions, Number
from core.cost.bill import bill
from core.cost.months import Flow
from core.cost.quote import Quote
from core.cost.renting import MONTH, repeated


def monthly_rate(yearly: Number) -> Number:
    """Return the rate of a month that compounds to *yearly*: (1 + d)^(1/12) - 1.

    >>> round(float(monthly_rate(0.1)), 6)
    0.007974
    """
    return (1.0 + np.asarray(yearly, dtype=float)) ** (1.0 / 12.0) - 1.0


def cumulative(flow: Flow) -> Flow:
    """Return what was paid up to the end of each month, in the unit of *flow*."""
    return np.cumsum(flow, axis=-1)


def present_value(flow: Flow, discount_rate: Number) -> Number:
    """Return what *flow* is worth on the first day: sum of payments / (1 + d)^(m / 12).

    Costs are positive here, so this is the net present cost: less is better. At rate 0 it is the plain sum.
    """
    month = np.arange(flow.shape[-1], dtype=float)
    weights = (1.0 + np.asarray(discount_rate, dtype=float)[..., None]) ** (-month / 12.0)
    worth: Number = (flow * weights).sum(axis=-1)
    return worth


def break_even_month(dear_first: Flow, dear_later: Flow) -> Number:
    """Return the month in which what was paid for *dear_later* overtakes *dear_first*; not a number if never.

    Where the cumulative curves cross from below to above, first time, interpolated within the month. 0 where
    *dear_later* was never below.
    """
    ahead = np.cumsum(dear_later - dear_first, axis=-1)
    over = ahead >= 0
    found = over.any(axis=-1)
    at = np.argmax(over, axis=-1)
    after = np.take_along_axis(ahead, at[..., None], -1)[..., 0]
    before = np.take_along_axis(ahead, np.maximum(at - 1, 0)[..., None], -1)[..., 0]
    rise = np.where(after > before, after - before, 1.0)
    month = np.where(at == 0, 0.0, at - after / rise)
    crossing: Number = np.where(found, month, np.nan)[()]
    return crossing


def break_even_utilisation(owned: Quote, rented: Quote, assumptions: Assumptions) -> Number:
    """Return the share of all hours at which owning costs what renting *rented* for those hours alone does.

    Owning costs a + b u in a year, b for energy; renting r u. So u = a / (r - b). Above 1: renting is cheaper
    even all day. Infinite where an hour of rent costs less than the energy of one's own. No growth is assumed,
    no term of *rented*, no traffic, and its rate with tax, interruptions and for as many GPUs as *owned* has.
    """
    steady = replace(assumptions, growth=0.0)
    fixed = np.asarray(bill(owned, replace(steady, utilisation=0.0)).yearly)
    slope = np.asarray(bill(owned, replace(steady, utilisation=1.0)).yearly) - fixed
    hourly = rented.usd_per_hour * np.asarray(assumptions.price) * repeated(rented, assumptions)
    rent = hourly * owned.gpus / rented.gpus * MONTH * 12.0
    room = rent - slope
    share: Number = np.where(room > 0, fixed / np.where(room > 0, room, 1.0), np.inf)[()]
    return share


def payback_months(outlay: Number, saved_per_month: Number) -> Number:
    """Return the months in which *saved_per_month* brings *outlay* back, without interest; infinite if never.

    >>> float(payback_months(1200.0, 100.0)), float(payback_months(1200.0, 0.0))
    (12.0, inf)
    """
    saved = np.asarray(saved_per_month, dtype=float)
    months: Number = np.where(saved > 0, outlay / np.where(saved > 0, saved, 1.0), np.inf)[()]
    return months
