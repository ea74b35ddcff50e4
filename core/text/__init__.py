"""Every sentence a person reads, by key and language.

The sentences live in ``en.yaml`` and ``zh.yaml`` beside this file, grouped in sections; a key is the path
to a sentence, joined by dots (``error.unknown_model``). Code passes keys and values around as `Sentence`
and renders them at the edge, so that one estimate can be read in either language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LANGUAGES = {"en": "English", "zh": "中文"}
DEFAULT_LANGUAGE = "en"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def sentences(language: str) -> dict[str, str]:
    """Return all sentences of *language* ("en" or "zh") by dotted key."""
    path = Path(__file__).with_name(f"{language}.yaml")
    tree = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    flat: dict[str, str] = {}

    def collect(prefix: str, node: dict[str, Any]) -> None:
        for name, value in node.items():
            key = f"{prefix}.{name}" if prefix else str(name)
            if isinstance(value, dict):
                collect(key, value)
            else:
                flat[key] = str(value)

    collect("", tree)
    return flat


def text(key: str, language: str = DEFAULT_LANGUAGE, /, **values: Any) -> str:
    """Return the sentence *key* in *language* with its {placeholders} filled from *values*.

    A value that is itself a `Sentence` is rendered in the same language first.
    """
    filled = {
        name: value.render(language) if isinstance(value, Sentence) else value
        for name, value in values.items()
    }
    made = sentences(language)[key].format(**filled)
    # A config may hold half of a surrogate pair, which no file and no connection takes.
    return made.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True)
class Sentence:
    """A sentence that is not yet in a language: a key and the values of its placeholders."""

    key: str
    values: dict[str, Any] = field(default_factory=dict)

    def render(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the text in *language*."""
        return text(self.key, language, **self.values)

    def __str__(self) -> str:
        return self.render()


def say(key: str, /, **values: Any) -> Sentence:
    """Return the `Sentence` *key* with its *values*: short for the places that explain a number."""
    return Sentence(key, values)
