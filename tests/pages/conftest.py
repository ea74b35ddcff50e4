"""A store of its own for each test: none may read or change what the user of the machine has saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages.parts import saved_store


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this test's store, which is made where it is opened."""
    monkeypatch.setenv("PLANNER_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    saved_store.forget()
    return tmp_path
