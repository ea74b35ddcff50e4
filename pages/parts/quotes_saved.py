"""Where quotes are saved and found: the bar with the name above the page, and the list in the sidebar."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import Conflict, PlannerError
from core.store import Summary
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.quotes_rows import Row
from pages.parts.quotes_work import (
    FAULT,
    NAME,
    add_rows,
    delete,
    duplicate,
    is_changed,
    load,
    opened,
    save,
    store,
    undo,
)

Translator = Callable[..., str]

RENAMED = "quotes:renamed"
"""Set where what was saved may have another name than the field."""


def save_bar(inputs: Inputs, rows: list[Row], t: Translator) -> None:
    """Draw the name, what may be done with it, and what went wrong."""
    work = opened()
    if st.session_state.pop(RENAMED, False) and work is not None:
        st.session_state[NAME] = work.name
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if NAME not in st.session_state:
            st.session_state[NAME] = st.session_state.get(f"{NAME}:text", "")
        name = st.text_input(
            t("quotes_page.name"), key=NAME, placeholder=t("quotes_page.name_hint"), width=320
        )
        st.session_state[f"{NAME}:text"] = name
        if st.button(t("quotes_page.save"), icon=":material/save:", type="primary", key="quotes_save"):
            _saved(inputs, rows, name, copy=False)
        if work is not None and st.button(t("quotes_page.save_copy"), key="quotes_save_copy"):
            same = name.strip() == work.name
            _saved(inputs, rows, t("store.copy", name=name) if same else name, copy=True)
    if work is not None:
        changed = is_changed(inputs, rows) or name.strip() != work.name
        when = f"{work.updated:%Y-%m-%d %H:%M}"
        state = t("quotes_page.unsaved" if changed else "quotes_page.all_saved")
        st.caption(
            t("quotes_page.opened", name=plain(work.name), version=work.version, when=when, state=state)
        )
    _told(inputs, rows, name, t)


def _saved(inputs: Inputs, rows: list[Row], name: str, *, copy: bool) -> None:
    save(inputs, rows, name, copy=copy)
    if FAULT not in st.session_state:
        st.session_state[RENAMED] = True
    st.rerun()


def _told(inputs: Inputs, rows: list[Row], name: str, t: Translator) -> None:
    error: PlannerError | None = st.session_state.get(FAULT)
    if error is None:
        return
    st.error(error.sentence.render(language.current()), icon=":material/error:")
    work = opened()
    if not isinstance(error, Conflict) or work is None:
        return
    with st.container(horizontal=True):
        if st.button(t("quotes_page.keep_mine"), type="primary", key="quotes_keep_mine"):
            _saved(inputs, rows, t("store.copy", name=name), copy=True)
        st.button(t("quotes_page.load_theirs"), key="quotes_load_theirs", on_click=load, args=(work.id,))


def saved_list(t: Translator) -> None:
    """Draw the saved quotes, the newest first, behind a click."""
    with st.expander(t("quotes_page.saved"), key="quotes_group_saved", on_change="rerun") as group:
        if group.open:
            _list(t)


def _list(t: Translator) -> None:
    if removed := st.session_state.get("quotes:deleted"):
        token, name = removed
        st.caption(t("quotes_page.deleted", name=plain(name)))
        st.button(
            t("quotes_page.undo"), icon=":material/undo:", key="quotes_undo", on_click=undo, args=(token,)
        )
    words = st.text_input(
        t("quotes_page.search"), key="quotes_search", placeholder=t("quotes_page.search_hint")
    )
    page = int(st.session_state.get("quotes_page_number") or 1)
    try:
        listing = store().listed("quotes", words, page)
    except PlannerError as error:
        st.error(error.sentence.render(language.current()), icon=":material/error:")
        return
    if not listing.count:
        st.caption(t("quotes_page.none_saved"))
    for one in listing.items:
        _line(one, t)
    if listing.pages > 1:
        # The list may have become shorter.
        st.session_state["quotes_page_number"] = listing.page
        st.number_input(
            t("quotes_page.page", pages=listing.pages), 1, listing.pages, key="quotes_page_number"
        )


def _line(one: Summary, t: Translator) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
        st.button(
            plain(one.name),
            key=f"quotes_open_{one.id}",
            on_click=load,
            args=(one.id,),
            width="stretch",
            help=t("quotes_page.saved_at", when=f"{one.updated:%Y-%m-%d %H:%M}", version=one.version),
        )
        with st.popover(
            "", icon=":material/more_vert:", key=f"quotes_more_{one.id}", help=t("quotes_page.more")
        ):
            for name, act, arguments in (
                ("add_here", add_rows, (one.id,)),
                ("duplicate", duplicate, (one.id, t("store.copy", name=one.name))),
                ("delete", delete, (one.id, one.name)),
            ):
                st.button(
                    t(f"quotes_page.{name}"),
                    key=f"quotes_{name}_{one.id}",
                    on_click=act,  # type: ignore[arg-type]
                    args=arguments,
                    width="stretch",
                )
