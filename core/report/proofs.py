"""The sheet of sources: who says what a workbook uses, and when."""

from __future__ import annotations

from datetime import date

from core.planning.document import program_version
from core.report.cells import head, put, title, widths
from core.report.layout import FIRST, Book


def write_sources(book: Book) -> None:
    """Write who says so: prices, assumptions, the files behind them, and what to be careful of."""
    sheet, report = book.sheets["sources"], book.report
    made = book.words("made", created=report.created.isoformat(" ", "minutes"), version=program_version())
    title(sheet, book.words("sheet.sources"), made)
    names = ("quote", "as_of", "age", "source")
    head(sheet, FIRST, [book.words(f"column.{name}") for name in names])
    row = FIRST
    for row, one in enumerate(report.rows, start=FIRST + 1):
        quote = one.quote
        age = report.age(one).sentence.render(book.language)
        told: tuple[str | date | None, ...] = (quote.name, quote.as_of, age, quote.source)
        for column, value in enumerate(told, start=1):
            put(sheet, row, column, value)
    below = _write_proofs(book, row + 2)
    head(sheet, below, [book.words("column.file"), book.words("column.digest")])
    files = [*report.data["files"].items(), (book.words("version"), report.data["sha256"])]
    for at, (name, digest) in enumerate(files, start=below + 1):
        put(sheet, at, 1, name)
        put(sheet, at, 2, digest)
    below += len(files) + 2
    for at, warned in enumerate([(one, note) for one in report.rows for note in one.warnings], start=below):
        put(sheet, at, 1, warned[0].quote.name)
        put(sheet, at, 2, warned[1].render(book.language))
    widths(sheet, 44, 40, 4)


def _write_proofs(book: Book, first: int) -> int:
    """Write who says what is assumed; return the next free row."""
    sheet = book.sheets["sources"]
    head(
        sheet,
        first,
        [book.words(f"column.{name}") for name in ("assumption", "as_of", "confidence", "source")],
    )
    row = first
    for one in book.report.assumed:
        if one.range is None or one.range.figure is None:
            continue
        row += 1
        proof = one.range.figure.provenance
        confidence = book.words(f"confidence.{proof.confidence}")
        for column, value in enumerate(
            (one.label.render(book.language), proof.as_of, confidence, proof.source), start=1
        ):
            put(sheet, row, column, value)
    return row + 2
