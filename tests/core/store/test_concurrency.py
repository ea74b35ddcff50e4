"""Several writers at once lose nothing, and a writer that is killed leaves nothing half done."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest

from core.store import Attachment, Conflict, UnknownWork
from core.store.work import Store
from tests.conftest import ROOT
from tests.core.store.conftest import OpenStore


def writer(url: str, *arguments: str) -> subprocess.Popen[str]:
    """Start tests/core/store/writers.py."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.core.store.writers", url, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output.strip()


def test_of_writers_at_once_one_saves_and_the_others_are_told(store: Store) -> None:
    saved = store.save("plan", "p", {"number": -1})
    writers = 8
    for turn in range(1, 6):
        start = Barrier(writers)

        def write(number: int, version: int = turn, start: Barrier = start) -> int | None:
            start.wait()
            try:
                return store.update(saved.id, version, content={"number": number}).content["number"]
            except Conflict:
                return None

        with ThreadPoolExecutor(writers) as threads:
            answers = [answer for answer in threads.map(write, range(writers)) if answer is not None]
        assert len(answers) == 1
        now = store.get(saved.id)
        assert (now.version, now.content["number"]) == (turn + 1, answers[0])


def test_of_two_who_delete_one_is_told(store: Store) -> None:
    saved = store.save("plan", "p", {})
    start = Barrier(2)

    def delete(_: int) -> bool:
        start.wait()
        try:
            store.delete(saved.id)
        except UnknownWork:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(delete, range(2))) == [False, True]


def test_threads_that_do_different_things(store: Store) -> None:
    """As sessions of a dashboard do: each sees its own work, whatever the others are at."""

    def session(number: int) -> None:
        name = f"session {number}"
        file = Attachment(name, name.encode() * 1000)
        for turn in range(5):
            saved = store.save("quotes", name, {"turn": turn}, attachments=[file])
            saved = store.update(saved.id, 1, notes=str(turn))
            assert store.get(saved.id) == saved
            assert store.attachment(saved.id, name) == file
            copy = store.duplicate(saved.id)
            store.restore(store.delete(copy.id))
            store.delete(copy.id)
            assert store.listed(text=name).count == turn + 1

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(session, range(100, 112)))
    assert store.listed().count == 60
    assert store.listed(deleted=True).count == 60


def test_readers_and_copies_see_one_version(store: Store) -> None:
    def named(number: int) -> dict[str, Any]:
        file = Attachment("file", str(number).encode() * 1000)
        return {"name": f"n {number}", "content": {"number": number}, "attach": [file]}

    saved = store.save("plan", "n 0", {"number": 0}, attachments=named(0)["attach"])
    done = Event()

    def read(_: int) -> int:
        seen = set()
        while not done.is_set():
            for found in (store.get(saved.id), store.duplicate(saved.id, "copy")):
                number = found.content["number"]
                seen.add(number)
                if found.id == saved.id:
                    assert (found.name, found.version) == (f"n {number}", number + 1)
                assert found.attachments == (named(number)["attach"][0].info,)
        return len(seen)

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read, number) for number in range(3)]
        try:
            for number in range(1, 61):
                store.update(saved.id, number, **named(number))
        finally:
            done.set()
    assert max(reader.result() for reader in readers) > 1


def test_processes_lose_no_change(url: str, store: Store) -> None:
    saved = store.save("plan", "p", {"number": 0})
    writers = [writer(url, "add", saved.id, "40") for _ in range(2)]
    for process in writers:
        told(process)
    now = store.get(saved.id)
    assert (now.content, now.version) == ({"number": 80}, 81)


def test_processes_that_open_a_new_database_at_once(url: str, opened: OpenStore) -> None:
    writers = [writer(url, "open") for _ in range(4)]
    counts = [int(told(process)) for process in writers]
    assert max(counts) == 4
    assert opened(url).listed().count == 4


def test_threads_that_open_a_new_database_at_once(url: str, opened: OpenStore) -> None:
    start = Barrier(6)

    def open_one(_: int) -> int:
        start.wait()
        return opened(url).listed().count

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(open_one, range(6))) == [0] * 6


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.13, 0.3])
def test_a_writer_that_is_killed_leaves_whole_versions(
    url: str, store: Store, opened: OpenStore, delay_s: float
) -> None:
    first = {"number": 0, "filling": "0" * 10**6}
    saved = store.save("plan", "n 0", first, attachments=[Attachment("file", bytes(2 * 10**6))])
    process = writer(url, "rewrite", saved.id)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(delay_s)
    process.kill()
    process.communicate()
    again = opened(url)
    found = again.get(saved.id)
    number = found.content["number"]
    assert found.name == f"n {number}"
    assert found.version == number + 1
    assert found.content["filling"] == str(number % 10) * 10**6
    assert again.attachment(saved.id, "file").content == bytes([number % 256]) * 2 * 10**6
    extras = again.listed(kind="scenario", text="extra")
    assert extras.count in (number, number - 1)
    for extra in extras.items:
        assert len(again.attachment(extra.id, "file").content) == 2 * 10**6
    # The next one writes as if nothing had happened.
    assert again.update(saved.id, found.version, content={}).version == found.version + 1
