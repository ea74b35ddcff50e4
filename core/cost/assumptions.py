"""What a comparison of quotes assumes, each value with its range and where that comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from core.catalog.ownership import Figure, grid, ownership, tariff
from core.cost.quote import Quote

Number = float | NDArray[np.float64]
"""A plain number, or an array of them that broadcasts with the others: one value for each draw or point."""


@dataclass(frozen=True)
class _Typical:
    """Gives the typical value of the figure `key` of hardware_db/ownership.csv, as the default of a field."""

    key: str

    def __call__(self) -> float:
        return ownership()[self.key].typical


@dataclass(frozen=True)
class Assumptions:
    """What quotes are compared under. Shares are 0 to 1; rates are per year.

    horizon_months      months that are compared
    utilisation         share of all hours in which the GPUs work, in the first month
    growth              of the load; the GPUs work at most all hours
    discount_rate       at which later payments count less
    financing_rate, financing_months   interest and term of a loan for a purchase; 0 months: paid at once
    depreciation_years  useful life, after which a purchase is replaced and worth nothing
    residual            share of its price that a purchase still brings after 36 months
    usd_kwh, pue        tariff, and power of the building for each unit of power of its servers
    power_load, power_idle, power_overhead   of a GPU's TDP: at work, waiting, and what the server adds around it
    colo_usd_kw_month   space with power and cooling, without the energy; of the servers' rated power
    maintenance         of the price of the servers, a year
    staff_fte, staff_usd   people for up to eight nodes (more in proportion), and what one costs a year
    spare_nodes         bought beside those of the quote
    network_usd         of each node, where there are two or more; installation_usd and rack_usd of each node
    spot_interruption   hours paid again after spot instances were taken away, as a share
    reserved_1y, reserved_3y   taken off the price by the hour for a term
    egress_gb_month, storage_gb   traffic to the outside, and what is stored all the time
    grid_g_kwh          grams of CO2 for a kWh
    token_split         cost of an output token as a multiple of that of an input token
    price, speed        multiples of the quote's price, and of the speed that is estimated
    """

    horizon_months: Number = field(default_factory=_Typical("horizon"))
    utilisation: Number = field(default_factory=_Typical("utilisation"))
    growth: Number = field(default_factory=_Typical("growth"))
    discount_rate: Number = field(default_factory=_Typical("capital_cost"))
    financing_rate: Number = field(default_factory=_Typical("financing_rate"))
    financing_months: Number = 0.0
    depreciation_years: Number = field(default_factory=_Typical("dep_years"))
    residual: Number = field(default_factory=_Typical("residual"))
    usd_kwh: Number = field(default_factory=_Typical("el_us_com"))
    pue: Number = field(default_factory=_Typical("pue_global"))
    power_load: Number = field(default_factory=_Typical("power_load"))
    power_idle: Number = field(default_factory=_Typical("power_idle"))
    power_overhead: Number = field(default_factory=_Typical("pow_factor"))
    colo_usd_kw_month: Number = field(default_factory=_Typical("colo_retail"))
    maintenance: Number = field(default_factory=_Typical("maint_pct"))
    staff_fte: Number = field(default_factory=_Typical("staff_fte"))
    staff_usd: Number = field(default_factory=_Typical("staff_usd"))
    spare_nodes: Number = field(default_factory=_Typical("spare_nodes"))
    network_usd: Number = field(default_factory=_Typical("net_ib_per_node_ndr"))
    installation_usd: Number = field(default_factory=_Typical("install_node"))
    rack_usd: Number = field(default_factory=_Typical("rack_node"))
    spot_interruption: Number = field(default_factory=_Typical("spot_interruption"))
    reserved_1y: Number = field(default_factory=_Typical("rsv_1y"))
    reserved_3y: Number = field(default_factory=_Typical("rsv_3y"))
    egress_gb_month: Number = 0.0
    storage_gb: Number = 0.0
    grid_g_kwh: Number = field(default_factory=_Typical("grid_us"))
    token_split: Number = field(default_factory=_Typical("token_split"))
    price: Number = 1.0
    speed: Number = field(default_factory=_Typical("speed"))

    def at(self, place: str) -> Assumptions:
        """Return these with tariff and grid of *place*, a country or a region of a cloud, where they are known."""
        return replace(self, **{name: one.typical for name, one in _local(place).items()})


@dataclass(frozen=True)
class Range:
    """What an assumption may be: `low` to `high`, and `typical`; `figure` says by whom (None: the quote itself)."""

    low: float
    typical: float
    high: float
    figure: Figure | None = None

    @property
    def values(self) -> tuple[float, float, float]:
        """Low, typical and high."""
        return self.low, self.typical, self.high


def ranges(place: str | None = None) -> Mapping[str, Range]:
    """Return the range of each field of `Assumptions` that hardware_db/ownership.csv knows, by field.

    Tariff and grid are those of *place*, a country or a region of a cloud, where they are known.
    """
    factories = {one.name: one.default_factory for one in fields(Assumptions)}
    keys = {name: factory.key for name, factory in factories.items() if isinstance(factory, _Typical)}
    figures = {name: ownership()[key] for name, key in keys.items()}
    if place:
        figures |= _local(place)
    return {name: Range(one.low, one.typical, one.high, one) for name, one in figures.items()}


def _local(place: str) -> dict[str, Figure]:
    """Return the figures of *place* by the field that they are for, in US dollars."""
    price = tariff(place)
    return ({} if price is None else {"usd_kwh": in_usd(price)}) | {"grid_g_kwh": grid(place)}


def price_range(quote: Quote) -> Range:
    """Return what may be paid in the end, as multiples of the price of *quote*.

    Spot prices reach from the lowest zone to `spot_high`, or to that of other offers. Prices by the hour fall
    during the horizon more often than they rise. A purchase and a term are as quoted, but for negotiation.
    """
    figures = ownership()
    if quote.kind == "spot":
        high = figures["price_spot_high"].high
        stated = quote.spot_high / quote.price if quote.spot_high and quote.price > 0 else high
        return Range(figures["price_spot_low"].low, 1.0, max(stated, 1.0), figures["price_spot_high"])
    figure = figures["price_hourly" if quote.kind == "on_demand" else "price_firm"]
    return Range(figure.low, figure.typical, figure.high, figure)


def in_usd(figure: Figure) -> Figure:
    """Return *figure* in US dollars, its unit too."""
    rate = usd_of(figure)
    ends = {name: getattr(figure, name) * rate for name in ("low", "typical", "high")}
    return figure.model_copy(update={**ends, "unit": f"USD{figure.unit[3:]}"})


def usd_of(figure: Figure) -> float:
    """Return US dollars for one unit of the currency of *figure*, whose unit begins with it ("EUR/kWh")."""
    rate = ownership().get(f"fx_{figure.unit[:3].lower()}")
    return 1.0 if rate is None else rate.typical
