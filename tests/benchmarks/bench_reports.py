"""How long reports of 20 quotes take on one core, and how large they are.

Seconds of the processor, which others on the machine do not lengthen; the median of five.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

from core.cost.assumptions import Assumptions
from core.cost.compare import compare
from core.cost.quote import Quote
from core.cost.tokens import Workload
from core.cost.uncertainty import simulate
from core.report import html_report, json_report, report_of, xlsx_report

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


def measured(name: str, call: Callable[[], bytes]) -> None:
    """Print the median seconds of *call*, after a first one, and the size of what it returns."""
    size, taken = len(call()), []
    for _ in range(5):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    print(f"{name} of {len(QUOTES)} quotes: {1000 * statistics.median(taken):.0f} ms, {size / 1000:.0f} kB")


def main() -> None:
    """Print seconds and sizes."""
    typical = Assumptions()
    report = report_of(
        compare(QUOTES, typical, LOADS), LOADS, simulation=simulate(QUOTES, typical, LOADS, count=1000)
    )
    measured("HTML", lambda: html_report(report).encode())
    measured("workbook", lambda: xlsx_report(report))
    measured("JSON", lambda: json.dumps(json_report(report)).encode())


if __name__ == "__main__":
    main()
