"""Questions to a store, a few at a time, counted; one that fails does not take the others with it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from core.monitoring.answers import Answer
from core.monitoring.faults import MonitoringFault

# VictoriaMetrics serves four queries at once, and two cores gain nothing from more.
AT_ONCE = 4
# A fault of one question; any other is one of the store, and the refresh ends with it.
_OF_ONE = frozenset({"bad_query", "too_much_data", "timeout", "overloaded"})


class Store(Protocol):
    """What collecting needs of a client."""

    def instant(self, query: str, at: float | None = None) -> Answer:
        """Answer *query* for one moment."""
        ...

    def range(
        self, query: str, start: float, end: float, step: float | None = None, series: int = 1
    ) -> Answer:
        """Answer *query* for the times from *start* to *end*."""
        ...


class Reader:
    """Asks *store*; everything it asks is about the moment *at*."""

    def __init__(self, store: Store, at: float) -> None:
        self.store = store
        self.at = at
        self.queries = 0
        self.partial = False
        self.warnings: dict[str, None] = {}
        self.faults: list[MonitoringFault] = []
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the first question."""
        return time.monotonic() - self.began

    def instants(self, questions: Mapping[str, str | None]) -> dict[str, Answer | None]:
        """Return the answer to each of *questions*; None where there is nothing to ask, or it failed.

        Raises:
            MonitoringFault: the store cannot be read, or refused every question.
        """
        return self._ask(
            {name: (query, 0.0, 0.0, 1) for name, query in questions.items() if query}, questions
        )

    def ranges(
        self, questions: Mapping[str, tuple[str, float, float, int] | None]
    ) -> dict[str, Answer | None]:
        """Return the answers over time to *questions*: query, hours back as seconds, step, expected series.

        Raises:
            MonitoringFault: the store cannot be read, or refused every question.
        """
        return self._ask({name: asked for name, asked in questions.items() if asked}, questions)

    def _ask(
        self, asked: Mapping[str, tuple[str, float, float, int]], names: Mapping[str, object]
    ) -> dict[str, Answer | None]:
        found: dict[str, Answer | None] = dict.fromkeys(names)
        if not asked:
            return found
        failed: list[MonitoringFault] = []
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            running = {name: pool.submit(self._answer, *question) for name, question in asked.items()}
            for name, future in running.items():
                try:
                    found[name] = self._noted(future)
                except MonitoringFault as fault:
                    failed.append(fault.kept())
        self.queries += len(asked)
        self.faults += failed
        fatal = [fault for fault in failed if fault.fault not in _OF_ONE]
        if fatal or len(failed) == len(asked):
            raise (fatal or failed)[0]
        # What is missing cannot be called healthy.
        self.partial |= bool(failed)
        return found

    def _answer(self, query: str, back_s: float, step_s: float, series: int) -> Answer:
        if not back_s:
            return self.store.instant(query, self.at)
        return self.store.range(query, self.at - back_s, self.at, step_s, series)

    def _noted(self, future: Future[Answer]) -> Answer:
        answer = future.result()
        self.warnings |= dict.fromkeys(answer.warnings)
        self.partial |= answer.partial
        return answer
