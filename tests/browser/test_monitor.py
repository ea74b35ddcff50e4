"""The Monitor page in a browser, on the demo cluster: its faults are seen, opened, cleared, and survive an outage."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from core.monitoring.demo.cluster import DEMO_URL, DemoCluster
from core.monitoring.demo.stores import PROMETHEUS
from core.text import text
from tests.browser.conftest import NewPage
from tests.conftest import need, serve

pytestmark = [pytest.mark.browser, pytest.mark.prometheus]

SLOW_MS = 45_000
"""Two cores run a browser, the server and the store."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[DemoCluster]:
    need(PROMETHEUS.program, PROMETHEUS.package)
    with DemoCluster() as made:
        yield made


@pytest.fixture(scope="module")
def monitor(cluster: DemoCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the Monitor page of a dashboard that is told of the demo cluster by its environment."""
    before = os.environ.get(DEMO_URL)
    os.environ[DEMO_URL] = cluster.url
    try:
        with serve(tmp_path_factory.mktemp("monitor") / "log") as url:
            yield f"{url}/monitor"
    finally:
        os.environ.pop(DEMO_URL)
        if before is not None:
            os.environ[DEMO_URL] = before


def heatmap(page: Page) -> Locator:
    return page.locator(".st-key-monitor_heatmap [data-drawn]")


def visit(page: Page, address: str) -> None:
    page.goto(address)
    heatmap(page).wait_for(timeout=SLOW_MS)
    settled(page)


def settled(page: Page) -> None:
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=SLOW_MS)


def headline(page: Page) -> Locator:
    return page.get_by_role("heading", level=3).first


def finding(page: Page, title: str) -> Locator:
    return page.locator("[class*='st-key-monitor_finding_'] button", has_text=title).first


def test_what_was_planted_is_listed_worst_first(page: Page, monitor: str) -> None:
    visit(page, f"{monitor}?refresh=off")
    expect(page.get_by_text(text("monitor_page.demo.badge")).first).to_be_visible()
    expect(headline(page)).to_contain_text("critical")
    for rule, node in (
        ("gpu_hot", "gpu-node-03"),
        ("replica_down", "gpu-node-08"),
        ("ttft_slow", "gpu-node-05"),
        ("kv_pressure", "gpu-node-04"),
        ("gpu_idle", "gpu-node-02"),
    ):
        expect(finding(page, text(f"monitoring.finding.{rule}.title"))).to_contain_text(node)
    badges = page.locator("[class*='st-key-monitor_finding_'] .stMarkdownBadge").all_inner_texts()
    ranks = [("Critical", "Warning", "Cost").index(badge.split()[-1]) for badge in badges]
    assert ranks == sorted(ranks)
    assert len(ranks) >= 7


def test_a_finding_opens_to_its_cause_charts_and_remedies_and_is_in_the_link(
    page: Page, monitor: str
) -> None:
    visit(page, f"{monitor}?refresh=off")
    finding(page, text("monitoring.finding.gpu_hot.title")).click()
    expect(page.get_by_text(text("monitor_page.cause"))).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("[class*='st-key-monitor_evidence_'] [data-drawn]").first).to_be_visible(
        timeout=SLOW_MS
    )
    expect(page.get_by_text(text("monitor_page.remedies"))).to_be_visible(timeout=SLOW_MS)
    page.wait_for_url("**finding=gpu_hot*")
    page.reload()
    expect(page.get_by_text(text("monitor_page.cause"))).to_be_visible(timeout=SLOW_MS)


def test_a_click_on_a_cell_shows_that_gpu_and_the_way_back(page: Page, monitor: str) -> None:
    visit(page, f"{monitor}?refresh=off")
    plot = heatmap(page)
    plot.scroll_into_view_if_needed()
    place = plot.evaluate(
        """node => {
          const { xaxis, yaxis, _size } = node._fullLayout, box = node.getBoundingClientRect()
          return [box.x + _size.l + xaxis.d2p(5), box.y + _size.t + yaxis.d2p(2)]
        }"""
    )
    page.mouse.move(place[0] - 3, place[1])
    page.mouse.move(*place)
    page.wait_for_timeout(400)
    page.mouse.click(*place)
    page.wait_for_url("**subject=gpu~gpu-node-03~5*")
    expect(page.locator(".st-key-monitor_back_0")).to_be_visible(timeout=SLOW_MS)
    page.locator(".st-key-monitor_back_0 button").first.click()
    expect(page.locator(".st-key-monitor_back_0")).to_have_count(0, timeout=SLOW_MS)


def test_a_limit_that_is_raised_clears_the_finding(page: Page, monitor: str) -> None:
    visit(page, f"{monitor}?refresh=off")
    hot = finding(page, text("monitoring.finding.gpu_hot.title"))
    expect(hot).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_text(text("monitoring.indicator.gpu_temperature.name")).click()
    for bound, value in (("high_bad", "110"), ("high", "105")):
        field = page.locator(f".st-key-monitor_bound_gpu_temperature_{bound} input")
        field.wait_for(timeout=SLOW_MS)
        field.fill(value)
        field.press("Enter")
        page.wait_for_url(f"**gpu_temperature.{bound}*")
        settled(page)
    expect(hot).to_have_count(0, timeout=SLOW_MS)


def test_the_rules_that_are_downloaded_are_good(page: Page, monitor: str, tmp_path: Path) -> None:
    promtool = need("promtool", "prometheus")
    visit(page, f"{monitor}?refresh=off")
    page.get_by_text(text("monitor_page.export")).click()
    button = page.get_by_test_id("stDownloadButton").first
    button.wait_for(timeout=SLOW_MS)
    with page.expect_download() as download:
        button.get_by_role("button").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    checked = subprocess.run(
        [promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_refresh_leaves_what_a_person_does_alone(page: Page, monitor: str) -> None:
    """An open panel, text that is not sent yet, the place on the page and a zoom stay; the data is new."""
    visit(page, f"{monitor}?refresh=10s")
    page.get_by_test_id("stSidebar").get_by_text(text("monitoring.indicator.gpu_temperature.name")).click()
    field = page.locator(".st-key-monitor_bound_gpu_temperature_high input")
    field.wait_for(timeout=SLOW_MS)
    chart = page.locator(".st-key-monitor_charts [data-drawn]").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.4, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, y, steps=4)
    page.mouse.up()
    page.wait_for_timeout(500)
    zoom = "node => node._fullLayout.xaxis.range.map(String)"
    zoomed, top = chart.evaluate(zoom), page.get_by_test_id("stMain").evaluate("node => node.scrollTop")
    field.fill("87.5")
    data = page.get_by_text("Data of").first
    drawn = int(chart.get_attribute("data-drawn") or 0)
    page.wait_for_function(
        "([node, drawn]) => Number(node.dataset.drawn) > drawn",
        arg=[chart.element_handle(), drawn],
        timeout=SLOW_MS,
    )
    assert data.is_visible()
    assert chart.evaluate(zoom) == zoomed
    assert field.input_value() == "87.5"
    assert abs(page.get_by_test_id("stMain").evaluate("node => node.scrollTop") - top) < 60


def test_an_outage_greys_the_last_data_and_ends_by_itself(
    new_page: NewPage, monitor: str, cluster: DemoCluster
) -> None:
    page = new_page()
    visit(page, f"{monitor}?refresh=10s")
    before = headline(page).inner_text()
    cluster.kill_prometheus()
    try:
        banner = page.get_by_text("Showing data of")
        expect(banner).to_be_visible(timeout=SLOW_MS)
        figures = page.locator(".st-key-monitor_figures")
        page.wait_for_function(
            "node => Number(getComputedStyle(node).opacity) < 0.7",
            arg=figures.element_handle(),
            timeout=SLOW_MS,
        )
        assert headline(page).inner_text() == before
        assert page.get_by_text(text("shell.fault")).count() == 0
    finally:
        cluster.restart_prometheus()
    expect(banner).to_have_count(0, timeout=SLOW_MS)
    expect(headline(page)).to_contain_text("critical", timeout=SLOW_MS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_telephone_in_chinese(new_page: NewPage, monitor: str, scheme: str) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme, locale="zh-CN")
    visit(page, f"{monitor}?refresh=off")
    width = page.get_by_test_id("stMain").evaluate("node => node.scrollWidth")
    assert width <= 390
    expect(page.get_by_text(text("monitor_page.flagged", "zh"), exact=True).first).to_be_visible()
