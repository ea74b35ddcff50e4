"""Size: what fills the memory of a GPU, whether a model fits, how much cache is left, and why."""

import streamlit as st

from pages.parts import language
from pages.parts.answered import tell_refused
from pages.parts.fields import FIELDS
from pages.parts.inputs import Inputs
from pages.parts.serving import sized
from pages.parts.size_answer import size_answer
from pages.parts.size_sidebar import size_sidebar

t = language.translator()
inputs = Inputs("size", FIELDS)
refused = inputs.settle()

st.title(t("size.title"), anchor=False)
st.caption(t("size.subtitle"))
with st.container():
    tell_refused(refused, t)


@st.fragment
def answer() -> None:
    """Draw the load and what follows from it; a slider that moves runs only this, which halves the wait."""
    size_answer(inputs, t)


answer()
with st.sidebar:
    size_sidebar(inputs, sized(inputs), t)
