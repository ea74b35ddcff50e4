"""Files with quotes, CSV and XLSX, as tables."""

from __future__ import annotations

import codecs
import csv
import io
import re

from core.errors import BadRequest, shown
from core.quotes.heading import MOST_ROWS, Raw, header_place, header_score, table_of
from core.quotes.sheets import read_workbook
from core.quotes.table import Cell, Table
from core.text import Sentence, say

MOST_BYTES = 25_000_000
"""Size of a file, at most."""

SEPARATORS = ",;\t|"

_OTHERS = {
    b"\xd0\xcf\x11\xe0": "old_workbook",
    b"%PDF": "pdf",
    b"\x89PNG": "picture",
    b"\xff\xd8\xff": "picture",
    b"GIF8": "picture",
    b"\x1f\x8b": "packed",
    b"7z\xbc\xaf": "packed",
    b"Rar!": "packed",
}
"""Files that are refused with what to do instead, by their first bytes."""

_TRIED = 60
"""Lines on which separators are tried."""


def read_table(content: bytes, filename: str, sheet: str | None = None) -> Table:
    """Return the table of a CSV or XLSX file; of *sheet*, by default the first sheet that holds a table.

    Formulas and macros are never run: the values that the program stored beside formulas are used, and told.

    Raises:
        BadRequest: not such a file, too large, broken, or without a table; the message says what to do.
    """
    if len(content) > MOST_BYTES:
        size = f"{len(content) / 1e6:.0f}"
        raise BadRequest("quotes.too_large", field="file", found=size, most=f"{MOST_BYTES / 1e6:.0f}")
    ending = filename.rpartition(".")[2].lower()
    if ending in ("xlsm", "xltm", "xlam"):
        raise BadRequest("quotes.refused.macros", field="file")
    if ending in ("xlsb", "ods", "numbers"):
        raise BadRequest("quotes.refused.other_workbook", field="file", ending=ending)
    for start, key in _OTHERS.items():
        if content.startswith(start):
            raise BadRequest(f"quotes.refused.{key}", field="file")
    if content.startswith(b"PK\x03\x04"):
        return read_workbook(content, sheet)
    return _read_csv(content)


def _read_csv(content: bytes) -> Table:
    text, notes = decoded(content)
    if not text.strip():
        raise BadRequest("quotes.empty", field="file")
    if text.lstrip()[:1] == "<":
        raise BadRequest("quotes.refused.markup", field="file")
    declared = re.match(r"sep=([,;\t|])\r?\n", text)
    separator = declared[1] if declared else _separator(text)
    lines = _lines(text, separator)
    if declared:
        lines = lines[1:]
    return table_of(Raw(lines, notes, separator=separator))


def decoded(content: bytes) -> tuple[str, list[Sentence]]:
    """Return the text of *content*, with a note where its encoding had to be guessed.

    Raises:
        BadRequest: it is no text.
    """
    encoding, note = _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise BadRequest("quotes.not_text", field="file") from None
    text = text.removeprefix("\ufeff")
    if re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text):
        raise BadRequest("quotes.not_text", field="file")
    return text, [note] if note else []


def _encoding(content: bytes) -> tuple[str, Sentence | None]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", None
    head = content[:4000]
    if head.count(0) > len(head) // 5:  # Latin letters in UTF-16 are every other byte zero
        return ("utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"), None
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8", None
    runs = [len(found) for found in re.findall(rb"[\x80-\xff]+", content[:200_000])]
    alone = sum(1 for length in runs if length == 1)
    name = (
        "cp1252" if alone * 2 > len(runs) else "gb18030"
    )  # Chinese signs are pairs, accented letters stand alone
    return name, say("quotes.note.encoding", encoding={"cp1252": "Windows-1252", "gb18030": "GB18030"}[name])


def _separator(text: str) -> str:
    """Return the separator with which the first lines have the best header, and the widest where that is even."""
    head = "\n".join(text[:200_000].splitlines()[:_TRIED])

    def worth(separator: str) -> tuple[int, int]:
        try:
            lines = _lines(head, separator, strict=False)
        except BadRequest:
            return (0, 0)
        place = header_place(lines)
        return (0, 0) if place is None else (header_score(lines[place][1]), len(lines[place][1]))

    return max(SEPARATORS, key=worth)


def _lines(text: str, separator: str, *, strict: bool = True) -> list[tuple[int, list[Cell]]]:
    """Return the rows that hold something, with the number of the line on which each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    lines: list[tuple[int, list[Cell]]] = []
    begin = 1
    try:
        for row in reader:
            if any(cell and not cell.isspace() for cell in row):
                lines.append((begin, [*row]))
            begin = reader.line_num + 1
            if len(lines) > MOST_ROWS + _TRIED:
                raise BadRequest("quotes.too_many_rows", field="file", most=f"{MOST_ROWS:,}")
    except csv.Error as error:
        raise BadRequest("quotes.bad_csv", field="file", line=begin, reason=shown(str(error))) from None
    return lines
