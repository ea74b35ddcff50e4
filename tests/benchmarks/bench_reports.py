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
from core.cost.uncertainty import simulate
from core.report import html_report, json_report, report_of, xlsx_report
from tests.benchmarks.bench_costs import LOADS, QUOTES


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
