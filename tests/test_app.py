"""The routes beside the pages, over real HTTP: JSON in, JSON out, whatever is sent."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

import app
from core import api
from pages.parts import plot
from tests.conftest import ROOT, free_port, wait_until_healthy

VERB = api.VERBS[0]


def fetch(
    url: str, body: bytes | None = None, method: str | None = None, **headers: str
) -> tuple[int, bytes, Message]:
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def post(url: str, content: Any) -> tuple[int, Any]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    status, answer, headers = fetch(url, body, **{"Content-Type": "application/json"})
    assert headers["content-type"] == "application/json"
    return status, json.loads(answer)


def test_answers_as_the_core_does(server: str) -> None:
    refused: dict[str, Any] = {}
    assert post(f"{server}/api/v1/{VERB}", refused) == (422, api.answer(VERB, refused))


def test_a_list_has_its_errors_in_place(server: str) -> None:
    status, answers = post(f"{server}/api/v1/{VERB}", [{}, {}])
    assert status == 200
    assert answers == api.answer(VERB, [{}, {}])
    assert all("error" in answer for answer in answers)


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b"[NaN]", b"[" * 5000])
def test_a_body_that_is_not_json_is_refused(server: str, body: bytes) -> None:
    status, answer = post(f"{server}/api/v1/{VERB}", body)
    assert (status, answer["error"]["kind"]) == (400, "unreadable")


def test_a_body_that_is_too_large_is_refused(server: str) -> None:
    status, answer = post(f"{server}/api/v1/{VERB}", b" " * (25 * 10**6 + 1))
    assert (status, answer["error"]["kind"]) == (413, "too_large")


def test_an_unknown_verb_is_told_the_verbs(server: str) -> None:
    status, answer = post(f"{server}/api/v1/guess", {})
    assert status == 404
    assert all(verb in answer["error"]["message"] for verb in api.VERBS)


@pytest.mark.parametrize("path", ["api", "api/", "api/v1", "api/v1/", "api/v2/size", "api/v1/size/more"])
def test_an_unknown_address_is_json_and_not_the_page(server: str, path: str) -> None:
    status, answer = post(f"{server}/{path}", {})
    assert status == 404
    assert answer["error"].keys() == {"kind", "field", "message"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_refused(server: str, method: str) -> None:
    status, answer, headers = fetch(f"{server}/api/v1/{VERB}", method=method)
    assert status == 405
    assert headers["Allow"] == "POST"
    assert json.loads(answer)["error"]["kind"] == "not_post"


def test_a_fault_of_the_program_is_json_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(verb: str, request: object) -> object:
        raise RuntimeError("secret")

    monkeypatch.setattr(api, "answer", broken)
    scope = {"type": "http", "method": "POST", "path_params": {"verb": VERB}, "headers": []}

    async def body() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    # In a thread of its own: the browser tests leave an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(asyncio.run, app.call(Request(scope, body))).result()
    assert answer.status_code == 500
    assert json.loads(answer.body)["error"]["kind"] == "internal"
    assert b"secret" not in answer.body


def test_health_names_versions_and_verbs(server: str) -> None:
    status, body, _ = fetch(f"{server}/healthz")
    health = json.loads(body)
    assert (status, health["status"]) == (200, "ok")
    assert health["verbs"] == list(api.VERBS)
    assert {"python", "streamlit", "plotly"} <= health["versions"].keys()


def test_metrics_count_requests_by_verb_and_status(server: str) -> None:
    def count() -> float:
        text = fetch(f"{server}/metrics")[1].decode()
        name = f'planner_api_request_seconds_count{{status="422",verb="{VERB}"}}'
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))

    before = count()
    post(f"{server}/api/v1/{VERB}", {})
    post(f"{server}/api/v1/made-up-{before}", {})
    assert count() == before + 1
    text = fetch(f"{server}/metrics")[1].decode()
    assert "process_resident_memory_bytes" in text
    assert "process_start_time_seconds" in text
    assert "made-up" not in text


def test_plotly_is_served_compressed_and_for_ever(server: str) -> None:
    status, body, headers = fetch(f"{server}/{plot.ADDRESS}", **{"Accept-Encoding": "gzip"})
    assert status == 200
    assert headers["Content-Encoding"] == "gzip"
    assert "immutable" in headers["Cache-Control"]
    assert len(body) < 2_000_000
    plain = fetch(f"{server}/{plot.ADDRESS}")[1]
    assert gzip.decompress(body) == plain == plot.SCRIPT.read_bytes()


def test_plain_python_starts_it_on_the_port_of_the_environment(tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py")],
            cwd=tmp_path,
            env={**os.environ, "PORT": str(port)},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
    finally:
        process.terminate()
        process.wait(20)
