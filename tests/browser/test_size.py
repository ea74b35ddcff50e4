"""The Size page as a person uses it: keyboard, uploads, links, files, zoom, a telephone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NewPage, card
from tests.configs import LLAMA

pytestmark = pytest.mark.browser

BAR = "[data-testid=plot] >> nth=0"


def open_size(page: Page, server: str, query: str = "") -> None:
    page.goto(f"{server}/size{query}")
    page.locator("[data-testid=plot][data-drawn]").first.wait_for()


def bar(page: Page) -> dict[str, float]:
    """Return what is drawn in the bar, GiB by part."""
    drawn = page.locator(BAR).evaluate(
        "node => Object.fromEntries(node._fullData.filter(t => t.type === 'bar').map(t => [t.name, t.x[0]]))"
    )
    return dict(drawn)


def slider(page: Page, label: str) -> Locator:
    return page.locator(f"[data-testid=stSlider]:has-text('{label}') input[type=range]")


def choose(page: Page, label: str, words: str) -> None:
    """Choose in a list as a person does: type a part of the name, press Enter."""
    field = page.get_by_role("combobox", name=label)
    field.click()
    field.fill(words)
    page.keyboard.press("Enter")


def drawn(page: Page) -> int:
    return int(page.locator(BAR).get_attribute("data-drawn") or 0)


def wait_for_redraw(page: Page, before: int) -> None:
    page.wait_for_function(
        "before => Number(document.querySelector('[data-testid=plot]').dataset.drawn) > before", arg=before
    )


def test_a_model_is_found_by_typing(page: Page, server: str) -> None:
    open_size(page, server)
    before, count = bar(page), drawn(page)
    choose(page, "Model", "qwen3-8b")
    wait_for_redraw(page, count)
    assert bar(page)["Weights"] < before["Weights"]
    expect(page).to_have_url(f"{server}/size?model=Qwen%2FQwen3-8B")


def test_a_slider_moves_number_and_bar_by_keyboard(page: Page, server: str) -> None:
    open_size(page, server)
    before, count = bar(page), drawn(page)
    free = card(page, "Left free").inner_text()
    slider(page, "Concurrent requests").focus()
    page.keyboard.press("ArrowLeft")
    wait_for_redraw(page, count)
    expect(card(page, "Left free")).not_to_have_text(free)
    assert bar(page)["KV cache"] == pytest.approx(before["KV cache"] * 12 / 16)
    expect(slider(page, "Concurrent requests")).to_be_focused()


def test_quick_keys_lose_nothing(page: Page, server: str) -> None:
    open_size(page, server)
    slider(page, "Concurrent requests").focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(f"{server}/size?requests=3")
    page.wait_for_timeout(500)
    expect(page).to_have_url(f"{server}/size?requests=3")


def test_a_zoom_survives_a_change(page: Page, server: str) -> None:
    open_size(page, server)
    plot = page.locator(BAR)
    axis = "node => node._fullLayout.xaxis.range.slice()"
    whole = plot.evaluate(axis)
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.7)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.7, steps=4)
    page.mouse.up()
    page.wait_for_function("document.querySelector('[data-testid=plot]')._fullLayout.xaxis.range[0] > 1")
    zoomed = plot.evaluate(axis)
    # The last of these need more than the card holds: the figure asks for a longer axis.
    for key in ("ArrowLeft", *["ArrowRight"] * 6):
        count = drawn(page)
        slider(page, "Concurrent requests").focus()
        page.keyboard.press(key)
        wait_for_redraw(page, count)
        assert plot.evaluate(axis) == zoomed
    plot.dblclick()
    page.wait_for_function(
        "end => { const [from, to] = document.querySelector('[data-testid=plot]')._fullLayout.xaxis.range\n"
        "return from === 0 && to > end }",
        arg=whole[1],
    )


def test_a_plot_stays_where_a_message_comes_and_goes(page: Page, server: str) -> None:
    open_size(page, server)
    page.locator("[data-testid=plot]").evaluate_all("nodes => nodes.forEach(node => { node.mark = 'same' })")
    marks = "nodes => nodes.map(node => node.mark)"
    slider(page, "GPUs per replica").focus()
    for key in ("ArrowLeft", "ArrowRight"):  # seven GPUs do not divide the heads
        page.keyboard.press(key)
        expect(page.locator("[data-testid=stMain] [data-testid=stAlert]").first).to_contain_text(
            "Fits" if key == "ArrowRight" else "tp = 7"
        )
    slider(page, "Concurrent requests").focus()
    page.keyboard.press("ArrowRight")
    expect(card(page, "Fits")).to_have_text("In part")
    assert page.locator("[data-testid=plot]").evaluate_all(marks) == ["same", "same"]


def test_a_shared_link_shows_the_same_to_another(page: Page, new_page: NewPage, server: str) -> None:
    open_size(
        page,
        server,
        "?model=Qwen/Qwen3-8B&gpu=l4&gpus=2&context=16384&requests=3&weights=awq-int4&view=share",
    )
    link = page.locator("[data-testid=stCode] code").inner_text()
    other = new_page()
    other.goto(link)
    other.locator("[data-testid=plot][data-drawn]").first.wait_for()
    assert bar(other) == bar(page)
    for label in ("Left free", "KV tokens", "Requests at once"):
        assert card(other, label).inner_text() == card(page, label).inner_text()


def test_going_back_undoes_the_last_change(page: Page, server: str) -> None:
    open_size(page, server, "?requests=8")
    slider(page, "Concurrent requests").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(f"{server}/size?requests=12")
    page.wait_for_timeout(2500)  # longer than an address may lag behind
    page.go_back()
    expect(page.locator("[data-testid=stSlider]").filter(has_text="Concurrent requests")).to_contain_text("8")
    page.wait_for_function(
        "gib => Math.abs(document.querySelector('[data-testid=plot]')._fullData"
        ".find(t => t.name === 'KV cache').x[0] - gib) < 0.1",
        arg=17.16,
    )


def test_a_config_is_uploaded(page: Page, server: str, tmp_path: Path) -> None:
    open_size(page, server)
    page.get_by_text("Own config").click()
    file = tmp_path / "config.json"
    file.write_text(json.dumps(LLAMA))
    count = drawn(page)
    page.locator("input[type=file]").set_input_files(file)
    wait_for_redraw(page, count)
    assert bar(page)["Weights"] < 3
    expect(page.get_by_role("textbox", name="paste its content")).to_have_value(json.dumps(LLAMA))


def test_a_bad_config_is_named_and_everything_entered_stays(page: Page, server: str, tmp_path: Path) -> None:
    open_size(page, server, "?gpu=l4&gpus=2")
    page.get_by_text("Own config").click()
    before = bar(page)
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**LLAMA, "num_hidden_layers": "many"}))
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator("[data-testid=stSidebar] [data-testid=stAlert]")).to_contain_text("num_hidden_layers")
    expect(page.locator("[data-testid=stMain] [data-testid=stAlert]").first).to_contain_text(
        "num_hidden_layers"
    )
    expect(page.get_by_role("combobox", name="GPU")).to_have_value("L4")
    assert bar(page) == before
    opacity = page.locator(".st-key-size_figures").evaluate("node => getComputedStyle(node).opacity")
    assert float(opacity) < 1


def test_twenty_megabytes_are_refused_in_words(page: Page, server: str, tmp_path: Path) -> None:
    open_size(page, server)
    page.get_by_text("Own config").click()
    file = tmp_path / "model.json"
    file.write_text('{"weights": "' + "0" * 20_000_000 + '"}')
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator("[data-testid=stSidebar] [data-testid=stAlert]")).to_contain_text("20.0 MB")


def test_request_and_answer_are_a_file(page: Page, server: str) -> None:
    open_size(page, server, "?view=share")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Request and answer, JSON").click()
    download = waiting.value
    assert download.suggested_filename.startswith("DeepSeek-V3_8x-h200-sxm_20")
    content: dict[str, Any] = json.loads(Path(download.path()).read_text())
    assert content["request"]["model"] == "deepseek-ai/DeepSeek-V3"
    assert content["answer"]["fits"] is True
    assert content["load"]["requests"] == 16


def test_the_parts_are_a_file(page: Page, server: str) -> None:
    open_size(page, server, "?view=share")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Parts, CSV").click()
    lines = Path(waiting.value.path()).read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "part",
        "weights",
        "activation",
        "runtime",
        "cuda_graph",
        "kv",
    ]


def test_a_remedy_is_applied_everywhere(page: Page, server: str) -> None:
    open_size(page, server, "?gpu=h100-sxm-80")
    expect(card(page, "Fits")).to_have_text("No")
    page.get_by_role("button", name="Apply").first.click()
    expect(card(page, "Fits")).to_have_text("Yes")
    expect(page.locator("[data-testid=stSlider]").filter(has_text="GPUs per replica")).to_contain_text("32")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone_shows_everything_within_its_width(
    new_page: NewPage, server: str, language: str, scheme: str
) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    open_size(page, server, f"?lang={language}&gpu=h100-sxm-80")
    page.wait_for_timeout(500)
    wide = page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] *')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.getBoundingClientRect().width > 1)
            .map(e => e.className || e.tagName).slice(0, 5)"""
    )
    assert not wide


def test_no_value_of_a_card_is_cut_off(page: Page, server: str) -> None:
    open_size(page, server, "?requests=4096")
    cut = page.locator("[data-testid=stMetricValue] *").evaluate_all(
        "nodes => nodes.filter(n => n.scrollWidth > n.clientWidth + 1).map(n => n.textContent)"
    )
    assert not cut


def test_labels_of_the_limits_do_not_meet(page: Page, server: str) -> None:
    open_size(page, server)
    boxes = page.locator(f"{BAR} >> .textpoint text").evaluate_all(
        "nodes => nodes.map(n => n.getBoundingClientRect()).map(b => [b.left, b.top, b.right, b.bottom])"
    )
    assert len(boxes) == 3
    place = page.locator(BAR).bounding_box()
    assert place
    for left, top, right, bottom in boxes:
        assert place["x"] <= left
        assert right <= place["x"] + place["width"]
        assert place["y"] <= top
        others = [box for box in boxes if box != [left, top, right, bottom]]
        assert all(bottom <= box[1] + 1 or box[3] <= top + 1 for box in others)


def test_the_legend_has_the_colours_and_amounts_of_the_bar(page: Page, server: str) -> None:
    open_size(page, server)
    items = page.get_by_test_id("legend").first.locator("li")
    expect(items).to_have_count(len(bar(page)))
    expect(items.first).to_contain_text("Weights 79.6 GiB")
    painted = items.first.locator("span").evaluate("node => getComputedStyle(node).backgroundColor")
    assert painted == page.locator(f"{BAR} >> .bars .point path").first.evaluate(
        "node => getComputedStyle(node).fill"
    )


def test_figures_and_tables_have_a_description(page: Page, server: str) -> None:
    open_size(page, server, "?view=fleet")
    assert "Weights" in (page.locator(BAR).get_attribute("aria-label") or "")
    expect(page.get_by_role("img", name="Memory of the most loaded GPU")).to_have_count(1)
    page.locator("[data-testid=stDataFrame]").wait_for()


def test_all_is_reached_by_keyboard(page: Page, server: str) -> None:
    open_size(page, server)
    seen = set()
    page.locator("body").press("Tab")
    for _ in range(60):
        seen.add(
            page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
            )
        )
        page.keyboard.press("Tab")
    for label in ("Concurrent requests", "Context per request, tokens", "GPUs per replica", "Model", "GPU"):
        assert any(label in (text or "") for text in seen), (label, seen)


def test_nothing_fails_in_the_console(page: Page, server: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    open_size(page, server)
    for view in ("Why these numbers", "All GPUs", "Launch command", "Share"):
        page.get_by_role("radio", name=view).or_(page.get_by_role("button", name=view)).first.click()
        page.wait_for_timeout(700)
    # Streamlit asks for its health below the page's own address first.
    assert not [fault for fault in faults if "404" not in fault]
