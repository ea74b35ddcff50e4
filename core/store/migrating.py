"""Bring a database to the tables of this program."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, String, column, func, inspect, select, table, text

from core.errors import StoreUnavailable
from core.store import migrations
from core.store.migrations import HEAD, REVISIONS, TABLE

LOCK = 0x706C616E6E6572
"""The advisory lock of PostgreSQL that a migration holds: the letters of "planner"."""


def migrate(reading: Engine, writing: Engine, place: str) -> None:
    """Run the steps that the database has not had, all or none of them.

    Of programs that start at once the first does so under a lock, and the others find it done.
    """
    with reading.connect() as connection:
        if _checked(connection, place) == HEAD:
            return
    with writing.begin() as connection:
        # SQLite has its lock from BEGIN IMMEDIATE.
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
            _require_utf8(connection, place)
        if _checked(connection, place) != HEAD:
            _run(connection)


def _checked(connection: Connection, place: str) -> str | None:
    """Return the last step of the database, None for a new one, and refuse one that is not known here."""
    if not inspect(connection).has_table(TABLE):
        return None
    found = connection.execute(
        select(column("version_num", String)).select_from(table(TABLE))
    ).scalar_one_or_none()
    if found is not None and found not in REVISIONS:
        raise StoreUnavailable("store.newer", place=place, found=found, known=HEAD)
    return found


def _require_utf8(connection: Connection, place: str) -> None:
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise StoreUnavailable("store.encoding", place=place, encoding=encoding)


def _run(connection: Connection) -> None:
    """Run the steps within the transaction of *connection*."""
    from alembic.operations import Operations  # noqa: PLC0415 - only where a step is due: it takes long
    from alembic.runtime.migration import MigrationContext, MigrationStep  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    folder = str(Path(migrations.__file__).parent)
    script = ScriptDirectory(folder, version_locations=[folder])

    def due(done: tuple[str, ...], _: MigrationContext) -> list[MigrationStep]:
        steps = reversed(list(script.iterate_revisions(HEAD, done or "base")))
        return [MigrationStep.upgrade_from_script(script.revision_map, step) for step in steps]

    context = MigrationContext.configure(connection, opts={"fn": due, "version_table": TABLE})
    context.run_migrations(op=Operations(context))
