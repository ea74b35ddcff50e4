"""The Train page as a person uses it: advice that is followed, links, keyboard, a telephone."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage, card

pytestmark = pytest.mark.browser

BAR = "[data-testid=plot] >> nth=0"
LACKING = "?method=full&gpus=8&micro=4&checkpointing=none"
"""A run that does not fit, and can be made to fit on its GPUs."""


def open_train(page: Page, server: str, query: str = "") -> None:
    page.goto(f"{server}/train{query}")
    page.locator("[data-testid=plot][data-drawn]").first.wait_for()


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_a_run_that_does_not_fit_is_made_to_fit_by_the_cheapest_combination(page: Page, server: str) -> None:
    open_train(page, server, LACKING)
    expect(card(page, "Fits")).to_have_text("No")
    expect(card(page, "Lacking")).to_have_count(1)
    advice = page.locator(".st-key-train_advice")
    expect(advice).to_contain_text("Cheapest together")
    advice.get_by_role("button", name="Apply").first.click()
    expect(card(page, "Left free")).to_have_count(1)
    expect(advice).to_have_count(0)
    assert set(asked(page)) > {"method", "gpus"}
    page.reload()
    expect(card(page, "Left free")).to_have_count(1)


def test_one_lever_after_another_makes_it_fit(page: Page, server: str) -> None:
    open_train(page, server, f"{LACKING}&view=levers")
    levers = page.locator(".st-key-train_levers")
    for words, kept in (
        ("ZeRO 3 (FSDP)", {"zero": ["3"]}),
        ("full checkpointing: ", {"checkpointing": None}),
        ("micro-batch of 1", {"micro": None}),
    ):
        if card(page, "Left free").count():
            break
        row = levers.locator("[data-testid=stHorizontalBlock]").filter(has_text=words)
        row.get_by_role("button").click()
        expect(row).to_have_count(0)
        page.wait_for_timeout(300)
        assert {name: asked(page).get(name) for name in kept} == kept
    expect(card(page, "Left free")).to_have_count(1)


def test_deepseek_v3_is_told_how_many_gpus_hold_it(page: Page, server: str) -> None:
    open_train(page, server, "?model=deepseek-ai/DeepSeek-V3&gpu=h200-sxm&gpus=8&method=full")
    expect(card(page, "Fits")).to_have_text("No")
    advice = page.locator(".st-key-train_advice")
    expect(advice).to_contain_text("Enough GPUs")
    advice.get_by_role("button", name="Apply").first.click()
    expect(card(page, "Left free")).to_have_count(1)
    assert int(asked(page)["gpus"][0]) >= 32


def test_a_slider_moves_the_numbers_by_keyboard(page: Page, server: str) -> None:
    open_train(page, server)
    before = card(page, "Taken at the peak").inner_text()
    slider = page.locator("[data-testid=stSlider]:has-text('Sequence') input[type=range]")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(card(page, "Taken at the peak")).not_to_have_text(before)
    expect(slider).to_be_focused()


def test_a_mistake_is_named_beside_the_last_figures(page: Page, server: str) -> None:
    open_train(page, server, "?method=full")
    page.get_by_text("Parallel layout").click()
    field = page.get_by_role("combobox", name="ZeRO / FSDP")
    field.click()
    page.get_by_role("option", name="3: and weights (FSDP)").click()
    alert = page.get_by_role("alert").filter(has_text="Cannot be trained so: ZeRO / FSDP")
    expect(alert).to_contain_text("there is one GPU")
    expect(card(page, "Fits")).to_have_text("No")


def test_the_link_of_a_claim_opens_the_page_with_its_inputs(page: Page, server: str) -> None:
    open_train(page, server, "?view=guides")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open").first.click()
    claim = opened.value
    claim.locator("[data-testid=plot][data-drawn]").first.wait_for()
    expect(card(claim, "Fits")).to_have_text("Yes")
    assert asked(claim)["model"] == ["Qwen/Qwen3-1.7B"]


def test_the_page_stands_between_size_and_plan(page: Page, server: str) -> None:
    open_train(page, server)
    names = page.locator("[data-testid=stTopNavLink]").all_inner_texts()
    words = [name.split("\n")[-1] for name in names]
    assert words == ["Size", "Train", "Plan", "Quotes", "Monitor"]


@pytest.mark.parametrize("view", ["phases", "levers", "why", "time", "config", "guides", "share"])
@pytest.mark.parametrize(("language", "scheme"), [("en", "dark"), ("zh", "light")])
def test_a_telephone_shows_everything_within_its_width(
    new_page: NewPage, server: str, language: str, scheme: str, view: str
) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    open_train(page, server, f"{LACKING}&lang={language}&view={view}")
    page.wait_for_timeout(500)
    wide = page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] *')]
            .filter(e => !e.closest('pre'))
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.getBoundingClientRect().width > 1)
            .map(e => e.className || e.tagName).slice(0, 5)"""
    )
    assert not wide


def test_no_value_of_a_card_is_cut_off(page: Page, server: str) -> None:
    open_train(
        page, server, "?model=deepseek-ai/DeepSeek-V3&gpu=h200-sxm&gpus=512&method=full&amount=1000000"
    )
    cut = page.locator("[data-testid=stMetricValue] *").evaluate_all(
        "nodes => nodes.filter(n => n.scrollWidth > n.clientWidth + 1).map(n => n.textContent)"
    )
    assert not cut


def test_labels_of_the_limits_do_not_meet(page: Page, server: str) -> None:
    open_train(page, server)
    boxes = page.locator(f"{BAR} >> .textpoint text").evaluate_all(
        "nodes => nodes.map(n => n.getBoundingClientRect()).map(b => [b.top, b.bottom])"
    )
    assert len(boxes) == 2
    (top, bottom), (other_top, other_bottom) = boxes
    assert bottom <= other_top + 1 or other_bottom <= top + 1


def test_figures_have_a_description(page: Page, server: str) -> None:
    open_train(page, server)
    expect(page.get_by_role("img", name="at the peak of a step")).to_have_count(1)
    expect(page.get_by_role("img", name="by phase of a step")).to_have_count(1)
