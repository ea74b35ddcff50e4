"""The load of a deployment as sliders, and what follows from it: numbers first, then where they come from."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.charts import memory_bar
from core.charts.alt import bar_alt
from core.memory.serving import ServingMemory
from core.quantities import format_count, format_length
from pages.parts import language
from pages.parts.answered import tell_error
from pages.parts.breakdown import plain
from pages.parts.fields import VIEWS
from pages.parts.headline import headline_cards
from pages.parts.inputs import Inputs
from pages.parts.plot import plot
from pages.parts.serving import EVERYWHERE, Sized, sized
from pages.parts.size_views import SHOW
from pages.parts.verdict import notes, remedy_list, verdict_banner

Translator = Callable[..., str]

GPUS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128)
CONTEXTS = (*(step * 2**power for power in range(9, 19) for step in (2, 3)), 2**20)
REQUESTS = (
    1,
    2,
    3,
    4,
    6,
    8,
    12,
    16,
    24,
    32,
    48,
    64,
    96,
    128,
    192,
    256,
    384,
    512,
    768,
    1024,
    1536,
    2048,
    4096,
)


def size_answer(inputs: Inputs, t: Translator) -> None:
    """Draw the sliders, the answer for them, and below it the view that was chosen."""
    if st.session_state.pop(EVERYWHERE, False):
        st.rerun()
    inputs.settle()
    result = sized(inputs)
    with st.grid(3, min_column_width=220, gap=("xxsmall", "medium")):
        inputs.steps("gpus", t("size.gpus"), GPUS, help=t("size.help.gpus"))
        inputs.steps("context", t("size.context"), CONTEXTS, format_length, help=t("size.help.context"))
        inputs.steps("requests", t("size.requests"), REQUESTS, "{:,}".format, help=t("size.help.requests"))
    # What comes and goes has a place that stays: Streamlit would build all that follows anew, and lose its zoom.
    with st.container():
        tell_error(result, "size.cannot", _last(result, t), t)
    memory = result.memory
    if memory is None:
        if not result.waiting:
            st.info(t("size.empty"), icon=":material/tune:")
        return
    with st.container(key="size_figures"):
        _figures(inputs, result, memory, t)
    if result.stale:
        st.html("<style>.st-key-size_figures { opacity: 0.45; }</style>")


def _figures(inputs: Inputs, result: Sized, memory: ServingMemory, t: Translator) -> None:
    cards, banner = st.container(), st.container()
    # The bar is sent before the cards above it: it takes longest to draw, and the cards are there in time.
    with st.container(border=True):
        st.caption(_described(memory, t))
        plot(memory_bar(memory, language.current()), "size_bar", bar_alt(memory, language.current()))
        notes(memory)
    with cards:
        headline_cards(memory, t)
    with banner:
        if not result.stale:
            verdict_banner(memory)
    with st.container():
        if not result.stale:
            remedy_list(memory, inputs, t)
    # Not st.tabs: these alone take a third of the time until a changed number is on screen.
    inputs.segments(
        "view", t("size.view"), VIEWS, lambda view: t(f"size.views.{view}"), label_visibility="collapsed"
    )
    SHOW[str(inputs["view"])](inputs, result, memory, t)


def _described(memory: ServingMemory, t: Translator) -> str:
    """Return the deployment in a line: on a telephone the inputs are out of sight."""
    deployment = memory.deployment
    model, device = deployment.model, deployment.device
    size = t("size.parameters", parameters=format_count(model.parameters))
    if model.is_moe:
        active = format_count(model.active_parameters)
        size = t("size.parameters_moe", parameters=format_count(model.parameters), active=active)
    return t(
        "size.described",
        model=plain(model.name),
        size=size,
        format=deployment.weights.label,
        gpus=deployment.layout.gpus,
        gpu=device.name if device else "–",
        engine=f"{deployment.engine.label} {deployment.engine.version}",
    )


def _last(result: Sized, t: Translator) -> str | None:
    """Return whose figures are shown where the inputs cannot be sized."""
    if result.memory is None:
        return None
    last = result.memory.deployment
    return t("size.stale", model=last.model.name, gpus=last.layout.gpus)
