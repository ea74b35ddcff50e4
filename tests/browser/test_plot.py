"""The plot component: in place, in the colours of the theme, and there for those who cannot see it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import NewPage

pytestmark = pytest.mark.browser


def line(page: Page) -> Locator:
    return page.locator("[data-testid=plot]").first


def open_plots(page: Page, server: str) -> None:
    page.goto(server)
    page.locator("[data-testid=plot][data-drawn]").nth(2).wait_for()


def change(page: Page, label: str, times: int = 1) -> None:
    page.locator(f"[data-testid=stSlider]:has-text('{label}') input[type=range]").focus()
    for _ in range(times):
        page.keyboard.press("ArrowRight")


def wait_for_factor(page: Page, factor: int) -> None:
    page.wait_for_function(
        "label => document.querySelector('[data-testid=plot]').getAttribute('aria-label') === label",
        arg=f"A line that rises {factor} a step",
    )
    page.wait_for_function(
        "text => document.querySelector('[data-testid=plot] .gtitle')?.textContent === text",
        arg=f"factor {factor}",
    )


def wait_for_length(page: Page, length: int) -> None:
    """Return when the figure that asks for an axis of *length* is drawn, and not only described."""
    page.wait_for_function(
        "title => document.querySelectorAll('.gtitle')[1]?.textContent === title", arg=f"up to {length}"
    )


def longer(page: Page) -> Locator:
    """Return the plot whose figure asks for an axis of four times the factor."""
    return page.locator("[data-testid=plot]").last


def x_range(plot: Locator) -> list[float]:
    return list(plot.evaluate("node => node._fullLayout.xaxis.range"))


def wait_for_axis(plot: Locator, condition: str) -> None:
    plot.page.wait_for_function(
        f"node => (axis => {condition})(node._fullLayout.xaxis)", arg=plot.element_handle()
    )


def zoom(plot: Locator) -> list[float]:
    """Drag over a part of *plot* as a person does; return the range of its x axis."""
    plot.scroll_into_view_if_needed()
    box, mouse = plot.bounding_box(), plot.page.mouse
    assert box
    y = box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] * 0.3, y)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.6, y, steps=4)
    mouse.up()
    wait_for_axis(plot, "axis.range[0] > 1")
    return x_range(plot)


def test_is_an_image_with_a_description(page: Page, plot_server: str) -> None:
    open_plots(page, plot_server)
    assert page.get_by_role("img", name="A line that rises 5 a step").count() == 1


def test_a_change_keeps_the_node_and_the_zoom(page: Page, plot_server: str) -> None:
    open_plots(page, plot_server)
    line(page).evaluate("node => { node.mark = 'same' }")
    zoomed = zoom(line(page))

    change(page, "factor")
    wait_for_factor(page, 6)

    assert x_range(line(page)) == zoomed
    assert line(page).evaluate("node => node.mark") == "same"


def test_a_zoom_survives_a_figure_that_asks_for_a_longer_axis(page: Page, plot_server: str) -> None:
    open_plots(page, plot_server)
    change(page, "factor")
    wait_for_axis(longer(page), "axis.range[1] === 24")
    zoomed = zoom(longer(page))
    for factor in (7, 8):
        change(page, "factor")
        wait_for_length(page, 4 * factor)
        assert x_range(longer(page)) == zoomed


def test_a_double_click_returns_to_the_axis_that_is_asked_for_now(page: Page, plot_server: str) -> None:
    open_plots(page, plot_server)
    for plot in (line(page), longer(page)):
        zoom(plot)
    change(page, "factor")
    wait_for_length(page, 24)
    for plot, ends in ((line(page), "axis.autorange"), (longer(page), "axis.range[1] === 24")):
        plot.scroll_into_view_if_needed()
        plot.dblclick()
        wait_for_axis(plot, f"{ends} && axis.range[0] <= 0")
    change(page, "factor")
    wait_for_axis(longer(page), "axis.range.join() === '0,28'")
    longer(page).dblclick()  # with nothing to undo
    page.wait_for_timeout(500)
    assert x_range(longer(page)) == [0, 28]


def test_neither_theme_nor_width_is_taken_for_a_zoom(page: Page, plot_server: str) -> None:
    page.emulate_media(color_scheme="light")
    open_plots(page, plot_server)
    zoomed = zoom(longer(page))
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "[...document.querySelectorAll('[data-testid=plot]')]"
        ".every(node => node._fullLayout.font.color === '#F1F5F9')"
    )
    page.set_viewport_size({"width": 700, "height": 900})
    wait_for_axis(longer(page), "axis._length < 650")
    change(page, "factor")
    wait_for_length(page, 24)
    assert x_range(longer(page)) == zoomed
    longest = "node => node._fullLayout.yaxis.range[1]"
    assert line(page).evaluate("node => node._fullLayout.yaxis.autorange")
    assert float(line(page).evaluate(longest)) > 6 * 19


def test_a_figure_of_something_else_begins_unzoomed(page: Page, plot_server: str) -> None:
    open_plots(page, plot_server)
    zoom(longer(page))
    page.get_by_role("radio", name="tokens").or_(page.get_by_role("button", name="tokens")).first.click()
    wait_for_axis(longer(page), "axis.title.text === 'tokens'")
    assert x_range(longer(page)) == [0, 20]


def test_changes_that_overtake_each_other_keep_node_and_size(page: Page, plot_server: str) -> None:
    open_plots(page, plot_server)
    line(page).evaluate("node => { node.mark = node.querySelector('.main-svg') }")
    change(page, "factor", times=5)
    wait_for_factor(page, 10)
    assert line(page).evaluate("node => node.mark === node.querySelector('.main-svg')")
    page.set_viewport_size({"width": 800, "height": 900})
    page.wait_for_function(
        """() => { const node = document.querySelector('[data-testid=plot]')
                   return node.clientWidth < 800 && node._fullLayout.width === node.clientWidth }"""
    )


def test_a_change_draws_only_what_changed(page: Page, plot_server: str) -> None:
    open_plots(page, plot_server)
    drawn = "nodes => nodes.map(node => Number(node.dataset.drawn))"
    before = page.locator("[data-testid=plot]").evaluate_all(drawn)
    change(page, "factor")
    wait_for_factor(page, 6)
    # Figures are drawn one after the other.
    page.wait_for_function(
        "last => Number([...document.querySelectorAll('[data-testid=plot]')].at(-1).dataset.drawn) > last",
        arg=before[-1],
    )
    after = page.locator("[data-testid=plot]").evaluate_all(drawn)
    assert [new - old for old, new in zip(before, after, strict=True)] == [1, 0, 1]


def test_takes_the_height_it_is_given(page: Page, plot_server: str) -> None:
    open_plots(page, plot_server)
    change(page, "height")
    page.wait_for_function("document.querySelector('[data-testid=plot] .main-svg').clientHeight === 350")


def test_follows_the_width_of_the_window(page: Page, plot_server: str) -> None:
    open_plots(page, plot_server)
    page.set_viewport_size({"width": 700, "height": 900})
    page.wait_for_function(
        """() => { const node = document.querySelector('[data-testid=plot]')
                   return node.clientWidth < 700 && node._fullLayout.width === node.clientWidth }"""
    )


def test_roles_have_the_colours_of_the_theme(new_page: NewPage, plot_server: str) -> None:
    strokes = {}
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme)
        open_plots(page, plot_server)
        strokes[scheme] = line(page).evaluate("node => node._fullData[0].line.color")
    assert strokes == {"light": "#0FA294", "dark": "#2DD4BF"}


def test_a_change_of_theme_repaints(page: Page, plot_server: str) -> None:
    page.emulate_media(color_scheme="light")
    open_plots(page, plot_server)
    text = line(page).evaluate("node => node._fullLayout.font.color")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "before => document.querySelector('[data-testid=plot]')._fullLayout.font.color !== before", arg=text
    )
    assert line(page).evaluate("node => node._fullData[0].line.color") == "#2DD4BF"


def test_offers_no_upload(page: Page, plot_server: str) -> None:
    open_plots(page, plot_server)
    line(page).hover()
    assert page.locator(".modebar-btn").count() == 0


def test_the_theme_gives_ten_colours(page: Page, plot_server: str) -> None:
    """With fewer, Streamlit pads its list with a word that is no colour, and Plotly drops all of them."""
    open_plots(page, plot_server)
    colors = line(page).evaluate("node => node._fullLayout.colorway")
    assert len(colors) == 10
    assert all(re.fullmatch(r"#[0-9A-Fa-f]{6}", color) for color in colors)
