"""The inputs of the Plan page: the workload and its targets first, what may be used behind a click."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import PlannerError
from core.planning.question import OBJECTIVES
from pages.parts import language
from pages.parts.inputs import Inputs
from pages.parts.model_picker import ordered_ids, own_config
from pages.parts.plan_fields import PERCENTILES, SOURCES, UNITS
from pages.parts.plan_more import EXPANDERS
from pages.parts.plan_presets import preset_choice
from pages.parts.planning import TRACE

Translator = Callable[..., str]

STEPS = {"second": 1.0, "minute": 10.0, "hour": 100.0, "day": 10_000.0}
"""By how much a click changes the requests in each unit."""

HEADROOM = (*range(0, 55, 5), 60, 70, 80, 90)
PLACES = {
    "model": ("model", "models", "hidden_size"),
    "traffic": ("requests", "input_tokens", "output_tokens", "peak_factor", "prefix_cache", "p95", "traffic"),
}
"""Beginnings of the fields of a request whose faults are told beside the inputs of that name."""


def plan_sidebar(inputs: Inputs, t: Translator) -> dict[str, DeltaGenerator]:
    """Draw all inputs in the sidebar; return the places for what is wrong with them, by group."""
    places = {}
    _models(inputs, t)
    places["model"] = st.container()
    preset_choice(inputs, t)
    _traffic(inputs, t)
    places["traffic"] = st.container()
    _targets(inputs, t)
    inputs.segments(
        "rank",
        t("plan_page.rank"),
        OBJECTIVES,
        lambda name: t(f"plan_page.ranks.{name}"),
        help=t("plan_page.help.rank"),
    )
    places["other"] = st.container()
    for name, body in EXPANDERS.items():
        with st.expander(t(f"plan_page.group.{name}"), key=f"plan_group_{name}", on_change="rerun") as group:
            if group.open:
                body(inputs, t)
    return places


def tell_fault(places: dict[str, DeltaGenerator], error: PlannerError | None) -> None:
    """Say what is wrong beside the inputs that it is about."""
    if error is None:
        return
    field = error.field or ""
    group = next((name for name, starts in PLACES.items() if field.startswith(starts)), "other")
    if error.kind in ("bad_model_config", "unsupported_architecture", "unknown_model"):
        group = "model"
    with places[group]:
        st.error(error.sentence.render(language.current()), icon=":material/error:")


def _models(inputs: Inputs, t: Translator) -> None:
    inputs.segments("source", t("size.source"), SOURCES, lambda source: t(f"size.sources.{source}"))
    if inputs["source"] == "catalogue":
        inputs.several(
            "models",
            t("plan_page.models"),
            ordered_ids(),
            max_selections=8,
            select_all=False,
            placeholder=t("plan_page.pick_model"),
            help=t("plan_page.help.models"),
        )
    else:
        own_config(t)


def _traffic(inputs: Inputs, t: Translator) -> None:
    # Stated by the trace, where there is one.
    traced = TRACE in st.session_state
    left, right = st.columns((3, 2), vertical_alignment="bottom", gap="xsmall")
    with left:
        inputs.number(
            "rate",
            t("plan_page.rate"),
            step=STEPS[str(inputs["unit"])],
            format="%g",
            help=t("plan_page.help.rate"),
            disabled=traced,
        )
    with right:
        inputs.choice(
            "unit",
            t("plan_page.unit"),
            UNITS,
            lambda unit: t(f"plan_page.units.{unit}"),
            label_visibility="collapsed",
            disabled=traced,
        )
    left, right = st.columns(2, gap="xsmall")
    with left:
        inputs.number(
            "input", t("plan_page.input"), step=100, help=t("plan_page.help.input"), disabled=traced
        )
    with right:
        inputs.number(
            "output", t("plan_page.output"), step=100, help=t("plan_page.help.output"), disabled=traced
        )
    if traced:
        st.caption(t("plan_page.trace_counts"))


def _targets(inputs: Inputs, t: Translator) -> None:
    left, right = st.columns((3, 2), vertical_alignment="bottom", gap="xsmall")
    with left:
        inputs.number("ttft", t("plan_page.ttft"), step=50, help=t("plan_page.help.ttft"))
    with right:
        inputs.choice("share", t("plan_page.share"), PERCENTILES, str.upper, label_visibility="collapsed")
    inputs.steps(
        "headroom", t("plan_page.headroom"), HEADROOM, "{} %".format, help=t("plan_page.help.headroom")
    )
    inputs.toggle("spare", t("plan_page.spare"), help=t("plan_page.help.spare"))
