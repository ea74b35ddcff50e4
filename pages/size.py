"""Size: what fills the memory of a GPU, whether a model fits, how much cache is left, and why."""

import streamlit as st

from core.charts import memory_bar, memory_curve
from core.charts.alt import bar_alt, curve_alt
from core.memory.launch import launch_command
from pages.parts import language
from pages.parts.breakdown import breakdown
from pages.parts.fleet_table import fleet_table
from pages.parts.headline import headline_cards
from pages.parts.inputs import Inputs
from pages.parts.plot import plot
from pages.parts.serving import FIELDS, sized
from pages.parts.share import share
from pages.parts.size_sidebar import size_sidebar
from pages.parts.verdict import notes, remedy_list, verdict_banner

t = language.translator()
tongue = language.current()
inputs = Inputs("size", FIELDS)
refused = inputs.settle()
outcome = sized(inputs)
memory = outcome.memory

with st.container(horizontal=True, vertical_alignment="bottom"):
    with st.container():
        st.title(t("size.title"), anchor=False)
        st.caption(t("size.subtitle"))
    share(inputs, outcome, t)

if refused:
    listed = ", ".join(f"{name}={given}" for name, given in refused.items())
    st.warning(t("size.bad_link", listed=listed), icon=":material/link_off:")
if outcome.error is not None:
    message = outcome.error.sentence.render(tongue)
    st.error(message, title=t("size.cannot", field=outcome.error.field or ""), icon=":material/error:")
    if memory is not None:
        st.caption(t("size.stale", model=memory.deployment.model.name, gpus=memory.deployment.layout.gpus))

if memory is None:
    st.info(t("size.empty"), icon=":material/tune:")
else:
    headline_cards(memory, t)
    if outcome.error is None:
        verdict_banner(memory)
    with st.container(border=True):
        st.markdown(f"**{t('size.bar_title')}**")
        plot(memory_bar(memory, tongue), "size_bar", bar_alt(memory, tongue))
        notes(memory)
    if outcome.error is None:
        remedy_list(memory, inputs, t)
    names = ("curve", "why", "fleet", "launch")
    curve, why, gpus, launch = st.tabs(
        [t(f"size.tab.{name}") for name in names], key="size_tab", on_change="rerun"
    )
    if curve.open:
        with curve:
            plot(memory_curve(memory, tongue), "size_curve", curve_alt(memory, tongue))
            st.caption(t("size.curve_note"))
    if why.open:
        with why:
            breakdown(memory, t)
    if gpus.open:
        with gpus:
            fleet_table(memory, t)
    if launch.open:
        with launch:
            st.caption(t("size.launch_note", engine=memory.deployment.engine.label))
            st.code(
                launch_command(memory.deployment, inputs["weights"] is None), language="bash", wrap_lines=True
            )

with st.sidebar:
    size_sidebar(inputs, outcome, t)
