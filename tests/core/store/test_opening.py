"""Where saved work is kept, and what is said where that cannot be opened."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import event

from core.errors import StoreUnavailable
from core.store import open_store
from core.store.opening import CONNECT_S, address_of, place_of
from tests.conftest import ROOT, free_port, silent
from tests.core.store.conftest import PASSWORD, Cluster, OpenStore


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "PLANNER_DATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "environment", "place"),
    [
        (None, {}, "~/.local/share/llm-deployment-planner/work.sqlite3"),
        (None, {"XDG_DATA_HOME": "/d"}, "/d/llm-deployment-planner/work.sqlite3"),
        (None, {"XDG_DATA_HOME": "d"}, "~/.local/share/llm-deployment-planner/work.sqlite3"),
        (None, {"XDG_DATA_HOME": "/d", "PLANNER_DATA": "/a b?/%41"}, "/a b?/%41/work.sqlite3"),
        (None, {"PLANNER_DATA": "~/w"}, "~/w/work.sqlite3"),
        (None, {"PLANNER_DATA": "/d", "DATABASE_URL": " sqlite:////w.db\n"}, "/w.db"),
        ("sqlite:////x.db", {"DATABASE_URL": "sqlite:////w.db"}, "/x.db"),
        (None, {"DATABASE_URL": "postgres://u:secret@h/n?password=secret"}, "postgresql://u:***@h/n"),
        (None, {"DATABASE_URL": "postgresql+psycopg2://h/n"}, "postgresql://h/n"),
    ],
)
def test_where_work_is_kept(url: str | None, environment: dict[str, str], place: str) -> None:
    address = address_of(url, environment)
    assert place_of(address) == place.replace("~", str(Path.home()))
    assert address.drivername in ("sqlite+pysqlite", "postgresql+psycopg")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense secret", "no address of a database"),
        ("postgresql://u:secret@h:port/n", "no address of a database"),
        ("mysql://u:secret@h/n", "mysql"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_addresses_that_are_refused(url: str, told: str) -> None:
    with pytest.raises(StoreUnavailable, match=told) as refused:
        open_store(url)
    assert refused.value.field == "DATABASE_URL"
    assert "secret" not in refused.value.message


def test_the_folder_is_made_for_this_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_DATA", str(tmp_path / "a" / "计划 %20?"))
    store = open_store()
    saved = store.save("plan", "p", {})
    store.close()
    assert (tmp_path / "a" / "计划 %20?").stat().st_mode & 0o777 == 0o700
    again = open_store()
    assert again.get(saved.id) == saved
    again.close()


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PLANNER_DATA", str(tmp_path / "file" / "folder"))
    with pytest.raises(StoreUnavailable, match="Set PLANNER_DATA to a folder") as refused:
        open_store()
    assert refused.value.field == "PLANNER_DATA"
    assert str(tmp_path / "file" / "folder") in refused.value.message


def test_a_folder_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user for whom rights count: root may write anywhere."""
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setenv("PLANNER_DATA", str(folder))
    open_store().close()
    database = folder / "work.sqlite3"
    database.chmod(0o444)
    folder.chmod(0o555)
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    try:
        child = os.fork()
        if child == 0:
            os._exit(_refused_as_nobody())
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        folder.chmod(0o755)


def _refused_as_nobody() -> int:
    try:
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        open_store()
    except StoreUnavailable as refused:
        return 0 if "Permission denied" in refused.message and "PLANNER_DATA" in refused.message else 3
    except BaseException:  # noqa: BLE001 - the parent is told by the status
        return 2
    return 1


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "work.sqlite3").mkdir()
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        open_store(f"sqlite:///{tmp_path}/work.sqlite3")


@pytest.mark.parametrize(
    "content",
    [b"no database\n" * 1000, b"SQLite format 3\0" + b"\xff" * 9000, b"SQLite format 3\0" + bytes(99), b"x"],
    ids=["text", "garbage", "cut", "short"],
)
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "work.sqlite3"
    file.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="put a backup in its place"):
        open_store(f"sqlite:///{file}")
    assert file.read_bytes() == content
    assert os.listdir(tmp_path) == ["work.sqlite3"]  # noqa: PTH208 - names are what counts


def test_a_file_with_damaged_pages(tmp_path: Path, opened: OpenStore) -> None:
    url = f"sqlite:///{tmp_path}/work.sqlite3"
    store = open_store(url)
    ids = [store.save("plan", "p", {"a": "x" * 20_000}).id for _ in range(20)]
    store.close()
    file = tmp_path / "work.sqlite3"
    content = file.read_bytes()
    # The pages of the schema are whole, those behind them are not.
    damaged = content[:4096] + b"\xa5" * (len(content) - 4096)
    file.write_bytes(damaged)
    with pytest.raises(StoreUnavailable, match="damaged"):
        opened(url).get(ids[0])
    assert file.read_bytes() == damaged


def test_an_empty_file_is_a_new_database(tmp_path: Path, opened: OpenStore) -> None:
    (tmp_path / "work.sqlite3").touch()
    assert opened(f"sqlite:///{tmp_path}/work.sqlite3").listed().count == 0


def test_a_full_disk_saves_nothing_and_says_so(tmp_path: Path, opened: OpenStore) -> None:
    store = opened(f"sqlite:///{tmp_path}/work.sqlite3")
    saved = store.save("plan", "p", {"x": 1})
    store._engine.dispose()

    @event.listens_for(store._engine, "connect")
    def no_room(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 30")

    with pytest.raises(StoreUnavailable, match=r"no room left.*Nothing was saved"):
        store.update(saved.id, 1, content={"x": "y" * 10**6})
    with pytest.raises(StoreUnavailable, match="no room left"):
        store.save("plan", "q", {"x": "y" * 10**6})
    assert store.get(saved.id) == saved
    assert store.listed().count == 1
    assert store.update(saved.id, 1, content={"x": 2}).version == 2


def test_a_database_that_stays_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.store.opening.WAIT_S", 0.1)
    store = open_store(f"sqlite:///{tmp_path}/work.sqlite3")
    saved = store.save("plan", "p", {})
    other = sqlite3.connect(tmp_path / "work.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="busy"):
        store.update(saved.id, 1, name="q")
    # Readers do not wait for a writer.
    assert store.get(saved.id) == saved
    other.execute("ROLLBACK")
    other.close()
    assert store.update(saved.id, 1, name="q").version == 2
    store.close()


def test_a_server_that_does_not_answer() -> None:
    with pytest.raises(StoreUnavailable, match="does not answer") as refused:
        open_store(f"postgresql://u:secret@127.0.0.1:{free_port()}/n")
    assert "secret" not in refused.value.message


def test_a_server_that_is_silent_is_given_up_soon() -> None:
    with silent() as port:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="does not answer"):
            open_store(f"postgresql://u:secret@127.0.0.1:{port}/n")
        assert CONNECT_S - 1 < time.monotonic() - began < CONNECT_S + 1.5
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="does not answer"):
            open_store(f"postgresql://u:secret@127.0.0.1:{port}/n?connect_timeout=2")
        assert time.monotonic() - began < CONNECT_S


def test_a_password_that_is_wrong_or_a_database_that_is_not_there(cluster: Cluster) -> None:
    for url in (cluster.url().replace(PASSWORD, "secret"), cluster.url("nowhere")):
        with pytest.raises(StoreUnavailable, match="does not answer") as refused:
            open_store(url)
        assert "secret" not in refused.value.message
        assert PASSWORD not in refused.value.message


def test_a_server_that_restarts_meanwhile(cluster: Cluster, opened: OpenStore) -> None:
    store = opened(cluster.new_database())
    saved = store.save("plan", "p", {"x": 1})
    cluster.stop()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.get(saved.id)
    cluster.start()
    assert store.get(saved.id) == saved
    assert store.update(saved.id, 1, content={"x": 2}).version == 2


def test_a_server_that_allows_no_writing(cluster: Cluster) -> None:
    url = cluster.new_database()
    with pytest.raises(StoreUnavailable, match="right to make tables"):
        open_store(f"{url}?options=-cdefault_transaction_read_only%3Don")


def test_a_database_of_another_encoding(cluster: Cluster) -> None:
    url = cluster.new_database("TEMPLATE template0 ENCODING 'LATIN1'")
    with pytest.raises(StoreUnavailable, match="encoding LATIN1; it must be UTF8"):
        open_store(url)


def test_an_existing_file_opens_fast_and_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/work.sqlite3"
    open_store(url).close()
    check = (
        "import sys, time; import core.store.opening; from core.store import open_store; "
        f"began = time.perf_counter(); open_store({url!r}).listed(); "
        "print(time.perf_counter() - began, 'alembic' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, alembic = told.stdout.split()
    assert float(seconds) < 0.3
    assert alembic == "False"


def test_opens_fast_with_much_in_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/work.sqlite3"
    store = open_store(url)
    for number in range(20):
        store.save("plan", f"p {number}", {"a": "x" * 4 * 10**6})
    store.close()
    began = time.process_time()
    store = open_store(url)
    assert store.listed().count == 20
    assert time.process_time() - began < 0.3
    store.close()
