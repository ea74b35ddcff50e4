"""What rent costs, month by month: by the hour, on the spot market, for a term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from core.catalog import Offer
from core.cost.assumptions import Assumptions, Number
from core.cost.months import Flow, Months, each_month
from core.cost.quote import HOURS, MOST_NODES, Quote
from core.errors import BadRequest, shown

MONTH = HOURS["month"]
"""Hours of a month."""


def run_share(quote: Quote) -> float:
    """Return the share of all hours in which the GPUs of *quote* can be used.

    Only rent by the hour can be switched off; a term, rent by the month and a purchase run all day.
    """
    switched = quote.kind in ("on_demand", "spot") and quote.period == "hour"
    return quote.hours_per_day / 24.0 if switched else 1.0


def repeated(quote: Quote, assumptions: Assumptions) -> Number:
    """Return hours that are paid for each hour that counts: more than 1 for spot, where work is lost."""
    return 1.0 + np.asarray(assumptions.spot_interruption) if quote.kind == "spot" else 1.0


def usd_per_month(quote: Quote, assumptions: Assumptions) -> Number:
    """Return the rent of a month in US dollars, tax included.

    rent = USD/h x 730 h x share of the day x hours paid for each that counts.
    """
    hours = MONTH * run_share(quote) * repeated(quote, assumptions)
    return quote.usd_per_hour * np.asarray(assumptions.price) * hours


def rent_lines(quote: Quote, assumptions: Assumptions, months: Months) -> Mapping[str, Flow]:
    """Return the payments of a rented *quote* in US dollars by month: rent, committed, egress, storage.

    A term that is paid for in any case and ends after the horizon leaves the rest of its rent to be paid at the
    end ("committed"). Rent after a term goes on at its price. A rent paid once is paid again each term.
    """
    rent = each_month(usd_per_month(quote, assumptions))
    once = quote.usd_once * each_month(assumptions.price)
    beyond = np.maximum(quote.commitment_months - months.horizon, 0.0)
    lines = {
        "rent": rent * months.share + once * _prepaid(quote, months),
        "committed": rent * beyond * months.end,
    }
    return {
        name: line for name, line in (lines | traffic_lines(quote, assumptions, months)).items() if line.any()
    }


def traffic_lines(quote: Quote, assumptions: Assumptions, months: Months) -> dict[str, Flow]:
    """Return payments in US dollars by month for traffic to the outside and for storage."""
    egress = quote.egress_usd_gb * each_month(assumptions.egress_gb_month)
    storage = quote.storage_usd_gb_month * each_month(assumptions.storage_gb)
    return {"egress": egress * months.share, "storage": storage * months.share}


def _prepaid(quote: Quote, months: Months) -> Flow:
    """Return 1 where a term begins that is paid in advance: on the first day, and at the end of each term."""
    term = quote.commitment_months or np.inf
    begins = (months.index % term == 0) & (months.index < months.horizon)
    return np.where(begins, 1.0, 0.0)


def quote_of(offer: Offer, kind: Literal["on_demand", "spot"] = "on_demand", nodes: int = 1) -> Quote:
    """Return *nodes* instances of *offer* as a quote: on demand, or the median spot price with the highest seen.

    Raises:
        BadRequest: nobody publishes a spot price of this offer, or *nodes* is not 1 to MOST_NODES.
    """
    if not 1 <= nodes <= MOST_NODES:
        raise BadRequest("cost.nodes", field="nodes", value=shown(nodes), most=f"{MOST_NODES:,}")
    price = offer.usd_per_hour if kind == "on_demand" else offer.spot_median
    if price is None:
        raise BadRequest("cost.no_spot", field="kind", offer=offer.id)
    return Quote(
        name=offer.id,
        kind=kind,
        gpu=offer.accelerator,
        nodes=nodes,
        gpus_per_node=offer.gpus,
        price=price,
        per="node",
        spot_high=offer.spot_high if kind == "spot" else None,
        region=offer.region,
        as_of=offer.provenance.as_of,
        source=offer.provenance.source,
    )


def reserved(quote: Quote, years: Literal[1, 3], assumptions: Assumptions) -> Quote:
    """Return *quote*, a price by the hour, as it is for a term of one or three *years*: less the usual discount.

    Raises:
        BadRequest: the discount is not a plain number below 1.
    """
    discount = np.asarray(assumptions.reserved_1y if years == 1 else assumptions.reserved_3y)
    if discount.ndim or not 0 <= discount < 1:
        raise BadRequest("cost.discount", field=f"reserved_{years}y")
    return replace(
        quote,
        kind="reserved",
        price=quote.price * (1.0 - float(discount)),
        spot_high=None,
        hours_per_day=24.0,
        commitment_months=12 * years,
    )
