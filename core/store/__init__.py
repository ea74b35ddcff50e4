"""Saved work: plans, comparisons of quotes and scenarios, in a SQLite file or in PostgreSQL.

    store = open_store()
    saved = store.save("plan", "Chat, 2027", document_of(request, planned, chosen))
    store.update(saved.id, saved.version, notes="agreed")   # Conflict, if somebody saved meanwhile

What a page names is imported here without SQLAlchemy, which `open_store` loads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Conflict, StoreUnavailable, UnknownWork
from core.store.records import KINDS, Attachment, AttachmentInfo, Kind, Listing, Saved, Summary

if TYPE_CHECKING:
    from core.store.work import Store

__all__ = [
    "KINDS",
    "Attachment",
    "AttachmentInfo",
    "Conflict",
    "Kind",
    "Listing",
    "Saved",
    "StoreUnavailable",
    "Summary",
    "UnknownWork",
    "open_store",
]


def open_store(url: str | None = None) -> Store:
    """Return the store at *url*; by default at DATABASE_URL, else a file in the user's folder of data.

    Tables are made, or brought to this program's version, first. One store serves all threads of a process.

    Raises:
        StoreUnavailable: it cannot be reached or written, is damaged, or was made by a newer program.
    """
    from core.store.opening import opened  # noqa: PLC0415 - SQLAlchemy is loaded where work is opened

    return opened(url)
