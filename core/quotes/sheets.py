"""XLSX workbooks as tables: what is stored is read, nothing is worked out."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.cell import range_boundaries

from core.collector import uncollected
from core.errors import BadRequest, PlannerError, shown
from core.quotes.heading import MOST_ROWS, Line, Raw, header_place, header_score, table_of
from core.quotes.table import Cell, Table, Unread, letter
from core.quotes.units import unit_of
from core.text import Sentence, say

MOST_UNPACKED = 100_000_000
"""Bytes of a workbook's parts together, unpacked."""

MOST_OF_OTHERS = 16_000_000
"""Bytes of a part that is neither a sheet nor the list of texts."""

LAST_ROW = 1_048_576
MOST_FILLED = 500_000
"""Cells that merged ranges fill, at most."""

_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]{0,200}?\bref=\"([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})\"")
_MONEY_FORMAT = re.compile(rb'formatCode="[^"]*(?:\[\$[^\-\]]|[$\xc2-\xef]|&quot;|&#)')
_SIGN = re.compile(r"\[\$([^\]-]+)|\"([^\"]+)\"|([$€£¥₩₹])")


_KEPT = (str, int, float, date)
_LOCALE = re.compile(r"\[\$-[^\]]*\]")


@dataclass(frozen=True)
class _Sheet:
    """A sheet of a workbook: its rows can be iterated, its file can be searched."""

    name: str
    hidden: bool
    cells: Any
    path: str


def read_workbook(content: bytes, sheet: str | None) -> Table:
    """Return the table of *sheet* in an XLSX file, by default of the first visible sheet with columns of quotes.

    Raises:
        BadRequest: another kind of file, broken, too large unpacked, no such sheet, or no table.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, uncollected():
            _inspect(archive)
            return _read(content, archive, sheet)
    except PlannerError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken workbook makes openpyxl raise errors of many kinds
        raise BadRequest("quotes.bad_workbook", field="file", reason=shown(str(error))) from None


def _inspect(archive: zipfile.ZipFile) -> None:
    """Refuse other packed files, macros, passwords and bombs.

    A part never unpacks to more than its entry in the archive's list says, so the list can be trusted as a bound.
    """
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if "mimetype" in names or "content.xml" in names or "xl/workbook.bin" in names:
        raise BadRequest(
            "quotes.refused.other_workbook", field="file", ending="ods" if "mimetype" in names else "xlsb"
        )
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise BadRequest("quotes.refused.packed", field="file")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise BadRequest("quotes.refused.macros", field="file")
    if any(entry.flag_bits & 1 for entry in entries):
        raise BadRequest("quotes.refused.password", field="file")
    total = sum(entry.file_size for entry in entries)
    large = [entry for entry in entries if entry.file_size > MOST_OF_OTHERS and not _is_data(entry.filename)]
    if total > MOST_UNPACKED or large or len(entries) > 10_000:
        raise BadRequest(
            "quotes.bomb", field="file", found=f"{total / 1e6:,.0f}", most=f"{MOST_UNPACKED / 1e6:.0f}"
        )


def _is_data(name: str) -> bool:
    return name.startswith("xl/worksheets/") or name.lower().endswith("sharedstrings.xml")


def _read(content: bytes, archive: zipfile.ZipFile, name: str | None) -> Table:
    sheets = list(_sheets(content, data_only=True))
    names = tuple(found.name for found in sheets)
    if name is not None:
        chosen = next((found for found in sheets if found.name == name), None)
        if chosen is None:
            raise BadRequest(
                "quotes.no_sheet", field="sheet", name=shown(name), names=shown(", ".join(names))
            )
        return table_of(_raw(content, archive, chosen, names))
    visible = [found for found in sheets if not found.hidden]
    hidden = [found.name for found in sheets if found.hidden]
    raw = _first_with_table(content, archive, visible, names)
    if raw is None:
        key = "quotes.only_hidden" if hidden and not visible else "quotes.empty"
        raise BadRequest(key, field="file", names=shown(", ".join(hidden)))
    if hidden:
        raw.notes.append(say("quotes.note.hidden", names=", ".join(map(shown, hidden[:5]))))
    others = [found.name for found in visible if found.name != raw.sheet]
    if others:
        raw.notes.append(say("quotes.note.sheets", sheet=raw.sheet, others=", ".join(map(shown, others[:5]))))
    return table_of(raw)


def _first_with_table(
    content: bytes, archive: zipfile.ZipFile, sheets: list[_Sheet], names: tuple[str, ...]
) -> Raw | None:
    """Return the first sheet with a header of quotes; else the first with anything like a header, or anything."""
    second: Raw | None = None
    for found in sheets:
        raw = _raw(content, archive, found, names)
        place = header_place(raw.lines)
        if place is not None and header_score(raw.lines[place][1]) >= 2:
            return raw
        if raw.lines and (second is None or (place is not None and header_place(second.lines) is None)):
            second = raw
    return second


def _sheets(content: bytes, *, data_only: bool) -> Iterator[_Sheet]:
    """Yield the sheets with cells, in order; of formulas the stored values where *data_only*, else the formulas."""
    reader = ExcelReader(io.BytesIO(content), read_only=True, data_only=data_only, keep_links=False)
    reader.read()
    paths = {sheet.name: relation.target for sheet, relation in reader.parser.find_sheets()}
    for cells in reader.wb.worksheets:
        yield _Sheet(cells.title, cells.sheet_state != "visible", cells, paths[cells.title])


def _raw(content: bytes, archive: zipfile.ZipFile, sheet: _Sheet, names: tuple[str, ...]) -> Raw:
    source = archive.read(sheet.path)
    raw = Raw([], sheet=sheet.name, sheets=names)
    if _has_currencies(archive):
        raw.lines, raw.currencies = _with_currencies(sheet)
    else:
        raw.lines = [
            (line, [_value(value) for value in values]) for line, values in _rows(sheet, values_only=True)
        ]
    if _FORMULA.search(source):
        _tell_formulas(content, sheet.name, raw)
    raw.spans = [_span(found.decode()) for found in _MERGED.findall(source)][:10_000]
    _fill_merged(raw)
    raw.lines = [(line, cells) for line, cells in raw.lines if any(cell not in (None, "") for cell in cells)]
    return raw


def _has_currencies(archive: zipfile.ZipFile) -> bool:
    """Return whether a number format of the workbook shows a currency; cells are read much faster without formats."""
    return "xl/styles.xml" in archive.namelist() and bool(_MONEY_FORMAT.search(archive.read("xl/styles.xml")))


def _with_currencies(sheet: _Sheet) -> tuple[list[Line], dict[tuple[int, int], str]]:
    """Return the rows of *sheet*, and the currencies that its number formats show by (line, column)."""
    lines: list[Line] = []
    currencies: dict[tuple[int, int], str] = {}
    formats: dict[str, str | None] = {}
    for line, cells in _rows(sheet):
        values = [_value(cell.value) for cell in cells]
        for cell, value in zip(cells, values, strict=True):
            if isinstance(value, int | float):
                currency = _currency(cell.number_format, formats)
                if currency:
                    currencies[line, cell.column] = currency
        lines.append((line, values))
    return lines, currencies


def _rows(sheet: _Sheet, *, values_only: bool = False) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield the rows that hold cells with their numbers.

    The size that a sheet states is not believed: it may be far too large, or too small.
    """
    sheet.cells.reset_dimensions()
    found = 0
    for line, cells in enumerate(sheet.cells.iter_rows(values_only=values_only), start=1):
        found += bool(cells) and any((cell if values_only else cell.value) is not None for cell in cells)
        if line > LAST_ROW or found > MOST_ROWS + 100:
            raise BadRequest("quotes.too_many_rows", field="file", most=f"{MOST_ROWS:,}")
        if cells:
            yield line, cells


def _value(value: object) -> Cell:
    if value is None or isinstance(value, _KEPT):
        return value
    return str(value)


def _currency(number_format: str, known: dict[str, str | None]) -> str | None:
    """Return the currency that a number format shows: "[$€-407]" or a sign in quotes."""
    if number_format not in known:
        found = None
        if number_format != "General":
            shown_format = _LOCALE.sub("", number_format.partition(";")[0])
            signs = ["".join(parts) for parts in _SIGN.findall(shown_format)]
            found = next((currency for sign in signs if (currency := unit_of(sign).currency)), None)
            found = "JPY" if found == "CNY" and "-411]" in shown_format else found
        known[number_format] = found
    return known[number_format]


def _tell_formulas(content: bytes, name: str, raw: Raw) -> None:
    """Note the formulas of a sheet, and mark those without a stored value."""
    sheet = next(found for found in _sheets(content, data_only=False) if found.name == name)
    lines = dict(raw.lines)
    stored: list[str] = []
    missing: list[str] = []
    for line, cells in _rows(sheet):
        for cell in cells:
            if cell.data_type != "f":
                continue
            place = f"{letter(cell.column)}{line}"
            values = lines.get(line)
            if values is None:
                values = lines[line] = []
            values += [None] * (cell.column - len(values))
            if values[cell.column - 1] is None:
                values[cell.column - 1] = Unread(say("quotes.formula", cell=place))
                missing.append(place)
            else:
                stored.append(place)
    raw.lines = sorted(lines.items())
    raw.notes += _of_formulas(stored, missing)


def _of_formulas(stored: list[str], missing: list[str]) -> list[Sentence]:
    notes = []
    if stored:
        notes.append(say("quotes.note.formulas", count=len(stored), cells=", ".join(stored[:5])))
    if missing:
        notes.append(say("quotes.note.no_values", count=len(missing), cells=", ".join(missing[:5])))
    return notes


def _span(ref: str) -> tuple[int, int, int, int]:
    left, first, right, last = (int(edge or 0) for edge in range_boundaries(ref))
    return first, left, last, right


def _fill_merged(raw: Raw) -> None:
    """Write the value of each merged range into all of its cells, as the sheet shows it."""
    lines = dict(raw.lines)
    filled = 0
    told: list[str] = []
    for first, left, last, right in raw.spans:
        value = next(iter(lines.get(first, [])[left - 1 : left]), None)
        if value is None or value == "" or last > LAST_ROW or right > 16_384:
            continue
        told.append(f"{letter(left)}{first}:{letter(right)}{last}")
        for line in range(first, min(last, first + MOST_ROWS) + 1):
            cells = lines.get(line)
            if cells is None:
                continue
            filled += right - left + 1
            if filled > MOST_FILLED:
                raise BadRequest("quotes.too_merged", field="file")
            cells += [None] * (right - len(cells))
            cells[left - 1 : right] = [value] * (right - left + 1)
    if told:
        raw.notes.append(say("quotes.note.merged", count=len(told), ranges=", ".join(told[:5])))
