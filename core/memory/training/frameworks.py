"""What training frameworks do with memory, by version: the constants in frameworks.yaml."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import BadRequest

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

NEWEST = "9999"
"""The version where none is stated: later than all that are known."""


@cache
def _data() -> dict[str, Any]:
    text = Path(__file__).with_name("frameworks.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, Loader=_LOADER)
    return data


def framework_names() -> tuple[str, ...]:
    """Return the frameworks of the headless contract."""
    return tuple(_data()["frameworks"])


def _day(version: str) -> str | None:
    """Return the ISO date in *version* ("2024-12-26", "2024-12", "2024"), or None where it has none."""
    found = re.search(r"20\d\d(-\d\d){0,2}", version)
    return found[0] if found else None


@lru_cache(maxsize=256)
def _constants(name: str | None, day: str) -> dict[str, Any]:
    constants = dict(_data()["defaults"])
    for span in _data()["frameworks"][name] if name else ():
        if str(span.get("since", "")) <= day:
            logits = {**constants["logits"], **span.get("logits", {})}
            constants |= {**span, "logits": logits}
    return constants


def quantiser_constants(name: str | None) -> dict[str, Any]:
    """Return what the quantiser *name* adds; nothing where none is known."""
    found: dict[str, Any] = _data()["quantisers"].get(name, {})
    return found


@dataclass(frozen=True)
class Framework:
    """A training framework at a time; `name` None is none in particular, with the ways that are common."""

    name: str | None = None
    version: str | None = None

    @property
    def dated(self) -> bool:
        """Whether the version says when it was, so that constants of that time were chosen."""
        return self.version is None or _day(self.version) is not None

    def constant(self, name: str) -> Any:
        """Return the constant *name* of frameworks.yaml as of this version."""
        return _constants(self.name, _day(self.version or "") or NEWEST)[name]


def find_framework(name: str | None = None, version: str | None = None) -> Framework:
    """Return the framework *name* as of *version*, a text or an ISO date; None: the newest.

    Raises:
        BadRequest: there is none of that name.
    """
    if name is not None and name not in framework_names():
        raise BadRequest(
            "request.choice", field="framework", value=name, choices=", ".join(framework_names())
        )
    return Framework(name, version)
