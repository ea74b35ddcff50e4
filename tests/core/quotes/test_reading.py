"""Files as vendors send them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import pytest
from openpyxl import Workbook

from core.errors import BadRequest
from core.quotes import Unread, checked, guess_mapping, mapped, read_table, unmapped, xlsx_template
from core.quotes.numbers import amount_of, decimal_of
from core.quotes.units import unit_of
from core.text import LANGUAGES

PLAIN = "GPU,Price,Per,Period,Source\nH100,2.5,gpu,hour,Müller\nA100,1.5,gpu,hour,甲公司\n"


def book(
    rows: Sequence[Sequence[Any]], merged: Sequence[str] = (), **more: Sequence[Sequence[Any]]
) -> Workbook:
    made = Workbook()
    made.remove(made.active)
    for name, lines in {"Prices": rows, **more}.items():
        sheet = made.create_sheet(name)
        for line in lines:
            sheet.append(list(line))
    for span in merged:
        made["Prices"].merge_cells(span)
    return made


def saved(made: Workbook) -> bytes:
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def repacked(content: bytes, **parts: bytes) -> bytes:
    """Return the workbook with *parts* (their last names without ending) changed, or added under xl/."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, parts.pop(name.rpartition("/")[2].partition(".")[0], data))
        for name, data in parts.items():
            new.writestr(f"xl/{name}.bin", data)
    return packed.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.encode("gb18030"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace(",", ";").replace("2.5", "2,5").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        ("sep=;\n" + PLAIN.replace(",", ";")).encode(),
        ("\n\n" + PLAIN + "\n,,,,\n").encode(),
        ("Quotes of May\n\n" + PLAIN).encode(),
    ],
    ids="utf8 bom utf16 le be gb18030 crlf cr semicolon tab pipe sep blank title".split(),
)
def test_csv_is_read_as_programs_write_it(content: bytes) -> None:
    found = checked(mapped(read_table(content, "a.csv")))
    assert [(quote.gpu, quote.price, quote.source) for quote in found.good] == [
        ("h100-sxm-80", 2.5, "Müller"),
        ("a100-sxm-80", 1.5, "甲公司"),
    ]


def test_gbk_and_windows_1252_are_told_apart_and_told() -> None:
    chinese = read_table("显卡,单价\n昇腾910B,12\n".encode("gbk"), "a.csv")
    assert chinese.headers == ("显卡", "单价")
    assert "GB18030" in str(chinese.notes[0])
    western = read_table("GPU;Price;Région\nH100;2,5;Zürich\n".encode("cp1252"), "a.csv")
    assert western.headers[2] == "Région"
    assert "Windows-1252" in str(western.notes[0])


def test_two_bad_rows_are_named_by_line_and_column() -> None:
    content = 'GPU,Price,Notes\nH100,2.5,"two\nlines"\nH999,2,\nA100,cheap,\nL40S,1.2,\n'
    found = checked(mapped(read_table(content.encode(), "a.csv")))
    assert [quote is None for quote in found.quotes] == [False, True, True, False]
    told = [str(fault.told) for fault in found.of("error")]
    assert told[0].startswith("Line 4, column 'GPU': No GPU named 'H999'")
    assert told[1].startswith("Line 5, column 'Price': 'cheap' is not one number")
    assert all(fault.told.render(language) for fault in found.faults for language in LANGUAGES)


def test_in_a_workbook_they_are_named_by_cell() -> None:
    content = saved(
        book([["ACME"], [], ["GPU", "Node", "Price"], ["H100", 1, 2.5], ["A100", 1, -3], ["X1", 1, 2]])
    )
    found = checked(mapped(read_table(content, "a.xlsx")))
    assert [str(fault.told).partition(":")[0] for fault in found.of("error")] == ["Cell C5", "Cell A6"]


def test_a_row_with_too_many_cells_is_an_error() -> None:
    found = checked(mapped(read_table(b"GPU,Price,Notes\nH100,1,234.50,x\nA100,2,\n", "a.csv")))
    assert found.quotes[0] is None
    assert str(found.of("error")[0].told).startswith("Line 2: 4 cells where the header has 3")
    assert found.quotes[1] is not None


def test_headers_say_the_unit() -> None:
    table = read_table("型号,单价(万元/台/月),数量,汇率,交货期(周)\nH100,6.5,2,0.14,3\n".encode(), "a.csv")
    (quote,) = checked(mapped(table)).good
    assert (quote.price, quote.per, quote.period, quote.currency) == (65_000, "node", "month", "CNY")
    assert (quote.nodes, quote.delivery_days) == (2, 21)
    table = read_table(b"GPU,$/GPU-hr,Term (years),VAT\n8x H100,2.50,1,19%\n", "a.csv")
    (quote,) = checked(mapped(table)).good
    assert (quote.per, quote.period, quote.gpus_per_node, quote.tax) == ("gpu", "hour", 8, 0.19)
    assert quote.commitment_months == 12


def test_a_price_with_tax_is_kept_without() -> None:
    table = read_table(
        "显卡,含税单价(元/卡时),税率,汇率\nH100,22.6,13%,0.14\nA100,10,,0.14\n".encode(), "a.csv"
    )
    found = checked(mapped(table))
    assert found.good[0].price == pytest.approx(20.0)
    assert found.good[1].price == 10.0
    assert [fault.sentence.key for fault in found.of("note") if "tax" in fault.sentence.key] == [
        "quotes.tax_taken_out",
        "quotes.tax_inside",
    ]


def test_a_mapping_can_be_guessed_shown_and_changed() -> None:
    table = read_table(b"Thing,Old price,New price\nH100,9,2\n", "a.csv")
    assert "gpu" not in guess_mapping(table)
    with pytest.raises(BadRequest, match="No column of the table is the GPU"):
        mapped(table)
    mapping = {"gpu": "Thing", "price": "New price"}
    assert checked(mapped(table, mapping)).good[0].price == 2.0
    assert unmapped(table, mapping) == ("Old price",)
    for wrong in ({"gpu": "Thing", "price": "None"}, {"cost": "Thing"}):
        with pytest.raises(BadRequest):
            mapped(table, wrong)


def test_merged_headers_of_two_rows() -> None:
    rows = [
        ["GPU", "Price", None, "Vendor"],
        [None, "USD per GPU-hour", "Notes", None],
        ["H100", 2.5, "a", "V"],
    ]
    table = read_table(saved(book(rows, ["A1:A2", "B1:C1", "D1:D2"])), "a.xlsx")
    assert table.headers == ("GPU", "Price / USD per GPU-hour", "Price / Notes", "Vendor")
    assert table.lines == (3,)
    (quote,) = checked(mapped(table)).good
    assert (quote.price, quote.per, quote.notes, quote.source) == (2.5, "gpu", "a", "V")


def test_merged_cells_count_for_each_row_and_are_told() -> None:
    rows = [["Vendor", "GPU", "Price"], ["ACME", "H100", 2.5], [None, "A100", 1.5]]
    table = read_table(saved(book(rows, ["A2:A3"])), "a.xlsx")
    assert [quote.source for quote in checked(mapped(table)).good] == ["ACME", "ACME"]
    assert "A2:A3" in str(table.notes[0])


def test_formulas_are_never_worked_out() -> None:
    content = saved(book([["GPU", "Price"], ["H100", "=1+1.5"], ["A100", 1.5]]))
    table = read_table(content, "a.xlsx")
    assert isinstance(table.rows[0][1], Unread)
    assert "B2" in str(table.notes[0])
    found = checked(mapped(table))
    assert [quote is None for quote in found.quotes] == [True, False]
    assert str(found.of("error")[0].told).startswith("Cell B2: B2 holds a formula without a stored value")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    stored = repacked(
        content, sheet1=sheet.replace(b"<v></v>", b"<v>2.5</v>").replace(b"<v />", b"<v>2.5</v>")
    )
    table = read_table(stored, "a.xlsx")
    assert table.rows[0][1] == 2.5
    assert "stored with them" in str(table.notes[0])


def test_errors_of_the_spreadsheet_are_told() -> None:
    found = checked(mapped(read_table(b"GPU,Price\nH100,#REF!\n", "a.csv")))
    assert "#REF! is an error" in str(found.faults[0].sentence)


def test_the_sheet_with_quotes_is_found_and_others_can_be_chosen() -> None:
    made = book([["Contents"]], Offers=[["GPU", "Price"], ["H100", 2]], Old=[["GPU", "Price"], ["H100", 9]])
    made["Old"].sheet_state = "hidden"
    content = saved(made)
    table = read_table(content, "a.xlsx")
    assert (table.sheet, table.sheets) == ("Offers", ("Prices", "Offers", "Old"))
    assert {note.key for note in table.notes} == {"quotes.note.hidden", "quotes.note.sheets"}
    assert read_table(content, "a.xlsx", sheet="Old").rows == (("H100", 9),)
    with pytest.raises(BadRequest, match="There is no sheet 'New'"):
        read_table(content, "a.xlsx", sheet="New")


def test_a_currency_in_the_number_format_counts() -> None:
    made = book([["GPU", "Price", "FX"], ["H100", 2.5, 1.1], ["A100", 1.5, 1]])
    made["Prices"]["B2"].number_format = "#,##0.00 [$€-407]"
    made["Prices"]["B3"].number_format = "[$-409]#,##0.00"
    found = checked(mapped(read_table(saved(made), "a.xlsx")))
    assert [quote.currency for quote in found.good] == ["EUR", "USD"]


BOMB = repacked(xlsx_template(), bomb=b"\0" * 120_000_000)
MACRO = repacked(xlsx_template(), vbaProject=b"macro")


def zipped(**parts: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.csv", "holds no table"),
        (b"\n \n", "a.csv", "holds no table"),
        (b"GPU,Price\n", "a.csv", "only a header"),
        (b"1,2\n3,4\n", "a.csv", "No header"),
        (b"hello world", "a.csv", "No header"),
        (b"\x00\x01\x02\xff", "a.csv", "neither a workbook nor text"),
        (b'GPU,Price\nH100,"2\n', "a.csv", "Line 2 of the CSV"),
        (b"x" * 25_000_001, "a.csv", "at most 25 MB"),
        (xlsx_template(), "a.xlsm", "macros"),
        (MACRO, "a.xlsx", "macros"),
        (BOMB, "a.xlsx", "Unpacked, the workbook has 120 MB"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "a.xls", ".xls workbook or one with a password"),
        (zipped(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "a.zip", ".ods workbook"),
        (b"", "a.ods", ".ods workbook"),
        (zipped(a="b"), "a.zip", "without a workbook"),
        (b"%PDF-1.7", "a.pdf", "PDF"),
        (b"<html><table></table></html>", "a.xls", "web page"),
        (xlsx_template()[:3000], "a.xlsx", "broken"),
        (b"GPU,Price\n" + b"H100,2\n" * 50_001, "a.csv", "More than 50,000 rows"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_other_files_are_refused_with_what_to_do(content: bytes, name: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message) as caught:
        read_table(content, name)
    assert all(caught.value.sentence.render(language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("1.234,56", None, 1234.56),
        ("1,234.56", None, 1234.56),
        ("1'234.5", None, 1234.5),
        ("1 234,5", None, 1234.5),
        ("2,50", None, 2.5),
        ("1,234", None, 1234.0),
        ("1,234", ",", 1.234),
        ("1.234", ",", 1234.0),
        ("1.234.567", None, 1234567.0),
        ("12.5k USD", None, 12500.0),
        ("1.2万元/台/月", None, 12000.0),
        ("$1.2M", None, 1.2e6),
        ("-$5", None, None),
        ("(5)", None, None),
        ("-5", None, -5.0),
        ("2-3", None, None),
        ("1,23,456", None, None),
        ("1e-07", None, 1e-7),
        ("nan", None, None),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, decimal: str | None, value: float | None) -> None:
    found = amount_of(text, decimal)
    assert (found.value if found else None) == (value if value is None else pytest.approx(value))


def test_the_sign_before_the_fraction_is_that_of_the_table() -> None:
    assert decimal_of(["1,5", "1.234"]) == ","
    assert decimal_of(["1.5", "1,234"]) == "."
    assert decimal_of(["1.5", "1,5"]) is None
    assert decimal_of(["1,234"]) is None
    found = checked(mapped(read_table(b"GPU;Price\nA100;1,5\nH100;2.345,5\n", "a.csv")))
    assert [quote.price for quote in found.good] == [1.5, 2345.5]
    doubtful = checked(mapped(read_table(b'GPU,Price\nA100,"1,234"\n', "a.csv"))).of("warning")
    assert "quotes.doubtful" in {fault.sentence.key for fault in doubtful}


@pytest.mark.parametrize(
    ("text", "currency", "per", "period"),
    [
        ("$/GPU/hour", "USD", "gpu", "hour"),
        ("USD per GPU-hr", "USD", "gpu", "hour"),
        ("元/月", "CNY", None, "month"),
        ("¥/卡时", "CNY", "gpu", "hour"),
        ("EUR per node per month", "EUR", "node", "month"),
        ("GPU server price (EUR, yearly)", "EUR", "node", "year"),
        ("元每台每年", "CNY", "node", "year"),
        ("Total (USD)", "USD", "total", None),
        ("£ one-time", "GBP", None, "once"),
    ],
)
def test_units_are_read_in_both_languages(
    text: str, currency: str, per: str | None, period: str | None
) -> None:
    found = unit_of(text)
    assert (found.currency, found.per, found.period) == (currency, per, period)
