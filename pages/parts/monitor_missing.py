"""Which exporters were found, and which indicators they could give but do not, with the line that enables each."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.monitoring.exporters import Detected, Missing
from core.monitoring.indicators import indicators
from core.monitoring.thresholds import Thresholds
from pages.parts import language
from pages.parts.breakdown import plain

Translator = Callable[..., str]


def missing(detected: Detected, thresholds: Thresholds, t: Translator) -> None:
    """Draw the exporters, levels that nothing watches, and the lines to add; what a person states is not missing."""
    found = ", ".join(exporter.title for exporter in detected.exporters)
    st.markdown(f"**{t('monitor_page.detected')}**: {plain(found) or t('monitor_page.detected_none')}")
    for level in detected.absent_levels:
        if level != "node":
            st.info(t(f"monitor_page.no_level.{level}"), icon=":material/sensors_off:")
    by_exporter: dict[str, list[Missing]] = {}
    for one in detected.missing(capacity=thresholds.max_num_seqs):
        by_exporter.setdefault(one.exporter.title, []).append(one)
    for title, ones in by_exporter.items():
        st.markdown(t("monitor_page.not_exported", exporter=f"**{plain(title)}**", count=len(ones)))
        for one in ones:
            name = indicators()[one.indicator].name.render(language.current())
            place = t("monitor_page.enable_where", where=plain(one.enabling.where))
            st.caption(f"**{plain(name)}** · {place}")
            st.code(one.enabling.line, language=None, wrap_lines=True)
    if detected.exporters and not by_exporter:
        st.caption(t("monitor_page.nothing_missing"))
