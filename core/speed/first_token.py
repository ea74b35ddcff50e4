"""Time to first token under random arrivals, in closed form: for a search, which knows the steady state already.

Every function takes numbers or arrays over deployments and broadcasts; all quantities are those of one lane.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from core.speed.prompts import Prompts

_NORMAL = NormalDist()

_HALVINGS = 20
"""Of the interval that holds a quantile: to a millionth of it."""


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

    A request waits for the rest of the pass that runs, for the prompts that came in the same pass, and for its
    own: a shifted lognormal distribution with the first three moments of their sum. Some wait for a slot or for
    token budget before: an exponential distribution. What the GPU has no part in is added to all. nan where
    *arrival* is not below *saturation*.
    """
    stable = arrival < saturation
    parts = _parts(arrival, saturation, step, batch, slots=slots, prompts=prompts, output_scv=output_scv)
    shift, median, sigma = parts.alone
    found = np.maximum(_quantile(q, parts), shift + np.exp(median + sigma * _NORMAL.inv_cdf(q)))
    return np.where(stable, found + prompts.first, np.nan)


def ttft_share(
    seconds: Any,
    *,
    arrival: Any,
    saturation: Any,
    step: Any,
    batch: Any,
    slots: Any,
    prompts: Prompts,
    output_scv: Any,
) -> Any:
    """Return the share of requests whose time to first token is at most *seconds*, 0 where the queue grows.

    The inverse of `ttft_quantile`, with the same arguments, at a twentieth of its cost.
    """
    parts = _parts(arrival, saturation, step, batch, slots=slots, prompts=prompts, output_scv=output_scv)
    seconds = seconds - prompts.first
    share = np.minimum(parts.below(seconds), _lognormal_below(parts.alone, seconds))
    return np.where(arrival < saturation, share, 0.0)


@dataclass(frozen=True)
class _Parts:
    """What the time to first token is made of: the moments `core`, waits before it, and a prompt that is alone."""

    core: _Moments
    shape: _Shape
    waits: tuple[_Wait, _Wait]
    alone: _Shape

    def below(self, seconds: Any) -> Any:
        """Return the chance of at most *seconds*: the sum is in its tail where one part is, others at their mean."""
        share = _lognormal_below(self.shape, seconds)
        for wait in self.waits:
            share = share * (1.0 - wait.beyond(seconds - self.core[0]))
        return share


def _parts(
    arrival: Any, saturation: Any, step: Any, batch: Any, *, slots: Any, prompts: Prompts, output_scv: Any
) -> _Parts:
    used = np.where(arrival < saturation, arrival / saturation, 0.5)
    arrival = used * saturation
    prompts = beside(prompts, step)
    core = _served(arrival, step, batch, prompts)
    waits = (
        _budget(arrival, step, prompts),
        _slots(used, saturation, batch, slots, prompts=prompts, output_scv=output_scv),
    )
    return _Parts(core, _lognormal(*core), waits, _lognormal(*_own(0.0, 1.0, prompts)))


def beside(prompts: Prompts, step: Any) -> Prompts:
    """Return *prompts* beside decode passes of *step* seconds: a pass takes at least what it takes for prompts alone.

    Riding saves a share of what both need, the weights above all. A short step reads fewer experts than prompts do.
    """
    added = np.maximum(prompts.riding, prompts.alone - step * prompts.passes)
    # Long prompts take long in both cases: what is added differs between prompts as the two do.
    share = (added - prompts.riding) / np.maximum(prompts.alone - prompts.riding, 1e-30)
    square = (np.sqrt(prompts.square) * (1.0 - share) + np.sqrt(prompts.alone_square) * share) ** 2
    cube = (np.cbrt(prompts.cube) * (1.0 - share) + np.cbrt(prompts.alone_cube) * share) ** 3
    return replace(
        prompts,
        riding=added,
        square=square,
        cube=cube,
        piece_square=prompts.piece_square * (square / prompts.square),
        piece_cube=prompts.piece_cube * (cube / prompts.cube),
    )


def slot_chance(
    *, arrival: Any, saturation: Any, batch: Any, slots: Any, prompts: Prompts, output_scv: Any
) -> Any:
    """Return the share of the requests that find all slots of their lane taken; arguments as for `ttft_quantile`.

    1 where *arrival* is not below *saturation*.
    """
    used = np.minimum(arrival / saturation, 0.999999)
    wait = _slots(used, saturation, batch, slots, prompts=prompts, output_scv=output_scv)
    return np.where(arrival < saturation, wait.chance, 1.0)


_Moments = tuple[Any, Any, Any]
"""Mean, variance and third central moment: those of a sum of independent times are sums."""


def _served(arrival: Any, step: Any, batch: Any, prompts: Prompts) -> _Moments:
    """Return the moments of the rest of a pass, the passes that follow, and the own prompt.

    Passes T' = step + prompts of the requests that came during T. Requests meet a pass of length-biased time t,
    of which a uniform part is left: K(theta) = theta step + K(arrival (M(theta) - 1)) gives the cumulants of T.
    """
    rho = np.minimum(arrival * prompts.riding, 0.999)
    pieces = arrival * prompts.passes
    square, cube = pieces * prompts.piece_square, pieces * prompts.piece_cube
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
    own = _own(busy * step, 1.0 - busy, prompts)
    return share * t1 + own[0], variance + own[1], third + own[2]


def _own(step: Any, idle: Any, prompts: Prompts) -> _Moments:
    """Return the moments of the own prompt and the decode passes, *step* seconds each, that it is spread over.

    A share *idle* of the prompts have the GPU to themselves.
    """
    beside = _central(prompts.riding, prompts.square, prompts.cube)
    alone = _central(prompts.alone, prompts.alone_square, prompts.alone_cube)
    mean, variance, third = (one + idle * (other - one) for one, other in zip(beside, alone, strict=True))
    deviation = np.sqrt(variance)
    longer = 1.0 + step * prompts.passes_spread / np.maximum(deviation, 1e-12)
    longer = np.where(deviation > 1e-9 * mean, longer, 1.0)
    return mean + step * prompts.passes, variance * longer**2, third * longer**3


def _central(mean: Any, square: Any, cube: Any) -> _Moments:
    """Return the central moments of a time from its second and third about zero."""
    return mean, np.maximum(square - mean**2, 0.0), cube - 3.0 * mean * square + 2.0 * mean**3


@dataclass(frozen=True)
class _Wait:
    """A wait of which P(wait > t) = chance * exp(-((t + held) / scale)^power), t >= 0: a Weibull distribution."""

    chance: Any
    held: Any
    scale: Any
    power: Any

    def beyond(self, t: Any) -> Any:
        """Return P(wait > t), that of t = 0 where *t* is less."""
        return self.chance * np.exp(-(((np.maximum(t, 0.0) + self.held) / self.scale) ** self.power))


def _wait(chance: Any, mean: Any, scv: Any, held: Any) -> _Wait:
    """Return the wait with *mean* and squared coefficient of variation *scv*, of which *held* seconds do not count.

    The power is that of a Weibull distribution with *scv* within 3 %: cv^-1.086 (Justus et al. 1978).
    """
    power = np.maximum(scv, 0.1) ** -0.543
    return _Wait(chance, held, np.maximum(mean, 1e-12) / np.exp(_log_gamma(1.0 + 1.0 / power)), power)


def _budget(arrival: Any, step: Any, prompts: Prompts) -> _Wait:
    """Return the wait behind prompts that fill the token budget of passes.

    An M/G/1 queue whose service is riding + chunks * step, so far as its backlog is longer than a pass can hold.
    Its wait is a geometric sum of residual services.
    """
    rho = arrival * prompts.riding
    used = np.minimum(rho + arrival * step * prompts.chunks, 0.999)
    stretch = 1.0 + step * prompts.chunks / prompts.riding
    rest = 0.5 * prompts.square / prompts.riding * stretch / (1.0 - used)
    residual = 4.0 / 3.0 * prompts.cube * prompts.riding / prompts.square**2 - 1.0
    one = prompts.riding / prompts.chunks + step
    return _wait(used, rest, used + (1.0 - used) * residual, one)


def _slots(used: Any, saturation: Any, batch: Any, slots: Any, *, prompts: Prompts, output_scv: Any) -> _Wait:
    """Return the wait for a slot where all are taken.

    A request among n takes A + B n: the number that runs is a birth-death process whose stationary distribution
    is negative binomial up to *slots*, and geometric beyond. A and B follow from Little's law at *batch* and at
    *slots*. Services that vary wait (1 + scv) / 2 times as long (Allen and Cunneen), even ones somewhat longer than
    half (Cosmetatos).
    """
    arrival = used * saturation
    full, now = slots / saturation, batch / arrival
    slope = np.maximum(full - now, 0.0) / np.maximum(slots - batch - 1.0, 0.5)
    risk = np.clip(arrival * slope, 1e-6, 0.98)
    size = np.maximum(batch * (1.0 - risk) / risk, 1e-9)
    log_mass = (
        _log_gamma(slots + size)
        - _log_gamma(size)
        - _log_gamma(slots + 1.0)
        + size * np.log1p(-risk)
        + slots * np.log(risk)
    )
    below = _negative_binomial_below(slots, batch, risk, size)
    odds = np.exp(np.minimum(log_mass, 0.0)) / np.maximum(below, 1e-9) / (1.0 - used)
    odds = np.where(slots <= 1.0, used / (1.0 - used), odds)
    # With one slot, every prompt has the GPU to itself.
    prompt = np.where(slots <= 1.0, prompts.alone, prompts.riding)
    square = np.where(slots <= 1.0, prompts.alone_square, prompts.square)
    share = np.minimum(prompt / full, 1.0)
    scv = output_scv * (1.0 - share) ** 2 + np.maximum(square / prompt**2 - 1.0, 0.0) * share**2
    even = 1.0 + (1.0 - used) * (slots - 1.0) * (np.sqrt(4.0 + 5.0 * slots) - 2.0) / (16.0 * used * slots)
    longer = np.where(scv < 1.0, scv + 0.5 * (1.0 - scv) * np.minimum(even, 2.0), 0.5 * (1.0 + scv))
    residual = 4.0 / 3.0 * (1.0 + scv) - 1.0
    varied = 1.0 + (residual - 1.0) * (1.0 - used) / slots
    return _wait(odds / (1.0 + odds), longer / (saturation * (1.0 - used)), varied, 0.0)


def _log_gamma(x: Any) -> Any:
    """Return ln Gamma(x) of positive *x* by Stirling's series, shifted by two: within 1e-5."""
    y = x + 2.0
    series = (y - 0.5) * np.log(y) - y + 0.9189385332 + 1.0 / (12.0 * y) - 1.0 / (360.0 * y**3)
    return series - np.log(x * (x + 1.0))


def _negative_binomial_below(count: Any, mean: Any, risk: Any, size: Any) -> Any:
    """Return the chance of fewer than *count*, by the cube root of a gamma distribution (Wilson and Hilferty)."""
    shape = np.maximum(mean * (1.0 - risk), 1e-9)
    ratio = np.maximum(count - 0.5, 0.0) / np.maximum(mean, 1e-12)
    return _normal_below((np.cbrt(ratio) - 1.0 + 1.0 / (9.0 * shape)) * 3.0 * np.sqrt(shape))


def _normal_below(z: Any) -> Any:
    """Return the standard normal distribution function within 2e-4 (Bowling et al. 2009)."""
    return 1.0 / (1.0 + np.exp(-np.clip(1.5976 * z + 0.07056 * z**3, -500.0, 500.0)))


_Shape = tuple[Any, Any, Any]
"""Shift, logarithm of the median and sigma of a shifted lognormal distribution."""


def _lognormal(mean: Any, variance: Any, third: Any) -> _Shape:
    """Return the shifted lognormal distribution with these central moments.

    Its skewness g = (w + 2) sqrt(w - 1), w = exp(sigma^2), is a cubic equation with one real root.
    """
    deviation = np.sqrt(np.maximum(variance, 1e-18))
    skew = np.maximum(third / deviation**3, 1e-2)
    inner = 1.0 + 0.5 * skew**2
    root = np.cbrt(inner + np.sqrt(inner**2 - 1.0))
    width = root + 1.0 / root - 1.0
    scale = deviation / np.sqrt(width - 1.0)  # mean above the shift
    log_width = np.log(width)
    return mean - scale, np.log(scale) - 0.5 * log_width, np.sqrt(log_width)


def _lognormal_below(shape: _Shape, seconds: Any) -> Any:
    """Return the chance of at most *seconds* for a shifted lognormal distribution."""
    shift, median, sigma = shape
    return _normal_below((np.log(np.maximum(seconds - shift, 1e-12)) - median) / sigma)


def _quantile(q: float, parts: _Parts) -> Any:
    """Return the quantile of the sum of *parts*, within bounds that hold it."""
    shift, median, sigma = parts.shape
    low = np.maximum(shift + np.exp(median + sigma * _NORMAL.inv_cdf(q)), 0.0)
    high = low + parts.core[0]
    for wait in parts.waits:
        share = np.maximum(wait.chance / (0.5 * (1.0 - q)), 1.0)
        high = high + wait.scale * np.log(share) ** (1.0 / wait.power)
    low = low + 0.0 * high
    for _ in range(_HALVINGS):
        t = 0.5 * (low + high)
        enough = parts.below(t) >= q
        low, high = np.where(enough, low, t), np.where(enough, t, high)
    return high
