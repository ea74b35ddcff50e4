"""One thing to do about a finding, and why anybody should believe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.text import Sentence


@dataclass(frozen=True)
class Link:
    """A page that works it out in full, with its inputs filled in under the names that its address has for them."""

    page: str
    inputs: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Remedy:
    """What to do in one sentence, with its numbers; `basis` says how they were reached, or who gives the advice."""

    sentence: Sentence
    basis: Sentence
    link: Link | None = None
