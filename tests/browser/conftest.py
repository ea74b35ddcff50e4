"""Headless Chromium, and a server with one page that holds a slider and a plot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.conftest import need, serve

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NewPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = need("chromium", "chromium fonts-dejavu-core fonts-wqy-microhei")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Open a page as another visitor, with the wishes of their browser: locale, color_scheme, viewport."""
    contexts = []

    def open_page(**wishes: Any) -> Page:
        context = browser.new_context(
            **({"viewport": {"width": 1440, "height": 1000}, "locale": "en-US"} | wishes)
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page()


@pytest.fixture(scope="session")
def plot_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of tests/browser/plot_app.py, below a path as behind a proxy."""
    with serve(
        tmp_path_factory.mktemp("plot") / "log", "tests/browser/plot_app.py", base="below/here"
    ) as url:
        yield url


def card(page: Page, label: str) -> Locator:
    """Return the value of the card whose text has *label*."""
    return (
        page.locator("[data-testid=stMetric]").filter(has_text=label).locator("[data-testid=stMetricValue]")
    )
