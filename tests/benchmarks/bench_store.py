"""How long saved work takes, in a SQLite file that holds a thousand plans."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from core.store import Attachment, open_store

WORK = 1000
TIMES = 30


def median_ms(call: Callable[[], Any]) -> float:
    """Return the median time of a call in milliseconds."""
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds) * 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'work.sqlite3'}"
        began = time.perf_counter()
        store = open_store(url)
        print(f"open, new, with its tables to make  {(time.perf_counter() - began) * 1000:8.1f} ms")
        content = {"plans": [{"name": f"plan {number}", "usd": number / 7} for number in range(1500)]}
        file = Attachment("quote.xlsx", bytes(10**6))
        saved = [store.save("plan", f"Plan {number}", content, "notes " * 20) for number in range(WORK)]
        work = store.save("quotes", "Quotes", content, attachments=[file])
        versions = count(1)
        for name, call in (
            ("open, existing", lambda: open_store(url).close()),
            ("save 70 kB", lambda: store.save("plan", "p", content)),
            ("save 70 kB and a file of 1 MB", lambda: store.save("quotes", "q", content, attachments=[file])),
            ("update 70 kB", lambda: store.update(work.id, next(versions), content=content)),
            ("get 70 kB", lambda: store.get(saved[500].id)),
            ("a file of 1 MB", lambda: store.attachment(work.id, file.name)),
            ("list the newest 20", store.listed),
            ("search", lambda: store.listed(text="plan 77")),
            ("delete and restore", lambda: store.restore(store.delete(saved[3].id))),
        ):
            print(f"{name:34}  {median_ms(call):8.1f} ms")
        store.close()


if __name__ == "__main__":
    main()
