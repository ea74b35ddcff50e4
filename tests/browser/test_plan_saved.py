"""Saved plans as a person keeps them: saved, opened by the link, deleted and brought back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.test_plan import expand, figures, number, open_plan, title

pytestmark = pytest.mark.browser


def test_a_plan_is_saved_found_by_its_link_deleted_and_brought_back(
    page: Page, new_page: NewPage, server: str
) -> None:
    open_plan(page, server)
    number(page, "Requests").fill("900000")
    page.keyboard.press("Enter")
    expand(page, "Saved plan")
    side = page.locator("[data-testid=stSidebar]")
    side.get_by_role("textbox", name="Name", exact=True).fill("Chat, 2027")
    side.get_by_role("textbox", name="Notes").fill("as agreed")
    side.get_by_role("button", name="Save", exact=True).click()
    expect(side.get_by_text("Everything is saved")).to_be_visible()
    page.wait_for_url(f"{server}/plan?work=*")

    other = new_page()
    other.goto(page.url)
    other.locator("[data-testid=plot][data-drawn]").first.wait_for()
    expect(number(other, "Requests")).to_have_value("900000")
    assert figures(other) == figures(page)
    assert title(other).inner_text() == title(page).inner_text()
    other.reload()
    expect(number(other, "Requests")).to_have_value("900000")

    side.get_by_test_id("stPopover").get_by_role("button").first.click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(side.get_by_text("'Chat, 2027' was deleted.")).to_be_visible()
    expect(side.get_by_role("button", name="Chat, 2027", exact=True)).to_have_count(0)
    assert "work=" not in page.url
    side.get_by_role("button", name="Undo").click()
    side.get_by_role("button", name="Chat, 2027", exact=True).click()
    page.wait_for_url(f"{server}/plan?work=*")
    expect(side.get_by_text("Everything is saved")).to_be_visible()
