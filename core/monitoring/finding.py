"""What is wrong with a cluster, as a value: what, where, how much, since when, why, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.monitoring.subjects import Subject
from core.text import Sentence

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")


@dataclass(frozen=True)
class Evidence:
    """A chart that shows the fault: what to ask the store over time, and the line that was crossed."""

    indicator: str
    expression: str
    unit: str
    title: Sentence
    limit: float | None = None


@dataclass(frozen=True)
class Finding:
    """One fault of one or more subjects, worst subject first.

    `value` and `limit` have the `unit` of the indicator that was judged. `since_s` is how long it has been
    so; where `at_least` is set it began before what was looked at. `explains` has the faults of the same
    place that follow from this one and are therefore not findings of their own.
    """

    id: str
    rule: str
    severity: Severity
    subjects: tuple[Subject, ...]
    indicator: str
    value: float
    limit: float | None
    unit: str
    since_s: float | None
    at_least: bool
    title: Sentence
    sentence: Sentence
    cause: Sentence
    evidence: tuple[Evidence, ...] = ()
    explains: tuple[Finding, ...] = ()
    count: int = 1

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes concerned, in the order of the subjects."""
        return tuple(dict.fromkeys(subject.node for subject in self.subjects if subject.node))
