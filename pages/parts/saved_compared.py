"""Saved work side by side: results as they were saved, the inputs that differ, and what today's data change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import pandas as pd
import streamlit as st

from core.errors import PlannerError
from core.store import Kind, Saved, Summary
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.saved_scenario import given_in, words_of
from pages.parts.saved_store import asking
from pages.parts.saved_work import Side, Work

Translator = Callable[..., str]

MOST = 4
"""Saved works that are compared at once."""
PAGES = 5
"""Pages of the list, the newest, of which works are offered."""


def compare_button(work: Work, t: Translator) -> None:
    """Draw the way to the comparison, and the comparison where it is open."""
    st.button(
        t("saved.compare"),
        icon=":material/compare_arrows:",
        key=work.field("compare"),
        on_click=_open,
        args=(work,),
        type="tertiary",
    )
    if not st.session_state.get(work.key("comparing")):
        return

    @st.dialog(t("saved.compare"), width="large", on_dismiss=lambda: work.pop("comparing"))
    def compared() -> None:
        try:
            _compared(work, t)
        except PlannerError as error:
            st.error(plain(error.sentence.render(language.current())), icon=":material/error:")

    compared()


def _open(work: Work) -> None:
    st.session_state[work.key("comparing")] = True


def _compared(work: Work, t: Translator) -> None:
    """Draw which works are compared, and their table."""
    kinds: tuple[Kind, ...] = (work.kind, "scenario")
    kind = cast(
        "Kind",
        st.segmented_control(
            t("saved.kinds"),
            kinds,
            format_func=lambda kind: t(f"saved.kind.{kind}"),
            default=work.kind,
            required=True,
            key=work.field("kind"),
            label_visibility="collapsed",
        ),
    )
    known = {one.id: one for one in _newest(kind)}
    opened = work.opened
    first = [opened.id] if opened and opened.id in known else []
    ids = st.multiselect(
        t("saved.which"),
        tuple(known),
        default=list(dict.fromkeys([*first, *known]))[:2],
        format_func=lambda id_: f"{known[id_].name} · {known[id_].updated:%Y-%m-%d %H:%M}",
        max_selections=MOST,
        select_all=False,
        key=work.field(f"compared_{kind}"),
        placeholder=t("saved.which_hint"),
    )
    if len(ids) < 2:
        st.caption(t("saved.two_needed"))
        return
    with st.spinner(t("saved.working"), show_time=False):
        works = work.works(ids)
        sides = [_side(work, one, t) for one in works]
    _table(works, sides, t)


def _newest(kind: Kind) -> list[Summary]:
    with asking() as store:
        first = store.listed(kind)
        later = [store.listed(kind, page=page) for page in range(2, min(first.pages, PAGES) + 1)]
    return [one for listing in (first, *later) for one in listing.items]


def _side(work: Work, one: Saved, t: Translator) -> Side:
    if one.kind != "scenario":
        return work.side(one, t)
    data = t("saved.data", hash=one.data_version[:8] or "–")
    return Side({}, words_of(given_in(one), language.current()), data)


def _table(works: Sequence[Saved], sides: Sequence[Side], t: Translator) -> None:
    """Draw results, then what differs among inputs, then what today's data change, in full below."""
    headings = [f"({number}) {plain(one.name)}" for number, one in enumerate(works, 1)]
    rows = _rows([side.figures for side in sides])
    if rows:
        rows[t("saved.today_row")] = [_again(side, t) for side in sides]
    rows[t("saved.saved_row")] = [_saved(one, t) for one in works]
    rows[t("saved.data_row")] = [side.data for side in sides]
    st.table(pd.DataFrame.from_dict(rows, orient="index", columns=headings))
    for heading, side in zip(headings, sides, strict=True):
        if side.again:
            lines = "\n".join(f"- {plain(line)}" for line in side.again)
            st.markdown(f"{t('saved.changed', name=heading)}\n\n{lines}")
    inputs = _rows([side.inputs for side in sides])
    differing = {label: told for label, told in inputs.items() if len(set(told)) > 1}
    st.markdown(f"**{t('saved.differing' if differing else 'saved.same_inputs')}**")
    if differing:
        st.table(pd.DataFrame.from_dict(differing, orient="index", columns=headings))


def _rows(sides: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Return what each side says of each label that one of them has."""
    labels = dict.fromkeys(label for side in sides for label in side)
    return {label: [plain(side.get(label, "–")) for side in sides] for label in labels}


def _again(side: Side, t: Translator) -> str:
    if side.again is None:
        return t("saved.no_results")
    return t("saved.again_other") if side.again else t("saved.again_same")


def _saved(one: Saved, t: Translator) -> str:
    return t("saved.saved_at", when=f"{one.updated:%Y-%m-%d %H:%M}", version=one.version)
