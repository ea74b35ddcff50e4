"""The live part of the Monitor page: it is drawn anew at each refresh, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.monitoring.endpoints import Endpoint
from core.monitoring.thresholds import Thresholds
from pages.parts.inputs import Inputs
from pages.parts.monitor_cards import fleet_cards
from pages.parts.monitor_data import look, tick
from pages.parts.monitor_fields import REFRESHES
from pages.parts.monitor_findings import charts_in, findings_list, opened
from pages.parts.monitor_gpus import heatmap
from pages.parts.monitor_series import over_time
from pages.parts.monitor_view import View
from pages.parts.monitor_words import tell_headline, tell_state

Translator = Callable[..., str]


def live(inputs: Inputs, endpoint: Endpoint, thresholds: Thresholds, t: Translator) -> None:
    """Read what is due, and draw it."""
    inputs.settle()
    refresh = REFRESHES[str(inputs["refresh"])]
    seen = look(endpoint, thresholds, str(inputs["filter"] or ""), tick(refresh))
    # What comes and goes has a place that stays: Streamlit would build all that follows anew, and lose its zoom.
    with st.container():
        tell_state(seen, t, refreshing=refresh is not None)
    if seen.snapshot is None:
        return
    with st.container():
        tell_headline(seen, t)
    with st.container(key="monitor_figures"):
        fleet_cards(seen.snapshot, t)
        view = View(inputs, endpoint, seen, thresholds, t)
        left, right = st.columns([3, 2], gap="medium")
        with left:
            findings_list(view)
        with right:
            heatmap(view)
        over_time(view, charts_in(opened(view)))
    with st.container():
        if seen.stale:
            st.html("<style>.st-key-monitor_figures { opacity: 0.55; filter: grayscale(0.8); }</style>")
