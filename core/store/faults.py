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
    sqlite3.SQLITE_CORRUPT: "store.damaged",
    sqlite3.SQLITE_NOTADB: "store.damaged",
}
# Classes of PostgreSQL's SQLSTATE that are no fault of this program.
_POSTGRESQL = {
    "42501": "store.refused",  # no permission
    "25006": "store.refused",  # read only
    "53100": "store.full",
    "55P03": "store.busy",
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
    except exc.DBAPIError as error:
        key = _key(error)
        if key is None:
            raise
        raise StoreUnavailable(key, place=place, reason=_line(error.orig or error)) from error


def _key(error: exc.DBAPIError) -> str | None:
    """Return the sentence for *error*; None where it is a fault of this program."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        known = _SQLITE.get(code & 0xFF)
        return known or ("store.failed" if isinstance(error, exc.OperationalError) else None)
    state = getattr(error.orig, "sqlstate", None)
    if state in _POSTGRESQL:
        return _POSTGRESQL[state]
    if isinstance(error, exc.OperationalError | exc.InterfaceError):
        return "store.unreachable"
    return None


def _line(error: BaseException) -> str:
    """Return the first line of what *error* says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
