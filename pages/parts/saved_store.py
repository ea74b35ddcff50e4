"""The store of saved work as the pages reach it: one for all sessions, left alone while it does not answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import StoreUnavailable
from core.store import open_store

if TYPE_CHECKING:
    from core.store.work import Store

REST_S = 30
"""For so long a store that did not answer is not asked again: a server that is away takes seconds to say so."""


class _Reach:
    """The store of the process, opened where it is first asked; and why it did not answer, for a while."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._store: Store | None = None
        self._down: StoreUnavailable | None = None
        self._until = 0.0

    def store(self) -> Store:
        # Sessions that ask at once wait for one attempt, not each for its own.
        with self._lock:
            if self._down is not None and time.monotonic() < self._until:
                raise self._down.with_traceback(None)
            self._down = None
            if self._store is None:
                try:
                    self._store = open_store()
                except StoreUnavailable as error:
                    self.rest(error)
                    raise
            return self._store

    def rest(self, error: StoreUnavailable) -> None:
        self._down, self._until = error, time.monotonic() + REST_S

    def wake(self) -> None:
        self._down = None


@st.cache_resource(show_spinner=False)
def _reach() -> _Reach:
    return _Reach()


@contextmanager
def asking() -> Iterator[Store]:
    """Give the store; where it did not answer within the last 30 seconds, it is not asked.

    Raises:
        StoreUnavailable: it cannot be opened, or did not answer.
    """
    reach = _reach()
    store = reach.store()
    try:
        yield store
    except StoreUnavailable as error:
        if error.sentence.key == "store.unreachable":
            reach.rest(error)
        raise


def ask_again() -> None:
    """Ask the store at the next need, however short ago it did not answer."""
    _reach().wake()


def forget() -> None:
    """Forget the store that is open, for tests: the next one may be elsewhere."""
    _reach.clear()
