"""The HTML report in a browser: it runs nothing, fetches nothing, and suits dark screens, telephones and paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.report import html_report
from tests.browser.conftest import NewPage
from tests.core.report.reports import LOADS, QUOTES, SCRIPT, made

pytestmark = pytest.mark.browser

HOSTILE = (
    SCRIPT,
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "a" * 200,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    quotes = [
        replace(quote, name=name, source=name, notes=name)
        for quote, name in zip(QUOTES, HOSTILE, strict=True)
    ]
    path = tmp_path / "report.html"
    path.write_text(html_report(made(quotes, loads=LOADS, draws=100, title=SCRIPT)), encoding="utf-8")
    return path


def test_it_runs_and_fetches_nothing(new_page: NewPage, file: Path) -> None:
    page = new_page()
    told: list[str] = []
    page.on("request", lambda request: told.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.on("dialog", lambda dialog: told.append(dialog.message))
    page.goto(file.as_uri())
    assert told == [file.as_uri()]
    assert page.locator("h1").inner_text() == SCRIPT
    assert page.locator("svg polyline").count() == len(QUOTES)


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(15, 23, 42)")])
def test_it_follows_the_theme(new_page: NewPage, file: Path, scheme: str, ground: str) -> None:
    page = new_page(color_scheme=scheme)
    page.goto(file.as_uri())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground


def test_wide_tables_scroll_within_a_narrow_page(new_page: NewPage, file: Path) -> None:
    page = new_page(viewport={"width": 400, "height": 800})
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_it_prints(new_page: NewPage, file: Path) -> None:
    page = new_page(color_scheme="dark")
    page.goto(file.as_uri())
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
