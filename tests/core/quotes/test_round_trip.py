"""What is written is read again as the same quotes, and nothing that is read crashes."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from core.catalog import accelerators, find_accelerator, offers
from core.cost.quote import KINDS, Quote
from core.cost.renting import quote_of
from core.errors import PlannerError
from core.quotes import (
    COLUMNS,
    checked,
    csv_of,
    csv_template,
    guess_mapping,
    mapped,
    read_table,
    rows_of,
    xlsx_of,
    xlsx_template,
)
from core.quotes.fields import tidy
from core.quotes.writing import EXAMPLES
from core.text import LANGUAGES

TODAY = date(2026, 9, 1)
WRITERS = {"csv": csv_of, "xlsx": xlsx_of}

texts = st.text(max_size=40).map(tidy) | st.sampled_from(
    [
        "=1+1",
        "'=1+1",
        "''=x",
        "' =x",
        "+4",
        "-",
        "@sum",
        "a\nb",
        'say "x"',
        "_x0041_",
        "1,5",
        "007",
        "TRUE",
        "甲，乙",
        "N/A",
    ]
)
amounts = st.floats(1e-3, 1e9)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    kind = draw(st.sampled_from(KINDS))
    price = draw(amounts)
    currency = draw(st.sampled_from(["USD", "EUR", "CNY", "XAF"]))
    spot = draw(st.none() | st.floats(1.0, 10.0)) if kind == "spot" else None
    return Quote(
        name=draw(texts.filter(bool)),
        kind=kind,
        gpu=draw(st.sampled_from(list(accelerators()))),
        nodes=draw(st.integers(1, 100_000)),
        gpus_per_node=draw(st.integers(1, 1024)),
        price=price,
        per=draw(st.sampled_from(["gpu", "node", "total"])),
        period="once" if kind == "purchase" else draw(st.sampled_from(["hour", "month", "year"])),
        currency=currency,
        usd_rate=1.0 if currency == "USD" else draw(st.floats(1e-6, 1e3)),
        tax=draw(st.floats(0.0, 1.0)),
        spot_high=None if spot is None else price * spot,
        hours_per_day=draw(st.floats(0.1, 24.0)),
        commitment_months=draw(st.integers(0, 240)),
        delivery_days=draw(st.integers(0, 3650)),
        egress_usd_gb=draw(st.floats(0.0, 1000.0)),
        storage_usd_gb_month=draw(st.floats(0.0, 1000.0)),
        region=draw(st.none() | texts.filter(bool)),
        as_of=draw(st.none() | st.dates(date(2000, 1, 1), TODAY)),
        source=draw(texts),
        notes=draw(texts),
    )


tables = st.lists(quotes(), min_size=1, max_size=4, unique_by=lambda quote: quote.name)


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("language", sorted(LANGUAGES))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(written=tables)
def test_what_is_written_is_read_again(ending: str, language: str, written: list[Quote]) -> None:
    table = read_table(WRITERS[ending](written, language), f"quotes.{ending}")
    found = checked(mapped(table), today=TODAY)
    assert found.of("error") == ()
    assert found.quotes == tuple(written)


@settings(max_examples=40, deadline=None)
@given(written=tables)
def test_rows_of_a_page_are_the_same_quotes(written: list[Quote]) -> None:
    assert checked(rows_of(written), today=TODAY).quotes == tuple(written)


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=600), ending=st.sampled_from(["csv", "xlsx", "txt", ""]))
def test_bytes_of_any_kind_are_read_or_refused(content: bytes, ending: str) -> None:
    try:
        found = checked(mapped(read_table(content, f"x.{ending}")), today=TODAY)
        told = [fault.told for fault in found.faults]
    except PlannerError as error:
        told = [error.sentence]
    assert all(sentence.render(language) for sentence in told for language in LANGUAGES)


@settings(max_examples=150, deadline=None)
@given(cells=st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=6), min_size=1, max_size=5))
def test_cells_of_any_kind_are_checked_or_told(cells: list[list[str]]) -> None:
    lines = [
        "gpu;price;nodes;as of;tax;term",
        *(";".join(f'"{cell.replace(chr(34), "")}"' for cell in row) for row in cells),
    ]
    try:
        found = checked(mapped(read_table("\n".join(lines).encode("utf-8", "replace"), "x.csv")), today=TODAY)
    except PlannerError:
        return
    for index, quote in enumerate(found.quotes):
        blank = (
            all(not cell.strip() for cell in cells[index] if cells)
            if len(found.quotes) == len(cells)
            else True
        )
        assert quote is not None or blank or any(fault.row == index for fault in found.of("error"))


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 10_000), junk=st.binary(min_size=1, max_size=40))
def test_a_damaged_workbook_is_read_or_refused(at: int, junk: bytes) -> None:
    content = bytearray(xlsx_template())
    at %= len(content)
    content[at : at + len(junk)] = junk
    with suppress(PlannerError):
        checked(mapped(read_table(bytes(content), "x.xlsx")), today=TODAY)


@settings(max_examples=60, deadline=None)
@given(
    part=st.sampled_from(
        ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"]
    ),
    cut=st.floats(0, 1),
    junk=st.sampled_from(
        [b"", b"<f>1+1</f>", b'<c r="ZZZ99"><v>x</v></c>', b"&a;", b"\xff", b'<row r="9999999999"/>']
    ),
)
def test_a_workbook_with_a_strange_part_is_read_or_refused(part: str, cut: float, junk: bytes) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx_template())) as good, zipfile.ZipFile(content, "w") as bad:
        for name in good.namelist():
            data = good.read(name)
            at = int(len(data) * cut)
            bad.writestr(name, data[:at] + junk + data[at:] if name == part else data)
    with suppress(PlannerError):
        checked(mapped(read_table(content.getvalue(), "x.xlsx")), today=TODAY)


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1"])
def test_no_cell_of_text_is_a_formula(value: str) -> None:
    quote = Quote("n", "on_demand", "h100-sxm-80", 1, 8, 2.0, source=value, notes=f"{value} and more")
    cells = csv_of([quote]).decode("utf-8-sig").splitlines()[1].split(",")
    assert [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell] == []
    sheet = load_workbook(io.BytesIO(xlsx_of([quote]))).active
    typed = {cell.data_type for cell in sheet[2] if cell.value is not None}
    assert typed <= {"s", "n", "d"}
    assert not [
        cell.value for cell in sheet[2] if isinstance(cell.value, str) and cell.value[0] in "=+-@\t\r"
    ]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize(("template", "ending"), [(csv_template, "csv"), (xlsx_template, "xlsx")])
def test_templates_hold_two_examples(template, ending: str, language: str) -> None:
    table = read_table(template(language), f"t.{ending}")
    guesses = guess_mapping(table)
    assert list(guesses) == [column.key for column in COLUMNS]
    assert {guess.confidence for guess in guesses.values()} == {1.0}
    found = checked(mapped(table), today=TODAY)
    assert (found.quotes, found.faults) == (EXAMPLES, ())


def test_a_workbook_helps_who_fills_it() -> None:
    sheet = load_workbook(io.BytesIO(xlsx_template())).active
    assert all(cell.comment for cell in sheet[1])
    lists = [rule.formula1 for rule in sheet.data_validations.dataValidation if rule.type == "list"]
    assert '"on_demand,spot,reserved,purchase"' in lists
    assert sheet.freeze_panes == "B2"
    assert isinstance(sheet["F2"].value, float | int)
    assert sheet["S2"].is_date


def test_every_id_of_an_accelerator_finds_itself() -> None:
    assert all(find_accelerator(id_).id == id_ for id_ in accelerators())


def test_offers_are_quotes_that_are_checked() -> None:
    every = list(offers().values())
    listed = [quote_of(offer, nodes=2) for offer in every]
    spots = [
        replace(quote_of(offer, "spot"), name=f"{offer.id} spot")
        for offer in every
        if offer.spot_median is not None
    ]
    assert all(
        quote.usd_per_hour == pytest.approx(2 * offer.usd_per_hour)
        for quote, offer in zip(listed, every, strict=True)
    )
    days = [offer.provenance.as_of for offer in every if offer.provenance.as_of]
    found = checked(rows_of(listed + spots), today=max(days))
    assert found.quotes == (*listed, *spots)
