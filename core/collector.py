"""Rest for Python's collector of cycles while something big is read.

Reading makes hundreds of thousands of objects that all stay, and the collector would look at them again and again:
a fifth of the time for a sheet of 10,000 rows.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Rest:
    """Keeps the collector of cycles off while one thread or several read something big."""

    def __init__(self) -> None:
        self._change = threading.Lock()
        self._readers = 0
        self._was_on = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._change:
            if self._readers == 0:
                self._was_on = gc.isenabled()
                gc.disable()
            self._readers += 1
        try:
            yield
        finally:
            with self._change:
                self._readers -= 1
                if self._readers == 0 and self._was_on:
                    gc.enable()


uncollected = _Rest()
"""``with uncollected():`` reads with the collector off; it is on again after the last one that reads."""
