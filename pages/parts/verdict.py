"""What the figures mean in a sentence, what would make it fit, and what to know before trusting it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.memory.headline import state_of
from core.memory.reasons import cautions, verdict
from core.memory.remedies import remedies
from core.memory.serving import ServingMemory
from pages.parts import language
from pages.parts.inputs import Inputs
from pages.parts.serving import apply

BOXES = {
    "fits": (st.success, ":material/check_circle:"),
    "waits": (st.warning, ":material/hourglass_top:"),
    "refuses": (st.error, ":material/block:"),
    "unknown": (st.info, ":material/help:"),
}


def verdict_banner(memory: ServingMemory) -> None:
    """Draw the verdict as a banner whose colour, icon and words say the same."""
    box, icon = BOXES[state_of(memory)]
    box(" ".join(sentence.render(language.current()) for sentence in verdict(memory)), icon=icon)


def remedy_list(memory: ServingMemory, inputs: Inputs, t: Callable[..., str]) -> None:
    """Draw the single changes after which it fits, each with a button that makes it."""
    found = remedies(memory)
    if memory.fits or memory.pool is None:
        return
    with st.container(border=True):
        st.markdown(f"**{t('size.remedies' if found else 'size.no_remedy')}**")
        for number, remedy in enumerate(found):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    t("size.apply"),
                    key=f"size_apply_{number}",
                    on_click=apply,
                    args=(inputs, remedy.change),
                    type="primary" if number == 0 else "secondary",
                )
                st.markdown(remedy.sentence.render(language.current()), width="stretch")


def notes(memory: ServingMemory) -> None:
    """Draw what was assumed and what to watch, as a list in small print."""
    sentences = [sentence.render(language.current()) for sentence in cautions(memory)]
    if sentences:
        st.caption("\n".join(f"- {sentence}" for sentence in sentences))
