"""Run a program that must not outlive the one that wants it.

    python ward.py FOLDER PROGRAM [ARGUMENT…]

The program runs until it ends or until standard input of this process is closed, which the kernel does however
the parent ends: by itself, by a signal, by SIGKILL. Then the program gets SIGTERM, after some seconds SIGKILL,
and FOLDER is removed ("-": nothing is). SIGTERM to this process is handed on, SIGUSR1 kills the program; FOLDER
then stays. If this process is killed itself, the kernel kills the program.

Only the standard library and no other module of ours: it starts in some hundredths of a second.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

PATIENCE_S = 5.0
"""How long the program may take to end by itself."""
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of linux/prctl.h


def die_with_parent() -> None:
    """Let the kernel kill this process when the thread that started it ends; does nothing but on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def remove(folder: Path, patience_s: float = PATIENCE_S) -> None:
    """Remove *folder*, also while a program that is about to end still writes there."""
    end = time.monotonic() + patience_s
    while folder.exists() and time.monotonic() < end:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)


def main(folder: str, *command: str) -> int:
    """Run *command*, and return its exit status."""
    # A terminal sends Ctrl-C to all; the parent decides what that means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # One thread so far, so it is safe to run code between fork and exec.
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)  # noqa: PLW1509
    ending = threading.Event()

    def end_with_parent() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        ending.set()
        program.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(PATIENCE_S)
            return
        program.kill()

    signal.signal(signal.SIGTERM, lambda *_: program.terminate())
    signal.signal(signal.SIGUSR1, lambda *_: program.kill())
    watch = threading.Thread(target=end_with_parent, daemon=True)
    watch.start()
    status = program.wait()
    if ending.is_set() and folder != "-":
        remove(Path(folder))
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
