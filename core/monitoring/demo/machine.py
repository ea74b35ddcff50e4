"""What the demo finds on this machine: the programs it needs, a free port, and folders that earlier runs have left."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from pathlib import Path

from core.monitoring.demo.stores import PROMETHEUS, Store
from core.text import Sentence, say

FOLDER = "planner-demo-"
"""Beginning of the names of our folders; the id of the process that owns one follows."""


def missing_program(store: Store = PROMETHEUS) -> Sentence | None:
    """Return what to install so that the demo can start; None where nothing is missing."""
    if shutil.which(store.program):
        return None
    for manager, command in (
        ("apt-get", "apt-get install {}"),
        ("dnf", "dnf install {}"),
        ("brew", "brew install {}"),
    ):
        if shutil.which(manager):
            return say("monitoring.demo.missing", program=store.name, command=command.format(store.package))
    return say("monitoring.demo.missing_elsewhere", program=store.name, command=store.program)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def sweep(folder: Path | None = None) -> list[Path]:
    """Remove folders below *folder* (the system's temporary one) whose process is gone; return which."""
    removed = []
    for path in (folder or Path(tempfile.gettempdir())).glob(f"{FOLDER}*"):
        owner = path.name.removeprefix(FOLDER).split("-")[0]
        with contextlib.suppress(OSError):
            ours = path.lstat().st_uid == os.getuid() and path.is_dir() and not path.is_symlink()
            if ours and owner.isdecimal() and not _lives(int(owner)):
                shutil.rmtree(path, ignore_errors=True)
                removed.append(path)
    return removed
