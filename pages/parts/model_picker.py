"""The model: one of the catalogue, an uploaded or pasted config.json, or sizes given by hand."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.architecture.document import LIMIT, read_document
from core.catalog import model_ids
from core.errors import PlannerError
from pages.parts.fields import HAND, SOURCES
from pages.parts.inputs import Inputs
from pages.parts.serving import DOCUMENT

FIRST = "deepseek-ai/"
EXAMPLE = '{"model_type": "llama", "hidden_size": 4096, …}'
_PASTED = "size_pasted"
_FILE = "size_file"


@st.cache_resource
def ordered_ids() -> tuple[str, ...]:
    """Return the ids of the catalogue, DeepSeek's own first."""
    return tuple(sorted(model_ids(), key=lambda id_: (not id_.startswith(FIRST), id_.lower())))


def model_picker(inputs: Inputs, t: Callable[..., str]) -> None:
    """Draw the choice of model."""
    inputs.segments("source", t("size.source"), SOURCES, lambda source: t(f"size.sources.{source}"))
    if inputs["source"] == "catalogue":
        inputs.choice("model", t("size.model"), ordered_ids(), help=t("size.help.model"))
    elif inputs["source"] == "config":
        own_config(t)
    else:
        _hand(inputs, t)


def own_config(t: Callable[..., str]) -> None:
    """Draw the places for a config.json of one's own, which the pages share."""
    st.file_uploader(
        t("size.upload"), type=["json"], key=_FILE, on_change=_uploaded, help=t("size.help.upload")
    )
    if _PASTED not in st.session_state:
        st.session_state[_PASTED] = st.session_state.get(f"{_PASTED}:text", "")
    st.text_area(t("size.paste"), key=_PASTED, on_change=_pasted, height=140, placeholder=EXAMPLE)
    st.caption(t("size.not_in_link"))


def _uploaded() -> None:
    """Take over an uploaded file: into the text field where it can be one, else keep what is wrong with it."""
    file = st.session_state[_FILE]
    if file is None:
        return
    content = file.getvalue()
    try:
        read_document(content)
    except PlannerError as error:
        unreadable = len(content) > LIMIT or b"\0" in content
        if unreadable:
            st.session_state[DOCUMENT] = error
            return
    _keep(content.decode("utf-8-sig", errors="replace"))
    st.session_state[_PASTED] = st.session_state[DOCUMENT]


def _pasted() -> None:
    _keep(st.session_state[_PASTED])


def _keep(content: str) -> None:
    st.session_state[DOCUMENT] = content
    # The widget forgets its text while another source or page is shown.
    st.session_state[f"{_PASTED}:text"] = content


def _hand(inputs: Inputs, t: Callable[..., str]) -> None:
    columns = st.columns(2)
    for place, name in enumerate(HAND):
        with columns[place % 2]:
            inputs.number(
                name, t(f"size.{name}"), step={"hidden": 128, "inner": 128, "vocabulary": 1000}.get(name, 1)
            )
    st.caption(t("size.hand_note"))
