"""A ward ends its program and removes the folder, however the one that started it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from core.monitoring.demo import ward
from core.monitoring.demo.machine import FOLDER, sweep

SLEEPS = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def start(folder: Path | str, code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, ward.__file__, str(folder), sys.executable, "-c", code], stdin=subprocess.PIPE
    )


def program(of: subprocess.Popen[bytes]) -> psutil.Process:
    """Return the program of a ward, once it runs its own code."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        children = psutil.Process(of.pid).children()
        if children and "-c" in children[0].cmdline():
            time.sleep(0.3)
            return children[0]
        time.sleep(0.02)
    pytest.fail("the ward started no program")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "of the demo"
    (path / "data").mkdir(parents=True)
    (path / "data/file").write_text("x")
    return path


@pytest.mark.parametrize("code", [SLEEPS, STUBBORN], ids=["obedient", "stubborn"])
def test_closing_its_input_ends_it(folder: Path, code: str) -> None:
    process = start(folder, code)
    child = program(process)
    assert process.stdin is not None
    process.stdin.close()
    process.wait(ward.PATIENCE_S + 5)
    assert not child.is_running()
    assert not folder.exists()


def test_killing_the_ward_kills_the_program(folder: Path) -> None:
    process = start(folder, STUBBORN)
    child = program(process)
    process.kill()
    process.wait(5)
    child.wait(5)
    assert not child.is_running()


def test_a_program_that_is_killed_leaves_its_folder(folder: Path) -> None:
    process = start(folder, STUBBORN)
    child = program(process)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(5) == (-signal.SIGKILL) % 256
    assert not child.is_running()
    assert folder.exists()


def test_the_status_of_the_program_is_handed_on(folder: Path) -> None:
    process = start("-", "raise SystemExit(7)")
    assert process.wait(10) == 7
    assert folder.exists()


def test_what_others_left_is_swept(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in (
        f"{FOLDER}{gone.pid}-a",
        f"{FOLDER}{os.getpid()}-b",
        f"{FOLDER}other",
        f"other-{gone.pid}-c",
    ):
        (tmp_path / name / "data").mkdir(parents=True)
    (tmp_path / f"{FOLDER}{gone.pid}-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    assert sweep(tmp_path) == [tmp_path / f"{FOLDER}{gone.pid}-a"]
    assert (tmp_path / f"{FOLDER}{os.getpid()}-b").exists()
    assert (tmp_path / "elsewhere").exists()
