"""The limits of the page as files for Prometheus, its operator, Grafana and Alertmanager."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.monitoring.export.bundle import exports
from core.monitoring.exporters import Detected
from core.monitoring.thresholds import Thresholds
from pages.parts import language
from pages.parts.breakdown import plain

Translator = Callable[..., str]


def downloads(detected: Detected | None, thresholds: Thresholds, t: Translator) -> None:
    """Draw a button for each file, with what to do with it; made for the exporters that were *detected*."""
    locale = language.current()
    st.markdown(t("monitor_page.export_why"))
    if detected is None or not detected.exporters:
        st.caption(t("monitor_page.export_none"))
    for one in exports(thresholds, detected, language=locale):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                one.title.render(locale),
                one.content,
                one.name,
                one.mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"monitor_download_{one.name}",
                width=250,
            )
            st.markdown(plain(one.how.render(locale)), width="stretch")
