"""The demo cluster: started by the first visit that has no Prometheus, and marked as what it is."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.monitoring.demo.cluster import DemoCluster, State
from core.monitoring.demo.scenario import GPUS_PER_NODE, NODES, PLANTED
from pages.parts import language

Translator = Callable[..., str]

USUAL_S = 15
"""Seconds that a start usually takes."""


def starting(cluster: DemoCluster, t: Translator) -> None:
    """Draw how far the start has come; the page is drawn anew when it is ready."""

    @st.fragment(run_every=1)
    def progress() -> None:
        if cluster.ready:
            st.rerun()
        elif cluster.state is State.STARTING:
            seconds = int(cluster.seconds)
            key = "starting" if seconds <= 2 * USUAL_S else "starting_long"
            told = t(f"monitor_page.demo.{key}", seconds=seconds, about=USUAL_S)
            st.progress(min(0.97, seconds / USUAL_S), told)
            st.caption(f"{cluster.sentence.render(language.current())} {t('monitor_page.demo.steps')}")
        else:
            message = cluster.sentence.render(language.current())
            st.error(message, title=t("monitor_page.demo.failed"), icon=":material/error:")
            st.button(t("monitor_page.demo.again"), icon=":material/refresh:", on_click=cluster.begin)

    progress()


def planted(t: Translator) -> None:
    """Say that this is a demo, and which faults it has."""
    about = t("monitor_page.demo.about", nodes=len(NODES), gpus=GPUS_PER_NODE)
    rows = [
        t("monitor_page.demo.planted_row", node=one.node, fault=t(f"monitor_page.demo.fault.{one.fault}"))
        for one in PLANTED
    ]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f":violet-badge[:material/science: {t('monitor_page.demo.badge')}] {about}", width="stretch"
        )
        with st.popover(t("monitor_page.demo.planted"), type="tertiary"):
            st.markdown("\n".join(f"- {row}" for row in rows))
