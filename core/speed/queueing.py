"""Latency when requests arrive at random: the steady state of a deployment, and quantiles of time to first token.

Engines schedule pass by pass (continuous batching): a pass decodes all running sequences and processes prompts
that wait, up to `chunk` tokens. Requests that arrive during one pass have their prompts in the next and the first
token at its end. Every function takes numbers or arrays over deployments and broadcasts.

A *lane* is what schedules by itself: an attention rank of a replica, or one of the `pp` parts of its batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from core.speed.constants import Constants
from core.speed.device import DeviceRates
from core.speed.profile import StepProfile
from core.speed.serving import Load, closed_loop, prompts_of, riding_prompt
from core.traffic import Lengths, Traffic

QUANTILES = (0.5, 0.9, 0.95, 0.99)
"""Shares of the requests whose time to first token `open_loop` gives."""

_NODES = 64
"""Lengths that stand for a distribution where moments of prompt times are taken."""

_HALVINGS = 40


@dataclass(frozen=True)
class Prompts:
    """Seconds that the prompts of a traffic take on one lane; numbers, or arrays over deployments.

    alone           mean of a prompt that has the GPU to itself
    riding          mean that a prompt adds to passes that decode anyway
    square, cube    second and third moment of `riding`, s^2 and s^3
    chunks          mean of prompt tokens / chunk: the share of passes' token budget that a prompt takes
    chunks_square   second moment of the same
    """

    alone: Any
    riding: Any
    square: Any
    cube: Any
    chunks: Any
    chunks_square: Any


@dataclass(frozen=True)
class Latency:
    """The steady state of a deployment under random arrivals; seconds. Unstable ones have nan and `stable` False.

    concurrency   requests that run at once on the whole deployment, on average
    per_token     mean time per output token
    request       mean time from arrival to last token
    utilisation   arrivals / saturation
    stable        whether fewer requests come than can be served
    saturation    requests per second that the whole deployment can serve
    ttft          time to first token by share of the requests
    """

    concurrency: Any
    per_token: Any
    request: Any
    utilisation: Any
    stable: Any
    saturation: Any
    ttft: dict[float, Any]


def lanes_of(profile: StepProfile, load: Load) -> Any:
    """Return how many lanes a deployment has: replicas, their data-parallel attention ranks and pipeline stages."""
    return load.replicas * profile.attention_ranks * profile.pp


def prompt_times(
    profile: StepProfile, device: DeviceRates, constants: Constants, load: Load, lengths: Lengths
) -> Prompts:
    """Return what prompts of *lengths* take on one lane; `load.input` does not count.

    A prompt's time is a polynomial of second degree in its length (attention is quadratic) through the times at
    half the mean, the mean and the larger of twice the mean and the 99th percentile.
    """
    far = max(2.0 * lengths.mean, lengths.quantile(0.99))
    places = (0.5 * lengths.mean, lengths.mean, far)
    found = [prompts_of(profile, device, constants, replace(load, input=place), 1.0) for place in places]
    points = lengths.representatives(_NODES)
    alone = _through(places, [one.total for one in found], points)
    riding = _through(places, [riding_prompt(one, constants).total for one in found], points)
    budget = lengths.mean / load.chunk
    return Prompts(
        alone=sum(alone) / _NODES,
        riding=sum(riding) / _NODES,
        square=sum(one**2 for one in riding) / _NODES,
        cube=sum(one**3 for one in riding) / _NODES,
        chunks=budget,
        chunks_square=budget**2 * (1.0 + lengths.scv),
    )


def _through(places: tuple[float, ...], values: list[Any], points: Any) -> list[Any]:
    """Return the parabola through *values* at three *places*, at each of *points*."""
    a, b, c = places
    return [
        values[0] * ((x - b) * (x - c) / ((a - b) * (a - c)))
        + values[1] * ((x - a) * (x - c) / ((b - a) * (b - c)))
        + values[2] * ((x - a) * (x - b) / ((c - a) * (c - b)))
        for x in points
    ]


def saturation_of(throughput: Any, load: Load, lanes: Any, step: Any, prompts: Prompts) -> Any:
    """Return the requests per second that a deployment can serve at most.

    *throughput* is that of a closed loop with all slots taken, output tokens per second, and *step* its pass in
    seconds. The token budget of passes bounds it as well: a lane needs riding + chunks * step for each prompt.
    """
    budget = lanes / (prompts.riding + prompts.chunks * step)
    return np.minimum(throughput / load.output, budget)


def ttft_quantile(
    q: float,
    *,
    arrival: Any,
    saturation: Any,
    step: Any,
    batch: Any,
    slots: Any,
    prompts: Prompts,
    output_scv: Any,
) -> Any:
    """Return the time to first token in seconds that the share *q* (0 to 1) of requests do not exceed.

    All of one lane (see `lanes_of`) at its steady state; every argument but *q* may be an array.

    arrival, saturation   requests per second that come (Poisson), and that can be served at most
    step                  seconds of a decode pass of the running sequences
    batch, slots          requests that run on average, and at most
    prompts               seconds of the prompts (`prompt_times`)
    output_scv            squared coefficient of variation of the answers' lengths (`Lengths.scv`)

    A request waits for the rest of the pass that runs, for a slot where all are taken, for prompts that came
    before, and for its own. The first three moments of each are added, and a shifted lognormal distribution has
    the sum. nan where *arrival* is not below *saturation*.
    """
    stable = arrival < saturation
    used = np.where(stable, arrival / saturation, 0.5)
    arrival = used * saturation
    mean, variance, third = _gated(arrival, step, batch, prompts)
    for part in (_budget(arrival, step, prompts), _slots(used, saturation, batch, slots, output_scv)):
        mean, variance, third = mean + part[0], variance + part[1], third + part[2]
    found = _lognormal_quantile(q, mean, variance, third)
    return np.where(stable, found, np.nan)


_Moments = tuple[Any, Any, Any]
"""Mean, variance and third central moment: those of a sum of independent times are sums."""


def _gated(arrival: Any, step: Any, batch: Any, prompts: Prompts) -> _Moments:
    """Return the moments of the rest of a pass, the next pass and the own prompt.

    Passes T' = step + prompts of the requests that came during T. Requests meet a pass of length-biased time t,
    of which a uniform part is left: K(theta) = theta step + K(arrival (M(theta) - 1)) gives the cumulants of T.
    """
    rho = np.minimum(arrival * prompts.riding, 0.999)
    square, cube = arrival * prompts.square, arrival * prompts.cube
    busy = 1.0 - np.exp(-batch)
    first = busy * step / (1.0 - rho)
    second = first * square / (1.0 - rho**2)
    skew = (first * cube + 3.0 * rho * square * second) / (1.0 - rho**3)
    fourth = 1.5 * skew**2 / np.maximum(second, 1e-30) + 3.0 * second**2
    raw2 = second + first**2
    raw3 = skew + 3.0 * first * second + first**3
    raw4 = fourth + 4.0 * first * skew + 6.0 * first**2 * second + first**4
    base = np.maximum(first, 1e-12)
    t1, t2, t3 = raw2 / base, raw3 / base, raw4 / base
    share = 0.5 + rho
    spread = t2 - t1**2
    variance = t2 / 12.0 + square * t1 + share**2 * spread
    third = (
        cube * t1
        + 3.0 * share * ((t3 - t1 * t2) / 12.0 + square * spread)
        + share**3 * (t3 - 3.0 * t1 * t2 + 2.0 * t1**3)
    )
    own = busy * prompts.riding + (1.0 - busy) * prompts.alone
    own_variance = prompts.square - prompts.riding**2
    own_third = prompts.cube - 3.0 * prompts.riding * prompts.square + 2.0 * prompts.riding**3
    return (
        share * t1 + busy * step * np.maximum(1.0, prompts.chunks) + own,
        variance + own_variance,
        third + own_third,
    )


def _budget(arrival: Any, step: Any, prompts: Prompts) -> _Moments:
    """Return the moments of the wait behind prompts that fill the token budget of passes: an M/G/1 queue."""
    rho = arrival * prompts.riding
    fill = np.minimum(arrival * step * prompts.chunks / np.maximum(1.0 - rho, 1e-3), 0.999)
    service = 1.0 + step * prompts.chunks / prompts.riding
    square = prompts.square * service**2
    rest = 0.5 * arrival * square / ((1.0 - rho) * (1.0 - fill))
    decay = 2.0 * (1.0 - fill) * prompts.chunks / np.maximum(fill * prompts.chunks_square, 1e-12)
    late = fill * np.exp(-np.minimum(decay, 50.0)) * np.minimum(1.0, fill)
    mean = late * rest
    return (
        mean,
        rest * mean * 2.0 - mean**2,
        6.0 * late * rest**3 - 6.0 * mean * late * rest**2 + 2.0 * mean**3,
    )


def _slots(used: Any, saturation: Any, batch: Any, slots: Any, output_scv: Any) -> _Moments:
    """Return the moments of the wait for a slot: an M/M/c queue, scaled by (1 + scv) / 2 of the service."""
    spread = np.sqrt(np.maximum(batch, 1e-9))
    free = (slots - batch) / spread
    tail = 1.0 / (1.0 + np.exp(np.minimum(1.702 * free, 500.0)))
    late = np.where(slots <= 1.0, used, np.minimum(1.0, tail / np.maximum(1.0 - used * (1.0 - tail), 1e-9)))
    rest = 0.5 * (1.0 + output_scv) / (saturation * (1.0 - used))
    mean = late * rest
    raw2, raw3 = 2.0 * late * rest**2, 6.0 * late * rest**3
    return mean, raw2 - mean**2, raw3 - 3.0 * mean * raw2 + 2.0 * mean**3


def _lognormal_quantile(q: float, mean: Any, variance: Any, third: Any) -> Any:
    """Return the quantile of a shifted lognormal distribution with these central moments.

    Its skewness g = (w + 2) sqrt(w - 1), w = exp(sigma^2), is a cubic equation with one real root.
    """
    deviation = np.sqrt(np.maximum(variance, 1e-30))
    skew = np.maximum(third / deviation**3, 1e-3)
    inner = 1.0 + 0.5 * skew**2
    root = np.cbrt(inner + np.sqrt(inner**2 - 1.0))
    width = root + 1.0 / root - 1.0
    sigma = np.sqrt(np.log(width))
    z = NormalDist().inv_cdf(q)
    # The lognormal with mean 1 has the deviation sqrt(w - 1).
    drawn = (np.exp(z * sigma - sigma**2 / 2.0) - 1.0) / np.sqrt(width - 1.0)
    return np.maximum(mean + deviation * drawn, 0.0)


def open_loop(
    profile: StepProfile,
    device: DeviceRates,
    constants: Constants,
    load: Load,
    traffic: Traffic,
    *,
    slots: Any,
    arrival: Any = None,
    quantiles: tuple[float, ...] = QUANTILES,
) -> Latency:
    """Return the latency of a deployment to which requests of *traffic* come at random (Poisson).

    *arrival* is how many come per second, by default those of the busiest hour. *slots* is the largest number
    of requests that run at once on the whole deployment: the engine's limit, or what its cache holds. `load`
    states what a pass depends on; its lengths and concurrency are replaced by those of *traffic* and of the
    steady state, in which throughput = arrivals * output tokens (Little's law).
    """
    arrival = traffic.peak_rate if arrival is None else arrival
    load = replace(load, input=traffic.input.mean, output=traffic.output.mean, concurrency=slots)
    lanes = lanes_of(profile, load)
    prompts = prompt_times(profile, device, constants, load, traffic.input)
    full = closed_loop(profile, device, constants, load)
    saturation = saturation_of(full.throughput, load, lanes, full.step.total, prompts)
    stable = np.asarray(arrival < saturation)
    low, high = np.broadcast_arrays(np.asarray(0.0), slots * np.ones_like(saturation * arrival))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        served = closed_loop(profile, device, constants, replace(load, concurrency=middle)).throughput
        enough = served >= arrival * load.output
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    steady = closed_loop(profile, device, constants, replace(load, concurrency=high))
    ttft = {
        q: ttft_quantile(
            q,
            arrival=arrival / lanes,
            saturation=saturation / lanes,
            step=steady.step.total,
            batch=high / lanes,
            slots=slots / lanes,
            prompts=prompts,
            output_scv=traffic.output.scv,
        )
        for q in quantiles
    }
    return Latency(
        concurrency=np.where(stable, high, np.nan),
        per_token=np.where(stable, steady.per_token, np.nan),
        request=np.where(stable, steady.request, np.nan),
        utilisation=arrival / saturation,
        stable=stable,
        saturation=saturation,
        ttft=ttft,
    )
