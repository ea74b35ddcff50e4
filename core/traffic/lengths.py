"""How long prompts and answers are: all alike, lognormal, or as a trace has them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np

from core.errors import BadRequest

_Z95 = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True)
class Lengths:
    """A distribution of tokens per prompt or answer.

    `mean` tokens; `sigma` is the standard deviation of the logarithm, 0 where all are alike; `values` are
    the lengths of a trace in rising order, which then count instead.
    """

    mean: float
    sigma: float = 0.0
    values: tuple[float, ...] = ()

    @cached_property
    def square(self) -> float:
        """The mean of the squared length, tokens^2."""
        if self.values:
            return float(np.mean(np.square(self.values)))
        return self.mean**2 * math.exp(self.sigma**2)

    @property
    def scv(self) -> float:
        """The squared coefficient of variation: 0 where all lengths are alike."""
        return max(0.0, self.square / self.mean**2 - 1.0)

    def quantile(self, share: float) -> float:
        """Return the length that *share* (0 to 1, exclusive) of all requests do not exceed."""
        if self.values:
            return float(np.quantile(self.values, share))
        median = self.mean * math.exp(-(self.sigma**2) / 2)
        return median * math.exp(self.sigma * NormalDist().inv_cdf(share))

    def representatives(self, count: int) -> Any:
        """Return *count* equally likely lengths that stand for all, scaled to the exact mean.

        The array has shape (count,).
        """
        points = np.array([self.quantile((place + 0.5) / count) for place in range(count)])
        return points * (self.mean / points.mean())

    def sample(self, random: np.random.Generator, count: int) -> Any:
        """Return *count* random whole lengths of at least one token."""
        if self.values:
            drawn = random.choice(np.asarray(self.values), count)
        else:
            drawn = self.mean * np.exp(random.normal(-(self.sigma**2) / 2, self.sigma, count))
        return np.maximum(1, np.rint(drawn)).astype(int)


def fixed(tokens: float) -> Lengths:
    """Return lengths that are all *tokens*."""
    return Lengths(float(tokens))


def lognormal(mean: float, p95: float, *, field: str = "p95") -> Lengths:
    """Return lognormal lengths with *mean* and 95th percentile *p95*.

    p95 = mean exp(z sigma - sigma^2 / 2), z = 1.645, which has a solution up to mean exp(z^2 / 2) = 3.87 mean;
    of the two the smaller sigma is meant.

    Raises:
        BadRequest: *p95* is below the mean or above 3.87 times it.
    """
    most = mean * math.exp(_Z95**2 / 2)
    if not mean <= p95 <= most:
        raise BadRequest("traffic.p95", field=field, name=field, mean=mean, p95=p95, most=math.floor(most))
    return Lengths(float(mean), _Z95 - math.sqrt(max(0.0, _Z95**2 - 2 * math.log(p95 / mean))))


def from_values(values: Any) -> Lengths:
    """Return lengths as *values*, one number of tokens for each request, has them."""
    ordered = tuple(sorted(float(value) for value in values))
    return Lengths(sum(ordered) / len(ordered), 0.0, ordered)
