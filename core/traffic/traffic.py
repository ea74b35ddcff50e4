"""The requests that a deployment is to serve."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.traffic.lengths import Lengths

SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
"""Seconds of the units in which a rate may be given."""


@dataclass(frozen=True)
class Traffic:
    """Requests and their lengths.

    `rate` is the mean over a day in requests per second, `peak` times as many come in the busiest hour, at random
    (Poisson). `prefix_hits` (0 to 1) is the share of prompt tokens that the prefix cache already holds.
    """

    rate: float
    input: Lengths
    output: Lengths
    peak: float = 1.0
    prefix_hits: float = 0.0

    @property
    def peak_rate(self) -> float:
        """Requests per second in the busiest hour: what a deployment is sized for."""
        return self.rate * self.peak

    @property
    def tokens(self) -> float:
        """Mean tokens of a request, prompt and answer."""
        return self.input.mean + self.output.mean

    def scaled(self, factor: float) -> Traffic:
        """Return the same requests, *factor* times as many."""
        return replace(self, rate=self.rate * factor)
