"""What follows from the inputs of the Plan page: the plan in numbers first, then what it stands among."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.charts import pareto
from core.charts.alt import pareto_alt
from core.charts.pareto import axes_of
from core.planning.loosened import loosened
from core.planning.result import Plan, Planned
from pages.parts import language
from pages.parts.answered import tell_error
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.plan_cards import plan_cards, plan_title
from pages.parts.plan_check import plan_check
from pages.parts.plan_fields import VIEWS
from pages.parts.plan_share import share, told_of_loaded
from pages.parts.plan_table import rejected
from pages.parts.plan_views import SHOW
from pages.parts.planning import EVERYWHERE, Asked, apply, asked, chosen_of
from pages.parts.plot import plot

Translator = Callable[..., str]


def plan_answer(inputs: Inputs, t: Translator) -> None:
    """Draw the answer, and below it the view that was chosen."""
    if st.session_state.pop(EVERYWHERE, False):
        st.rerun()
    inputs.settle()
    result = asked(inputs)
    # What comes and goes has a place that stays: Streamlit would build all that follows anew, and lose its zoom.
    with st.container():
        tell_error(result, "plan_page.cannot", t("plan_page.stale") if result.planned else None, t)
        told_of_loaded(result, t)
    if result.planned is None:
        if not result.waiting:
            st.info(t("plan_page.empty"), icon=":material/tune:")
        return
    with st.container(key="plan_figures"):
        plan = chosen_of(inputs, result.planned)
        if plan is None:
            _none(inputs, result, t)
        else:
            _figures(inputs, result, plan, t)
    if result.stale:
        st.html("<style>.st-key-plan_figures { opacity: 0.45; }</style>")


def _figures(inputs: Inputs, result: Asked, plan: Plan, t: Translator) -> None:
    planned = result.planned
    assert planned is not None  # noqa: S101 - for the reader: a plan comes from an answer
    plan_title(inputs, planned, plan, t)
    plan_cards(planned, plan, t)
    plan_check(planned, plan, t)
    with st.container(border=True):
        locale = language.current()
        priced = axes_of(planned).priced
        st.markdown(f"**{t('plan_page.pareto' if priced else 'plan_page.pareto_gpus')}**")
        plot(pareto(planned, plan, locale), "plan_pareto", pareto_alt(planned, locale))
        st.caption(t("plan_page.pareto_note"))
    _notes(planned)
    inputs.segments(
        "view", t("size.view"), VIEWS, lambda view: t(f"plan_page.views.{view}"), label_visibility="collapsed"
    )
    SHOW[str(inputs["view"])](inputs, result, plan, t)


def _notes(planned: Planned) -> None:
    sentences = [plain(sentence.render(language.current())) for sentence in planned.notes]
    if sentences:
        st.caption("\n".join(f"- {sentence}" for sentence in sentences))


def _none(inputs: Inputs, result: Asked, t: Translator) -> None:
    """Say that there is no plan, and which single change would admit one."""
    planned = result.planned
    assert planned is not None  # noqa: S101 - as above
    count = len(planned.rejections)
    st.warning(
        t("plan_page.nothing", count=count), title=t("plan_page.nothing_title"), icon=":material/block:"
    )
    with st.container(border=True):
        st.markdown(f"**{t('plan_page.relax' if planned.relaxations else 'plan_page.no_relaxation')}**")
        for number, one in enumerate(planned.relaxations):
            with st.container(horizontal=True, vertical_alignment="center"):
                change = loosened(result.request, one)
                if change:
                    st.button(
                        t("size.apply"),
                        key=f"plan_apply_{number}",
                        on_click=apply,
                        args=(inputs, change),
                        type="primary" if number == 0 else "secondary",
                    )
                st.markdown(plain(one.reason.render(language.current())), width="stretch")
    _notes(planned)
    st.markdown(f"**{t('plan_page.views.rejected')}**")
    rejected(planned, t)
    share(inputs, result, None, t)
