"""A changed slider on the Size page, against a bare page with one slider, one metric and one st.plotly_chart.

Both are driven in one run of one browser, in turns, so that the load of the machine weighs on both. Printed:
milliseconds from the key to new headline numbers and to the repainted main chart, their ratios, the server's
CPU for a change, and whether a zoom survives it.
"""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import FLAGS
from tests.conftest import need, serve

CHANGES = 24
"""Half of them up and half down again: further up, the slider of the Size page has no steps left."""
SLIDER = "[data-testid=stSlider]:has-text('Concurrent requests') input[type=range]"
NUMBERS = "[data-testid=stMetric]"
# From the key to the second frame after the text of an element has changed: what a person waits for.
WATCH = """watched => Promise.all(watched.map(([selector, before]) => new Promise((done, fail) => {
    const read = () => [...document.querySelectorAll(selector)].map(e => e.textContent).join("|")
    const look = () => read() && read() !== before
        ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - window.pressed)))
        : performance.now() - window.pressed > 10000 ? fail(`${selector} stays`) : setTimeout(look, 2)
    look()
})))"""
READ = "s => [...document.querySelectorAll(s)].map(e => e.textContent).join('|')"


@dataclass
class Contestant:
    """One page: its chart's text, and the milliseconds of each change."""

    name: str
    page: Page
    chart: str
    server: psutil.Process
    numbers: list[float] = field(default_factory=list)
    charts: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def open(self, url: str) -> None:
        """Load the page, let it settle, and note in it when a key goes down."""
        self.page.goto(url)
        self.page.wait_for_selector(self.chart)
        self.page.evaluate("addEventListener('keydown', () => { window.pressed = performance.now() }, true)")
        self.page.wait_for_timeout(3000)

    def change(self, key: str) -> None:
        """Move the slider by one step; keep what the numbers, the chart and the server took."""
        self.page.bring_to_front()
        self.page.locator(SLIDER).first.focus()
        before = [[selector, self.page.evaluate(READ, selector)] for selector in (NUMBERS, self.chart)]
        began = sum(self.server.cpu_times()[:2])
        self.page.keyboard.press(key)
        numbers, chart = self.page.evaluate(WATCH, before)
        self.numbers.append(numbers)
        self.charts.append(chart)
        self.page.wait_for_timeout(400)
        self.cpu_ms.append(1000 * (sum(self.server.cpu_times()[:2]) - began))

    def __str__(self) -> str:
        def shown(values: list[float]) -> str:
            return f"{statistics.median(values):4.0f} / {statistics.quantiles(values, n=10)[8]:4.0f} ms"

        return (
            f"{self.name:10} numbers {shown(self.numbers)}   chart {shown(self.charts)}   "
            f"server CPU {statistics.fmean(self.cpu_ms):3.0f} ms a change"
        )


def zoom_survives(size: Contestant) -> bool:
    """Zoom the main chart with the mouse, change the slider, and say whether the axis stayed.

    The last of the changes ask for more than the card holds, and the chart for a longer axis.
    """
    size.page.bring_to_front()
    plot = size.page.locator(size.chart.split(" ")[0]).first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    height = box["y"] + 0.7 * box["height"]
    size.page.mouse.move(box["x"] + 0.3 * box["width"], height)
    size.page.mouse.down()
    size.page.mouse.move(box["x"] + 0.6 * box["width"], height, steps=4)
    size.page.mouse.up()
    size.page.wait_for_timeout(500)
    axis = "node => node._fullLayout.xaxis.range.join()"
    zoomed = plot.evaluate(axis)
    size.page.locator(SLIDER).first.focus()
    for _ in range(8):
        size.page.keyboard.press("ArrowRight")
        size.page.wait_for_timeout(300)
    size.page.wait_for_timeout(1500)
    return not zoomed.startswith("0,") and bool(plot.evaluate(axis) == zoomed)


def main() -> None:
    """Print both pages and their ratios."""
    chromium_path = need("chromium", "chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "size") as ours,
        serve(Path(folder) / "bare", "tests/benchmarks/bare_app.py") as theirs,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        size = Contestant("Size page", chromium.new_page(), "[data-testid=plot] .main-svg", server_at(ours))
        bare = Contestant("bare page", chromium.new_page(), ".js-plotly-plot .main-svg", server_at(theirs))
        size.open(f"{ours}/size")
        bare.open(theirs)
        for key in ["ArrowRight"] * (CHANGES // 2) + ["ArrowLeft"] * (CHANGES // 2):
            size.change(key)
            bare.change(key)
        print(size)
        print(bare)
        numbers, charts = (
            statistics.median(getattr(size, what)) / statistics.median(getattr(bare, what))
            for what in ("numbers", "charts")
        )
        print(
            f"numbers take {numbers:.2f}, the main chart {charts:.2f} of the bare page (at most 1.3 and 1.0)"
        )
        print(f"zoom survives a change: {'yes' if zoom_survives(size) else 'NO'}")
        chromium.close()


def server_at(url: str) -> psutil.Process:
    """Return our child process that listens at *url*."""
    port = int(url.rsplit(":", 1)[1])
    for process in psutil.Process().children(recursive=True):
        if any(link.laddr.port == port for link in process.net_connections() if link.status == "LISTEN"):
            return process
    raise RuntimeError(f"no child process listens on port {port}")


if __name__ == "__main__":
    main()
