"""The answers that come first: what is left, and for how much it is enough, each with its band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.memory.bands import band
from core.memory.serving import ServingMemory
from core.quantities import significant

State = Literal["fits", "waits", "refuses", "unknown"]


@dataclass(frozen=True)
class Estimate:
    """A value with the band in which eight of ten measurements of its kind lie."""

    value: float
    low: float
    high: float

    @property
    def rounded(self) -> float:
        """The value with the digits that its band supports."""
        return significant(self.value, self.low, self.high)

    @property
    def range(self) -> tuple[float, float]:
        """The ends of the band with two digits."""
        return significant(self.low, 0.9 * self.low, 1.1 * self.low), significant(
            self.high, 0.9 * self.high, 1.1 * self.high
        )


@dataclass(frozen=True)
class Headline:
    """What a reader looks for first; amounts are per GPU of the most loaded rank.

    `spare` bytes of the cache pool are left over by the wanted requests (negative: they lack them). The pool
    holds `tokens`, or `requests` of the mean length, or `long_requests` of the full context, or one request of
    `largest_context` tokens.
    """

    state: State
    spare: Estimate
    tokens: Estimate
    requests: Estimate
    long_requests: Estimate
    largest_context: Estimate


def state_of(memory: ServingMemory) -> State:
    """Return whether the engine starts, and whether all wanted requests run at once."""
    if memory.pool is None:
        return "unknown"
    if not memory.starts:
        return "refuses"
    return "fits" if memory.fits else "waits"


def headline(memory: ServingMemory) -> Headline:
    """Return the first answers for *memory*.

    What the pool holds is as uncertain as the number of its tokens, which is what start-up logs report.
    """
    pool, kv = memory.pool, memory.part("kv").bytes
    low, high = band(memory.deployment, "kv_capacity_tokens", 1.0)
    size = max(0.0, pool.bytes) if pool else 0.0

    def scaled(value: float) -> Estimate:
        return Estimate(value, value * low, value * high)

    spare = (pool.bytes if pool else 0.0) - kv
    return Headline(
        state_of(memory),
        Estimate(spare, spare - size * (1 - low), spare + size * (high - 1)),
        scaled(pool.tokens if pool else 0),
        scaled(memory.mean_requests),
        scaled(memory.long_requests),
        scaled(memory.largest_context),
    )
