"""Databases to save work in: a SQLite file, and a PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from core.store import open_store
from core.store.work import Store
from tests.conftest import free_port, need

PASSWORD = "elephant"  # noqa: S105 - of a server that lives as long as the tests


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, which Debian keeps by version, outside the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(found[-1]) if found else need(name, "postgresql")


def account() -> str | None:
    """Return whose server it is: root may not run one."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


@dataclass
class Cluster:
    """A PostgreSQL server on the loopback interface, in a folder of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://planner:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        (self.folder / "password").write_text(PASSWORD)
        if user := account():
            shutil.chown(self.folder, user)
            shutil.chown(self.folder / "password", user)
        arguments = ["--auth=scram-sha-256", "--username=planner", f"--pwfile={self.folder}/password"]
        arguments += ["--encoding=UTF8", "--locale=C", "--no-sync", f"--pgdata={self.folder}/data"]
        made = subprocess.run(
            [program("initdb"), *arguments],
            cwd=self.folder,
            user=account(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr

    def start(self) -> None:
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
        ]
        settings += ["fsync=off", "shared_buffers=16MB", "max_connections=60"]
        flags = [part for setting in settings for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", str(self.folder / "data"), *flags],
                cwd=self.folder,
                user=account(),
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > end or self.process.poll() is not None:
                    pytest.fail(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()[-3000:]}")
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self.process:
            self.process.send_signal(how)
            self.process.wait(60)

    def new_database(self, options: str = "") -> str:
        name = f"work{next(self.numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} {options}".encode())
        return self.url(name)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    # Not below pytest's folder, which is closed to the account of the server.
    folder = Path(tempfile.mkdtemp(prefix="planner-postgresql-"))
    cluster = Cluster(folder)
    try:
        cluster.make()
        cluster.start()
        yield cluster
    finally:
        # At once: nothing of it is kept.
        cluster.stop(signal.SIGQUIT)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/work.sqlite3"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.new_database()


OpenStore = Callable[[str], Store]


@pytest.fixture
def opened() -> Iterator[OpenStore]:
    """Open a store that is closed after the test."""
    stores: list[Store] = []

    def open_one(url: str) -> Store:
        stores.append(open_store(url))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(url: str, opened: OpenStore) -> Store:
    return opened(url)
