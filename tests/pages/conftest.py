"""A store of its own for each test: none may read or change what the user of the machine has saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages.parts import quotes_work


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this test's store, which is made where it is opened."""
    monkeypatch.setenv("PLANNER_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    quotes_work.store.clear()
    return tmp_path
