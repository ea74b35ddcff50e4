"""The Plan page as a person uses it: rows, keyboard, files, links, a telephone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Locator, Page, expect

from core.text import text
from pages.parts.plan_fields import VIEWS
from tests.browser.conftest import NewPage
from tests.browser.test_size import card, choose

pytestmark = pytest.mark.browser

SMALL = "models=Qwen/Qwen3-8B&gpus=h100-sxm-80,l40s,l4,a100-sxm-80"
PLOT = "[data-testid=plot] >> nth=0"
TRACE = (
    "timestamp,input_tokens,output_tokens\n"
    + "".join(f"{second},600,200\n" for second in range(300))
    + "300,many,100\n301,300\n"
)


def open_plan(page: Page, server: str, query: str = SMALL) -> None:
    page.goto(f"{server}/plan?{query}")
    page.locator("[data-testid=plot][data-drawn]").first.wait_for()


def title(page: Page) -> Locator:
    return page.locator("[data-testid=stMain] h3").first


def number(page: Page, label: str) -> Locator:
    return page.locator("[data-testid=stSidebar]").get_by_role("spinbutton", name=label)


def view(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name, exact=True)).first.click()


def expand(page: Page, name: str) -> None:
    page.locator("[data-testid=stSidebar] summary").filter(has_text=name).click()


def figures(page: Page) -> list[str]:
    return page.locator("[data-testid=stMetricValue]").all_inner_texts()


def test_first_use_shows_a_full_answer(page: Page, server: str) -> None:
    open_plan(page, server, "")
    expect(title(page)).to_contain_text("Best plan")
    expect(card(page, "USD a month")).to_contain_text("$")
    expect(page.locator("[data-testid=stDataFrame]")).to_be_visible()


def test_preset_to_plan_to_manifest(page: Page, server: str, tmp_path: Path) -> None:
    open_plan(page, server)
    choose(page, "Workload", "RAG")
    expect(number(page, "Prompt, tokens")).to_have_value("4000")
    view(page, "Deploy")
    expect(page.locator("[data-testid=stCode]").nth(1)).to_contain_text("kind: Deployment")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Manifest, YAML").click()
    assert waiting.value.suggested_filename.startswith("Qwen3-8B_")
    parts = list(yaml.safe_load_all(Path(waiting.value.path()).read_text()))
    assert {"Deployment", "Service"} <= {part["kind"] for part in parts}


def test_a_changed_number_changes_the_plan_by_keyboard(page: Page, server: str) -> None:
    open_plan(page, server)
    before = card(page, "USD a month").inner_text()
    number(page, "Requests").fill("9000000")
    page.keyboard.press("Enter")
    expect(card(page, "USD a month")).not_to_have_text(before)
    expect(page).to_have_url(
        f"{server}/plan?models=Qwen%2FQwen3-8B&rate=9000000&gpus=h100-sxm-80%2Cl40s%2Cl4%2Ca100-sxm-80"
    )


def test_a_ticked_row_is_the_plan_that_is_shown(page: Page, server: str) -> None:
    open_plan(page, server)
    first = title(page).inner_text()
    table = page.locator("[data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + 14, box["y"] + 35 * 2.5)
    expect(title(page)).not_to_have_text(first)
    expect(title(page)).to_contain_text("Chosen plan")
    assert "chosen=" in page.url
    view(page, "Compare")
    expect(page.locator("[data-testid=stTable] th").filter(has_text="×")).to_have_count(2)


def test_a_link_shows_the_same_to_another(page: Page, new_page: NewPage, server: str) -> None:
    open_plan(page, server, f"{SMALL}&rate=90&unit=second&share=p95&spare=1&rank=latency&view=share")
    link = page.locator("[data-testid=stCode] code").first.inner_text()
    other = new_page()
    other.goto(link)
    other.locator("[data-testid=plot][data-drawn]").first.wait_for()
    assert figures(other) == figures(page)
    assert title(other).inner_text() == title(page).inner_text()


def test_no_plan_says_what_admits_one_and_applies_it(page: Page, server: str) -> None:
    page.goto(f"{server}/plan?{SMALL}&ttft=2")
    expect(page.locator("[data-testid=stMain] [data-testid=stAlert]").first).to_contain_text("No plan")
    page.get_by_role("button", name="Apply").first.click()
    expect(title(page)).to_contain_text("Best plan")
    expect(number(page, "Time to first token, ms")).not_to_have_value("2")


def test_bad_rows_of_a_trace_have_their_line_numbers(page: Page, server: str, tmp_path: Path) -> None:
    open_plan(page, server)
    expand(page, "Trace of your requests")
    file = tmp_path / "mine.csv"
    file.write_text(TRACE)
    page.locator("input[type=file]").set_input_files(file)
    side = page.locator("[data-testid=stSidebar]")
    expect(side.locator("[data-testid=stAlert]")).to_contain_text("2 rows are not used, 300 are")
    expect(side.get_by_text("Line 302: ")).to_be_visible()
    expect(side.get_by_text("Line 303: ")).to_be_visible()
    expect(number(page, "Requests")).to_be_disabled()


def test_a_saved_plan_is_loaded_and_is_the_same(
    page: Page, new_page: NewPage, server: str, tmp_path: Path
) -> None:
    open_plan(page, server, f"{SMALL}&rate=30&unit=second&prices=l40s:0.4&headroom=30&peak=1.5&view=share")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="plan.json").click()
    assert waiting.value.suggested_filename.endswith(".plan.json")
    file = tmp_path / "plan.json"
    waiting.value.save_as(file)
    stored: dict[str, Any] = json.loads(file.read_text())
    assert stored["request"]["requests_per_second"] == 30
    other = new_page()
    open_plan(other, server, "models=Qwen/Qwen3-32B")
    expand(other, "Saved plan")
    other.locator("input[type=file]").set_input_files(file)
    expect(other.locator("[data-testid=stMain] [data-testid=stAlert]").first).to_contain_text(
        "every number is the same"
    )
    assert figures(other) == figures(page)
    expect(number(other, "Requests")).to_have_value("30")


def test_a_file_that_is_no_plan_changes_nothing(page: Page, server: str, tmp_path: Path) -> None:
    open_plan(page, server)
    before = figures(page)
    expand(page, "Saved plan")
    for content in (
        "{",
        "[]",
        '{"format": "else"}',
        '{"format": "llm-deployment-planner/plan", "version": 99}',
    ):
        file = tmp_path / "plan.json"
        file.write_text(content)
        page.locator("input[type=file]").set_input_files(file)
        expect(page.locator("[data-testid=stSidebar] [data-testid=stAlert]")).to_be_visible()
    assert figures(page) == before


def test_a_zoom_survives_another_view(page: Page, server: str) -> None:
    open_plan(page, server)
    page.locator(PLOT).evaluate("node => { node.mark = 'same' }")
    view(page, "Compare")
    expect(page.locator("[data-testid=stTable]")).to_be_visible()
    assert page.locator(PLOT).evaluate("node => node.mark") == "same"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_telephone_shows_everything_within_its_width(new_page: NewPage, server: str, language: str) -> None:
    page = new_page(viewport={"width": 390, "height": 844})
    open_plan(page, server, f"{SMALL}&lang={language}")
    for name in VIEWS:
        page.get_by_role("radio", name=text(f"plan_page.views.{name}", language), exact=True).click()
        page.wait_for_timeout(900)
        wide = page.evaluate(
            """() => [...document.querySelectorAll('[data-testid=stMain] *')]
                .filter(e => !e.closest('[data-testid=stDataFrame], [data-testid=stTable], pre'))
                .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
                .filter(e => e.getBoundingClientRect().width > 1)
                .map(e => e.className || e.tagName).slice(0, 5)"""
        )
        assert not wide, name


def test_no_value_of_a_card_is_cut_off(page: Page, server: str) -> None:
    open_plan(page, server, "rate=90000000")
    cut = page.locator("[data-testid=stMetricValue] *").evaluate_all(
        "nodes => nodes.filter(n => n.scrollWidth > n.clientWidth + 1).map(n => n.textContent)"
    )
    assert not cut


def test_figures_and_tables_have_a_description(page: Page, server: str) -> None:
    open_plan(page, server, f"{SMALL}&view=day")
    expect(page.get_by_role("img", name="plans by cost a month")).to_have_count(1)
    expect(page.get_by_role("img", name="Requests a second over a day")).to_have_count(1)


def test_nothing_fails_in_the_console(page: Page, server: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    open_plan(page, server)
    for name in (
        "Compare",
        "Over a day",
        "What if",
        "Deploy",
        "Bill of materials",
        "Left out",
        "Share and files",
    ):
        view(page, name)
        page.wait_for_timeout(700)
    assert not [fault for fault in faults if "404" not in fault]
