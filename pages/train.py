"""Train: what a training or fine-tuning run takes on each GPU, what makes it fit, how long it takes."""

import streamlit as st

from pages.parts import language
from pages.parts.answered import tell_refused
from pages.parts.inputs import Inputs
from pages.parts.train_answer import train_answer
from pages.parts.train_fields import FIELDS
from pages.parts.train_sidebar import train_sidebar
from pages.parts.training import trained

t = language.translator()
inputs = Inputs("train", FIELDS)
refused = inputs.settle()

st.title(t("train_page.title"), anchor=False)
st.caption(t("train_page.subtitle"))
with st.container():
    tell_refused(refused, t)


@st.fragment
def answer() -> None:
    """Draw the batch and what follows from it; a slider that moves runs only this, which halves the wait."""
    train_answer(inputs, t)


answer()
with st.sidebar:
    train_sidebar(inputs, trained(inputs), t)
