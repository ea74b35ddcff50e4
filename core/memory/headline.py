"""The answers that come first: what is left, and for how much it is enough, each with its band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.memory.bands import band, band_row
from core.memory.serving import ServingMemory
from core.quantities import format_digits, significant_digits

State = Literal["fits", "waits", "refuses", "unknown"]


@dataclass(frozen=True)
class Estimate:
    """A value with the band in which eight of ten measurements of its kind lie."""

    value: float
    low: float
    high: float

    @property
    def digits(self) -> int:
        """How many digits of the value the band supports."""
        return significant_digits(self.value, self.low, self.high)

    def shown(self, unit: float = 1.0) -> str:
        """Return the value in multiples of *unit*, with the digits that its band supports."""
        return format_digits(self.value / unit, self.digits)

    def range(self, unit: float = 1.0) -> tuple[str, str]:
        """Return the ends of the band in multiples of *unit*, with as many digits as the value."""
        return format_digits(self.low / unit, self.digits), format_digits(self.high / unit, self.digits)


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


def part_estimate(memory: ServingMemory, name: str) -> Estimate:
    """Return the part *name* in bytes with its band; one that is exact, as the cache of a request, has none."""
    size = memory.part(name).bytes
    if not band_row(memory.deployment, f"{name}_gib"):
        return Estimate(size, size, size)
    return Estimate(size, *band(memory.deployment, f"{name}_gib", size))
