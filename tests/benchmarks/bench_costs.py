"""How long costs take on one core: a comparison, a tornado, and 10,000 draws for 20 quotes.

Seconds of the processor, which others on the machine do not lengthen; the median of five.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from core.cost.assumptions import Assumptions
from core.cost.compare import compare
from core.cost.quote import Quote
from core.cost.tokens import Workload
from core.cost.uncertainty import DRAWS, simulate, tornado

KINDS = (
    ("purchase", "once", 35_000.0),
    ("on_demand", "hour", 6.88),
    ("spot", "hour", 2.3),
    ("reserved", "hour", 3.0),
)
QUOTES = [
    Quote(f"{kind} {number}", kind, "h100-sxm-80", 2, 8, price * (1 + number / 10), period=period)
    for number in range(5)
    for kind, period, price in KINDS
]
LOADS = [Workload(1000.0, 300.0, 20.0)] * len(QUOTES)


def seconds(call: Callable[[], object]) -> float:
    """Return the median seconds of *call*, after a first one that loads the data."""
    call()
    taken = []
    for _ in range(5):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def main() -> None:
    """Print seconds."""
    typical = Assumptions()
    owned = [quote for quote in QUOTES if quote.is_purchase] * 4
    count = len(QUOTES)
    print(f"compare {count} quotes: {1000 * seconds(lambda: compare(QUOTES, typical, LOADS)):.0f} ms")
    print(f"tornado of a purchase: {1000 * seconds(lambda: tornado(QUOTES[0], typical, LOADS[0])):.1f} ms")
    mixed = seconds(lambda: simulate(QUOTES, typical, LOADS))
    print(f"{DRAWS:,} draws for {count} quotes of four kinds: {mixed:.2f} s")
    print(f"{DRAWS:,} draws for {count} purchases: {seconds(lambda: simulate(owned, typical, LOADS)):.2f} s")


if __name__ == "__main__":
    main()
