"""What a new price must not be: nothing, absurd, or for something else than the old one."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from statistics import median

from core.catalog import Offer
from core.refresh.catalogues import Listed
from core.text import Sentence, say

FACTOR = 5.0
"""How many times dearer or cheaper than the median of its GPU, or than before, a price may be."""

NEAR = 0.05
"""How near to a multiple of the GPUs a change is taken for another unit."""

MOST_SPOT = 1.001
"""Clouds ask for spot at most what they ask on demand."""

FIRM = frozenset({"refresh.not_positive", "refresh.spot_not_positive"})
"""Faults that no reason excuses: there is no price."""


def medians(offers: Collection[Offer], found: Mapping[str, Listed]) -> dict[str, float]:
    """Return the median US dollars of a GPU-hour by accelerator: new prices where there are, else the old ones."""
    prices: dict[str, list[float]] = {}
    for offer in offers:
        listed = found.get(offer.id)
        usd = offer.usd_per_hour if listed is None else listed.price
        if math.isfinite(usd) and usd > 0:
            prices.setdefault(offer.accelerator, []).append(usd / offer.gpus)
    return {name: median(values) for name, values in prices.items()}


def faults(offer: Offer, listed: Listed, typical: float | None) -> Sequence[Sentence]:
    """Return why *listed* cannot replace the price of *offer*; nothing where it can.

    *typical* is the median of a GPU-hour of its accelerator.
    """
    if not (math.isfinite(listed.price) and listed.price > 0):
        return [say("refresh.not_positive", price=f"{listed.price:g}")]
    found = []
    if listed.gpus != offer.gpus:
        found.append(say("refresh.other_gpus", found=f"{listed.gpus:g}", known=offer.gpus))
    found += _spot(listed)
    found += _change(offer, listed)
    each = listed.price / offer.gpus
    if typical is not None and _is_far(each, typical) and not _is_far(offer.usd_per_gpu_hour, typical):
        found.append(say("refresh.absurd", usd=each, gpu=offer.accelerator, median=typical, factor=FACTOR))
    return found


def _is_far(usd: float, typical: float) -> bool:
    """Return whether *usd* is far from the median. A price that was so before is known to be: that is no news."""
    return not typical / FACTOR <= usd <= typical * FACTOR


def _spot(listed: Listed) -> list[Sentence]:
    if any(not (math.isfinite(one) and one > 0) for one in listed.spot):
        return [say("refresh.spot_not_positive")]
    dearest = max(listed.spot, default=0.0)
    if dearest > listed.price * MOST_SPOT:
        return [say("refresh.spot_above", spot=dearest, price=listed.price)]
    return []


def _change(offer: Offer, listed: Listed) -> list[Sentence]:
    """Return a fault where the change looks like one of units, or is too large to be one of prices."""
    ratio, gpus = listed.price / offer.usd_per_hour, offer.gpus
    for unit in (gpus, 1 / gpus) if gpus > 1 else ():
        if abs(ratio / unit - 1) <= NEAR:
            return [say("refresh.other_unit", old=offer.usd_per_hour, new=listed.price, gpus=gpus)]
    if not 1 / FACTOR <= ratio <= FACTOR:
        return [say("refresh.jump", old=offer.usd_per_hour, new=listed.price, factor=FACTOR)]
    return []
