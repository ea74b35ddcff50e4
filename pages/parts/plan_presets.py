"""Usual workloads, each of which fills in lengths, peak and targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.traffic import presets
from pages.parts import language
from pages.parts.inputs import Inputs

Translator = Callable[..., str]

_CHOICE = "plan_preset"


def preset_choice(inputs: Inputs, t: Translator) -> None:
    """Draw the choice of a preset, and a way back to it after a change."""
    names = {id_: preset.name.render(language.current()) for id_, preset in presets().items()}
    if st.session_state.get(_CHOICE) != inputs["preset"] or _CHOICE not in st.session_state:
        st.session_state[_CHOICE] = inputs["preset"]
    st.selectbox(
        t("plan_page.preset"),
        tuple(names),
        index=None,
        key=_CHOICE,
        format_func=names.__getitem__,
        on_change=_take,
        args=(inputs,),
        placeholder=t("plan_page.own_numbers"),
        help=t("plan_page.help.preset"),
    )
    if inputs["preset"] is None:
        return
    wanted = values_of(str(inputs["preset"]))
    if any(inputs[name] != value for name, value in wanted.items()):
        st.button(
            t("plan_page.reset"),
            key="plan_reset",
            icon=":material/restart_alt:",
            type="tertiary",
            on_click=inputs.change,
            kwargs=wanted,
        )


def values_of(name: str) -> dict[str, Any]:
    """Return what the preset *name* puts into the inputs."""
    preset = presets()[name]
    return {
        "input": round(preset.input.mean),
        "input_p95": round(preset.input.p95),
        "output": round(preset.output.mean),
        "output_p95": round(preset.output.p95),
        "peak": preset.peak,
        "hits": round(preset.prefix_hits * 100),
        "ttft": round(preset.ttft_s * 1000),
        "share": "p95",
        "tpot": round(preset.tpot_s * 1000, 6),
    }


def _take(inputs: Inputs) -> None:
    name = st.session_state[_CHOICE]
    inputs.change(preset=name, **(values_of(name) if name else {}))
