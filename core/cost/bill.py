"""All payments of a quote, month by month, with the hours and the energy that they buy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.cost.assumptions import Assumptions, Number
from core.cost.device import Device, device_of
from core.cost.months import Flow, Months, each_month, months
from core.cost.owning import own_lines
from core.cost.quote import Quote
from core.cost.renting import MONTH, rent_lines, repeated, run_share

LINES = (
    *("hardware", "financing", "lease", "network", "installation", "rent", "committed", "energy"),
    *("colocation", "maintenance", "staff", "egress", "storage", "sale"),
)
"""What payments are for, in the order in which they are shown."""


@dataclass(frozen=True)
class Bill:
    """The payments of a quote. Flows have months last: column 0 is the first day, column m ends month m.

    lines       US dollars by what they are for (names of LINES; those that are paid), money back is negative
    gpu_hours   hours in which the GPUs can be used, `used_hours` those in which they work
    kwh         energy at the meter of the building, `grid_g_kwh` grams of CO2 for each
    """

    horizon_months: Number
    lines: Mapping[str, Flow]
    gpu_hours: Flow
    used_hours: Flow
    kwh: Flow
    grid_g_kwh: Number

    @cached_property
    def co2_kg(self) -> Flow:
        """What the energy emits, kg of CO2 by month."""
        return self.kwh * each_month(self.grid_g_kwh) / 1000.0

    @cached_property
    def total(self) -> Flow:
        """All payments, US dollars by month."""
        nothing = np.zeros(self.gpu_hours.shape[-1])
        return sum((self.lines[name] for name in LINES if name in self.lines), nothing)

    @cached_property
    def spending(self) -> Flow:
        """Payments before the sale at the end, US dollars by month: what two quotes are crossed on."""
        return self.total - self.lines["sale"] if "sale" in self.lines else self.total

    @property
    def yearly(self) -> Number:
        """Mean US dollars of a year."""
        return self.per_year(self.total)

    @property
    def usd_per_gpu_hour(self) -> Number:
        """US dollars for each hour in which a GPU can be used."""
        return _ratio(self.total.sum(axis=-1), self.gpu_hours.sum(axis=-1))

    @property
    def usd_per_used_gpu_hour(self) -> Number:
        """US dollars for each hour in which a GPU works; infinite where none does."""
        return _ratio(self.total.sum(axis=-1), self.used_hours.sum(axis=-1))

    def per_year(self, flow: Flow) -> Number:
        """Return the mean of a year of *flow*, in its unit."""
        total: Number = flow.sum(axis=-1) / self.horizon_months * 12.0
        return total


def bill(quote: Quote, assumptions: Assumptions, device: Device | None = None) -> Bill:
    """Return the payments of *quote* under *assumptions*, whose values may be arrays that broadcast.

    *device* is what its GPUs are like; None looks them up. Where nobody knows their power, energy and
    colocation cost nothing: `compare` warns of it.
    """
    known = device_of(quote.gpu) if device is None else device
    time = months(assumptions.horizon_months)
    running = run_share(quote)
    busy = _busy(assumptions, time, running)
    watts = known.watts or 0.0
    hours = quote.gpus * MONTH * time.share
    if watts:
        power = _power(assumptions, running, busy) * each_month(repeated(quote, assumptions))
        kwh = hours * watts / 1000.0 * power
    else:
        kwh = np.zeros(hours.shape)
    if quote.is_purchase:
        lines = own_lines(quote, assumptions, time, watts, kwh)
    else:
        lines = rent_lines(quote, assumptions, time)
    return Bill(assumptions.horizon_months, lines, hours * running, hours * busy, kwh, assumptions.grid_g_kwh)


def mixed(bills: Sequence[Bill], shares: Sequence[float | Flow]) -> Bill:
    """Return one bill of several ways to pay, *shares* of each: how much of what it is for, also month by month.

    A third on spot and two thirds for a term are `mixed((spot, term), (1 / 3, 2 / 3))` of bills for all GPUs.
    """
    pairs = list(zip(bills, shares, strict=True))
    names = [name for name in LINES if any(name in one.lines for one in bills)]
    nothing = np.zeros(bills[0].gpu_hours.shape[-1])

    def joined(flows: Sequence[Flow]) -> Flow:
        return sum((flow * share for flow, share in zip(flows, shares, strict=True)), nothing)

    lines = {
        name: sum((one.lines[name] * share for one, share in pairs if name in one.lines), nothing)
        for name in names
    }
    return Bill(
        bills[0].horizon_months,
        lines,
        joined([one.gpu_hours for one in bills]),
        joined([one.used_hours for one in bills]),
        joined([one.kwh for one in bills]),
        bills[0].grid_g_kwh,
    )


def _busy(assumptions: Assumptions, time: Months, running: float) -> Flow:
    """Return the share of all hours in which the GPUs work, by month: u (1 + g)^(months / 12), at most all."""
    years = np.maximum(time.index - 1.0, 0.0) / 12.0
    grown = each_month(assumptions.utilisation) * (1.0 + each_month(assumptions.growth)) ** years
    return np.minimum(grown, running)


def _power(assumptions: Assumptions, running: float, busy: Flow) -> Flow:
    """Return mean power at the meter of the building as a share of the GPUs' TDP.

    PUE x ((idle + around) x hours switched on + (load - idle) x hours at work).
    """
    waiting = each_month(assumptions.power_idle)
    always = (waiting + each_month(assumptions.power_overhead)) * running
    working = (each_month(assumptions.power_load) - waiting) * busy
    return each_month(assumptions.pue) * (always + working)


def _ratio(usd: Number, hours: Number) -> Number:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(usd, hours)
