"""Seconds that prompts of different lengths take, alone and beside sequences that decode.

A *lane* is what schedules by itself: an attention rank of a replica, or one of the `pp` parts of its batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from core.speed.arrays import with_axis
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
    places = np.array(sorted({lengths.quantile(_NORMAL.cdf(z)) for z in _PLACES}))
    points, weights = _nodes(lengths)
    straight = _straight(places, points)
    load = replace(with_axis(load), input=places)
    records = with_axis(profile), with_axis(device), with_axis(constants)
    alone = prompts_of(*records, load, 1.0).total @ straight
    riding = riding_of(*records, load).total @ straight
    chunks = points * (1.0 - load.cached) / load.chunk
    passes = np.ceil(chunks)
    piece = riding / passes
    number = passes @ weights
    return Prompts(
        alone=alone @ weights,
        alone_square=alone**2 @ weights,
        alone_cube=alone**3 @ weights,
        riding=riding @ weights,
        square=riding**2 @ weights,
        cube=riding**3 @ weights,
        chunks=chunks @ weights,
        chunks_square=chunks**2 @ weights,
        passes=number,
        passes_spread=np.sqrt(np.maximum(passes**2 @ weights - number**2, 0.0)),
        first=constants.first_token,
        piece_square=(piece**2 * passes) @ weights / number,
        piece_cube=(piece**3 * passes) @ weights / number,
    )


def _nodes(lengths: Lengths) -> tuple[Any, Any]:
    """Return lengths that stand for all and their weights: equally far apart on the normal axis, tails included."""
    if lengths.scv == 0.0:
        return np.array([lengths.mean]), np.ones(1)
    half = 0.5 * (_GRID[1] - _GRID[0])
    weights = np.array([_NORMAL.cdf(z + half) - _NORMAL.cdf(z - half) for z in _GRID])
    points = np.array([lengths.quantile(_NORMAL.cdf(z)) for z in _GRID])
    weights /= weights.sum()
    return points * (lengths.mean / (points @ weights)), weights


def _straight(places: Any, points: Any) -> Any:
    """Return the matrix that takes values at *places* to *points*: straight between, in proportion below the first.

    Shape (places, points).
    """
    matrix = np.zeros((len(places), len(points)))
    for column, x in enumerate(points):
        right = min(max(1, int(np.searchsorted(places, x))), len(places) - 1)
        if x <= places[0] or right == 0:
            matrix[0, column] = x / places[0]
            continue
        share = (x - places[right - 1]) / (places[right] - places[right - 1])
        matrix[right - 1, column], matrix[right, column] = 1.0 - share, share
    return matrix
