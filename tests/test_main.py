"""The frame of the pages, without a browser."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.text import text
from pages.parts.language import of_locale
from tests.conftest import ROOT


def frame(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages/main.py"), default_timeout=30)
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def language_shown(at: AppTest) -> str:
    choice = at.sidebar.get("button_group")[0]
    return str(choice.value)


def test_runs() -> None:
    assert not frame().exception


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_address_decides_the_language(language: str) -> None:
    assert language_shown(frame(lang=language)) == language


def test_an_unknown_language_is_english() -> None:
    assert language_shown(frame(lang="xx")) == "en"


@pytest.mark.parametrize(
    ("locale", "language"), [("zh", "zh"), ("zh-Hant-TW", "zh"), ("ZH_cn", "zh"), ("fr-FR", "en"), ("", "en")]
)
def test_a_locale_decides_where_the_address_does_not(locale: str, language: str) -> None:
    assert of_locale(locale) == language


def test_every_page_is_in_the_navigation() -> None:
    source = (ROOT / "pages/main.py").read_text(encoding="utf-8")
    names = {path.stem for path in (ROOT / "pages").glob("*.py")} - {"main"}
    assert all(f'"{name}":' in source for name in names)
    assert all(text(f"nav.{name}", "zh") for name in names)
