"""What a test may ask for: a program of the machine, and the dashboard as a running server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def need(program: str, package: str) -> str:
    """Return the path of *program*, or fail the test with the line that installs it.

    A test that cannot run must not look like one that passed.
    """
    path = shutil.which(program)
    if path is None:
        pytest.fail(f"{program} is missing: apt-get install -y --no-install-recommends {package}")
    return path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def silent() -> Iterator[int]:
    """Give the port of a server that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield int(listener.getsockname()[1])


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path, timeout_s: float = 60) -> None:
    """Return when the server at *url* answers; fail with its log when it ends or is too slow."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    process.terminate()
    pytest.fail(f"The server did not start:\n{log.read_text()[-3000:]}")


@contextmanager
def serve(log: Path, script: str = "app.py", *flags: str, base: str = "") -> Iterator[str]:
    """Run *script* with streamlit on a free port and give its address; *base* is its baseUrlPath."""
    port = free_port()
    arguments = [f"--server.port={port}", *flags] + ([f"--server.baseUrlPath={base}"] if base else [])
    url = f"http://127.0.0.1:{port}{base and '/' + base}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", script, *arguments],
            cwd=ROOT,
            env={"PLANNER_DATA": str(log.parent), **os.environ},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_healthy(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running dashboard, one for all tests."""
    with serve(tmp_path_factory.mktemp("server") / "log") as url:
        yield url
