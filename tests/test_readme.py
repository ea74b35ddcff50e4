"""What the README tells a stranger to do works."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from core import api
from core.architecture.families import family_names
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
# Requests, each with the verb that follows it on its line.
EXAMPLES = sorted(set(re.findall(r"'(\{\"model\".*?\})'.*(?:/v1/| core )([a-z]+)$", README, re.MULTILINE)))


def test_every_command_of_make_exists() -> None:
    commands = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z-]+)", README, re.MULTILINE))
    assert {"run", "test"} <= named <= commands


def test_every_page_and_every_verb_is_described() -> None:
    pages = {path.stem for path in (ROOT / "pages").glob("*.py")} - {"main"}
    assert all(f"`/{name}`" in README for name in pages)
    assert all(f"/api/v1/{verb}" in README for verb in api.VERBS)


@pytest.mark.parametrize(("example", "verb"), EXAMPLES)
def test_the_examples_are_answered(example: str, verb: str) -> None:
    command = [sys.executable, "-m", "core", verb]
    told = subprocess.run(command, cwd=ROOT, input=example, capture_output=True, text=True, check=True)
    assert "error" not in json.loads(told.stdout)


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"`((?:core|pages|tests|hardware_db|deploy|\.streamlit)/[\w./-]*)`", README)
    assert named
    assert all((ROOT / name).exists() for name in named)


def test_there_are_examples() -> None:
    assert {verb for _, verb in EXAMPLES} == set(api.VERBS)


def test_every_family_is_listed() -> None:
    section = README.split("## Models")[1].split("## ")[0]
    assert set(re.findall(r"`([a-z0-9_.-]+)`", section)) - {"config.json", "model_type"} == set(
        family_names()
    )
