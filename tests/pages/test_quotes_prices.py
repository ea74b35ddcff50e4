"""Prices that the Quotes page brings or compares with: an API, and list prices for a term."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_DATA", str(tmp_path))


def page(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    at.switch_page("quotes.py")
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def test_an_api_is_compared_where_both_its_prices_are_given() -> None:
    asked = page(view="load")
    assert not asked.exception
    assert not [one for one in asked.table if "The API" in one.value.columns]
    told = page(view="load", api_in="0.5", api_out="2")
    assert not told.exception
    table = next(one.value for one in told.table if "The API" in one.value.columns)
    assert len(table) == 3
    assert table["The API"].str.contains(r"\$1").all()


def test_a_list_price_can_be_taken_for_a_term() -> None:
    at = page()
    at.selectbox(key="quotes_kind").set_value("reserved_3y").run()
    at.button(key="quotes_add").click().run()
    assert not at.exception
    table = next(one.value for one in at.dataframe if "kind" in one.value.columns)
    assert table["kind"].iloc[-1] == "reserved"
    assert table["commitment_months"].iloc[-1] == "36"
