"""A file of quotes: which header is which column, what is wrong with its rows, and its rows into the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from core.cost.quote import Quote
from core.errors import PlannerError
from core.planning.fair import rates
from core.quotes import COLUMNS, Checked, Table, checked, guess_mapping, mapped, read_table
from core.quotes import Row as FileRow
from core.quotes.mapping import SURE
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.quotes_rows import KEYS, Row, add, put, row_of, written
from pages.parts.quotes_table import tell_faults

Translator = Callable[..., str]

FILE = "quotes_file"
ORIGINALS = "quotes:originals"
"""Where the session keeps the files as they were uploaded, by name."""

_GENERATION = "quotes:imports"
_UNUSED = ""


@dataclass(frozen=True)
class Import:
    """The rows of a file under a mapping, and what came of them."""

    name: str
    rows: Sequence[FileRow]
    checked: Checked


def import_panel(t: Translator) -> None:
    """Draw the place for a file, and below it what is read from the one that was given."""
    st.caption(t("quotes_page.import_note"))
    file = st.file_uploader(
        t("quotes_page.upload"),
        type=["csv", "tsv", "txt", "xlsx"],
        key=f"{FILE}_{st.session_state.get(_GENERATION, 0)}",
    )
    if file is None:
        return
    content = file.getvalue()
    try:
        table = read_table(content, file.name)
        if len(table.sheets) > 1:
            place = table.sheets.index(table.sheet) if table.sheet in table.sheets else 0
            sheet = st.selectbox(t("quotes_page.sheet"), table.sheets, index=place, key="quotes_sheet")
            table = read_table(content, file.name, sheet)
        for note in table.notes:
            st.caption(plain(note.render(language.current())))
        mapping = _mapping(table, t)
        if mapping is None:
            return
        rows = mapped(table, mapping)
    except PlannerError as error:
        st.error(error.sentence.render(language.current()), icon=":material/error:")
        return
    found = Import(file.name, rows, checked(rows, rates=rates()))
    tell_faults(found.checked, t, "quotes_import")
    _take_over(found, content, t)


def _mapping(table: Table, t: Translator) -> dict[str, str] | None:
    """Draw which column each header of *table* is, and return it; None where two are the same."""
    guesses = guess_mapping(table)
    guessed = {guess.header: key for key, guess in guesses.items() if guess.confidence >= SURE}
    labels = {column.key: column.label.render(language.current()) for column in COLUMNS}
    labels[_UNUSED] = t("quotes_page.not_used")
    st.markdown(f"**{t('quotes_page.mapping')}**")
    chosen: dict[str, list[str]] = {}
    with st.grid(4, min_column_width=170):
        for place, header in enumerate(table.headers):
            options = (_UNUSED, *KEYS)
            key = st.selectbox(
                plain(header),
                options,
                index=options.index(guessed.get(header, _UNUSED)),
                format_func=labels.__getitem__,
                key=f"quotes_map_{place}_{header}",
                help=t("quotes_page.sample", value=plain(_sample(table, place))),
            )
            chosen.setdefault(key, []).append(header)
    chosen.pop(_UNUSED, None)
    twice = [f"{labels[key]} ({', '.join(headers)})" for key, headers in chosen.items() if len(headers) > 1]
    if twice:
        st.error(t("quotes_page.twice", names=plain("; ".join(twice))), icon=":material/error:")
        return None
    return {key: headers[0] for key, headers in chosen.items()}


def _sample(table: Table, place: int) -> str:
    return next((written(row[place]) for row in table.rows if written(row[place])), "–")


def _take_over(found: Import, content: bytes, t: Translator) -> None:
    rows = rows_of(found)
    with st.container(horizontal=True):
        for name, how, kind in (("append", add, "primary"), ("replace", put, "secondary")):
            st.button(
                t(f"quotes_page.{name}", count=len(rows)),
                key=f"quotes_{name}",
                type=kind,
                disabled=not rows,
                on_click=_taken,
                args=(how, rows, found.name, content),
            )


def _taken(how: Callable[[list[Row]], None], rows: list[Row], name: str, content: bytes) -> None:
    how(rows)
    st.session_state.setdefault(ORIGINALS, {})[name] = content
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1


def rows_of(found: Import) -> list[Row]:
    """Return rows for the table: good ones as they were understood, bad ones as they stood in the file."""
    rows = []
    for row, quote in zip(found.rows, found.checked.quotes, strict=True):
        kept = _understood(quote) if quote else {key: written(row.get(key)) for key in KEYS}
        if any(kept.values()):
            kept["notes"] = kept.get("notes") or f"{found.name}: {row.place(None).render(language.current())}"
            rows.append({key: value for key, value in kept.items() if value})
    return rows


def _understood(quote: Quote) -> Row:
    return row_of(quote)
