"""Quotes that are kept: saved under a name, opened by a link, changed by several people without a loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core.catalog.accelerators import PATH as ACCELERATORS
from core.catalog.offers import PATH as OFFERS
from core.catalog.ownership import PATH as OWNERSHIP
from core.errors import BadRequest, PlannerError
from core.planning.document import files_version
from core.store import Attachment, Saved, open_store
from pages.parts.inputs import Inputs
from pages.parts.quotes_fields import FIELDS, STATED
from pages.parts.quotes_import import ORIGINALS
from pages.parts.quotes_rows import Row, add, cleaned, put

Translator = Callable[..., str]

FORMAT = "quotes/1"
PARAMETER = "work"
"""What names saved work in an address."""

WORK = "quotes:work"
"""Where the session keeps the work that is open."""
FAULT = "quotes:fault"
"""Where the session keeps why work could not be opened, saved or deleted."""
NAME = "quotes_name"


@st.cache_resource(show_spinner=False)
def store() -> Any:
    """Return the store, one for all sessions."""
    return open_store()


@st.cache_resource(show_spinner=False)
def _data_version() -> str:
    """Return the hash of the prices and cards that quotes are compared with."""
    return str(files_version([ACCELERATORS, OFFERS, OWNERSHIP])["sha256"])


def content_of(inputs: Inputs, rows: list[Row]) -> dict[str, Any]:
    """Return rows and inputs as they are saved; defaults too, which may be others tomorrow."""
    spelled = inputs.spelled(defaults=True)
    shown = {name for name in spelled if name in STATED or spelled[name] != _default(name)}
    kept = {name: value for name, value in spelled.items() if name in shown and name != "view"}
    return {"format": FORMAT, "rows": rows, "inputs": kept}


def _default(name: str) -> str | None:
    field = FIELDS[name]
    return None if field.default is None else field.spell(field.default)


def opened() -> Saved | None:
    """Return the work that is open."""
    work: Saved | None = st.session_state.get(WORK)
    return work


def is_changed(inputs: Inputs, rows: list[Row]) -> bool:
    """Return whether there is something to save."""
    work = opened()
    return work is None or content_of(inputs, rows) != work.content


def settle(inputs: Inputs) -> None:
    """Open the work that the address names; called before the inputs are read."""
    asked, work = st.query_params.get(PARAMETER), opened()
    if asked is None and work is not None:
        # Another page was looked at meanwhile: Streamlit drops what the address said.
        st.query_params[PARAMETER] = work.id
    elif asked is not None and (work is None or work.id != asked):
        said = {name: st.query_params[name] for name in FIELDS if name in st.query_params}
        try:
            take(inputs, store().get(asked), said)
        except PlannerError as error:
            st.session_state[FAULT] = error
            st.query_params.pop(PARAMETER)


def take(inputs: Inputs, work: Saved, said: Mapping[str, str]) -> None:
    """Show *work*; what the address *said* of inputs goes before what was saved.

    Raises:
        BadRequest: it was not saved by this page.
    """
    rows, spelled = work.content.get("rows"), work.content.get("inputs")
    if work.kind != "quotes" or not isinstance(rows, list) or not isinstance(spelled, dict):
        raise BadRequest("quotes_page.other_work", field="work", name=work.name)
    values: dict[str, Any] = {
        name: field.default for name, field in FIELDS.items() if name != "view" or name in said
    }
    for name, given in {**spelled, **said}.items():
        try:
            values[name] = FIELDS[name].parse(str(given))
        except (ValueError, KeyError, OverflowError):
            continue
    inputs.change(**values)
    put(cleaned(row for row in rows if isinstance(row, dict)))
    st.session_state[ORIGINALS] = {
        one.name: store().attachment(work.id, one.name).content for one in work.attachments
    }
    st.session_state[WORK] = work
    st.session_state[NAME] = work.name
    st.session_state.pop(FAULT, None)


def save(inputs: Inputs, rows: list[Row], name: str, *, copy: bool) -> None:
    """Save the page, as a new version of what is open or as a *copy*; a fault is kept to be told."""
    work = opened()
    content = content_of(inputs, rows)
    kept: dict[str, bytes] = st.session_state.get(ORIGINALS, {})
    version = _data_version()
    try:
        if work is None or copy:
            files = tuple(Attachment(file, content) for file, content in kept.items())
            saved = store().save("quotes", name, content, attachments=files, data_version=version)
        else:
            known = {one.name: one for one in work.attachments}
            fresh = [Attachment(file, found) for file, found in kept.items()]
            files = tuple(one for one in fresh if known.get(one.name) != one.info)
            saved = store().update(
                work.id, work.version, name=name, content=content, attach=files, data_version=version
            )
    except PlannerError as error:
        st.session_state[FAULT] = error
        return
    st.session_state.pop(FAULT, None)
    st.session_state[WORK] = saved
    st.query_params[PARAMETER] = saved.id


def load(id_: str) -> None:
    """Open the work with *id_* in place of what is shown, with nothing of the inputs that are."""
    st.session_state.pop(WORK, None)
    st.session_state.pop(FAULT, None)
    st.query_params.from_dict({PARAMETER: id_})


def close() -> None:
    """Forget which work is open: what is shown next is new."""
    for name in (WORK, FAULT):
        st.session_state.pop(name, None)
    st.session_state[NAME] = ""
    st.session_state[ORIGINALS] = {}
    st.query_params.pop(PARAMETER, None)


def duplicate(id_: str, name: str) -> None:
    """Copy the work with *id_* and open the copy."""
    try:
        load(store().duplicate(id_, name).id)
    except PlannerError as error:
        st.session_state[FAULT] = error


def delete(id_: str, name: str) -> None:
    """Delete the work with *id_*; the session remembers how to undo it."""
    try:
        st.session_state["quotes:deleted"] = store().delete(id_), name
    except PlannerError as error:
        st.session_state[FAULT] = error
        return
    work = opened()
    if work is not None and work.id == id_:
        close()


def undo(token: str) -> None:
    """Bring back what was deleted."""
    try:
        store().restore(token)
    except PlannerError as error:
        st.session_state[FAULT] = error
        return
    st.session_state.pop("quotes:deleted", None)


def add_rows(id_: str) -> None:
    """Add the quotes of the work with *id_* to those that are shown, to compare them."""
    try:
        rows = store().get(id_).content.get("rows", [])
    except PlannerError as error:
        st.session_state[FAULT] = error
        return
    add(cleaned(row for row in rows if isinstance(row, dict)))


def start_empty() -> None:
    """Begin anew, with no quote."""
    close()
    put([])
