"""Save, find, change and delete work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Engine,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session, sessionmaker

from core.errors import BadRequest, Conflict, StoreUnavailable, UnknownWork, shown
from core.planning.document import program_version
from core.store import records
from core.store.faults import explained
from core.store.records import Attachment, AttachmentInfo, Kind, Listing, Saved, Summary
from core.store.tables import Content, File, Work
from core.text import say, text

_LINE = (
    Work.id,
    Work.kind,
    Work.name,
    Work.notes,
    Work.created,
    Work.updated,
    Work.version,
    Work.data_version,
    Work.app_version,
    Work.saved_by,
    Work.deleted,
)
"""The columns of a `Summary`, in its order."""
_FIELDS = tuple(field.name for field in fields(Summary))


class Store:
    """Saved work in one database, for all threads of a process. `core.store.open_store` makes it.

    *now* tells the time, for tests.
    """

    def __init__(
        self, reading: Engine, writing: Engine, place: str, now: Callable[[], datetime] | None = None
    ) -> None:
        self.place = place
        self.now = now or (lambda: datetime.now(UTC))
        self._engine = reading
        self._reading = sessionmaker(reading)
        self._writing = sessionmaker(writing)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def save(
        self,
        kind: Kind,
        name: str,
        content: Mapping[str, Any],
        notes: str = "",
        attachments: Sequence[Attachment] = (),
        *,
        data_version: str | None = None,
        by: str = "",
    ) -> Saved:
        """Save new work and return it with its id.

        *data_version* is the hash of the hardware_db used, by default the one that a plan.json names; *by* who
        saves, where that is known.

        Raises:
            BadRequest: no name, no JSON, or over a limit of `core.store.records`.
        """
        files = records.checked_attachments(attachments)
        name, notes = records.checked_name(name), records.checked_notes(notes)
        now, id_, json_ = self.now(), records.new_id(), records.checked_content(content)
        row = Work(
            id=id_,
            kind=records.checked_kind(kind),
            name=name,
            notes=notes,
            created=now,
            updated=now,
            version=1,
            data_version=_data_version(content, data_version),
            app_version=program_version(),
            saved_by=records.checked_by(by),
            search=records.searchable(name, notes),
        )
        with self._transaction(self._writing) as session:
            session.add(row)
            session.flush()
            session.add(Content(work=id_, json=json_))
            _attach(session, id_, files)
            return _saved(session, id_)

    def update(
        self,
        id_: str,
        version: int,
        *,
        name: str | None = None,
        notes: str | None = None,
        content: Mapping[str, Any] | None = None,
        attach: Sequence[Attachment] = (),
        detach: Sequence[str] = (),
        data_version: str | None = None,
        by: str = "",
    ) -> Saved:
        """Save changes of work of which *version* was read; what is None stays.

        *attach* adds files, in place of those with the same name; *detach* names files to drop.

        Raises:
            Conflict: somebody saved another version meanwhile.
            UnknownWork: there is no such work or file, or it was deleted.
            BadRequest: as for `save`.
        """
        records.checked_id(id_)
        files = records.checked_attachments(attach)
        values: dict[str, Any] = {"version": version + 1, "app_version": program_version()}
        values["saved_by"] = records.checked_by(by)
        json_ = None if content is None else records.checked_content(content)
        if content is not None or data_version is not None:
            values["data_version"] = _data_version(content or {}, data_version)
        if name is not None:
            values["name"] = records.checked_name(name)
        if notes is not None:
            values["notes"] = records.checked_notes(notes)
        with self._transaction(self._writing) as session:
            # SQLite's writers take turns: the time is that of this one's turn.
            values["updated"] = self.now()
            mine = (Work.id == id_, Work.version == version, Work.deleted.is_(None))
            if _rows(session.execute(update(Work).where(*mine).values(**values))) != 1:
                raise _lost(session, id_)
            if name is not None or notes is not None:
                _index(session, id_)
            if json_ is not None:
                session.execute(update(Content).where(Content.work == id_).values(json=json_))
            _detach(session, id_, detach)
            _drop(session, id_, [one.name for one in files])
            _attach(session, id_, files)
            return _saved(session, id_)

    def get(self, id_: str) -> Saved:
        """Return the work with *id_*.

        Raises:
            UnknownWork: there is none, or it was deleted.
        """
        records.checked_id(id_)
        with self._transaction(self._reading) as session:
            return _saved(session, id_)

    def listed(
        self,
        kind: Kind | Sequence[Kind] | None = None,
        text: str | None = None,
        page: int = 1,
        *,
        deleted: bool = False,
    ) -> Listing:
        """Return a page of the work of *kind*, or of several, whose name or notes hold each word of *text*.

        The newest come first. A page beyond the last is the last. *deleted* lists what can be restored instead.
        """
        wanted: list[ColumnElement[bool]] = [Work.deleted.is_not(None) if deleted else Work.deleted.is_(None)]
        if kind is not None:
            kinds = (kind,) if isinstance(kind, str) else kind
            wanted.append(Work.kind.in_([records.checked_kind(one) for one in kinds]))
        wanted += [Work.search.contains(word, autoescape=True) for word in records.words_of(text or "")]
        with self._transaction(self._reading) as session:
            count = session.execute(select(func.count()).select_from(Work).where(*wanted)).scalar_one()
            pages = max(1, -(-count // records.PAGE))
            page = min(max(page, 1), pages)
            newest = select(*_LINE).where(*wanted).order_by(Work.updated.desc(), Work.id)
            rows = session.execute(newest.limit(records.PAGE).offset((page - 1) * records.PAGE)).all()
        return Listing(tuple(Summary(*cast("Any", row)) for row in rows), count, page, pages)

    def duplicate(self, id_: str, name: str | None = None, *, by: str = "") -> Saved:
        """Return a copy of the work with *id_* and its files, with a *name* of its own.

        Raises:
            UnknownWork: there is none, or it was deleted.
        """
        records.checked_id(id_)
        now, copy = self.now(), records.new_id()
        with self._transaction(self._writing) as session:
            work = _found(session, id_, hold=True)
            name = records.checked_name(name if name is not None else _copied(work.name))
            kept = {"kind": work.kind, "notes": work.notes, "data_version": work.data_version}
            session.add(
                Work(
                    id=copy,
                    name=name,
                    created=now,
                    updated=now,
                    version=1,
                    app_version=work.app_version,
                    saved_by=records.checked_by(by),
                    search=records.searchable(name, work.notes),
                    **kept,
                )
            )
            session.flush()
            # Within the database: content and files do not travel.
            theirs = select(literal(copy), Content.json).where(Content.work == id_)
            session.execute(insert(Content).from_select(("work", "json"), theirs))
            columns = ("work", "name", "size", "sha256", "content")
            files = select(literal(copy), File.name, File.size, File.sha256, File.content)
            session.execute(insert(File).from_select(columns, files.where(File.work == id_)))
            return _saved(session, copy)

    def delete(self, id_: str) -> str:
        """Delete the work with *id_*; `restore` with the token that is returned undoes it for 30 days.

        Raises:
            UnknownWork: there is none, or it was deleted before.
        """
        records.checked_id(id_)
        with self._transaction(self._writing) as session:
            there = (Work.id == id_, Work.deleted.is_(None))
            if _rows(session.execute(update(Work).where(*there).values(deleted=self.now()))) != 1:
                raise _lost(session, id_)
            self._purge(session)
        return id_

    def restore(self, token: str) -> Saved:
        """Undo a deletion and return the work; it changes nothing where that was done before.

        Raises:
            UnknownWork: there is no such work any more.
        """
        records.checked_id(token)
        with self._transaction(self._writing) as session:
            session.execute(update(Work).where(Work.id == token).values(deleted=None))
            return _saved(session, token)

    def attachment(self, id_: str, name: str) -> Attachment:
        """Return the file *name* of the work with *id_*, as it was uploaded.

        Raises:
            UnknownWork: there is no such work, or it has no such file.
            StoreUnavailable: the file is not what was saved.
        """
        records.checked_id(id_)
        with self._transaction(self._reading) as session:
            work = _found(session, id_)
            file = session.get(File, (id_, name)) if records.can_be_saved(name) else None
            if file is None:
                raise UnknownWork(
                    "store.no_file_there", field="attachments", name=shown(name), work=work.name
                )
            found = Attachment(file.name, file.content)
            if found.info.sha256 != file.sha256:
                raise StoreUnavailable("store.damaged", place=self.place, reason=file.name)
        return found

    def purge(self) -> None:
        """Forget what was deleted more than 30 days ago."""
        old = self._expired()
        with self._transaction(self._reading) as session:
            due = session.execute(select(Work.id).where(old).limit(1)).first()
        if due:
            with self._transaction(self._writing) as session:
                self._purge(session)

    def _purge(self, session: Session) -> None:
        session.execute(delete(Work).where(self._expired()))

    def _expired(self) -> ColumnElement[bool]:
        return Work.deleted < self.now() - timedelta(days=records.KEPT_DAYS)

    @contextmanager
    def _transaction(self, sessions: sessionmaker[Session]) -> Iterator[Session]:
        """Give a session whose changes are saved together at its end, or not at all where something fails."""
        with explained(self.place), sessions.begin() as session:
            yield session


def _data_version(content: Mapping[str, Any], stated: str | None) -> str:
    return records.data_version_in(content) if stated is None else records.checked_data_version(stated)


def _rows(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount


def _found(session: Session, id_: str, *, hold: bool = False) -> Work:
    """Return the row of work that is there and was not deleted; *hold* keeps others from changing it."""
    # PostgreSQL locks the row; SQLite has locked all for a writer.
    lock = {"read": True} if hold else None
    work = session.get(Work, id_, populate_existing=True, with_for_update=lock)
    if work is None:
        raise UnknownWork("store.unknown", field="id", id=id_)
    if work.deleted is not None:
        raise UnknownWork("store.deleted", field="id", name=work.name, at=work.deleted)
    return work


def _lost(session: Session, id_: str) -> Conflict:
    """Return why a change found nothing to change."""
    work = _found(session, id_)
    by = work.saved_by or say("store.somebody")
    return Conflict("store.conflict", name=work.name, by=by, at=work.updated, version=work.version)


def _saved(session: Session, id_: str) -> Saved:
    work = _found(session, id_)
    stored = session.execute(select(Content.json).where(Content.work == id_)).scalar_one()
    line = dict(zip(_FIELDS, (getattr(work, column.key) for column in _LINE), strict=True))
    content: dict[str, Any] = json.loads(stored)
    return Saved(**line, content=content, attachments=_files(session, id_))


def _files(session: Session, id_: str) -> tuple[AttachmentInfo, ...]:
    rows = session.execute(select(File.name, File.size, File.sha256).where(File.work == id_)).all()
    files = (AttachmentInfo(row.name, row.size, row.sha256) for row in rows)
    # Here, since databases sort text each in its own way.
    return tuple(sorted(files, key=lambda file: file.name))


def _attach(session: Session, id_: str, files: Sequence[Attachment]) -> None:
    for file in files:
        info = file.info
        row = {"work": id_, "name": info.name, "size": info.size, "sha256": info.sha256}
        session.execute(insert(File).values(**row, content=file.content))
    count = session.execute(select(func.count()).select_from(File).where(File.work == id_)).scalar_one()
    if count > records.ATTACHMENTS:
        raise BadRequest("store.files", field="attachments", count=count, limit=records.ATTACHMENTS)


def _drop(session: Session, id_: str, names: Sequence[str]) -> int:
    return _rows(session.execute(delete(File).where(File.work == id_, File.name.in_(names))))


def _detach(session: Session, id_: str, names: Sequence[str]) -> None:
    for name in names:
        if not records.can_be_saved(name) or _drop(session, id_, [name]) != 1:
            work = _found(session, id_).name
            raise UnknownWork("store.no_file_there", field="attachments", name=shown(name), work=work)


def _index(session: Session, id_: str) -> None:
    """Note what a search looks through, after name or notes changed."""
    work = _found(session, id_)
    work.search = records.searchable(work.name, work.notes)
    session.flush()


def _copied(name: str) -> str:
    """Return the name of a copy, within the limit of names."""
    room = records.NAME_LIMIT - len(text("store.copy", name=""))
    return text("store.copy", name=name[:room])
