"""Files of rules as promtool reads them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import need

Promtool = Callable[..., str]


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    """Run promtool in a folder; fail with what it says where it is not content."""
    program = need("promtool", "prometheus")

    def run(folder: Path, *arguments: str) -> str:
        found = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout + found.stderr
        return found.stdout

    return run
