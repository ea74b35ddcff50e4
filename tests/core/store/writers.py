"""A process that saves, for tests that run several or kill one: python -m tests.core.store.writers URL WHAT …."""

from __future__ import annotations

import sys
from itertools import count

from core.store import Attachment, Conflict, open_store
from core.store.work import Store


def open_only(store: Store) -> None:
    """Open the database, save one thing and list."""
    store.save("plan", "opened", {})
    print(store.listed().count)


def add(store: Store, id_: str, times: str) -> None:
    """Add one to a number *times* times, again after each conflict, and print how many there were."""
    conflicts = 0
    for _ in range(int(times)):
        while True:
            work = store.get(id_)
            try:
                store.update(id_, work.version, content={"number": work.content["number"] + 1})
                break
            except Conflict:
                conflicts += 1
    print(conflicts)


def rewrite(store: Store, id_: str) -> None:
    """Save without end: name, content and file are of the same number in each version."""
    print("ready", flush=True)
    for number in count(1):
        work = store.get(id_)
        file = Attachment("file", bytes([number % 256]) * 2 * 10**6)
        content = {"number": number, "filling": str(number % 10) * 10**6}
        store.update(id_, work.version, name=f"n {number}", content=content, attach=[file])
        store.save("scenario", f"extra {number}", content, attachments=[file])


if __name__ == "__main__":
    opened = open_store(sys.argv[1])
    {"open": open_only, "add": add, "rewrite": rewrite}[sys.argv[2]](opened, *sys.argv[3:])
