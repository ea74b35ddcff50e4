"""Which Prometheus the page is about: configured, typed in, or that of the demo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.errors import PlannerError
from core.monitoring.demo.cluster import DemoCluster, demo_cluster
from core.monitoring.endpoints import FIELDS as ENDPOINT_FIELDS
from core.monitoring.endpoints import VARIABLES, Configuration, Endpoint, configuration, typed
from core.monitoring.faults import MonitoringFault
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs

Translator = Callable[..., str]

ENTERED, REFUSED = "monitor:entered", "monitor:refused"
"""Where the session keeps the endpoint that was typed in, and why one was not taken."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Where:
    """The endpoints that can be chosen by name, and faults of the configuration; or a demo that is starting."""

    endpoints: dict[str, Endpoint]
    faults: tuple[MonitoringFault, ...]
    demo: DemoCluster | None = None

    def chosen(self, name: object) -> Endpoint | None:
        """Return the endpoint with *name*, else the first."""
        return self.endpoints.get(str(name)) or next(iter(self.endpoints.values()), None)


@st.cache_resource(show_spinner=False)
def _configuration() -> Configuration:
    """Return what the operator configured, read once: a change takes a new start, as the page says."""
    return configuration()


def where() -> Where:
    """Return the endpoints; without one that is configured or typed in, those of the demo."""
    known = _configuration()
    found = {one.name: one for one in known.endpoints}
    entered: Endpoint | None = st.session_state.get(ENTERED)
    if entered is not None:
        found[entered.name] = entered
    if found or known.faults:
        return Where(found, known.faults)
    cluster = demo_cluster()
    return Where({cluster.endpoint.name: cluster.endpoint} if cluster.ready else {}, (), cluster)


def connect(inputs: Inputs, t: Translator) -> None:
    """Draw how to connect a Prometheus, and the field for an address where that is allowed."""
    st.markdown(t("monitor_page.connect_how"))
    st.caption(t("monitor_page.connect_env"))
    st.code(f"{VARIABLES['url']}=https://prometheus.example:9090 make run", language="bash", wrap_lines=True)
    st.caption(t("monitor_page.connect_toml"))
    st.code(
        '[prometheus.production]\nurl = "https://prometheus.example:9090"\ntoken = "…"\n'
        'headers = { X-Scope-OrgID = "team-a" }\n\n'
        '[prometheus.staging]\nurl = "http://prometheus.staging:9090"',
        language="toml",
        wrap_lines=True,
    )
    st.caption(", ".join(f"`{name}`" for name in ENDPOINT_FIELDS))
    with st.form("monitor_connect", border=False):
        given = st.text_input(
            t("monitor_page.address"),
            placeholder="http://127.0.0.1:9090",
            help=t("monitor_page.address_help"),
            key="monitor_address",
        )
        sent = st.form_submit_button(t("monitor_page.address_go"), icon=":material/link:")
    if sent and given:
        _take(inputs, given.strip())
    refused: PlannerError | None = st.session_state.get(REFUSED)
    if refused is not None:
        st.error(plain(refused.sentence.render(language.current())), icon=":material/block:")


def _take(inputs: Inputs, given: str) -> None:
    try:
        entered = typed(given, loopback_only=str(st.get_option("server.address")) in LOOPBACK)
    except PlannerError as error:
        st.session_state[REFUSED] = error
        return
    st.session_state.pop(REFUSED, None)
    st.session_state[ENTERED] = entered
    inputs.change(endpoint=None, finding=None, subject=None)
    st.rerun()


def tell_faults(faults: tuple[MonitoringFault, ...]) -> None:
    """Say what is wrong with the configuration."""
    for fault in faults:
        st.error(
            plain(fault.sentence.render(language.current())),
            title=fault.title.render(language.current()),
            icon=":material/error:",
        )
