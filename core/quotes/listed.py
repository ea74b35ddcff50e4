"""List prices as quotes, so that they can stand beside those that people got."""

from __future__ import annotations

from typing import Literal

from core.catalog import Offer
from core.cost.quote import Quote


def from_offer(offer: Offer, nodes: int = 1, kind: Literal["on_demand", "spot"] = "on_demand") -> Quote:
    """Return the list price of *nodes* instances of *offer*, on demand or spot (median, highest over zones).

    Raises:
        BadRequest: no spot price is known, or *nodes* is not 1 or more.
    """
    raise NotImplementedError
