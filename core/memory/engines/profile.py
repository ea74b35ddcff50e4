"""What an engine does with memory, by version: spans of constants, of which the latest that applies counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import BadRequest
from core.text import Sentence, say

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FOLDER = Path(__file__).parent

ENGINES = ("vllm", "sglang", "llama.cpp", "transformers", "tensorrt-llm")
"""Engine names of the headless contract."""

Version = tuple[int, ...]


@cache
def _data(engine: str) -> dict[str, Any]:
    path = _FOLDER / f"{engine.replace('.', '_').replace('-', '_')}.yaml"
    data: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    return data


def parse_version(text: str) -> Version:
    """Return a version as numbers that compare: "0.8.5.post1" -> (0, 8, 5), "b5002" -> (5002,).

    Raises:
        BadRequest: the text holds no version.
    """
    found = re.match(r"[vb]?(\d+(?:\.\d+)*)", text.strip().lower())
    if not found or len(found[1]) > 40:
        raise BadRequest("request.version", field="engine_version", value=text)
    return tuple(int(part) for part in found[1].split(".")[:4])


@lru_cache(maxsize=4096)
def _span(engine: str, version: str, field: str, capability: float | None) -> dict[str, Any]:
    asked = parse_version(version)
    chosen: dict[str, Any] = {}
    for span in _data(engine).get(field, ()):
        if parse_version(str(span.get("since", "0"))) > asked:
            continue
        needed = span.get("capability")
        if needed is not None and capability is not None and int(capability) != int(needed):
            continue
        chosen = span
    return chosen


@cache
def _capabilities(engine: str) -> frozenset[int]:
    spans = [span for rows in _data(engine).values() if isinstance(rows, list) for span in rows]
    return frozenset(
        int(span["capability"]) for span in spans if isinstance(span, dict) and "capability" in span
    )


@dataclass(frozen=True)
class Engine:
    """One engine at one version."""

    name: str
    version: str
    assumed: Sentence | None = None
    """What was assumed about the version, where the one asked for is not among those measured."""

    @property
    def label(self) -> str:
        """The name that people know it by."""
        return str(_data(self.name)["label"])

    @property
    def rule(self) -> str:
        """How it sizes the cache: of_total, of_free, of_rest or of_context (see the YAML files)."""
        return str(_data(self.name)["rule"])

    @property
    def block_tokens(self) -> int:
        """Tokens of one cache block."""
        return int(_data(self.name)["default_tokens_per_block"])

    @property
    def capabilities(self) -> frozenset[int]:
        """Compute capabilities, without the part after the point, that have constants of their own."""
        return _capabilities(self.name)

    def fact(self, field: str, default: Any = None) -> Any:
        """Return a field that no version changes."""
        return _data(self.name).get(field, default)

    def span(self, field: str, capability: float | None = None) -> dict[str, Any]:
        """Return the constants of *field* that apply to this version, and to *capability* where they ask.

        A card of unknown compute capability counts as the one that the span was measured on.
        """
        return _span(self.name, self.version, field, capability)


@lru_cache(maxsize=1024)
def find_engine(name: str | None, version: str | None = None) -> Engine:
    """Return the engine *name* (default vLLM) at *version* (default: the newest that is known).

    Raises:
        BadRequest: no such engine, or a version that cannot be read.
    """
    name = (name or "vllm").lower()
    if name not in ENGINES:
        raise BadRequest("request.choice", field="engine", value=name, choices=", ".join(ENGINES))
    newest = str(_data(name)["newest"])
    if version is None:
        return Engine(name, newest)
    asked = parse_version(version)
    label = str(_data(name)["label"])
    if asked > parse_version(newest):
        return Engine(name, newest, say("memory.newer_version", engine=label, asked=version, newest=newest))
    starts = sorted(
        {
            str(span["since"])
            for spans in _data(name).values()
            if isinstance(spans, list)
            for span in spans
            if isinstance(span, dict) and "since" in span and str(span["since"]) != "0"
        },
        key=parse_version,
    )
    if starts and asked < parse_version(starts[0]) and name in ("vllm", "sglang"):
        return Engine(
            name, version, say("memory.older_version", engine=label, asked=version, first=starts[0])
        )
    return Engine(name, version)
