"""The command line: ``python -m core size [FILE]``."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from core.__main__ import main
from tests.conftest import ROOT

REQUEST = {"model": "Qwen/Qwen3-8B", "gpu": "h100-sxm-80"}


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "core", *arguments], cwd=ROOT, input=given, capture_output=True, check=False
    )


@pytest.mark.parametrize("arguments", [["size"], ["size", "-"]])
def test_reads_standard_input(arguments: list[str]) -> None:
    done = run(*arguments, given=json.dumps(REQUEST).encode())
    assert done.returncode == 0
    assert json.loads(done.stdout)["parameters_total"] == 8_190_735_360
    assert done.stderr == b""


def test_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "requests.json"
    path.write_text(json.dumps([REQUEST, {**REQUEST, "model": "no/such"}]), encoding="utf-8")
    done = run("size", str(path))
    assert done.returncode == 1
    first, second = json.loads(done.stdout)
    assert first["fits"] is True
    assert second["error"]["kind"] == "unknown_model"


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["size"], b"{"),
        (["size"], b""),
        (["size"], b"\xff\xfe"),
        (["size", "no/such/file.json"], b""),
        (["size", "."], b""),
        (["bake"], b"{}"),
        ([], b""),
        (["size", "-", "more"], b"{}"),
    ],
)
def test_what_cannot_be_read_ends_with_2_and_one_line(arguments: list[str], given: bytes) -> None:
    done = run(*arguments, given=given)
    assert done.returncode == 2
    assert done.stdout == b""
    assert len(done.stderr.strip().splitlines()) == 1
    assert b"Traceback" not in done.stderr


def test_help_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "python -m core" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["[" * 5000 + "]" * 5000, '{"model": ' + '{"a": ' * 900 + "1" + "}" * 900 + "}"]
)
def test_deep_nesting_gives_no_traceback(text: str) -> None:
    done = run("size", given=text.encode())
    assert done.returncode in (1, 2)
    assert b"Traceback" not in done.stderr


def test_numbers_that_json_cannot_carry_are_refused() -> None:
    config = {
        "model_type": "llama", "hidden_size": 2**31, "num_hidden_layers": 10_000, "num_attention_heads": 1,
        "intermediate_size": 2**31, "vocab_size": 2**31,
    }  # fmt: skip
    done = run("size", given=json.dumps({"model": config}).encode())
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["kind"] == "bad_model_config"


def test_one_request_is_answered_in_a_second_of_processor() -> None:
    given = json.dumps(REQUEST).encode()
    run("size", given=given)
    times = []
    for _ in range(3):
        begin = processor()
        assert run("size", given=given).returncode == 0
        times.append(processor() - begin)
    assert min(times) < 1.5


def processor() -> float:
    """Return the seconds of the processor that programs started here have taken: other work does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
