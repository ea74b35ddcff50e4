"""What a GPU-hour costs: the one place where prices are asked for."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Literal

import numpy as np

from core.catalog import Offer, accelerators, offers
from core.catalog.nodes import SERVER, fabric_gpus, joins_nodes
from core.errors import BadRequest, shown
from core.text import Sentence, say

OLD_AFTER = 90
"""Days after which a price is told to be old."""


@dataclass(frozen=True)
class Age:
    """How many days ago a price was true; None: nobody says when it was."""

    days: int | None

    @property
    def is_old(self) -> bool:
        """Whether that is more than OLD_AFTER days ago."""
        return self.days is not None and self.days > OLD_AFTER

    @property
    def sentence(self) -> Sentence:
        """The age in a few words, as a badge has room for them."""
        if self.days is None:
            return say("price.age.unknown")
        if self.days < 0:
            return say("price.age.future")
        return say("price.age.old" if self.is_old else "price.age.days", days=self.days)


def age_of(as_of: date | None, today: date) -> Age:
    """Return how old a price of the day *as_of* is.

    >>> age_of(date(2026, 1, 1), date(2026, 1, 31)).days
    30
    """
    return Age(None if as_of is None else (today - as_of).days)


@dataclass(frozen=True)
class Price:
    """US dollars for an hour of one GPU of an offer whose instances have `gpus` each.

    `offer` is its id in hardware_db, None for a price that the user states. `kind` says what it is. `reach` is
    the largest tensor-parallel group that one instance, or a fabric that joins instances, holds; None: `gpus`.
    """

    usd_per_gpu_hour: float
    gpus: int
    offer: str | None
    cloud: str | None
    region: str | None
    kind: Literal["on_demand", "spot", "stated", "owned"]
    as_of: date | None
    source: str
    reach: int | None = None

    def age(self, today: date) -> int | None:
        """Return the days since the price was true, None where nobody says."""
        return age_of(self.as_of, today).days

    def is_old(self, today: date) -> bool:
        """Return whether the price is older than OLD_AFTER days."""
        return age_of(self.as_of, today).is_old

    def sentence(self, today: date) -> Sentence:
        """Return the price in words, with its day, and a warning where that is long ago."""
        usd = self.usd_per_gpu_hour
        if self.offer is None or self.as_of is None:
            return say(f"price.{'owned' if self.kind == 'owned' else 'stated'}", usd=usd)
        kind = say("price.spot" if self.kind == "spot" else "price.on_demand")
        return say(
            "price.old" if self.is_old(today) else "price.offer",
            usd=usd,
            kind=kind,
            instance=self.offer.split("/")[1],
            cloud=self.cloud,
            region=self.region,
            gpus=self.gpus,
            as_of=self.as_of.isoformat(),
            days=self.age(today),
        )


def prices_of(
    accelerator_id: str,
    *,
    kind: Literal["on_demand", "spot"] = "on_demand",
    clouds: Collection[str] | None = None,
    regions: Collection[str] | None = None,
    stated: Mapping[str, float] | None = None,
) -> tuple[Price, ...]:
    """Return what an hour of the accelerator *accelerator_id* costs, the cheapest first; () where nobody says.

    A price of *stated*, US dollars per GPU-hour by accelerator id, replaces all offers. Spot prices are the
    median over zones. *clouds* and *regions* limit the offers; None is any.

    Raises:
        BadRequest: a stated price that is not above zero.
    """
    if stated and accelerator_id in stated:
        return (stated_price(accelerator_id, stated[accelerator_id]),)
    found = [
        _price(offer, kind)
        for offer in _offers_of().get(accelerator_id, ())
        if (clouds is None or offer.cloud in clouds) and (regions is None or offer.region in regions)
    ]
    asked = (price for price in found if price is not None)
    return tuple(sorted(asked, key=lambda price: (price.usd_per_gpu_hour, price.offer or "")))


def stated_price(
    accelerator_id: str, usd_per_gpu_hour: float, kind: Literal["stated", "owned"] = "stated"
) -> Price:
    """Return the price that a user states for GPUs of *accelerator_id*, an id that the catalogue need not have.

    Single GPUs are paid; a tensor-parallel group may fill a server, or a fabric that joins servers.

    Raises:
        BadRequest: the price is not a finite number above zero.
    """
    if not (math.isfinite(usd_per_gpu_hour) and usd_per_gpu_hour > 0):
        raise BadRequest(
            "price.not_positive", field="price", gpu=accelerator_id, value=shown(usd_per_gpu_hour)
        )
    record = accelerators().get(accelerator_id)
    reach = fabric_gpus(record) if record else SERVER
    return Price(usd_per_gpu_hour, 1, None, None, None, kind, None, "", reach)


def instances_needed(price: Price, gpus_per_replica: Any, tp: Any, replicas: Any) -> Any:
    """Return how many instances of *price* carry *replicas* of *gpus_per_replica* GPUs, *tp* of them a group.

    See `whole_instances`: an int, or None where a group fits in no instance; of arrays floats, infinite there.
    """
    return whole_instances(price.gpus, max(price.reach or 0, price.gpus), gpus_per_replica, tp, replicas)


def whole_instances(size: int, reach: int, gpus_per_replica: Any, tp: Any, replicas: Any) -> Any:
    """Return how many machines of *size* GPUs carry *replicas* of *gpus_per_replica* GPUs each.

    Replicas that are smaller than a machine share it. A larger one takes whole machines, each of which holds
    whole tensor-parallel groups of *tp* GPUs, unless a fabric of *reach* GPUs joins machines. Numbers give an
    int, or None where a group exceeds the reach; arrays broadcast and give floats, infinite there.
    """
    groups, whole = np.asarray(tp), np.asarray(gpus_per_replica)
    inside = np.maximum(size // groups, 1)  # tensor-parallel groups of one machine
    sharing = np.ceil(np.asarray(replicas) / np.maximum(size // whole, 1))
    spread = np.ceil(np.where(groups <= size, np.ceil(whole / groups) / inside, whole / size))
    count = np.where(groups <= reach, np.where(whole <= size, sharing, replicas * spread), np.inf)
    if count.ndim:
        return count
    return int(count) if np.isfinite(count) else None


def hourly_cost(price: Price, gpus_per_replica: Any, tp: Any, replicas: Any) -> Any:
    """Return US dollars per hour of the instances of `instances_needed`; None, or infinite, where impossible."""
    count = instances_needed(price, gpus_per_replica, tp, replicas)
    return None if count is None else count * price.gpus * price.usd_per_gpu_hour


def clouds() -> tuple[str, ...]:
    """Return the clouds that have offers, in alphabetical order."""
    return tuple(sorted({offer.cloud for offer in offers().values()}))


def regions(cloud: str | None = None) -> tuple[str, ...]:
    """Return the regions of *cloud* that have offers, of all clouds where None, in alphabetical order."""
    return tuple(sorted({offer.region for offer in offers().values() if cloud in (None, offer.cloud)}))


@cache
def _offers_of() -> Mapping[str, tuple[Offer, ...]]:
    """Return the offers by accelerator."""
    found: dict[str, tuple[Offer, ...]] = {}
    for offer in offers().values():
        found[offer.accelerator] = (*found.get(offer.accelerator, ()), offer)
    return found


def _price(offer: Offer, kind: Literal["on_demand", "spot"]) -> Price | None:
    """Return the price of *offer*; None where it has none of that *kind*."""
    usd = offer.usd_per_gpu_hour if kind == "on_demand" else offer.spot_usd_per_gpu_hour
    if usd is None:
        return None
    record = accelerators()[offer.accelerator]
    return Price(
        usd,
        offer.gpus,
        offer.id,
        offer.cloud,
        offer.region,
        kind,
        offer.provenance.as_of,
        offer.provenance.source,
        fabric_gpus(record) if joins_nodes(record) else None,
    )
