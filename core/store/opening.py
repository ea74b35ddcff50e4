"""Where saved work is kept, and how the database there is opened."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from core.errors import StoreUnavailable, shown
from core.store.faults import explained
from core.store.migrating import migrate
from core.store.work import Store

FOLDER = "llm-deployment-planner"
FILE = "work.sqlite3"
_MAGIC = b"SQLite format 3\0"
_PAGE = 512
"""Bytes of the smallest page of SQLite."""
WAIT_S = 15
"""How long one writer waits for the others of a SQLite file."""
CONNECT_S = 3
"""How long a server of PostgreSQL may take to answer, where its address does not say."""


def opened(url: str | None = None) -> Store:
    """Return the store at *url*, see `core.store.open_store`."""
    address = address_of(url, os.environ)
    place = place_of(address)
    sqlite = address.get_backend_name() == "sqlite"
    if sqlite:
        _make_folder(Path(place))
        _require_database(Path(place))
    engine = _sqlite(address) if sqlite else _postgresql(address)
    # What is read together belongs together: SQLite's transactions see one state anyway.
    reading = engine if sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
    writing = engine.execution_options(planner_writes=True)
    try:
        with explained(place):
            if sqlite:
                _write_ahead(engine)
            migrate(reading, writing, place)
        store = Store(reading, writing, place)
        store.purge()
    except BaseException:
        engine.dispose()
        raise
    return store


def address_of(url: str | None, environment: Mapping[str, str]) -> URL:
    """Return which database *url* and *environment* mean."""
    given = url or environment.get("DATABASE_URL", "").strip()
    if not given:
        return URL.create("sqlite+pysqlite", database=str(folder_of(environment) / FILE))
    try:
        address = make_url(given.replace("postgres://", "postgresql://", 1))
        backend = address.get_backend_name()
    except (ArgumentError, ValueError):
        raise StoreUnavailable("store.url", field="DATABASE_URL") from None
    if backend == "postgresql":
        return address.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise StoreUnavailable("store.backend", field="DATABASE_URL", backend=shown(backend))
    if address.database in (None, "", ":memory:"):
        raise StoreUnavailable("store.no_file", field="DATABASE_URL")
    return address.set(drivername="sqlite+pysqlite")


def folder_of(environment: Mapping[str, str]) -> Path:
    """Return the folder of the SQLite file: PLANNER_DATA, else within the user's folder of data."""
    try:
        if own := environment.get("PLANNER_DATA", "").strip():
            return Path(own).expanduser().absolute()
        base = environment.get("XDG_DATA_HOME", "")
        # The XDG specification says that a relative path is to be ignored.
        data = Path(base) if Path(base).is_absolute() else Path.home() / ".local/share"
    except RuntimeError as error:
        raise StoreUnavailable("store.folder", field="PLANNER_DATA", folder="~", reason=error) from None
    return data / FOLDER


def place_of(address: URL) -> str:
    """Return *address* as a message names it: the file, or the server without password and options."""
    if address.get_backend_name() == "sqlite":
        return str(address.database)
    return address.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def _make_folder(file: Path) -> None:
    """Make the folder of *file*, for this user alone, and see that a file can be written there."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(file.parent, error.strerror or str(error)) from None
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise _unwritable(file.parent, os.strerror(13))


def _require_database(file: Path) -> None:
    """Refuse a file that is no database: SQLite itself would overwrite one that is shorter than a page."""
    if not file.is_file() or file.stat().st_size == 0:
        return
    try:
        with file.open("rb") as content:
            start = content.read(_PAGE)
    except OSError as error:
        raise StoreUnavailable("store.read_only", place=file, reason=error.strerror) from None
    if len(start) < _PAGE or not start.startswith(_MAGIC):
        raise StoreUnavailable("store.damaged", place=file, reason="file is not a database")


def _unwritable(folder: Path, reason: str) -> StoreUnavailable:
    return StoreUnavailable("store.folder", field="PLANNER_DATA", folder=folder, reason=reason)


def _sqlite(address: URL) -> Engine:
    """Return an engine whose transactions are SQLite's own: Python's driver would begin and end them."""
    engine = create_engine(address, connect_args={"timeout": WAIT_S, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        # What was saved stays saved when the power fails.
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: one that reads first could not wait for another.
        writes = connection.get_execution_options().get("planner_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(address: URL) -> Engine:
    usual = {"connect_timeout": CONNECT_S, "tcp_user_timeout": CONNECT_S * 1000}
    stated = {name: value for name, value in usual.items() if name not in address.query}
    arguments = {"client_encoding": "utf8", **stated}
    # A server may have been restarted since the last call, hence the ping.
    return create_engine(
        address, pool_pre_ping=True, isolation_level="READ COMMITTED", connect_args=arguments
    )


def _write_ahead(engine: Engine) -> None:
    """Switch a SQLite file to its write-ahead log, in which readers do not wait for a writer.

    SQLite does not wait where two programs do so at once, hence the repetition. It does nothing where the log
    is impossible, as on some network file systems; the file then works as it was.
    """
    end = time.monotonic() + WAIT_S
    while True:
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.02)
        finally:
            raw.close()
