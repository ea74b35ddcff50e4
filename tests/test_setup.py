"""Two commands are enough, and where they are not, one line says what to do."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT, need

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]
# Of deploy/programs, in its order; those besides the first have a program of their own name.
PACKAGES = ["chromium", "prometheus", "prometheus-alertmanager", "victoria-metrics"]
TOOLS = ["sh", "dirname", "cmp", "mkdir", "touch", "rm", "cp", "flock"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[~=<> ;]", line, maxsplit=1)[0].lower().replace("_", "-") for line in requirements}


def locked(path: Path) -> dict[str, set[str]]:
    """Return the versions of every package that a lock pins: several where they depend on the Python."""
    pins: dict[str, set[str]] = {}
    pin = r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^ \\;]+)"
    for name, number in re.findall(pin, path.read_text(encoding="utf-8"), re.MULTILINE):
        pins.setdefault(name.lower().replace("_", "-"), set()).add(number)
    return pins


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without .venv, in a folder whose name has a space."""
    folder = tmp_path / "a checkout"
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    for path in [ROOT / "Makefile", *LOCKS]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder to be all of PATH: a few tools of every system, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return folder


def pretend(folder: Path, name: str, script: str) -> None:
    """Put a program *name* in *folder* that does what *script* says."""
    # In place of a link, not through it: behind it is a program of this machine.
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def run(command: list[str], cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(cwd), "PATH": str(path) if path else os.environ["PATH"]}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_locks_hold_every_direct_dependency() -> None:
    assert names(PROJECT["dependencies"]) <= locked(LOCKS[0]).keys()
    assert names(PROJECT["optional-dependencies"]["dev"]) <= locked(LOCKS[1]).keys()


def test_the_tests_run_with_the_versions_of_the_product() -> None:
    tested = locked(LOCKS[1])
    assert all(tested[name] == versions for name, versions in locked(LOCKS[0]).items())


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_hashes(path: Path) -> None:
    blocks = re.split(r"^(?=[a-z0-9])", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.IGNORECASE)
    packages = [block for block in blocks if "==" in block]
    assert packages
    assert all("--hash=sha256:" in block for block in packages)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_the_locks_name_no_registry_and_no_folder(path: Path) -> None:
    assert not re.findall(r"https?:|file:|--index|--find-links|\s/\w+", path.read_text(encoding="utf-8"))


def test_the_installed_versions_are_the_locked_ones() -> None:
    from importlib.metadata import version

    wanted = locked(LOCKS[1])
    direct = names(PROJECT["dependencies"]) | names(PROJECT["optional-dependencies"]["dev"])
    assert not [name for name in direct if version(name) not in wanted[name]]


@pytest.mark.parametrize(
    ("python3", "complaint"),
    [
        (None, "Python 3.11 or newer is needed, and no Python was found"),
        ('[ "$1" = --version ] && echo Python 3.9.2 || exit 1', "Python 3.9.2 was found"),
    ],
    ids=["none", "old"],
)
def test_a_missing_python_is_one_line(
    checkout: Path, programs: Path, python3: str | None, complaint: str
) -> None:
    if python3:
        pretend(programs, "python3", python3)
    told = run(["deploy/setup"], checkout, programs)
    assert told.returncode == 1
    assert len(told.stderr.splitlines()) == 1
    assert complaint in told.stderr


def test_a_python_without_venv_is_one_line(checkout: Path, programs: Path) -> None:
    pretend(programs, "python3", 'case "$2" in *ensurepip*) exit 1 ;; *print*) echo "$0" ;; esac')
    told = run(["deploy/setup"], checkout, programs)
    assert told.returncode == 1
    assert told.stderr.splitlines() == ["Python's venv module is missing: apt-get install python3-venv"]


def test_a_taken_port_is_one_line(checkout: Path) -> None:
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").symlink_to(need("python3", "python3"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told = run(["deploy/serve", port, "127.0.0.1"], checkout)
    assert told.returncode == 1
    assert told.stderr.splitlines() == [
        f"Port {port} is in use: stop what uses it, or choose another, as in make run PORT=8600"
    ]


@pytest.mark.parametrize("port", ["", "many", "70000"])
def test_a_port_that_is_none_is_one_line(checkout: Path, port: str) -> None:
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").symlink_to(need("python3", "python3"))
    told = run(["deploy/serve", port, "127.0.0.1"], checkout)
    assert told.returncode == 1
    assert len(told.stderr.splitlines()) == 1


def test_help_names_every_command(checkout: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"^([a-z]+):", makefile, re.MULTILINE)
    shown = run(["make", "help"], checkout).stdout
    assert {"run", "test", "lint", "bench", "lock", "help"} <= set(commands)
    assert all(f"make {command} " in shown for command in commands)


@pytest.mark.parametrize(
    "script",
    sorted(path for path in (ROOT / "deploy").iterdir() if not path.suffix),
    ids=lambda path: path.name,
)
def test_scripts_are_programs_of_plain_sh(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0


def test_programs_that_cannot_be_installed_are_one_line(checkout: Path, programs: Path) -> None:
    pretend(programs, "id", "echo 1000")
    pretend(programs, "sudo", "exit 1")
    pretend(programs, "apt-get", "echo not to be called; exit 1")
    told = run(["deploy/programs"], checkout, programs)
    assert told.returncode == 0
    assert told.stdout == ""
    assert len(told.stderr.splitlines()) == 1
    assert f"sudo apt-get install -y --no-install-recommends {' '.join(PACKAGES)}" in told.stderr


def test_programs_are_installed_without_questions_and_without_a_service(
    checkout: Path, programs: Path
) -> None:
    pretend(programs, "id", "echo 1000")
    pretend(
        programs,
        "sudo",
        'shift; [ "$1" != true ] || exit 0; echo "$*" >>called; [ "$1" != tee ] || cat >policy',
    )
    pretend(programs, "apt-get", "exit 0")
    for tool in ("mktemp", "cat", "tail"):
        (programs / tool).symlink_to(shutil.which(tool) or tool)
    told = run(["deploy/programs"], checkout, programs)
    assert told.stderr == ""
    # PostgreSQL may be there: its place does not depend on the path.
    assert told.stdout.split()[:5] == ["Installing", *PACKAGES]
    called = (checkout / "called").read_text()
    assert "DEBIAN_FRONTEND=noninteractive apt-get update" in called
    assert f"apt-get install -y --no-install-recommends {' '.join(PACKAGES)}" in called
    disabled = re.findall(r"systemctl disable --quiet (\S+)", called)
    assert disabled == ["prometheus", "prometheus-alertmanager", "victoria-metrics"]


def test_only_what_was_installed_is_disabled(checkout: Path, programs: Path) -> None:
    for name in ("chromium", "prometheus", "prometheus-alertmanager", "initdb"):
        pretend(programs, name, "")
    pretend(programs, "id", "echo 1000")
    pretend(programs, "sudo", 'shift; [ "$1" != true ] || exit 0; echo "$*" >>called; cat >/dev/null')
    pretend(programs, "apt-get", "exit 0")
    for tool in ("mktemp", "cat", "tail"):
        (programs / tool).symlink_to(shutil.which(tool) or tool)
    assert run(["deploy/programs"], checkout, programs).returncode == 0
    called = (checkout / "called").read_text()
    assert re.findall(r"systemctl disable --quiet (\S+)", called) == ["victoria-metrics"]


def test_programs_that_are_there_take_no_time(checkout: Path, programs: Path) -> None:
    pretend(programs, "chromium", "")
    for package in PACKAGES[1:]:
        pretend(programs, package, "")
    pretend(programs, "initdb", "")
    told = run(["deploy/programs"], checkout, programs)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


@pytest.mark.prometheus
@pytest.mark.parametrize(
    ("program", "package", "flag", "said"),
    [
        ("prometheus", "prometheus", "--version", "prometheus, version"),
        ("promtool", "prometheus", "--version", "promtool, version"),
        ("prometheus-alertmanager", "prometheus-alertmanager", "--version", "alertmanager, version"),
        ("amtool", "prometheus-alertmanager", "--version", "amtool, version"),
        # Debian builds it without a version.
        ("victoria-metrics", "victoria-metrics", "--help", "victoria-metrics is a time series database"),
    ],
)
def test_the_stores_and_their_tools_are_there(program: str, package: str, flag: str, said: str) -> None:
    told = run([need(program, package), flag], ROOT)
    assert told.returncode == 0
    assert said in told.stdout + told.stderr
