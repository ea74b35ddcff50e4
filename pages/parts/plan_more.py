"""The inputs of a plan that only some set, in groups that are drawn when they are opened."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.architecture.formats import weight_formats
from core.memory.engines import find_engine
from core.planning.question import CHECKPOINT, ENGINES
from pages.parts.address import numbers, paired
from pages.parts.inputs import Inputs
from pages.parts.plan_fields import CLOUDS, KV, RANKS, REGIONS, VENDORS, WEIGHTS
from pages.parts.plan_saved import saved_plans
from pages.parts.plan_trace import trace_input
from pages.parts.size_sidebar import ordered_gpus

Translator = Callable[..., str]


def _traffic(inputs: Inputs, t: Translator) -> None:
    inputs.number("peak", t("plan_page.peak"), step=0.5, format="%g", help=t("plan_page.help.peak"))
    for name in ("input_p95", "output_p95"):
        alike, help_ = t("plan_page.alike"), t("plan_page.help.p95")
        inputs.number(name, t(f"plan_page.{name}"), step=100, placeholder=alike, help=help_)
    inputs.number("hits", t("plan_page.hits"), step=5, help=t("plan_page.help.hits"))


def _latency(inputs: Inputs, t: Translator) -> None:
    unlimited = t("plan_page.any")
    inputs.number(
        "tpot",
        t("plan_page.tpot"),
        step=5.0,
        format="%g",
        placeholder=unlimited,
        help=t("plan_page.help.tpot"),
    )
    inputs.number(
        "e2e", t("plan_page.e2e"), step=1.0, format="%g", placeholder=unlimited, help=t("plan_page.help.e2e")
    )


def _hardware(inputs: Inputs, t: Translator) -> None:
    names = ordered_gpus()
    everything = t("plan_page.all")
    inputs.several("vendors", t("plan_page.vendors"), VENDORS, placeholder=everything)
    inputs.several("gpus", t("plan_page.gpus"), tuple(names), names.__getitem__, placeholder=everything)
    inputs.several("clouds", t("plan_page.clouds"), CLOUDS, placeholder=everything)
    inputs.several("regions", t("plan_page.regions"), REGIONS, placeholder=everything)
    _by_gpu(inputs, "owned", t, step=1.0, start=8.0)
    inputs.number(
        "budget",
        t("plan_page.budget"),
        step=1000.0,
        format="%g",
        placeholder=t("plan_page.any"),
        help=t("plan_page.help.budget"),
    )
    inputs.number("replica", t("plan_page.replica"), help=t("plan_page.help.replica"))
    inputs.number("most", t("plan_page.most"), placeholder=t("plan_page.any"), help=t("plan_page.help.most"))


def _formats(inputs: Inputs, t: Translator) -> None:
    labels = {name: row.label for name, row in weight_formats().items()} | {
        CHECKPOINT: t("plan_page.checkpoint")
    }
    inputs.several(
        "weights",
        t("size.weights"),
        WEIGHTS,
        labels.__getitem__,
        placeholder=t("plan_page.usual_weights"),
        help=t("plan_page.help.weights"),
    )
    inputs.several(
        "kv", t("size.kv"), KV, str.upper, placeholder=t("size.engine_default"), help=t("size.help.kv")
    )
    inputs.several(
        "engines",
        t("plan_page.engines"),
        ENGINES,
        lambda name: find_engine(name).label,
        placeholder=t("plan_page.all"),
    )
    inputs.several(
        "tp", t("plan_page.tp"), RANKS, placeholder=t("plan_page.all"), help=t("plan_page.help.tp")
    )
    inputs.number(
        "context",
        t("size.context"),
        step=1024,
        placeholder=t("plan_page.from_lengths"),
        help=t("plan_page.help.context"),
    )


def _prices(inputs: Inputs, t: Translator) -> None:
    inputs.segments(
        "pricing",
        t("plan_page.pricing"),
        ("on_demand", "spot"),
        lambda kind: t(f"plan_page.kinds.{kind}"),
        help=t("plan_page.help.pricing"),
    )
    _by_gpu(inputs, "prices", t, step=0.1, start=2.0)


def _by_gpu(inputs: Inputs, name: str, t: Translator, *, step: float, start: float) -> None:
    """Draw a number for each of some GPUs: which, and below them a field for each."""
    names = ordered_gpus()
    given = numbers(inputs[name])
    listed, shape = f"plan_{name}_gpus", tuple(given)
    if st.session_state.get(listed) is None or set(st.session_state[listed]) != set(given):
        st.session_state[listed] = list(shape)
    st.multiselect(
        t(f"plan_page.{name}"),
        tuple(names),
        key=listed,
        format_func=names.__getitem__,
        on_change=_take_gpus,
        args=(inputs, name, start),
        placeholder=t("plan_page.none"),
        help=t(f"plan_page.help.{name}"),
    )
    for gpu, number in given.items():
        key = f"plan_{name}_of_{gpu}"
        st.session_state[key] = number
        st.number_input(
            t(f"plan_page.{name}_of", gpu=names[gpu]),
            min_value=step if name == "prices" else 1.0,
            step=step,
            format="%g",
            key=key,
            on_change=_take_number,
            args=(inputs, name, gpu),
        )


def _take_gpus(inputs: Inputs, name: str, start: float) -> None:
    given = numbers(inputs[name])
    chosen = {gpu: given.get(gpu, start) for gpu in st.session_state[f"plan_{name}_gpus"]}
    inputs.change(**{name: paired(chosen) or None})


def _take_number(inputs: Inputs, name: str, gpu: str) -> None:
    number = st.session_state[f"plan_{name}_of_{gpu}"]
    if number:
        inputs.change(**{name: paired(numbers(inputs[name]) | {gpu: number})})


EXPANDERS = {
    "traffic": _traffic,
    "trace": trace_input,
    "latency": _latency,
    "hardware": _hardware,
    "formats": _formats,
    "prices": _prices,
    "saved": saved_plans,
}
