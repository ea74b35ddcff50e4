"""Which Prometheus the page is about: configured, typed in, or that of the demo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from core.errors import PlannerError
from core.monitoring.demo.cluster import DemoCluster, demo_cluster
from core.monitoring.endpoints import FIELDS as ENDPOINT_FIELDS
from core.monitoring.endpoints import VARIABLES, Configuration, Endpoint, configuration, typed
from core.monitoring.faults import MonitoringFault
from core.monitoring.subjects import host_of
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs

Translator = Callable[..., str]

ENTERED, REFUSED = "monitor:entered", "monitor:refused"
"""Where the session keeps the endpoint that was typed in, and why one was not taken."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PROXIED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
"""Headers that a proxy adds: behind one, people of elsewhere reach a dashboard that listens on loopback."""


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
    entered: Endpoint | None = st.session_state.get(ENTERED)
    # First, so that it is chosen without its address being in the link.
    found = {one.name: one for one in ([entered] if entered else []) + list(known.endpoints)}
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


def own_machine(address: object, headers: Mapping[str, str]) -> bool:
    """Return whether only people of this machine get here: it listens on loopback *address*, without a proxy.

    A page of elsewhere whose name was turned into this machine's comes with that name as its host.

    >>> own_machine("127.0.0.1", {"Host": "localhost:8501"}), own_machine("0.0.0.0", {})
    (True, False)
    """
    host = host_of(headers.get("Host", "localhost"))
    return str(address) in LOOPBACK and host in LOOPBACK and not any(name in headers for name in PROXIED)


def _take(inputs: Inputs, given: str) -> None:
    try:
        here = own_machine(st.get_option("server.address"), st.context.headers)
        entered = typed(given, loopback_only=here)
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
