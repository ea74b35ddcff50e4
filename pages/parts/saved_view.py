"""How saved work is shown on any page: a form with name and notes, what went wrong, and the list of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import PlannerError, StoreUnavailable
from core.store import Kind, Listing, Summary
from core.text import Sentence
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.saved_compared import compare_button
from pages.parts.saved_store import REST_S, asking
from pages.parts.saved_work import Work

Translator = Callable[..., str]

WIDE = 300
"""Pixels of a field of the form where there is room beside it."""
NAME = 160
"""Pixels of a name in the list: with its menu it fills a line of the sidebar."""
ICONS: dict[Kind, str] = {
    "plan": ":material/account_tree:",
    "quotes": ":material/request_quote:",
    "scenario": ":material/tune:",
}


def tell_missed(work: Work) -> None:
    """Say why the saved work that was asked for is not shown."""
    missed: PlannerError | None = work.pop("missed")
    if missed is not None:
        st.warning(missed.sentence.render(language.current()), icon=":material/link_off:")


def form(work: Work, t: Translator, *, wide: bool = False) -> None:
    """Draw name and notes, what may be done with them, and what went wrong; *wide*: fields beside each other."""
    saved, name_field, notes_field = work.opened, work.field("name"), work.field("notes")
    names, notes_words = (t("saved.name"), t("saved.name_hint")), (t("saved.notes"), t("saved.notes_hint"))
    if not wide:
        name = _text(st.text_input, name_field, *names)
        notes = _text(st.text_area, notes_field, *notes_words, height=68)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        if wide:
            name = _text(st.text_input, name_field, *names, WIDE)
            with st.popover(t("saved.notes"), icon=":material/notes:", key=work.field("notes_group")):
                notes = _text(st.text_area, notes_field, *notes_words, WIDE)
        renamed = saved is not None and (" ".join(name.split()) != saved.name or notes != saved.notes)
        _buttons(work, t, renamed=renamed)
    if saved is not None:
        state = t("saved.unsaved" if work.is_changed or renamed else "saved.all_saved")
        when = f"{saved.updated:%Y-%m-%d %H:%M}"
        st.caption(t("saved.opened", name=plain(saved.name), version=saved.version, when=when, state=state))
    _told(work, t)


def _text(
    field: Callable[..., str | None], key: str, label: str, hint: str, width: Any = "stretch", **more: int
) -> str:
    """Draw a field of text that keeps what was typed while it is not drawn."""
    if key not in st.session_state:
        st.session_state[key] = st.session_state.get(f"{key}:text", "")
    typed = field(label, key=key, width=width, placeholder=hint, **more) or ""
    st.session_state[f"{key}:text"] = typed
    return typed


def _buttons(work: Work, t: Translator, *, renamed: bool) -> None:
    st.button(
        t("saved.save"),
        icon=":material/save:",
        type="primary",
        key=work.field("save"),
        on_click=work.save,
        args=(t,),
    )
    if work.opened is not None:
        if renamed and not work.is_changed:
            help_ = t("saved.rename_help")
            st.button(t("saved.rename"), key=work.field("rename"), on_click=work.rename, help=help_)
        _copy(work, "save_copy", t)
        st.button(t("saved.close"), key=work.field("close"), on_click=work.close)
    st.button(
        t("saved.as_scenario"),
        icon=ICONS["scenario"],
        type="tertiary",
        key=work.field("scenario"),
        on_click=work.save_scenario,
        help=t("saved.scenario_help"),
    )


def _copy(work: Work, name: str, t: Translator, kind: Any = "secondary") -> None:
    st.button(
        t(f"saved.{name}"),
        key=work.field(name),
        type=kind,
        on_click=work.save,
        args=(t,),
        kwargs={"copy": True},
    )


def _told(work: Work, t: Translator) -> None:
    """Say what was done last, or why it could not be."""
    note: Sentence | None = work.pop("note")
    if note is not None:
        st.success(plain(note.render(language.current())), icon=":material/check:")
    error, saved = work.fault, work.opened
    if error is None:
        return
    st.error(plain(error.sentence.render(language.current())), icon=":material/error:")
    if isinstance(error, StoreUnavailable):
        _again(work, "told", t)
    if work.is_lost and saved is not None:
        with st.container(horizontal=True, gap="xsmall"):
            _copy(work, "keep_mine", t, "primary")
            st.button(t("saved.load_theirs"), key=work.field("theirs"), on_click=work.load, args=(saved.id,))


def _again(work: Work, where: str, t: Translator) -> None:
    st.button(
        t("saved.again"), key=work.field(f"again_{where}"), on_click=work.again, icon=":material/refresh:"
    )


def saved_list(work: Work, t: Translator) -> None:
    """Draw what is saved, the newest first; where there is no store, why, and a way to ask it again."""
    try:
        listing = _listing(work)
    except StoreUnavailable as error:
        st.error(plain(error.sentence.render(language.current())), icon=":material/error:")
        st.caption(t("saved.rests", seconds=REST_S))
        _again(work, "list", t)
        return
    if removed := st.session_state.get(work.key("deleted")):
        token, name = removed
        st.caption(t("saved.deleted", name=plain(name)))
        undo = work.field("undo")
        st.button(t("saved.undo"), icon=":material/undo:", key=undo, on_click=work.undo, args=(token,))
    search = work.field("search")
    st.text_input(
        t("saved.search"), key=search, placeholder=t("saved.search_hint"), on_change=_first_page, args=(work,)
    )
    if not listing.count:
        st.caption(t("saved.none_found" if st.session_state.get(search) else "saved.none"))
    for one in listing.items:
        with st.container(gap=None):
            _line(work, one, t)
    if listing.pages > 1:
        # The list may have become shorter.
        st.session_state[work.field("page")] = listing.page
        st.number_input(t("saved.page", pages=listing.pages), 1, listing.pages, key=work.field("page"))
    if listing.count > 1:
        compare_button(work, t)


def _listing(work: Work) -> Listing:
    words = str(st.session_state.get(work.field("search")) or "")
    page = int(st.session_state.get(work.field("page")) or 1)
    with asking() as store:
        return store.listed((work.kind, "scenario"), words, page)


def _first_page(work: Work) -> None:
    st.session_state.pop(work.field("page"), None)


def _line(work: Work, one: Summary, t: Translator) -> None:
    told = t("saved.saved_at", when=f"{one.updated:%Y-%m-%d %H:%M}", version=one.version)
    data = t("saved.data", hash=one.data_version[:8] or "–")
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
        st.button(
            plain(one.name),
            icon=ICONS[one.kind],
            key=work.field(f"open_{one.id}"),
            on_click=work.load,
            args=(one.id,),
            width=NAME,
            help=f"{plain(one.name)}\n\n{told}. {data}\n\n{plain(one.notes[:300])}",
        )
        more = work.field(f"more_{one.id}")
        with st.popover("", icon=":material/more_vert:", key=more, help=t("saved.more")):
            for name, (act, arguments) in _menu(work, one, t).items():
                st.button(
                    t(f"saved.{name}"),
                    key=work.field(f"{name}_{one.id}"),
                    on_click=act,
                    args=arguments,
                    width="stretch",
                )
    st.caption(f"{t(f'saved.kind.{one.kind}')} · {one.updated:%Y-%m-%d %H:%M} UTC")


def _menu(work: Work, one: Summary, t: Translator) -> dict[str, tuple[Callable[..., None], tuple[Any, ...]]]:
    """Return what can be done with *one* of the list, by the name of its sentence."""
    if one.kind == "scenario":
        own: dict[str, Any] = {"replace": (work.replace, (one.id, one.version))}
    else:
        own = {name: (getattr(work, act), (one.id,)) for name, act in work.more.items()}
    return {
        **own,
        "duplicate": (work.duplicate, (one.id, t("store.copy", name=one.name))),
        "delete": (work.delete, (one.id, one.name)),
    }
