"""The page as a link, and the quotes as files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from core.planning.fair import Answer
from core.quotes import csv_of, xlsx_of
from pages.parts import language
from pages.parts.inputs import Inputs
from pages.parts.quotes_fields import STATED
from pages.parts.quotes_import import ORIGINALS
from pages.parts.quotes_table import XLSX

Translator = Callable[..., str]


def files(inputs: Inputs, answer: Answer, t: Translator) -> None:
    """Draw the link, the quotes as CSV and XLSX, and the files that were imported."""
    st.markdown(f"**{t('size.link')}**")
    st.code(inputs.link(STATED, lang=language.current(), **_work()), language=None, wrap_lines=True)
    st.caption(t("quotes_page.link_note"))
    st.markdown(f"**{t('quotes_page.downloads')}**")
    name = f"quotes-{datetime.now(UTC):%Y-%m-%d}"
    with st.container(horizontal=True):
        for ending, make, mime in (("csv", csv_of, "text/csv"), ("xlsx", xlsx_of, XLSX)):
            st.download_button(
                t(f"quotes_page.download_{ending}"),
                lambda make=make: make(answer.quotes, language.current()),
                f"{name}.{ending}",
                mime,
                icon=":material/table:",
                on_click="ignore",
                key=f"quotes_{ending}",
            )
    kept: dict[str, bytes] = st.session_state.get(ORIGINALS, {})
    if kept:
        st.markdown(f"**{t('quotes_page.originals')}**")
        with st.container(horizontal=True):
            for place, (file, content) in enumerate(kept.items()):
                st.download_button(file, content, file, on_click="ignore", key=f"quotes_original_{place}")


def _work() -> dict[str, str]:
    return {"work": st.query_params["work"]} if "work" in st.query_params else {}
