"""Monitor: what a Prometheus knows about GPUs and engines, what is wrong first, and what shows it."""

from __future__ import annotations

import streamlit as st

from core.monitoring.endpoints import Endpoint
from core.monitoring.thresholds import Thresholds
from pages.parts import language
from pages.parts.inputs import Inputs
from pages.parts.monitor_data import look, tick
from pages.parts.monitor_demo import planted, starting
from pages.parts.monitor_fields import FIELDS, REFRESHES, capacity, edits, thresholds_of
from pages.parts.monitor_limits import PREALLOCATED, Told, limits_editor
from pages.parts.monitor_live import live
from pages.parts.monitor_more import more
from pages.parts.monitor_top import controls
from pages.parts.monitor_where import tell_faults, where

t = language.translator()
inputs = Inputs("monitor", FIELDS)
refused_link = inputs.settle()

st.title(t("monitor_page.title"), anchor=False)
st.caption(t("monitor_page.subtitle"))
with st.container():
    if refused_link:
        listed = ", ".join(f"{name}={given}" for name, given in refused_link.items())
        st.warning(t("size.bad_link", listed=listed), icon=":material/link_off:")
known = where()
thresholds, refused = thresholds_of(
    str(inputs["preset"]), edits(inputs["limits"]), capacity(inputs["max_num_seqs"])
)
endpoint = known.chosen(inputs["endpoint"])
tell_faults(known.faults)


def draw(endpoint: Endpoint, thresholds: Thresholds) -> None:
    """Draw the page of an endpoint: what is live in a fragment of its own, the rest around it."""
    refresh = REFRESHES[str(inputs["refresh"])]
    seen = look(endpoint, thresholds, str(inputs["filter"] or ""), tick(refresh))
    with st.sidebar:
        covered = next(iter(seen.snapshot.covered.values()), None) if seen.snapshot else None
        why = {PREALLOCATED: covered.reason.render(language.current())} if covered else {}
        limits_editor(inputs, Told(refused, why), t)
    controls(inputs, known, endpoint, t)
    if endpoint.demo:
        planted(t)

    @st.fragment(run_every=refresh)
    def answer() -> None:
        live(inputs, endpoint, thresholds, t)

    answer()
    more(inputs, seen, thresholds, t)


if endpoint is not None:
    draw(endpoint, thresholds)
else:
    if known.demo is not None:
        starting(known.demo, t)
    more(inputs, None, thresholds, t)
