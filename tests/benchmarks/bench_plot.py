"""How long a changed slider takes to be a painted chart: the plot component against st.plotly_chart.

Both on a bare page with one slider and one chart, on the same warm server, in turns, so that the load of
the machine weighs on both. The bar: the component takes at most as long.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import FLAGS
from tests.conftest import need, serve

CHANGES = 25
# From the key to the second frame after the title of the chart says the new value: what a person waits for.
WATCH = """text => new Promise(done => {
    const began = performance.now()
    const look = () => document.querySelector(".gtitle")?.textContent === text
        ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - window.pressed)))
        : performance.now() - began > 10000 ? done(-1) : setTimeout(look, 2)
    look()
})"""


def ready(page: Page, url: str) -> Page:
    """Open *url*, and note in the page when a key goes down."""
    page.goto(url)
    page.wait_for_selector(".gtitle")
    page.evaluate("addEventListener('keydown', () => { window.pressed = performance.now() }, true)")
    page.locator("[data-testid=stSlider] input[type=range]").focus()
    page.wait_for_timeout(1500)
    return page


def change(page: Page, factor: int) -> float:
    """Press the arrow key once; return the milliseconds until the chart is painted for *factor*."""
    page.bring_to_front()
    page.keyboard.press("ArrowRight")
    took = float(page.evaluate(WATCH, f"factor {factor}"))
    page.wait_for_timeout(300)
    return took


def main() -> None:
    """Print the median and the 90th percentile of both."""
    chromium_path = need("chromium", "chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "log", "tests/benchmarks/chart_app.py") as url,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        ways = ("plot", "st.plotly_chart")
        pages = {way: ready(chromium.new_page(), f"{url}/?by={way}") for way in ways}
        took: dict[str, list[float]] = {way: [] for way in ways}
        for factor in range(2, CHANGES + 2):
            for way in ways:
                took[way].append(change(pages[way], factor))
        chromium.close()
    for way in ways:
        ninth = statistics.quantiles(took[way], n=10)[8]
        print(f"{way:16} median {statistics.median(took[way]):4.0f} ms, 90 % below {ninth:4.0f} ms")
    ratio = statistics.median(took["plot"]) / statistics.median(took["st.plotly_chart"])
    print(f"plot takes {ratio:.2f} of st.plotly_chart")


if __name__ == "__main__":
    main()
