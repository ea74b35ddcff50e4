"""What surrounds every page: its address, its language, its theme, and that it asks nothing of the world."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from core.text import text
from tests.browser.conftest import NewPage
from tests.conftest import ROOT, serve

pytestmark = pytest.mark.browser

NAMES = sorted({path.stem for path in (ROOT / "pages").glob("*.py")} - {"main"})
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(15, 23, 42)"
# Streamlit looks for its own address below that of a page, and is content not to find it there.
EXPECTED = re.compile(r"/_stcore/(health|host-config)$")


def settled(page: Page) -> None:
    """Wait until the script of the page has run to its end."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_selector("[data-testid=stSidebar]")


def visit(page: Page, address: str) -> None:
    page.goto(address)
    settled(page)


def choose_language(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_text(name, exact=True).click()


def background(page: Page) -> str:
    return page.get_by_test_id("stApp").evaluate("node => getComputedStyle(node).backgroundColor")


@pytest.mark.parametrize("name", ["", *NAMES])
def test_no_request_leaves_the_machine_and_none_fails(page: Page, server: str, name: str) -> None:
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    page.on("pageerror", lambda error: failed.append(str(error)))
    visit(page, f"{server}/{name}")
    page.wait_for_timeout(1000)
    hosts = {urlsplit(url.removeprefix("blob:")).hostname for url in asked if not url.startswith("data:")}
    assert hosts == {"127.0.0.1"}
    assert any(url.startswith("ws:") for url in asked)
    assert not [what for what in failed if not EXPECTED.search(what)]


@pytest.mark.parametrize("name", NAMES)
def test_a_deep_link_on_a_fresh_server_is_set_up(page: Page, tmp_path: Path, name: str) -> None:
    with serve(tmp_path / "log") as fresh:
        visit(page, f"{fresh}/{name}?lang=zh")
        assert page.title() == text("app.name", "zh")
        expect(page.get_by_test_id("stSidebar").get_by_text("English", exact=True)).to_be_visible()
        assert page.get_by_role("dialog").count() == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_a_heading_and_no_error(page: Page, server: str, name: str) -> None:
    visit(page, f"{server}/{name}")
    page.wait_for_selector("[data-testid=stMain] h1")
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_text(text("shell.fault")).count() == 0


@pytest.mark.parametrize(
    ("locale", "language"), [("zh-CN", "zh"), ("zh-TW", "zh"), ("en-GB", "en"), ("de-DE", "en")]
)
def test_the_browser_decides_the_language(new_page: NewPage, server: str, locale: str, language: str) -> None:
    page = new_page(locale=locale)
    visit(page, server)
    assert page.title() == text("app.name", language)
    assert "lang=" not in page.url


def test_the_address_overrides_the_browser(new_page: NewPage, server: str) -> None:
    page = new_page(locale="zh-CN")
    visit(page, f"{server}/?lang=en")
    assert page.title() == text("app.name", "en")


def test_the_choice_of_language_is_in_the_address_and_survives_a_reload(page: Page, server: str) -> None:
    visit(page, server)
    choose_language(page, "中文")
    page.wait_for_url("**lang=zh*")
    page.wait_for_function("title => document.title === title", arg=text("app.name", "zh"))
    page.reload()
    settled(page)
    assert page.title() == text("app.name", "zh")
    choose_language(page, "English")
    page.wait_for_function("title => document.title === title", arg=text("app.name", "en"))


def test_the_choice_of_language_holds_on_every_page(page: Page, server: str) -> None:
    visit(page, server)
    choose_language(page, "中文")
    page.wait_for_function("title => document.title === title", arg=text("app.name", "zh"))
    links = page.get_by_test_id("stTopNavLink")
    for index in range(links.count()):
        links.nth(index).click()
        page.wait_for_url("**lang=zh*")
        settled(page)
        assert page.title() == text("app.name", "zh")


@pytest.mark.parametrize(("scheme", "color"), [("light", LIGHT), ("dark", DARK)])
def test_the_system_decides_the_theme(new_page: NewPage, server: str, scheme: str, color: str) -> None:
    page = new_page(color_scheme=scheme)
    visit(page, server)
    assert background(page) == color


def test_a_person_overrides_the_theme_in_the_menu(new_page: NewPage, server: str) -> None:
    page = new_page(color_scheme="light")
    visit(page, server)
    page.get_by_test_id("stMainMenuButton").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    page.wait_for_function(
        "color => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === color",
        arg=DARK,
    )
    page.reload()
    settled(page)
    assert background(page) == DARK
