"""How long a table of 10,000 quotes takes to be read, mapped and checked, as CSV and as XLSX; wanted: under 2 s.

Seconds of the processor, which others on the machine do not lengthen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from core.quotes import checked, csv_of, mapped, read_table, xlsx_of
from core.quotes.writing import EXAMPLES

ROWS = 10_000


def seconds(work: Callable[[], object], runs: int = 3) -> float:
    """Return the least processor seconds of *runs* calls."""
    found = []
    for _ in range(runs):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def main() -> None:
    """Print the seconds."""
    quotes = [
        replace(EXAMPLES[row % 2], name=f"Quote {row}", price=EXAMPLES[row % 2].price * (1 + row / 1e6))
        for row in range(ROWS)
    ]
    for name, write in (("csv", csv_of), ("xlsx", xlsx_of)):
        content = write(quotes)
        written = seconds(lambda write=write: write(quotes), runs=1)
        table = read_table(content, f"quotes.{name}")
        rows = mapped(table)
        assert checked(rows).good == tuple(quotes)
        read = seconds(lambda content=content, name=name: read_table(content, f"quotes.{name}"))
        check = seconds(lambda table=table: checked(mapped(table)))
        size = len(content) / 1e6
        print(f"{name:5} {ROWS:,} rows, {size:.1f} MB: read {read:.2f} s, mapped and checked {check:.2f} s, "
              f"together {read + check:.2f} s; written in {written:.2f} s")  # fmt: skip


if __name__ == "__main__":
    main()
