"""What would make a training run fit, each change with a button that makes it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.memory.training import TrainingMemory
from core.planning.training_advice import Advice, advised, every_lever, price_words
from core.planning.training_parts import room, shown_gib, whole_band
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.training import apply, differences

Translator = Callable[..., str]

MOST = 5
"""Single levers that are offered beside the combination; the view of all levers has the rest."""

BESIDE = (
    "<style>:is(.st-key-train_advice, .st-key-train_levers) [data-testid=stHorizontalBlock]"
    " { flex-wrap: nowrap }</style>"
)
"""Keeps each button beside its words on a telephone too."""


def advice_box(memory: TrainingMemory, inputs: Inputs, t: Translator) -> None:
    """Draw the cheapest combination that fits, and the levers that are enough alone."""
    if memory.fits is not False:
        return
    st.html(BESIDE)
    found = advised(memory.run)
    first = found.best or found.wider
    with st.container(border=True, key="train_advice"):
        if first is None and not found.single:
            st.markdown(f"**{t('train_page.nothing_helps')}**")
            return
        st.markdown(f"**{t('train_page.advice')}**")
        if found.best is None:
            st.caption(t("train_page.none_here", gpus=f"{memory.run.layout.gpus:,}"))
        if first is not None:
            title = t("train_page.cheapest" if found.best else "train_page.more_gpus")
            _offer(memory, first, inputs, t, key="train_apply_best", title=title, primary=True)
        if found.single:
            st.caption(t("train_page.alone"))
        for number, one in enumerate(found.single[:MOST]):
            _offer(memory, one, inputs, t, key=f"train_apply_{number}")


def lever_list(memory: TrainingMemory, inputs: Inputs, t: Translator) -> None:
    """Draw every lever alone that saves memory, whether it is enough or not."""
    st.html(BESIDE)
    st.caption(t("train_page.levers_intro"))
    with st.container(key="train_levers"):
        _all(memory, inputs, t)


def _all(memory: TrainingMemory, inputs: Inputs, t: Translator) -> None:
    for number, one in enumerate(every_lever(memory.run)):
        _offer(memory, one, inputs, t, key=f"train_lever_{number}", told=True)


def _offer(
    memory: TrainingMemory,
    one: Advice,
    inputs: Inputs,
    t: Translator,
    *,
    key: str,
    title: str = "",
    primary: bool = False,
    told: bool = False,
) -> None:
    """Draw a button and beside it the change, what it saves and its price; *told* says whether it fits then."""
    now = language.current()
    words = t("train_page.joint").join(plain(sentence.render(now)) for sentence in one.changes)
    whole = whole_band(one.memory)
    line = t(
        "train_page.offer",
        words=words,
        saved=room(one.saved, whole_band(memory)),
        process=shown_gib(one.memory.process, whole),
        price=price_words(one).render(now),
    )
    if told and one.memory.fits is not None:
        line += t("train_page.then_fits" if one.memory.fits else "train_page.then_not")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("size.apply"),
            key=key,
            on_click=apply,
            args=(inputs, differences(memory.run, one.run)),
            type="primary" if primary else "secondary",
        )
        st.markdown(f"**{title}** {line}" if title else line, width="stretch")
