"""A database of any earlier program comes to this one's tables, with all that was in it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, insert, make_url, table, text
from sqlalchemy import column as named

from core.errors import StoreUnavailable
from core.store import Attachment, migrating, migrations, open_store
from core.store.migrations import HEAD, REVISIONS, TABLE
from core.store.tables import Base
from tests.conftest import ROOT
from tests.core.store.conftest import OpenStore
from tests.core.store.test_concurrency import told, writer

CONTENT = {"work": "AbCdEfGhJkMnPqRs", "json": '{"x": [1, 2.5, "é"]}'}
FIRST = {
    "id": "AbCdEfGhJkMnPqRs",
    "kind": "plan",
    "name": "Größe 计划",
    "notes": "im MAI",
    "created": datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    "updated": datetime(2026, 2, 3, 4, 5, 6, 789012, UTC),
    "version": 7,
    "data_version": "abc",
    "app_version": "0.0.9",
}


@pytest.fixture
def engine(url: str) -> Engine:
    return create_engine(make_url(url).set(drivername="postgresql+psycopg") if url[0] == "p" else url)


@pytest.fixture
def first(url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the first tables and work of that time."""
    with monkeypatch.context() as patch:
        patch.setattr(migrating, "HEAD", REVISIONS[0])
        patch.setattr("core.store.work.Store.purge", lambda _: None)
        open_store(url).close()
    with engine.begin() as connection:
        assert connection.execute(text(f"SELECT version_num FROM {TABLE}")).scalar_one() == REVISIONS[0]  # noqa: S608
        connection.execute(insert(table("planner_work", *map(named, FIRST))), [FIRST])
        connection.execute(insert(table("planner_content", *map(named, CONTENT))), [CONTENT])
    engine.dispose()
    return url


def test_work_of_the_first_tables_is_kept(first: str, opened: OpenStore) -> None:
    store = opened(first)
    saved = store.get(str(FIRST["id"]))
    assert {name: getattr(saved, name) for name in FIRST} == FIRST
    assert saved.content == {"x": [1, 2.5, "é"]}
    assert (saved.by, saved.deleted, saved.attachments) == ("", None, ())
    assert store.listed(text="GRÖSSE mai").count == 1
    assert store.update(saved.id, 7, attach=[Attachment("a", b"1")]).version == 8
    assert store.restore(store.delete(saved.id)).version == 8
    assert opened(first).get(saved.id).attachments[0].size == 1


def test_tables_are_those_of_the_models(first: str, engine: Engine, opened: OpenStore) -> None:
    opened(first)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": TABLE})
        assert compare_metadata(context, Base.metadata) == []


def test_processes_that_migrate_at_once(first: str, opened: OpenStore) -> None:
    for process in [writer(first, "open") for _ in range(3)]:
        told(process)
    assert opened(first).listed().count == 4


def test_a_migration_that_fails_changes_nothing(
    first: str, engine: Engine, opened: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ScriptDirectory.iterate_revisions

    def broken(*arguments: object, **options: object) -> object:
        for step in run(*arguments, **options):  # type: ignore[arg-type]
            upgrade = step.module.upgrade

            def fail(op: object, upgrade: object = upgrade) -> None:
                upgrade(op)  # type: ignore[operator]
                raise RuntimeError("power cut")

            step.module.upgrade = fail
            yield step

    with monkeypatch.context() as patch:
        patch.setattr(ScriptDirectory, "iterate_revisions", broken)
        with pytest.raises(RuntimeError, match="power cut"):
            open_store(first)
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT version_num FROM {TABLE}")).scalar_one() == REVISIONS[0]  # noqa: S608
        names = connection.execute(text("SELECT * FROM planner_work")).keys()
        assert set(names) == set(FIRST)
    assert opened(first).get(str(FIRST["id"])).version == 7


def test_a_database_of_a_newer_program_is_refused(url: str, engine: Engine, opened: OpenStore) -> None:
    store = opened(url)
    saved = store.save("plan", "p", {})
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {TABLE} SET version_num = '9999'"))  # noqa: S608
    with pytest.raises(StoreUnavailable, match=f"newer version .* step 9999, .* up to {HEAD}"):
        open_store(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {TABLE} SET version_num = '{HEAD}'"))  # noqa: S608
    assert opened(url).get(saved.id) == saved


def test_other_tables_of_the_database_are_left_alone(url: str, engine: Engine, opened: OpenStore) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num varchar(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
    opened(url).save("plan", "p", {})
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "theirs"


def test_the_steps_are_those_of_the_folder() -> None:
    folder = str(Path(migrations.__file__).parent)
    script = ScriptDirectory(folder, version_locations=[folder])
    assert tuple(step.revision for step in reversed(list(script.walk_revisions()))) == REVISIONS
    assert script.get_heads() == [HEAD]


def test_a_backup_as_the_readme_says(tmp_path: Path, opened: OpenStore) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = next(line.strip() for line in readme.splitlines() if "VACUUM INTO" in line)
    store = opened(f"sqlite:///{tmp_path}/work.sqlite3")
    saved = store.save("quotes", "p", {"x": 1}, attachments=[Attachment("a", b"1")])
    command = command.replace(".venv/bin/python", str(ROOT / ".venv/bin/python"))
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)  # noqa: S602 - as a person types it
    assert opened(f"sqlite:///{tmp_path}/backup.sqlite3").get(saved.id) == saved
