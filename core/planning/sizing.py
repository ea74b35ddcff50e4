"""How many replicas a candidate needs, and how they then serve: exact where the curves are an interpolation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.planning.prospects import Prospects
from core.planning.question import SHARES, Question
from core.planning.service import FINE_POINTS, FULLEST, Curves, allowed_rate, curves
from core.speed.arrays import taken
from core.speed.queueing import Latency, open_loop
from core.speed.serving import Load, closed_loop

MOST_REPLICAS = 1e9
"""Beyond this many, a replica serves nothing."""

_MOST_TIMES = 16
"""Times the interpolated number of replicas at which none is found to be enough."""

_AT_ONCE, _EACH = 300, 16
"""Numbers of replicas that are tried together, in all and of each candidate: they take hardly longer than one."""

BOUNDS = ("memory", "compute", "overhead", "network")


@dataclass(frozen=True)
class Sized:
    """Candidates with the replicas that they need: rows of `prospects`, all arrays over them.

    `rate` is the largest of one replica that all targets and the headroom allow, `quick` the seconds of a request
    that meets no other (None: not asked for).
    """

    prospects: Prospects
    row: Any
    replicas: Any
    rate: Any
    quick: Any = None

    @property
    def gpus_per_replica(self) -> Any:
        """GPUs of one replica."""
        return self.prospects.gpus[self.row]

    @property
    def device(self) -> Any:
        """Place of the accelerator in the field."""
        return self.prospects.device[self.row]

    @property
    def tp(self) -> Any:
        """Tensor-parallel ranks."""
        return self.prospects.field.tp[self.prospects.variant[self.row]]

    def at(self, places: Any) -> Sized:
        """Return those at *places*."""
        quick = None if self.quick is None else self.quick[places]
        return Sized(self.prospects, self.row[places], self.replicas[places], self.rate[places], quick)

    def with_replicas(self, replicas: Any) -> Sized:
        """Return the same candidates with as many *replicas*."""
        return replace(self, replicas=replicas)


@dataclass(frozen=True)
class Served:
    """The steady state of the busiest hour for each of `sized`, with the share of each limit in the time."""

    sized: Sized
    latency: Latency
    slots: Any
    shares: Any

    @property
    def bound(self) -> Any:
        """Which of BOUNDS takes most of the time."""
        return np.argmax(self.shares, axis=0)


def replicas_for(rate: Any, peak: float) -> Any:
    """Return how many replicas of *rate* requests/s serve *peak* requests/s; inf where one serves none."""
    with np.errstate(divide="ignore"):
        count = np.ceil(peak / np.maximum(rate, 0.0) * (1.0 - 1e-9))
    return np.where((rate > 0) & (count <= MOST_REPLICAS), np.maximum(count, 1.0), np.inf)


def shortlist(prospects: Prospects, found: Curves, question: Question, allowed: Any) -> Sized:
    """Return for each accelerator and kind of replica the candidate with the fewest replicas, and the quickest.

    A kind is a number of GPUs and of tensor-parallel ranks: its candidates cost the same, so that no price can
    make another one better. *allowed* says which candidates come into question.
    """
    rate = np.where(allowed, allowed_rate(found, question.targets, question.limits.headroom), 0.0)
    replicas = replicas_for(rate, question.traffic.peak_rate)
    rows = np.flatnonzero(np.isfinite(replicas))
    quick = found.request[:, 0]
    if not len(rows):
        return Sized(prospects, rows, replicas[rows], rate[rows], quick[rows])
    tp = prospects.field.tp[prospects.variant]
    kind = (prospects.device * 100_003 + prospects.gpus) * 1009 + tp
    kept = np.concatenate(
        [
            _first_of_each(kind[rows], replicas[rows], quick[rows]),
            _first_of_each(kind[rows], quick[rows], replicas[rows]),
        ]
    )
    chosen = rows[np.unique(kept)]
    return Sized(prospects, chosen, replicas[chosen], rate[chosen], quick[chosen])


def _first_of_each(kind: Any, *by: Any) -> Any:
    """Return the places of the least in each *kind*, compared by the arrays *by* in turn."""
    order = np.lexsort((*reversed(by), kind))
    ordered = kind[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    return order[first]


def refined(sized: Sized, question: Question) -> Sized:
    """Return *sized* with replicas for rates from curves of many points; those that serve nothing are left out."""
    prospects = sized.prospects
    fine = curves(
        prospects.field.stock,
        prospects.candidates.at(sized.row),
        question.traffic,
        question.targets.share,
        FINE_POINTS,
        within=question.targets.ttft,
    )
    rate = allowed_rate(fine, question.targets, question.limits.headroom)
    replicas = replicas_for(rate, question.traffic.peak_rate)
    return replace(sized, replicas=replicas, rate=rate).at(np.isfinite(replicas))


def served(sized: Sized, question: Question) -> Served:
    """Return how the replicas of *sized* serve the busiest hour."""
    prospects = sized.prospects
    stock, traffic = prospects.field.stock, question.traffic
    chosen = prospects.candidates.at(sized.row)
    profile = taken(stock.profiles, chosen.profile)
    device = taken(stock.devices, chosen.device)
    constants = taken(stock.constants, chosen.constants)
    load = Load(
        traffic.input.mean, traffic.output.mean, chosen.slots, chunk=chosen.chunk, cached=traffic.prefix_hits
    )
    quantiles = tuple(sorted({*SHARES, question.targets.share}))
    latency = open_loop(
        profile,
        device,
        constants,
        load,
        traffic,
        slots=chosen.slots,
        arrival=traffic.peak_rate / sized.replicas,
        quantiles=quantiles,
    )
    busy = np.where(np.isfinite(latency.concurrency), latency.concurrency, chosen.slots)
    whole = closed_loop(profile, device, constants, replace(load, concurrency=busy)).whole
    shares = np.array([getattr(whole, name) for name in BOUNDS])
    return Served(sized, latency, chosen.slots, shares / shares.sum(axis=0))


def keeps(found: Served, question: Question) -> Any:
    """Return which of *found* keep all targets and the headroom."""
    latency, targets = found.latency, question.targets
    arrival = question.traffic.peak_rate / found.sized.replicas
    slack = 1.0 + 1e-6
    kept = latency.stable & (
        arrival <= latency.saturation * min(1.0 - question.limits.headroom, FULLEST) * slack
    )
    values = {"ttft": latency.ttft[targets.share], "tpot": latency.per_token, "request": latency.request}
    for name, value in values.items():
        target = getattr(targets, name)
        if target is not None:
            kept &= np.nan_to_num(value, nan=np.inf) <= target * slack
    return kept


def worked_out(sized: Sized, question: Question) -> Served:
    """Return *sized* with the fewest replicas that keep everything, and how they serve.

    The interpolated number is right in nearly all cases. From it, steps grow until one number of replicas keeps
    everything and a smaller one does not; then the gap between both is divided.
    """
    first = served(sized, question)
    kept = keeps(first, question)
    too_few, enough = np.where(kept, 0.0, sized.replicas), np.where(kept, sized.replicas, np.inf)
    step = np.maximum(1.0, np.floor(sized.replicas / 500.0))
    while True:
        hopeless = np.isinf(enough) & (too_few > _MOST_TIMES * sized.replicas)
        places = np.flatnonzero((enough - too_few > 1.0) & ~hopeless)
        if not len(places):
            break
        many = int(np.clip(_AT_ONCE // len(places), 1, _EACH))
        low, high = too_few[places, None], enough[places, None]
        most = 2.0 * _MOST_TIMES * sized.replicas[places, None]
        tried = np.minimum(_tries(low, high, step[places, None], many), np.maximum(most, low + 1.0))
        some = sized.at(np.repeat(places, many)).with_replicas(tried.ravel())
        kept = keeps(served(some, question), question).reshape(tried.shape)
        upward = np.isinf(high)
        # Upwards the first that is enough counts, downwards the last that is not.
        best = np.min(np.where(kept, tried, np.inf), axis=1, keepdims=True)
        low = np.maximum(
            low, np.max(np.where(~kept & (~upward | (tried < best)), tried, 0.0), 1, keepdims=True)
        )
        high = np.minimum(high, np.min(np.where(kept & (tried > low), tried, np.inf), axis=1, keepdims=True))
        too_few[places], enough[places] = low[:, 0], high[:, 0]
        step = 2.0**many * step
    if np.array_equal(enough, sized.replicas):
        return first
    places = np.flatnonzero(np.isfinite(enough))
    return served(sized.at(places).with_replicas(enough[places]), question)


def _tries(low: Any, high: Any, step: Any, many: int) -> Any:
    """Return *many* numbers of replicas to try for each row: within the gap where both ends are known.

    Else they go on from the end that is known, *step* and then twice as far each time: below *high* where *low* is
    0, above *low* where *high* is infinite.
    """
    place = np.arange(many)
    within = np.floor(low + (high - low) * (place + 1) / (many + 1))
    downward = np.maximum(high - step * 2.0 ** place[::-1], 1.0)
    upward = low + step * (2.0 ** (place + 1) - 1.0)
    known = np.where(low > 0, np.maximum(within, low + 1.0), downward)
    return np.where(np.isfinite(high), known, upward)
