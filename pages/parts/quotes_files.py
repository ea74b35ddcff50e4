"""The page as a link, and the quotes as files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import orjson
import streamlit as st

from core.planning.fair import Answer
from core.planning.record import recorded
from core.quotes import csv_of, xlsx_of
from core.report import Report, html_report, json_report, report_of, xlsx_report
from pages.parts import language
from pages.parts.inputs import Inputs
from pages.parts.quotes_fields import STATED
from pages.parts.quotes_import import ORIGINALS
from pages.parts.quotes_table import XLSX
from pages.parts.quotes_work import NAME

Translator = Callable[..., str]


def files(inputs: Inputs, answer: Answer, t: Translator) -> None:
    """Draw the link, the quotes as CSV and XLSX, and the files that were imported."""
    st.markdown(f"**{t('size.link')}**")
    st.code(inputs.link(STATED, lang=language.current(), **_work()), language=None, wrap_lines=True)
    st.caption(t("quotes_page.link_note"))
    st.markdown(f"**{t('quotes_page.downloads')}**")
    name, locale = f"quotes-{datetime.now(UTC):%Y-%m-%d}", language.current()
    with st.container(horizontal=True):
        for ending, make, mime in (("csv", csv_of, "text/csv"), ("xlsx", xlsx_of, XLSX)):
            st.download_button(
                t(f"quotes_page.download_{ending}"),
                lambda make=make: make(answer.quotes, locale),
                f"{name}.{ending}",
                mime,
                icon=":material/table:",
                on_click="ignore",
                key=f"quotes_{ending}",
            )
    _reports(answer, name, t)
    kept: dict[str, bytes] = st.session_state.get(ORIGINALS, {})
    if kept:
        st.markdown(f"**{t('quotes_page.originals')}**")
        with st.container(horizontal=True):
            for place, (file, content) in enumerate(kept.items()):
                st.download_button(file, content, file, on_click="ignore", key=f"quotes_original_{place}")


def _reports(answer: Answer, name: str, t: Translator) -> None:
    """Draw the reports: a page to print, a workbook that recalculates, plain data; each is made when asked for."""
    # Files are made outside of a run, where neither language nor session are known.
    locale, title = language.current(), str(st.session_state.get(f"{NAME}:text", ""))
    st.markdown(f"**{t('quotes_page.reports')}**")
    st.caption(t("quotes_page.reports_note"))
    with st.container(horizontal=True):
        for ending, (make, mime, icon) in REPORTS.items():
            st.download_button(
                t(f"quotes_page.report_{ending}"),
                lambda make=make: make(report(answer, title), locale),
                f"{name}-report.{ending}",
                mime,
                icon=icon,
                on_click="ignore",
                key=f"quotes_report_{ending}",
            )


def report(answer: Answer, title: str = "") -> Report:
    """Return what a report of *answer* tells under *title*, with the plan of the quote with the cheapest tokens."""
    place = answer.cheapest_tokens
    plan = None if place is None else answer.capabilities[place].plan
    return report_of(
        answer.comparison,
        answer.loads,
        simulation=answer.simulation,
        plan=None if plan is None else recorded(plan, datetime.now(UTC).date()),
        title=title,
        place=answer.place,
    )


def _json(found: Report, locale: str) -> bytes:
    return orjson.dumps(json_report(found, locale), option=orjson.OPT_INDENT_2)


REPORTS: dict[str, tuple[Callable[[Report, str], str | bytes], str, str]] = {
    "html": (html_report, "text/html", ":material/article:"),
    "xlsx": (xlsx_report, XLSX, ":material/calculate:"),
    "json": (_json, "application/json", ":material/data_object:"),
}
"""How each report is made."""


def _work() -> dict[str, str]:
    return {"work": st.query_params["work"]} if "work" in st.query_params else {}
