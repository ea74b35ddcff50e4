"""Where plans are saved and found: what is open, the list of all, and a plan.json, in one expander."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import streamlit as st

from core.errors import Conflict, PlannerError, StoreUnavailable
from core.store import Listing, Summary
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.plan_share import saved_plan
from pages.parts.plan_work import (
    DELETED,
    DOWN,
    FAULT,
    MISSED,
    NAME,
    NOTES,
    WorkInputs,
    beside,
    close,
    delete,
    duplicate,
    is_changed,
    load,
    opened,
    rename,
    save,
    store,
    undo,
)

Translator = Callable[..., str]

_SEARCH, _PAGE = "plan_work_search", "plan_work_page"


def saved_plans(inputs: Inputs, t: Translator) -> None:
    """Draw the saved plans; where there is no store, why, and still the place for a plan.json."""
    held = cast("WorkInputs", inputs)
    listing = _listing(t)
    if listing is not None:
        _form(held, t)
        _told(held, t)
        _list(held, listing, t)
    saved_plan(inputs, t)


def tell_missed() -> None:
    """Say why the saved plan that was asked for is not shown."""
    missed: PlannerError | None = st.session_state.pop(MISSED, None)
    if missed is not None:
        st.warning(missed.sentence.render(language.current()), icon=":material/link_off:")


def _listing(t: Translator) -> Listing | None:
    """Return the page of the list that is asked for; where there is none, say why and offer to try again."""
    down: StoreUnavailable | None = st.session_state.get(DOWN)
    if down is None:
        words, number = str(st.session_state.get(_SEARCH) or ""), st.session_state.get(_PAGE) or 1
        try:
            found: Listing = store().listed("plan", words, int(number))
        except StoreUnavailable as error:
            # Not asked again at each change of an input: a server that is away takes seconds to say so.
            st.session_state[DOWN] = down = error
        else:
            return found
    st.error(down.sentence.render(language.current()), icon=":material/error:")
    st.button(t("saved.again"), key="plan_work_again", on_click=_again, icon=":material/refresh:")
    return None


def _again() -> None:
    for name in (DOWN, FAULT):
        st.session_state.pop(name, None)


def _form(inputs: WorkInputs, t: Translator) -> None:
    """Draw name and notes, and what may be done with them."""
    work = opened()
    name = _text(st.text_input, NAME, t("saved.name"), placeholder=t("saved.name_hint"))
    notes = _text(st.text_area, NOTES, t("saved.notes"), height=68)
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            t("saved.save"),
            icon=":material/save:",
            type="primary",
            key="plan_work_save",
            on_click=save,
            args=(inputs, t),
        )
        if work is None:
            return
        changed = is_changed(inputs)
        renamed = " ".join(name.split()) != work.name or notes != work.notes
        if renamed and not changed:
            st.button(
                t("saved.rename"),
                key="plan_work_rename",
                on_click=rename,
                args=(inputs,),
                help=t("saved.rename_help"),
            )
        _copy(inputs, "save_copy", t)
        st.button(t("saved.close"), key="plan_work_close", on_click=close, args=(inputs,))
    state = t("saved.unsaved" if changed or renamed else "saved.all_saved")
    when = f"{work.updated:%Y-%m-%d %H:%M}"
    st.caption(t("saved.opened", name=plain(work.name), version=work.version, when=when, state=state))


def _text(field: Callable[..., str | None], key: str, label: str, **more: object) -> str:
    """Draw a field of text that keeps what was typed while it is not drawn."""
    if key not in st.session_state:
        st.session_state[key] = st.session_state.get(f"{key}:typed", "")
    typed = field(label, key=key, **more) or ""
    st.session_state[f"{key}:typed"] = typed
    return typed


def _copy(inputs: WorkInputs, name: str, t: Translator, kind: str = "secondary") -> None:
    st.button(
        t(f"saved.{name}"),
        key=f"plan_work_{name}",
        type=kind,  # type: ignore[arg-type]
        on_click=save,
        args=(inputs, t),
        kwargs={"copy": True},
    )


def _told(inputs: WorkInputs, t: Translator) -> None:
    error: PlannerError | None = st.session_state.get(FAULT)
    if error is None:
        return
    st.error(error.sentence.render(language.current()), icon=":material/error:")
    work = opened()
    if isinstance(error, Conflict) and work is not None:
        with st.container(horizontal=True, gap="xsmall"):
            _copy(inputs, "keep_mine", t, "primary")
            st.button(t("saved.load_theirs"), key="plan_work_theirs", on_click=load, args=(work.id,))


def _list(inputs: WorkInputs, listing: Listing, t: Translator) -> None:
    """Draw a page of the list, the newest first."""
    if removed := st.session_state.get(DELETED):
        token, name = removed
        st.caption(t("saved.deleted", name=plain(name)))
        st.button(t("saved.undo"), icon=":material/undo:", key="plan_work_undo", on_click=undo, args=(token,))
    st.text_input(t("saved.search"), key=_SEARCH, placeholder=t("saved.search_hint"), on_change=_first_page)
    if not listing.count:
        st.caption(t("saved.none_found" if st.session_state.get(_SEARCH) else "saved.none"))
    for one in listing.items:
        _line(inputs, one, t)
    if listing.pages > 1:
        # The list may have become shorter.
        st.session_state[_PAGE] = listing.page
        st.number_input(t("saved.page", pages=listing.pages), 1, listing.pages, key=_PAGE)


def _first_page() -> None:
    st.session_state.pop(_PAGE, None)


def _line(inputs: WorkInputs, one: Summary, t: Translator) -> None:
    when = f"{one.updated:%Y-%m-%d %H:%M}"
    told = t("saved.saved_at", when=when, version=one.version)
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
        st.button(
            plain(one.name),
            key=f"plan_open_{one.id}",
            on_click=load,
            args=(one.id,),
            width="stretch",
            help=f"{told}\n\n{plain(one.notes[:300])}",
        )
        with st.popover("", icon=":material/more_vert:", key=f"plan_more_{one.id}", help=t("saved.more")):
            for name, act, arguments in (
                ("beside", beside, (inputs, one.id)),
                ("duplicate", duplicate, (one.id, t("store.copy", name=one.name))),
                ("delete", delete, (inputs, one.id, one.name)),
            ):
                st.button(
                    t(f"saved.{name}"),
                    key=f"plan_{name}_{one.id}",
                    on_click=act,  # type: ignore[arg-type]
                    args=arguments,
                    width="stretch",
                )
