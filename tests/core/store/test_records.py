"""What is refused before a database sees it, and why."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from core.errors import BadRequest
from core.store import records
from core.store.records import MB, Attachment
from core.text import LANGUAGES
from tests.conftest import ROOT


def nested(depth: int) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for _ in range(depth):
        content = {"x": content}
    return content


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"a": float("nan")}, "not JSON"),
        ({"a": float("inf")}, "not JSON"),
        ({"a": date(2027, 1, 1)}, "date is not JSON"),
        ({"a": b"x"}, "bytes"),
        ({(1, 2): 3}, "keys"),
        ({"a": "\ud800"}, "surrogates"),
        (nested(100_000), "not JSON"),
        ({"a": "x" * (5 * MB)}, "5.0 MB; at most 5 MB"),
        ({"a": "计" * (2 * MB)}, "6.0 MB"),
        ([1, 2], "not JSON"),
        (None, "not JSON"),
    ],
    ids=["nan", "inf", "date", "bytes", "keys", "surrogate", "deep", "large", "wide", "list", "none"],
)
def test_content_that_cannot_be_kept(content: Mapping[str, Any], told: str) -> None:
    with pytest.raises(BadRequest, match=told) as refused:
        records.checked_content(content)
    assert refused.value.field == "content"
    assert len(refused.value.message) < 400


def test_content_at_the_limit_is_kept() -> None:
    assert len(records.checked_content({"a": "x" * (5 * MB - 8)})) == 5 * MB


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "Give it a name"),
        (" \t\n ", "Give it a name"),
        ("x" * 201, "201 characters; at most 200"),
        ("a\0b", r"U\+0000"),
        ("a\x1bb", r"U\+001B"),
        ("\udfff", r"U\+DFFF"),
        (5, "must be a text, got 5"),
    ],
)
def test_names_that_cannot_be_kept(name: str, told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        records.checked_name(name)


def test_long_notes_and_signers() -> None:
    assert records.checked_notes("x\n" * 5000) == "x\n" * 5000
    with pytest.raises(BadRequest, match=r"10,001 characters; at most 10,000"):
        records.checked_notes("x" * 10_001)
    with pytest.raises(BadRequest):
        records.checked_by("x" * 201)
    with pytest.raises(BadRequest):
        records.checked_data_version("a\0")


def test_files_that_cannot_be_kept() -> None:
    with pytest.raises(BadRequest, match=r"'big' has 50\.0 MB; files of at most 50 MB"):
        records.checked_attachments([Attachment("big", bytes(50 * MB + 1))])
    with pytest.raises(BadRequest, match="Two files are named 'a'"):
        records.checked_attachments([Attachment("a", b""), Attachment("a", b"x")])
    for name in ("", "  ", "a\0", "x" * 201):
        with pytest.raises(BadRequest):
            records.checked_attachments([Attachment(name, b"")])


def test_refusals_speak_both_languages() -> None:
    with pytest.raises(BadRequest) as refused:
        records.checked_name("x" * 201)
    assert len({refused.value.sentence.render(language) for language in LANGUAGES}) == 2


@pytest.mark.parametrize("data", [None, {}, {"sha256": 5}, {"sha256": "x" * 999}, {"sha256": "\0"}, []])
def test_a_hash_that_is_none(data: object) -> None:
    assert records.data_version_in({"data": data}) == ""


def test_the_contract_and_the_names_of_the_store_load_no_database() -> None:
    check = "import core.api, core.store, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = {name.split(".")[0] for name in loaded.stdout.split()}
    assert "core" in names
    assert not names & {"sqlalchemy", "alembic", "psycopg"}
