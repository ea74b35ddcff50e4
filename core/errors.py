"""Everything the core refuses, as one small tree.

PlannerError
    UnknownModel              no such model in the catalogue
    UnknownAccelerator        no such accelerator in the catalogue
    BadModelConfig            a config.json that is broken, incomplete or contradictory
    UnsupportedArchitecture   a config.json whose architecture is not understood
    BadRequest                a request whose fields are unknown, out of range or do not go together
    UnknownWork               no such saved work, or it was deleted
    Conflict                  somebody else saved the same work meanwhile
    StoreUnavailable          the place of saved work cannot be opened, read or written
    Unreachable               a catalogue of prices on another machine cannot be read to its end
    MonitoringFault           a Prometheus that is not configured, reached, allowed or understood
                              (core.monitoring.faults)
    DemoUnavailable           the demo cluster cannot be started (core.monitoring.demo)

Each carries the field at fault and a sentence that says what is wrong and what would be right. Pages show
it as a banner, the API as JSON, the command line as one line.
"""

from __future__ import annotations

import reprlib
from datetime import datetime
from typing import Any, ClassVar

from core.text import Sentence

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict = 2, 4, 3
_SHORT.maxstring, _SHORT.maxother, _SHORT.maxlong = 50, 50, 30


def shown(value: object) -> str:
    """Return *value* as a message quotes it: short, however long or deep it is.

    >>> shown([1] * 1000), shown("4096")
    ('[1, 1, 1, 1, ...]', "'4096'")
    """
    return _SHORT.repr(value)


class PlannerError(Exception):
    """What a person asked for cannot be answered; `message` says why and what to do."""

    kind: ClassVar[str] = "planner_error"

    def __init__(self, key: str, /, *, field: str | None = None, **values: Any) -> None:
        self.field = field
        self.sentence = Sentence(key, values)
        super().__init__(key)

    @property
    def message(self) -> str:
        """The sentence in English; `sentence.render(language)` gives the others."""
        return self.sentence.render()

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message

    def as_dict(self) -> dict[str, str | None]:
        """Return the JSON shape of the headless contract."""
        return {"kind": self.kind, "field": self.field, "message": self.message}


class UnknownModel(PlannerError):
    """No model of that name is in the catalogue."""

    kind = "unknown_model"


class UnknownAccelerator(PlannerError):
    """No accelerator of that name or alias is in the catalogue."""

    kind = "unknown_accelerator"


class BadModelConfig(PlannerError):
    """A config.json with missing, malformed or contradictory fields."""

    kind = "bad_model_config"


class UnsupportedArchitecture(PlannerError):
    """A config.json of an architecture that is not understood."""

    kind = "unsupported_architecture"


class BadRequest(PlannerError):
    """A request with unknown fields, values out of range, or values that do not go together."""

    kind = "bad_request"


class UnknownWork(PlannerError):
    """No saved work, or no file of it, has that id; or it was deleted."""

    kind = "unknown_work"


class Conflict(PlannerError):
    """Somebody else saved the same work since it was read."""

    kind = "conflict"

    @property
    def at(self) -> datetime:
        """When it was saved."""
        at: datetime = self.sentence.values["at"]
        return at

    @property
    def version(self) -> int:
        """The version that is saved now."""
        return int(self.sentence.values["version"])


class StoreUnavailable(PlannerError):
    """The place where work is kept cannot be opened, read or written."""

    kind = "store_unavailable"


class Unreachable(PlannerError):
    """A catalogue of prices cannot be read to its end."""

    kind = "unreachable"
