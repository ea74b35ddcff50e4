"""List prices as quotes, so that they can stand beside those that people got."""

from __future__ import annotations

from typing import Literal

from core.catalog import Offer
from core.cost.quote import Quote
from core.errors import BadRequest, shown
from core.quotes.columns import column


def from_offer(offer: Offer, nodes: int = 1, kind: Literal["on_demand", "spot"] = "on_demand") -> Quote:
    """Return the list price of *nodes* instances of *offer*, on demand or spot (median, highest over zones).

    Raises:
        BadRequest: no spot price is known, or *nodes* is not 1 or more.
    """
    most = int(column("nodes").most)
    if not 1 <= nodes <= most:
        raise BadRequest("quotes.nodes", field="nodes", value=shown(nodes), most=f"{most:,}")
    price = offer.usd_per_hour if kind == "on_demand" else offer.spot_median
    if price is None:
        raise BadRequest("quotes.no_spot", field="kind", offer=offer.id)
    return Quote(
        name=offer.id if kind == "on_demand" else f"{offer.id} spot",
        kind=kind,
        gpu=offer.accelerator,
        nodes=nodes,
        gpus_per_node=offer.gpus,
        price=price,
        per="node",
        period="hour",
        spot_high=offer.spot_high if kind == "spot" else None,
        region=offer.region,
        as_of=offer.provenance.as_of,
        source=offer.cloud,
        notes=offer.notes,
    )
