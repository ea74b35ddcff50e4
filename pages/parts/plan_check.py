"""The first token once more, by simulation: in a line where it agrees with the formula, else in a box."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.planning.figures import is_stable, percentile
from core.planning.result import Plan, Planned
from core.planning.simulated import REQUESTS, Check, simulated
from core.quantities import format_seconds

Translator = Callable[..., str]


@st.cache_data(max_entries=256, show_spinner=False)
def _check(key: tuple[object, ...], _plan: Plan) -> Check:
    del key  # what the cache tells plans apart by
    return simulated(_plan)


def plan_check(planned: Planned, plan: Plan, t: Translator) -> None:
    """Say what a simulation of *plan* gives for the time to first token."""
    if not is_stable(plan):
        return
    share = planned.question.targets.share
    check = _check((plan.id, plan.replicas, hash(plan.traffic)), plan)
    figures = ", ".join(
        f"{percentile(one)} {format_seconds(found.value, 2)}" for one, found in check.simulation.items()
    )
    st.caption(t("plan_page.simulated", requests=f"{REQUESTS:,}", figures=figures))
    if check.differs(share):
        found = check.simulation[share]
        st.warning(
            t(
                "plan_page.simulation_differs",
                share=percentile(share),
                formula=format_seconds(check.formula[share], 2),
                simulation=format_seconds(found.value, 2),
                error=format_seconds(2.0 * found.error, 1),
            ),
            icon=":material/difference:",
        )
