"""The first line of the Monitor page: which Prometheus, how far back, how often, and of which labels."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.monitoring.endpoints import Endpoint
from pages.parts.inputs import Inputs
from pages.parts.monitor_data import read_again
from pages.parts.monitor_fields import RANGES, REFRESHES, matchers
from pages.parts.monitor_where import Where

Translator = Callable[..., str]

EXAMPLE = 'cluster="eu-1", namespace=~"llm-.*"'
BAD_FILTER = "monitor:bad_filter"
"""Where the session keeps a filter that was not taken."""


def controls(inputs: Inputs, known: Where, endpoint: Endpoint, t: Translator) -> None:
    """Draw the line of choices."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _endpoint(inputs, known, endpoint, t)
        inputs.segments(
            "range",
            t("monitor_page.range"),
            tuple(RANGES),
            lambda one: t(f"monitor_page.ranges.{one}"),
            width="content",
        )
        inputs.segments(
            "refresh",
            t("monitor_page.refresh"),
            tuple(REFRESHES),
            lambda one: t(f"monitor_page.refreshes.{one}"),
            width="content",
        )
        st.button(t("monitor_page.now"), icon=":material/refresh:", key="monitor_now", on_click=read_again)
        with st.popover(
            t("monitor_page.filter"),
            icon=":material/filter_alt:",
            type="primary" if inputs["filter"] else "secondary",
        ):
            _filter(inputs, t)


def _endpoint(inputs: Inputs, known: Where, endpoint: Endpoint, t: Translator) -> None:
    key, names = "monitor_endpoint", tuple(known.endpoints)
    if st.session_state.get(key) != endpoint.name:
        st.session_state[key] = endpoint.name

    def shown(name: str) -> str:
        return t("monitor_page.demo_name") if known.endpoints[name].demo else name

    def take() -> None:
        chosen = known.endpoints[st.session_state[key]]
        # An address that somebody typed in stays out of the link; it is the first, which needs no name.
        inputs.change(endpoint=None if chosen.typed else chosen.name, finding=None, subject=None)

    st.selectbox(t("monitor_page.endpoint"), names, key=key, format_func=shown, on_change=take, width=220)


def _filter(inputs: Inputs, t: Translator) -> None:
    key = "monitor_filter"
    if key not in st.session_state:
        st.session_state[key] = str(inputs["filter"] or "")

    def take() -> None:
        given = str(st.session_state[key] or "").strip()
        found = matchers(given) if given else None
        st.session_state[BAD_FILTER] = given if given and found is None else None
        if not given or found is not None:
            inputs.change(filter=found)

    st.text_input(
        t("monitor_page.filter"),
        key=key,
        placeholder=EXAMPLE,
        help=t("monitor_page.filter_help"),
        on_change=take,
    )
    bad = st.session_state.get(BAD_FILTER)
    if bad:
        message = t("monitor_page.filter_bad", given=f"`{bad}`", example=f"`{EXAMPLE}`")
        st.error(message, icon=":material/error:")
