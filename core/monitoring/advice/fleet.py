"""How many GPUs the work of a fleet needs, and what the others cost."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import date

import numpy as np

from core.catalog import known_accelerator
from core.cost.prices import Price, prices_of
from core.cost.quote import HOURS
from core.monitoring.advice.remedy import Link, Remedy
from core.monitoring.finding import Finding
from core.monitoring.snapshot import Snapshot
from core.quantities import format_usd
from core.text import Sentence, say

EASY = 0.70
"""Utilisation at which the guides' normal range begins: what work is packed to."""
FULL = 0.90
"""Where that range ends."""


@dataclass(frozen=True)
class Work:
    """What the GPUs of a fleet do: `gpus` of them, busy for the share `mean` of the time on average.

    `granule` is how many GPUs one replica takes: they come and go together.
    """

    gpus: int
    mean: float
    granule: int
    model: str | None

    def needed(self, utilisation: float) -> int:
        """Return the GPUs that do the same work at *utilisation*, in whole replicas and at least one of them.

        Busy time adds up: ceil(gpus x mean / utilisation), rounded up to a multiple of the granule.

        >>> Work(16, 0.31, 1, None).needed(0.70)
        8
        """
        # The rounding keeps 7.0000000001 GPUs from becoming eight.
        least = math.ceil(round(self.gpus * self.mean / utilisation, 6))
        return max(math.ceil(least / self.granule), 1) * self.granule


def work_of(snapshot: Snapshot) -> Work | None:
    """Return what all GPUs do, None where their utilisation is not known."""
    if snapshot.aggregated:
        mean, gpus = snapshot.totals.values.get("gpu_utilisation", math.nan), snapshot.totals.gpus
    else:
        busy = snapshot.gpus.column("gpu_utilisation")
        known = busy[np.isfinite(busy)]
        mean, gpus = (float(known.mean()) if len(known) else math.nan), len(known)
    if not gpus or not math.isfinite(mean):
        return None
    return Work(gpus, mean, gpus_per_replica(snapshot), model_of(snapshot))


def gpus_per_replica(snapshot: Snapshot) -> int:
    """Return how many GPUs a replica takes: those of a node, among its replicas; 1 where nothing says it.

    The figure that most nodes have in common. Pods and tensor-parallel groups are not asked: an engine that is
    spread over several nodes counts by node.
    """
    gpus = Counter(subject.node for subject in snapshot.gpus.subjects)
    replicas = Counter(subject.node for subject in snapshot.replicas.subjects)
    shares = Counter(gpus[node] // count for node, count in replicas.items() if gpus[node] >= count)
    return shares.most_common(1)[0][0] if shares else 1


def model_of(snapshot: Snapshot, node: str | None = None) -> str | None:
    """Return the name of the GPU that most rows, of *node* alone where it is given, have; None where none has one."""
    pairs = zip(snapshot.gpus.subjects, snapshot.gpus.label("model"), strict=True)
    names = Counter(name for subject, name in pairs if name and node in (None, subject.node))
    return names.most_common(1)[0][0] if names else None


def price_of(model: str | None) -> Price | None:
    """Return the cheapest on-demand offer of the GPU *model*, None where the catalogue has none."""
    record = known_accelerator(model) if model else None
    offers = prices_of(record.id) if record else ()
    return offers[0] if offers else None


def fewer(finding: Finding, snapshot: Snapshot, today: date) -> tuple[Remedy, ...]:
    """Return how many GPUs could be spared where some work little, and what these cost."""
    work = work_of(snapshot)
    if work is None:
        return ()
    needed = work.needed(EASY)
    spared = work.gpus - needed
    if spared <= 0:
        return ()
    values = {"gpus": work.gpus, "mean": work.mean, "needed": needed, "target": EASY, "spared": spared}
    basis = say("monitoring.advice.busy_time", granule=work.granule)
    return (Remedy(say("monitoring.advice.pack", **values), basis), *_saved(spared, work.model, today))


def none_of(finding: Finding, snapshot: Snapshot, today: date) -> tuple[Remedy, ...]:
    """Return how busy all others are where some GPUs do nothing, and what these cost."""
    work = work_of(snapshot)
    if work is None or work.gpus <= finding.count:
        return ()
    # An idle GPU adds no busy time worth a word.
    others = work.gpus - finding.count
    values = {"idle": finding.count, "others": others, "mean": min(1.0, work.mean * work.gpus / others)}
    remedy = Remedy(say("monitoring.advice.idle_rest", **values), say("monitoring.advice.counted"))
    return (remedy, *_saved(finding.count, model_of(snapshot, finding.subjects[0].node) or work.model, today))


def more(snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return how many GPUs would do the same work below the upper end of the normal range."""
    work = work_of(snapshot)
    if work is None:
        return ()
    needed = work.needed(FULL)
    basis = say("monitoring.advice.busy_time", granule=work.granule)
    values = {"gpus": work.gpus, "mean": work.mean, "target": FULL}
    if needed <= work.gpus:
        # Only some are full: the others have room.
        return (Remedy(say("monitoring.advice.spread", **values), basis),)
    return (Remedy(say("monitoring.advice.add", needed=needed, added=needed - work.gpus, **values), basis),)


def one_less(finding: Finding, snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return what the replicas that are left carry, where some are down."""
    models = {subject.model for subject in finding.subjects if subject.model}
    down = {subject.instance for subject in finding.subjects}
    rows = [
        row
        for row, subject in enumerate(snapshot.replicas.subjects)
        if subject.instance not in down and (not models or subject.model in models)
    ]
    if not rows:
        return (Remedy(say("monitoring.advice.none_left"), say("monitoring.advice.counted")),)
    usage = snapshot.replicas.column("kv_usage")[rows]
    known = usage[np.isfinite(usage)]
    values = {"left": len(rows), "all": len(rows) + len(down), "extra": len(down) / len(rows)}
    if not len(known):
        return (Remedy(say("monitoring.advice.left", **values), say("monitoring.advice.counted")),)
    key = "left_full" if known.max() > FULL else "left_room"
    values["usage"] = float(known.mean())
    return (Remedy(say(f"monitoring.advice.{key}", **values), say("monitoring.advice.counted")),)


def _saved(gpus: int, model: str | None, today: date) -> tuple[Remedy, ...]:
    """Return what *gpus* GPUs of *model* cost a month at the cheapest offer; () where nobody offers them."""
    price = price_of(model)
    if price is None:
        return ()
    usd = gpus * price.usd_per_gpu_hour * HOURS["month"]
    sentence = say(
        "monitoring.advice.saved", gpus=gpus, usd=format_usd(usd), price=format_usd(price.usd_per_gpu_hour)
    )
    return (Remedy(sentence, _of_offer(price, today), Link("quotes")),)


def _of_offer(price: Price, today: date) -> Sentence:
    return say("monitoring.advice.priced", price=price.sentence(today))
