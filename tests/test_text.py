"""Both languages say the same, and every sentence that is asked for exists."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.text import LANGUAGES, sentences
from tests.conftest import ROOT

ENGLISH = sentences("en")
CALLS = {"t", "text", "say", "Sentence"}


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def keys_in(path: Path) -> Iterator[str]:
    """Yield the keys that the module at *path* passes as plain strings to the functions of core.text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        key = node.args[0]
        if (
            name in CALLS
            and isinstance(key, ast.Constant)
            and isinstance(key.value, str)
            and "." in key.value
        ):
            yield key.value


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_same_keys(language: str) -> None:
    assert sentences(language).keys() == ENGLISH.keys()


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_same_placeholders(language: str) -> None:
    different = [
        key
        for key, sentence in sentences(language).items()
        if placeholders(sentence) != placeholders(ENGLISH.get(key, ""))
    ]
    assert not different


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_sentence_is_empty_or_a_value_that_yaml_guessed(language: str) -> None:
    # YAML reads no, on and 1.0 as something else than text.
    assert not {
        key: value for key, value in sentences(language).items() if value in {"", "None", "True", "False"}
    }


def test_chinese_is_chinese() -> None:
    """Names such as GPU or KV may stay; a sentence of several English words is one that was forgotten."""
    forgotten = {
        key: value
        for key, value in sentences("zh").items()
        if not re.search(r"[\u4e00-\u9fff]", value) and len(re.findall(r"[A-Za-z]{3,}", value)) > 3
    }
    assert not forgotten


@pytest.mark.parametrize(
    "path",
    [ROOT / "app.py", *sorted((ROOT / "core").rglob("*.py")), *sorted((ROOT / "pages").rglob("*.py"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_key_in_the_code_exists(path: Path) -> None:
    assert not [key for key in keys_in(path) if key not in ENGLISH]


def test_every_page_has_a_title() -> None:
    pages = {path.stem for path in (ROOT / "pages").glob("*.py")} - {"main"}
    assert {f"nav.{name}" for name in pages} == {key for key in ENGLISH if key.startswith("nav.")}
