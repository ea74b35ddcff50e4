"""What can be shown below the answer of the Size page: a curve, the reasons, all GPUs, the command, files."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.charts import memory_curve
from core.charts.alt import curve_alt
from core.memory.launch import launch_command
from core.memory.serving import ServingMemory
from pages.parts import language
from pages.parts.breakdown import breakdown
from pages.parts.fleet_table import fleet_table
from pages.parts.inputs import Inputs
from pages.parts.plot import plot
from pages.parts.serving import Sized
from pages.parts.share import share

Translator = Callable[..., str]


def _curve(inputs: Inputs, result: Sized, memory: ServingMemory, t: Translator) -> None:
    del inputs, result
    plot(memory_curve(memory, language.current()), "size_curve", curve_alt(memory, language.current()))
    st.caption(t("size.curve_note"))


def _why(inputs: Inputs, result: Sized, memory: ServingMemory, t: Translator) -> None:
    del inputs, result
    breakdown(memory, t)


def _fleet(inputs: Inputs, result: Sized, memory: ServingMemory, t: Translator) -> None:
    del inputs, result
    fleet_table(memory, t)


def _launch(inputs: Inputs, result: Sized, memory: ServingMemory, t: Translator) -> None:
    del result
    st.caption(t("size.launch_note", engine=memory.deployment.engine.label))
    command = launch_command(memory.deployment, inputs["weights"] is None)
    st.code(command, language="bash", wrap_lines=True)


SHOW = {"curve": _curve, "why": _why, "fleet": _fleet, "launch": _launch, "share": share}
"""What can be shown below the answer, by the name that the address has for it."""
