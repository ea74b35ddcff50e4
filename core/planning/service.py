"""How candidates serve: latency and rate of each at a row of concurrencies, as arrays over all of them.

A candidate is a variant on a device. Its steady states are a curve with the concurrency as parameter: from a
request now and then to all slots taken. On it every latency rises with the rate, so the largest rate that keeps
a target is where the curve crosses it, and the number of replicas follows without a search.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from core.planning.question import Targets
from core.speed.arrays import taken, with_axis
from core.speed.constants import Constants
from core.speed.device import DeviceRates
from core.speed.first_token import ttft_quantile, ttft_share
from core.speed.profile import FORMATS, StepProfile
from core.speed.prompts import lanes_of, prompt_times
from core.speed.queueing import most_served, operating_point
from core.speed.serving import Load
from core.traffic import Traffic

POINTS = 14
"""Concurrencies at which a candidate is evaluated in the first pass."""

FINE_POINTS = 30
"""The same for the few that are worked out."""

LIGHT = (0.01, 0.3)
"""The first concurrencies: a replica that mostly idles."""

FULLEST = 0.98
"""Largest share of the stable load that a plan uses, even without headroom: queues grow without end at 1."""

BLOCK = 2048
"""Candidates that are evaluated together: their arrays stay in the processor's cache."""

_NO_TAIL = 1e-6
"""Share of late first tokens that counts as none."""


@dataclass(frozen=True)
class Stock:
    """The records of which candidates are made, stacked: one row each for profile, device and engine on device."""

    profiles: StepProfile
    devices: DeviceRates
    constants: Constants


@dataclass(frozen=True)
class Candidates:
    """Places in a `Stock` for each candidate, with the most requests that one replica runs and its pass's tokens."""

    profile: Any
    device: Any
    constants: Any
    slots: Any
    chunk: Any

    def at(self, places: Any) -> Candidates:
        """Return the candidates at *places*."""
        return Candidates(*(getattr(self, f.name)[places] for f in fields(self)))

    def __len__(self) -> int:
        return len(self.slots)


@dataclass(frozen=True)
class Curves:
    """Steady states of one replica of each candidate, shape (candidates, points); seconds and requests per second.

    `ttft` is that of the share asked for. Where a target for it is given, `late` has the share of first tokens
    that come after it instead, and `ttft` the first point alone. `stable` has the rates that cannot be reached,
    shape (candidates,).
    """

    rate: Any
    ttft: Any
    tpot: Any
    request: Any
    stable: Any
    late: Any = None

    def at(self, places: Any) -> Curves:
        """Return the curves of the candidates at *places*."""
        arrays = (getattr(self, f.name) for f in fields(self))
        return Curves(*(None if one is None else one[places] for one in arrays))

    def quantity(self, name: str) -> Any:
        """Return the seconds of the target *name* ("ttft", "tpot" or "request")."""
        return {"ttft": self.ttft, "tpot": self.tpot, "request": self.request}[name]


def used_formats(stock: Stock) -> Stock:
    """Return *stock* without number formats in which no profile multiplies; 16 bit stays, to which others refer."""
    profile = stock.profiles
    weight = profile.dense_flops + profile.expert_flops
    kept = np.flatnonzero((np.arange(len(FORMATS)) == 0) | np.any(weight > 0, axis=-1))
    by_format = ("dense_flops", "dense_bytes", "expert_flops", "expert_bytes")
    constants = stock.constants
    return Stock(
        replace(profile, **{name: getattr(profile, name)[kept] for name in by_format}),
        replace(stock.devices, peaks=stock.devices.peaks[kept]),
        replace(
            constants,
            **{name: getattr(constants, name)[kept] for name in ("shares", "efficiencies", "tiles")},
        ),
    )


def curves(
    stock: Stock,
    candidates: Candidates,
    traffic: Traffic,
    share: float,
    points: int = POINTS,
    *,
    within: float | None = None,
) -> Curves:
    """Return the steady states of *candidates* under requests like those of *traffic*, TTFT at *share*.

    *within* is the target for TTFT in seconds: to know how many are late takes a fraction of the time.
    """
    blocks = [
        _block(
            stock, candidates.at(slice(start, start + BLOCK)), traffic, share, points=points, within=within
        )
        for start in range(0, max(len(candidates), 1), BLOCK)
    ]
    arrays = zip(*([getattr(block, f.name) for f in fields(Curves)] for block in blocks), strict=True)
    return Curves(*(None if parts[0] is None else np.concatenate(parts) for parts in arrays))


def _block(
    stock: Stock, candidates: Candidates, traffic: Traffic, share: float, *, points: int, within: float | None
) -> Curves:
    profile = taken(stock.profiles, candidates.profile)
    device = taken(stock.devices, candidates.device)
    constants = taken(stock.constants, candidates.constants)
    load = Load(
        input=traffic.input.mean,
        output=traffic.output.mean,
        concurrency=candidates.slots,
        chunk=candidates.chunk,
        cached=traffic.prefix_hits,
    )
    lanes = lanes_of(profile, load)[:, None]
    prompts = prompt_times(profile, device, constants, load, traffic.input)
    profile, device, constants = with_axis(profile), with_axis(device), with_axis(constants)
    prompts = with_axis(prompts)
    slots, chunk = candidates.slots[:, None], candidates.chunk[:, None]
    heavy = slots ** np.linspace(0.0, 1.0, points)
    concurrency = np.concatenate([np.broadcast_to(LIGHT, (len(slots), len(LIGHT))), heavy], axis=1)
    load = replace(load, concurrency=slots, chunk=chunk)
    stable = most_served(profile, device, constants, load, traffic, prompts=prompts)
    load = replace(load, concurrency=concurrency)
    point = operating_point(profile, device, constants, load, traffic, prompts=prompts)
    rate = np.minimum(point.arrival, stable)
    lane = {
        "arrival": rate / lanes,
        "saturation": stable / lanes,
        "step": point.step,
        "batch": concurrency / lanes,
        "slots": slots / lanes,
        "prompts": prompts,
        "output_scv": traffic.output.scv,
    }
    late = None
    if within is not None:
        late = 1.0 - ttft_share(within, **lane)
        varying = ("arrival", "step", "batch")
        lane |= {name: lane[name][:, :1] for name in varying}
    ttft = np.nan_to_num(ttft_quantile(share, **lane), nan=np.inf)
    return Curves(rate, ttft, point.per_token, point.request + prompts.first, stable[:, 0], late)


def largest_rate(found: Curves, name: str, target: float) -> Any:
    """Return the largest rate of each candidate at which the target *name* is kept; 0 where none does.

    Shape (candidates,), requests per second of one replica; linear between the points of the curve.
    """
    return _crossing(found.rate, found.quantity(name), target)


def _crossing(rates: Any, value: Any, target: float) -> Any:
    """Return the rate of each row at which *value* reaches *target*; 0 where it is above from the start."""
    kept = np.cumprod(value <= target, axis=1).sum(axis=1)
    last = np.clip(kept - 1, 0, None)
    following = np.minimum(kept, value.shape[1] - 1)
    rows = np.arange(len(kept))
    low, high = value[rows, last], value[rows, following]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(np.isfinite(high) & (high > low), (target - low) / (high - low), 0.0)
    rate = rates[rows, last] + np.clip(part, 0.0, 1.0) * (rates[rows, following] - rates[rows, last])
    return np.where(kept > 0, rate, 0.0)


def value_at(found: Curves, name: str, rate: Any) -> Any:
    """Return the seconds of the target *name* at *rate*, requests per second of one replica; inf beyond the curve.

    *rate* has shape (candidates,) or is a number.
    """
    value = found.quantity(name)
    rate = np.broadcast_to(rate, (len(value),))
    below = np.sum(found.rate < rate[:, None], axis=1)
    last = np.clip(below - 1, 0, None)
    following = np.clip(below, 0, value.shape[1] - 1)
    rows = np.arange(len(value))
    low, high = found.rate[rows, last], found.rate[rows, following]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(high > low, (rate - low) / (high - low), 0.0)
        between = value[rows, last] + np.clip(part, 0.0, 1.0) * (value[rows, following] - value[rows, last])
    beyond = rate > found.rate[:, -1]
    return np.where(beyond | np.isnan(between), np.inf, between)


def allowed_rate(found: Curves, targets: Targets, headroom: float) -> Any:
    """Return the largest rate of one replica that keeps all *targets* and leaves *headroom* of the stable load."""
    rate = found.stable * min(1.0 - headroom, FULLEST)
    for name in ("ttft", "tpot", "request"):
        target = getattr(targets, name)
        if target is None:
            continue
        if name == "ttft" and found.late is not None:
            # Tails fall exponentially: their logarithm is nearly straight between points.
            tail = np.log(np.maximum(found.late, _NO_TAIL))
            rate = np.minimum(rate, _crossing(found.rate, tail, float(np.log(1.0 - targets.share))))
        else:
            rate = np.minimum(rate, largest_rate(found, name, target))
    return rate
