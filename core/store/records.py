"""What is saved, as the pages see it, and the limits of it."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, get_args

from core.errors import BadRequest, UnknownWork, shown

Kind = Literal["plan", "quotes", "scenario"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""A plan.json; a comparison of quotes with its assumptions; a scenario."""

MB = 10**6
NAME_LIMIT = 200
NOTES_LIMIT = 10_000
CONTENT_LIMIT_MB = 5
ATTACHMENT_LIMIT_MB = 50
ATTACHMENTS = 20
"""Files that one piece of work keeps at most."""
PAGE = 20
"""Entries of a page of the list."""
WORDS = 10
"""Words of a search that count."""
KEPT_DAYS = 30
"""How long deleted work can be restored."""

# No characters that look alike; 16 of 57 are 93 bits, which nobody guesses.
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ID = re.compile(r"[0-9A-Za-z]{16}")
# Control characters, of which text may have tabs and line ends, and halves of surrogate pairs.
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class AttachmentInfo:
    """A file that is kept with saved work, without its bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Attachment:
    """A file as somebody uploaded it."""

    name: str
    content: bytes

    @cached_property
    def info(self) -> AttachmentInfo:
        """Name, bytes and SHA-256."""
        return AttachmentInfo(self.name, len(self.content), hashlib.sha256(self.content).hexdigest())


@dataclass(frozen=True)
class Summary:
    """One line of the list: all but content and files.

    version    counts how often it was saved; `update` asks for the one that was read
    by         who saved it last, empty where nobody said
    deleted    when it was deleted; None: it was not
    """

    id: str
    kind: Kind
    name: str
    notes: str
    created: datetime
    updated: datetime
    version: int
    data_version: str
    app_version: str
    by: str
    deleted: datetime | None


@dataclass(frozen=True)
class Saved(Summary):
    """Saved work with its content; `attachments` names its files in the order of their names."""

    content: dict[str, Any]
    attachments: tuple[AttachmentInfo, ...]


@dataclass(frozen=True)
class Listing:
    """A page of the list, the newest first; `count` is of all pages."""

    items: tuple[Summary, ...]
    count: int
    page: int
    pages: int


def new_id() -> str:
    """Return an id that can be shared as a link: short, of letters and digits, and not to be guessed."""
    return "".join(secrets.choice(_LETTERS) for _ in range(16))


def checked_id(id_: str) -> str:
    """Return *id_*, and refuse what cannot be one before a database sees it."""
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise UnknownWork("store.unknown", field="id", id=shown(id_))
    return id_


def checked_kind(kind: str) -> Kind:
    """Return *kind* where it is one of `KINDS`."""
    for known in KINDS:
        if kind == known:
            return known
    raise BadRequest("store.kind", field="kind", kind=shown(kind), kinds=", ".join(KINDS))


def checked_name(name: str) -> str:
    """Return *name* without the space around it."""
    name = _fit("name", " ".join(_fit("name", name).split()))
    if not name:
        raise BadRequest("store.no_name", field="name")
    return _short("name", name, NAME_LIMIT)


def checked_notes(notes: str) -> str:
    """Return *notes* as they are, where they are not too long."""
    return _short("notes", _fit("notes", notes), NOTES_LIMIT)


def checked_by(by: str) -> str:
    """Return who saves, on one line."""
    return _short("by", " ".join(_fit("by", by).split()), NAME_LIMIT)


def checked_content(content: Mapping[str, Any]) -> str:
    """Return *content* as JSON text."""
    try:
        text = json.dumps(dict(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRequest("store.not_json", field="content", reason=str(error)[:200]) from None
    if size > CONTENT_LIMIT_MB * MB:
        raise BadRequest("store.content_size", field="content", size=size / MB, limit=CONTENT_LIMIT_MB)
    return text


def checked_attachments(attachments: Sequence[Attachment]) -> tuple[Attachment, ...]:
    """Return *attachments* where each has a name of its own and is not too large."""
    names: set[str] = set()
    for one in attachments:
        name = _short("attachments", _fit("attachments", one.name), NAME_LIMIT)
        if not name.strip():
            raise BadRequest("store.no_file_name", field="attachments")
        if name in names:
            raise BadRequest("store.same_file_name", field="attachments", name=name)
        if len(one.content) > ATTACHMENT_LIMIT_MB * MB:
            size = len(one.content) / MB
            raise BadRequest(
                "store.file_size", field="attachments", name=name, size=size, limit=ATTACHMENT_LIMIT_MB
            )
        names.add(name)
    return tuple(attachments)


def data_version_in(content: Mapping[str, Any]) -> str:
    """Return the hash of hardware_db that a plan.json names, empty where *content* names none."""
    data = content.get("data")
    found = data.get("sha256") if isinstance(data, Mapping) else None
    fits = isinstance(found, str) and len(found) <= NAME_LIMIT and can_be_saved(found)
    return str(found) if fits else ""


def checked_data_version(version: str) -> str:
    """Return *version*, a hash."""
    return _short("data_version", _fit("data_version", version), NAME_LIMIT)


def words_of(text: str) -> list[str]:
    """Return what to search for; what is beyond the limits could not be found in a name anyway."""
    words = searchable(_UNFIT.sub(" ", text)).split()
    return [word[:NAME_LIMIT] for word in words[:WORDS]]


def can_be_saved(text: str) -> bool:
    """Return whether a database can hold *text*, and can be asked for it."""
    return not _UNFIT.search(text)


def searchable(*texts: str) -> str:
    r"""Return *texts* so that capitals and the width of letters do not matter.

    >>> searchable("Ｐlan", "STRASSE"), searchable("straße")
    ('plan\nstrasse', 'strasse')
    """
    return unicodedata.normalize("NFKC", "\n".join(texts)).casefold()


def _fit(field: str, text: str) -> str:
    """Return *text*, and refuse characters that a database or a line of text cannot hold."""
    if not isinstance(text, str):
        raise BadRequest("store.not_text", field=field, name=field, value=shown(text))
    if found := _UNFIT.search(text):
        raise BadRequest("store.unfit", field=field, name=field, code=f"U+{ord(found.group()):04X}")
    return text


def _short(field: str, text: str, limit: int) -> str:
    if len(text) > limit:
        raise BadRequest("store.too_long", field=field, name=field, length=len(text), limit=limit)
    return text
