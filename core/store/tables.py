"""The tables of saved work. What changes here needs a migration, see `core.store.migrations`."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, ForeignKey, Index, LargeBinary, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Utc(TypeDecorator[datetime]):
    """A time in UTC; SQLite keeps it without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return what is written."""
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return what was read, with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables; their names have a prefix, since a database may serve other programs too."""


class Work(Base):
    """Saved work but for its content."""

    __tablename__ = "planner_work"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(Text)
    notes: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(Utc)
    updated: Mapped[datetime] = mapped_column(Utc)
    version: Mapped[int]
    data_version: Mapped[str] = mapped_column(Text)
    app_version: Mapped[str] = mapped_column(Text)
    saved_by: Mapped[str] = mapped_column(Text, default="", server_default="")
    search: Mapped[str] = mapped_column(Text, default="", server_default="")
    deleted: Mapped[datetime | None] = mapped_column(Utc)

    __table_args__ = (Index("planner_work_newest", "deleted", "updated"),)


class Content(Base):
    """The content of saved work: JSON as text, so that it comes back as it was written.

    Apart, since SQLite reads all of a row that comes before the column it looks for.
    """

    __tablename__ = "planner_content"

    work: Mapped[str] = mapped_column(ForeignKey("planner_work.id", ondelete="CASCADE"), primary_key=True)
    json: Mapped[str] = mapped_column(Text)


class File(Base):
    """A file that is kept with saved work."""

    __tablename__ = "planner_file"

    work: Mapped[str] = mapped_column(ForeignKey("planner_work.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
