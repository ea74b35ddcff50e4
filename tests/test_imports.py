"""Imports point one way, and the core can be used without the dashboard."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# A module may import its own layer and those below. The foundation is at the bottom: every layer uses it.
LAYERS = [
    {"api", "charts", "refresh", "report"},
    {"planning", "monitoring", "evidence", "quotes"},
    {"memory", "speed", "cost"},
    {"architecture", "catalog", "traffic"},
    {"quantities", "errors", "text", "collector"},
]
# The headless contract is also a program: python -m core
ENTRANCE = {"__init__", "__main__"}
# Keeps plans and quotes, which are requests and answers of the contract.
ABOVE = {"store"}

SOURCES = sorted((ROOT / "core").rglob("*.py"))
DASHBOARD = {"streamlit", "pages", "app"}


def imported(path: Path) -> set[str]:
    """Return the dotted names that the module at *path* imports, relative ones made absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (start, node.module) if part)
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def part_of(path: Path) -> str:
    """Return which part of core *path* belongs to: memory for core/memory/serving.py."""
    return path.relative_to(ROOT / "core").with_suffix("").parts[0]


def layer_of(part: str) -> int:
    return next(index for index, layer in enumerate(LAYERS) if part in layer)


def test_every_part_of_core_has_a_layer() -> None:
    known = set().union(*LAYERS) | ENTRANCE | ABOVE
    assert {part_of(path) for path in SOURCES} <= known


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_core_imports_its_own_layer_or_those_below(path: Path) -> None:
    names = imported(path)
    assert not {name.split(".")[0] for name in names} & DASHBOARD
    part = part_of(path)
    if part in ENTRANCE | ABOVE:
        return
    for name in names:
        steps = name.split(".")
        if steps[0] == "core" and len(steps) > 1 and steps[1] != part:
            assert layer_of(steps[1]) >= layer_of(part), f"{path} imports {name}"


def test_core_loads_without_the_dashboard() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in SOURCES
        if path.stem != "__main__"
    ]
    check = (
        f"import importlib, sys; [importlib.import_module(name) for name in {modules}]; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {name.split(".")[0] for name in loaded.stdout.split()} & DASHBOARD


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: path.name)
def test_pages_import_no_other_page_and_not_the_server(path: Path) -> None:
    ours = {name for name in imported(path) if name.split(".")[0] in {"app", "pages"}}
    assert all(name.startswith("pages.parts") for name in ours)


def test_hardware_db_holds_no_code() -> None:
    assert not [
        path for path in (ROOT / "hardware_db").rglob("*") if path.suffix in {".py", ".js", ".sh", ".ipynb"}
    ]


@pytest.mark.parametrize("folder", ["app.py", "core", "pages"])
def test_the_path_of_imports_is_left_alone(folder: str) -> None:
    paths = [ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py"))
    assert not [path for path in paths if "sys.path" in path.read_text(encoding="utf-8")]
