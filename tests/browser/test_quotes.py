"""The Quotes page as a person uses it: a file with bad rows, the table, saved work, files, a telephone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from pages.parts.quotes_fields import VIEWS
from tests.browser.conftest import NewPage
from tests.browser.test_size import card
from tests.conftest import serve

pytestmark = pytest.mark.browser

CSV = (
    "Vendor,GPU model,Servers,GPUs per server,Unit price,Price per,Billing period,Currency\n"
    "Acme,A100 SXM 80GB,2,8,158000,node,once,USD\n"
    "Beta,H100 SXM,2,8,about four,gpu,hour,USD\n"
    "Gamma,H900,2,8,2.5,gpu,hour,USD\n"
)
LABELS = (
    *("Over time", "By utilisation", "Base and peak", "What decides", "Unit by unit", "Chances"),
    *("Model and targets", "Files and link"),
)
GPU, PRICE = 390, 615
"""Pixels from the left of the table to the middle of a column."""
FIRST_ROW, ROW = 47, 31


@pytest.fixture(scope="module")
def quotes_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard that saves into a folder of these tests."""
    before = os.environ.get("PLANNER_DATA"), os.environ.pop("DATABASE_URL", None)
    os.environ["PLANNER_DATA"] = str(tmp_path_factory.mktemp("work"))
    try:
        with serve(tmp_path_factory.mktemp("quotes") / "log") as url:
            yield url
    finally:
        for name, value in zip(("PLANNER_DATA", "DATABASE_URL"), before, strict=True):
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def open_quotes(page: Page, server: str, query: str = "") -> None:
    page.goto(f"{server}/quotes?{query}")
    page.locator("[data-testid=stMetric]").first.wait_for()


def view(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name, exact=True)).first.click()


def main(page: Page) -> Locator:
    return page.locator("[data-testid=stMain]")


def settle(page: Page) -> None:
    """Wait until the page has been drawn anew."""
    page.wait_for_timeout(300)
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")


def write(page: Page, x: int, row: int, value: str) -> None:
    """Type *value* into a cell of the table of quotes, row 1 the first."""
    settle(page)
    table = page.locator("[data-testid=stDataFrame]").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box
    field = page.locator("#portal textarea, #portal input").first
    for _ in range(3):
        # A cell that was not ready for a click is clicked again.
        page.mouse.click(box["x"] + x, box["y"] + FIRST_ROW + ROW * (row - 1))
        page.wait_for_timeout(200)
        page.keyboard.press("Enter")
        with suppress(PlaywrightTimeout):
            field.wait_for(timeout=1500)
            break
    field.fill(value)
    page.keyboard.press("Enter")
    settle(page)


def imported(page: Page, server: str, tmp_path: Path) -> None:
    file = tmp_path / "three.csv"
    file.write_text(CSV, encoding="utf-8")
    open_quotes(page, server)
    main(page).locator("summary").filter(has_text="Import a spreadsheet").click()
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(file)
    expect(main(page)).to_contain_text("Line 3, column 'Unit price'")
    expect(main(page)).to_contain_text("Line 4, column 'GPU model'")
    page.get_by_role("button", name="Replace the table by 3 rows").click()
    expect(main(page)).to_contain_text("Row 2, Price")
    settle(page)


def test_a_file_with_bad_rows_is_mended_compared_saved_and_reopened(
    page: Page, new_page: NewPage, quotes_server: str, tmp_path: Path
) -> None:
    imported(page, quotes_server, tmp_path)
    expect(main(page)).to_contain_text("Rows that cannot be used yet: 2. Rows in use: 1.")
    write(page, PRICE, 2, "4.10")
    expect(main(page)).to_contain_text("Rows that cannot be used yet: 1. Rows in use: 2.")
    write(page, GPU, 3, "H200")
    expect(main(page)).not_to_contain_text("Rows that cannot be used yet")
    page.get_by_role("button", name="Add a list price").click()
    page.get_by_role("button", name="Add", exact=True).click()
    view(page, "Chances")
    expect(main(page).locator("[data-testid=stTable] tbody tr")).to_have_count(4)
    page.get_by_role("textbox", name="Name", exact=True).fill("Autumn round")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(main(page)).to_contain_text("Everything is saved")
    assert "work=" in page.url
    figures = page.locator("[data-testid=stMetricValue]").all_inner_texts()

    other = new_page()
    other.goto(page.url)
    expect(main(other)).to_contain_text("Open: Autumn round, version 1")
    expect(main(other).locator("[data-testid=stTable] tbody tr")).to_have_count(4)
    settle(other)
    assert other.locator("[data-testid=stMetricValue]").all_inner_texts() == figures
    view(other, "Files and link")
    with other.expect_download() as waiting:
        other.get_by_role("button", name="three.csv").click()
    assert Path(waiting.value.path()).read_text(encoding="utf-8") == CSV
    with other.expect_download() as waiting:
        other.get_by_role("button", name="Quotes, XLSX").click()
    sheet = openpyxl.load_workbook(BytesIO(Path(waiting.value.path()).read_bytes())).worksheets[0]
    assert "H200" in str([cell.value for cell in sheet["C"]]).upper()
    with other.expect_download() as waiting:
        other.get_by_role("button", name="Report, HTML").click()
    assert "Autumn round" in Path(waiting.value.path()).read_text(encoding="utf-8")
    with other.expect_download() as waiting:
        other.get_by_role("button", name="Report, XLSX").click()
    book = openpyxl.load_workbook(BytesIO(Path(waiting.value.path()).read_bytes()))
    assert book.active is not None
    assert book.active["A1"].value == "Autumn round"
    with other.expect_download() as waiting:
        other.get_by_role("button", name="Report, JSON").click()
    told = json.loads(Path(waiting.value.path()).read_bytes())
    assert (told["title"], len(told["quotes"])) == ("Autumn round", 4)


def test_two_people_do_not_overwrite_each_other(page: Page, new_page: NewPage, quotes_server: str) -> None:
    open_quotes(page, quotes_server)
    page.get_by_role("textbox", name="Name", exact=True).fill("Shared")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(main(page)).to_contain_text("Everything is saved")
    other = new_page()
    other.goto(page.url)
    expect(main(other)).to_contain_text("Open: Shared")
    for one, value in ((other, "5.55"), (page, "6.66")):
        write(one, PRICE, 1, value)
        one.get_by_role("button", name="Save", exact=True).click()
    expect(main(page)).to_contain_text("after you opened it")
    page.get_by_role("button", name="Save mine as a copy").click()
    expect(main(page)).to_contain_text("Open: Shared (copy), version 1")


def test_what_is_typed_stays_while_another_page_is_looked_at(page: Page, quotes_server: str) -> None:
    open_quotes(page, quotes_server)
    write(page, PRICE, 1, "no idea yet")
    expect(main(page)).to_contain_text("Row 1, Price")
    page.get_by_role("link", name="Size").click()
    page.locator("[data-testid=plot][data-drawn]").first.wait_for()
    page.get_by_role("link", name="Quotes").click()
    expect(main(page)).to_contain_text("Row 1, Price: 'no idea yet'")


def test_every_view_is_drawn_without_a_fault(page: Page, quotes_server: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    open_quotes(page, quotes_server)
    assert len(LABELS) == len(VIEWS)
    for name in LABELS:
        view(page, name)
        settle(page)
        expect(page.locator("[data-testid=stException]")).to_have_count(0)
    assert not [fault for fault in faults if "404" not in fault]


def test_a_telephone_has_nothing_wider_than_itself(new_page: NewPage, quotes_server: str) -> None:
    page = new_page(viewport={"width": 390, "height": 844})
    open_quotes(page, quotes_server)
    for name in LABELS:
        view(page, name)
        settle(page)
        wide = page.evaluate(
            """() => [...document.querySelectorAll('[data-testid=stMain] *')]
                .filter(e => !e.closest('[data-testid=stDataFrame], [data-testid=stTable], pre'))
                .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
                .filter(e => e.getBoundingClientRect().width > 1)
                .map(e => e.className || e.tagName).slice(0, 5)"""
        )
        assert not wide, name


@pytest.mark.parametrize(("width", "rows"), [(1440, 1), (1280, 2), (390, 4)])
def test_four_cards_stand_in_one_row_two_or_one_column(
    new_page: NewPage, quotes_server: str, width: int, rows: int
) -> None:
    page = new_page(viewport={"width": width, "height": 900})
    open_quotes(page, quotes_server)
    settle(page)
    boxes = [one.bounding_box() for one in page.locator("[data-testid=stMetric]").all()]
    assert len(boxes) == 4
    assert len({round(box["y"]) for box in boxes if box}) == rows


def test_files_speak_the_language_of_the_page(page: Page, quotes_server: str) -> None:
    open_quotes(page, quotes_server, "lang=zh&view=files")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="报价，CSV").click()
    assert "报价" in Path(waiting.value.path()).read_text(encoding="utf-8-sig").splitlines()[0]


def test_cards_show_their_figures_in_chinese(page: Page, quotes_server: str) -> None:
    open_quotes(page, quotes_server, "lang=zh")
    expect(card(page, "盈亏平衡")).to_contain_text("第")
