"""Plan: which GPUs, how many and at what cost, for a workload and the latency it has to keep."""

import streamlit as st

from pages.parts import language
from pages.parts.answered import tell_refused
from pages.parts.plan_answer import plan_answer
from pages.parts.plan_sidebar import plan_sidebar, tell_fault
from pages.parts.plan_work import PlanWork, plan_inputs
from pages.parts.planning import asked
from pages.parts.saved_view import tell_missed

t = language.translator()
inputs = plan_inputs()
work = PlanWork(inputs)
work.settle()
refused = inputs.settle()

st.title(t("plan_page.title"), anchor=False)
st.caption(t("plan_page.subtitle"))
with st.container():
    tell_missed(work)
    tell_refused(refused, t)
# The inputs before the answer: a search takes longer than they do.
with st.sidebar:
    places = plan_sidebar(inputs, t)


@st.fragment
def answer() -> None:
    """Draw the answer; another plan or view runs only this, and searches for nothing."""
    plan_answer(inputs, t)


answer()
result = asked(inputs)
tell_fault(places, None if result.waiting else result.error)
