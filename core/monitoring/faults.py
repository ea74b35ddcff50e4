"""The one error that a Prometheus gives, by what a person would do about it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

from core.errors import PlannerError
from core.text import Sentence

Fault = Literal[
    "bad_configuration",
    "bad_url",
    "blocked",
    "unreachable",
    "timeout",
    "auth",
    "not_found",
    "bad_query",
    "too_much_data",
    "overloaded",
    "redirected",
    "not_prometheus",
]
FAULTS: tuple[str, ...] = get_args(Fault)


class MonitoringFault(PlannerError):
    """A Prometheus that is not configured, reached, allowed or understood, or that refuses a query.

    `fault` is what a page decides by; the sentence, one or several to a fault, names the cause and the
    remedy. No sentence and no field holds a secret, nor more of an answer than the error text that a
    Prometheus itself gave.
    """

    kind: ClassVar[str] = "monitoring_fault"

    def __init__(self, fault: Fault, key: str = "", /, *, field: str | None = None, **values: Any) -> None:
        super().__init__(f"monitoring.fault.{key or fault}", field=field, **values)
        self.fault = fault

    @property
    def title(self) -> Sentence:
        """What happened, in a few words: the heading of a banner."""
        return Sentence(f"monitoring.fault.title.{self.fault}")

    def kept(self) -> MonitoringFault:
        """Return the same fault without the calls that it came through, which hold all that was read so far."""
        return _again(self.fault, self.sentence.key, self.field, self.sentence.values)

    def as_dict(self) -> dict[str, str | None]:
        """Return the JSON shape of the headless contract, with the fault."""
        return {**super().as_dict(), "fault": self.fault}

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.fault, self.sentence.key, self.field, self.sentence.values)


def _again(fault: Fault, key: str, field: str | None, values: dict[str, Any]) -> MonitoringFault:
    """Return the fault that was pickled."""
    return MonitoringFault(fault, key.removeprefix("monitoring.fault."), field=field, **values)
