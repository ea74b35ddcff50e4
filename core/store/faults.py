"""What a database reports, as a sentence that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from core.errors import StoreUnavailable

# The first byte of SQLite's error codes.
_SQLITE = {
    sqlite3.SQLITE_FULL: "store.full",
    sqlite3.SQLITE_READONLY: "store.read_only",
    sqlite3.SQLITE_PERM: "store.read_only",
    sqlite3.SQLITE_CANTOPEN: "store.read_only",
    sqlite3.SQLITE_BUSY: "store.busy",
    sqlite3.SQLITE_LOCKED: "store.busy",
    sqlite3.SQLITE_PROTOCOL: "store.busy",
    sqlite3.SQLITE_IOERR: "store.failed",
    sqlite3.SQLITE_CORRUPT: "store.damaged",
    sqlite3.SQLITE_NOTADB: "store.damaged",
}
# Codes of PostgreSQL that are no fault of this program.
_POSTGRESQL = {
    "42501": "store.refused",  # no permission
    "25006": "store.refused",  # read only
    "53100": "store.full",
    "55P03": "store.busy",
    "40001": "store.busy",
    "40P01": "store.busy",
    "57014": "store.busy",
}


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Raise StoreUnavailable in place of what the database at *place* raises, where a person can help it."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreUnavailable("store.busy", place=place, reason=_line(error)) from error
    except (exc.DBAPIError, sqlite3.Error) as error:
        key = _key(error)
        if key is None:
            raise
        raise StoreUnavailable(key, place=place, reason=_line(_origin(error))) from error


def _origin(error: Exception) -> BaseException:
    """Return what the driver raised; a new connection to SQLite raises that itself."""
    return (error.orig or error) if isinstance(error, exc.DBAPIError) else error


def _key(error: Exception) -> str | None:
    """Return the sentence for *error*; None where it is a fault of this program."""
    origin = _origin(error)
    if isinstance(origin, sqlite3.Error):
        return _SQLITE.get(getattr(origin, "sqlite_errorcode", 0) & 0xFF)
    state = getattr(origin, "sqlstate", None)
    if state in _POSTGRESQL:
        return _POSTGRESQL[state]
    unreachable = isinstance(error, exc.OperationalError | exc.InterfaceError)
    return "store.unreachable" if unreachable else None


def _line(error: BaseException) -> str:
    """Return the first line of what *error* says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
