"""Seconds that prompts of different lengths take, alone and beside sequences that decode.

A *lane* is what schedules by itself: an attention rank of a replica, or one of the `pp` parts of its batch.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from core.speed.constants import Constants
from core.speed.device import DeviceRates
from core.speed.profile import StepProfile
from core.speed.serving import Load, prompts_of, riding_of
from core.traffic import Lengths

_NORMAL = NormalDist()

_PLACES = (-1.5, -0.5, 0.25, 1.0, 1.75, 2.75)
"""Lengths whose prompts are timed, by the standard normal quantile."""

_GRID = tuple(-3.75 + 0.3 * place for place in range(28))
"""Lengths that stand for a distribution where moments are taken, likewise."""


@dataclass(frozen=True)
class Prompts:
    """Seconds that the prompts of a traffic take on one lane; numbers, or arrays over deployments.

    alone             mean of a prompt that has the GPU to itself
    alone_square, alone_cube   second and third moment of the same, s^2 and s^3
    riding            mean that a prompt adds to passes that decode anyway
    square, cube      second and third moment of `riding`, s^2 and s^3
    chunks            mean of prompt tokens / chunk: the share of a pass's token budget that a prompt takes
    chunks_square     second moment of the same
    passes            mean passes that a prompt is spread over; `passes_spread` their standard deviation
    first             what the first token takes beside the GPU: HTTP, tokenising, scheduling (no queue)
    piece_square      second moment of `riding` of a prompt's part in one pass; `piece_cube` the third
    """

    alone: Any
    alone_square: Any
    alone_cube: Any
    riding: Any
    square: Any
    cube: Any
    chunks: Any
    chunks_square: Any
    passes: Any
    passes_spread: Any
    first: Any
    piece_square: Any
    piece_cube: Any


def lanes_of(profile: StepProfile, load: Load) -> Any:
    """Return how many lanes a deployment has: replicas, their data-parallel attention ranks and pipeline stages."""
    return load.replicas * profile.attention_ranks * profile.pp


def prompt_times(
    profile: StepProfile, device: DeviceRates, constants: Constants, load: Load, lengths: Lengths
) -> Prompts:
    """Return what prompts of *lengths* take on one lane; `load.input` does not count.

    Times are taken at six lengths of the distribution and are straight between them.
    """
    places = sorted({lengths.quantile(_NORMAL.cdf(z)) for z in _PLACES})
    loads = [replace(load, input=place) for place in places]
    points, weights = _nodes(lengths)
    alone = [prompts_of(profile, device, constants, one, 1.0).total for one in loads]
    riding = [riding_of(profile, device, constants, one).total for one in loads]
    alone, riding = _between(places, alone, points), _between(places, riding, points)
    chunks = [point * (1.0 - load.cached) / load.chunk for point in points]
    passes = [np.ceil(one) for one in chunks]
    pieces = [one / many for one, many in zip(riding, passes, strict=True)]

    def mean(values: Iterable[Any]) -> Any:
        return sum(weight * value for weight, value in zip(weights, values, strict=True))

    number = mean(passes)
    return Prompts(
        alone=mean(alone),
        alone_square=mean(one**2 for one in alone),
        alone_cube=mean(one**3 for one in alone),
        riding=mean(riding),
        square=mean(one**2 for one in riding),
        cube=mean(one**3 for one in riding),
        chunks=mean(chunks),
        chunks_square=mean(one**2 for one in chunks),
        passes=number,
        passes_spread=np.sqrt(np.maximum(mean(one**2 for one in passes) - number**2, 0.0)),
        first=constants.first_token,
        piece_square=mean(one**2 * many for one, many in zip(pieces, passes, strict=True)) / number,
        piece_cube=mean(one**3 * many for one, many in zip(pieces, passes, strict=True)) / number,
    )


def _nodes(lengths: Lengths) -> tuple[list[float], list[float]]:
    """Return lengths that stand for all and their weights: equally far apart on the normal axis, tails included."""
    if lengths.scv == 0.0:
        return [lengths.mean], [1.0]
    half = 0.5 * (_GRID[1] - _GRID[0])
    weights = [_NORMAL.cdf(z + half) - _NORMAL.cdf(z - half) for z in _GRID]
    points = [lengths.quantile(_NORMAL.cdf(z)) for z in _GRID]
    total = sum(weights)
    mean = sum(point * weight for point, weight in zip(points, weights, strict=True)) / total
    return [point * lengths.mean / mean for point in points], [weight / total for weight in weights]


def _between(places: list[float], values: list[Any], points: list[float]) -> list[Any]:
    """Return what lies on straight lines between *values* at *places*, at *points*; in proportion below the first."""
    found = []
    for x in points:
        right = min(max(1, bisect_left(places, x)), len(places) - 1)
        if x <= places[0] or right == 0:
            found.append(values[0] * (x / places[0]))
            continue
        left, share = right - 1, (x - places[right - 1]) / (places[right] - places[right - 1])
        found.append(values[left] * (1.0 - share) + values[right] * share)
    return found
