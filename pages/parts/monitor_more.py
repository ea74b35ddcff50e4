"""What is asked for now and then: what is missing, the files to take away, and how to connect a Prometheus."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.monitoring.thresholds import Thresholds
from pages.parts.inputs import Inputs
from pages.parts.monitor_data import Look
from pages.parts.monitor_exports import downloads
from pages.parts.monitor_missing import missing
from pages.parts.monitor_where import connect

Translator = Callable[..., str]


def more(inputs: Inputs, look: Look | None, thresholds: Thresholds, t: Translator) -> None:
    """Draw the panels; only what is open is worked out."""
    snapshot = look.snapshot if look else None
    if snapshot is not None:
        with st.expander(
            t("monitor_page.missing"), icon=":material/sensors_off:", key="monitor_missing", on_change="rerun"
        ) as panel:
            if panel.open:
                missing(snapshot.detected, thresholds, t)
    with st.expander(
        t("monitor_page.export"), icon=":material/download:", key="monitor_export", on_change="rerun"
    ) as panel:
        if panel.open:
            downloads(snapshot.detected if snapshot else None, thresholds, t)
    with st.expander(
        t("monitor_page.connect"), icon=":material/cable:", key="monitor_connect_panel", on_change="rerun"
    ) as panel:
        if panel.open:
            connect(inputs, t)
