"""Config files of training programs for the chosen run, to copy."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.memory.training import TrainingMemory
from core.planning.fragments import FRAGMENTS
from pages.parts.inputs import Inputs


def config_view(memory: TrainingMemory, inputs: Inputs, t: Callable[..., str]) -> None:
    """Draw the choice of a program, its file, and what it cannot say."""
    inputs.segments(
        "program",
        t("train_page.config.program"),
        tuple(FRAGMENTS),
        lambda name: t(f"train_page.config.programs.{name}"),
        label_visibility="collapsed",
    )
    name = str(inputs["program"])
    fragment = FRAGMENTS[name](memory.run)
    st.caption(t("train_page.config.torchtune_note" if name == "torchtune" else "train_page.config.note"))
    if fragment.lacks:
        settings = ", ".join(t(f"train_page.config.setting.{setting}") for setting in fragment.lacks)
        st.warning(t("train_page.config.lacks", settings=settings), icon=":material/warning:")
    st.caption(f"`{fragment.file}`")
    st.code(fragment.content, language=fragment.language)
