"""The inputs of the Quotes page: the workload, what is assumed with its range and source, and saved work."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.cost.assumptions import Range, ranges
from core.planning.fair import has_tariff, places
from pages.parts.inputs import Inputs
from pages.parts.model_picker import ordered_ids
from pages.parts.plan_fields import PERCENTILES, UNITS
from pages.parts.plan_sidebar import HEADROOM, STEPS
from pages.parts.quotes_fields import ASSUMED, SHARES

Translator = Callable[..., str]


def quotes_sidebar(inputs: Inputs, t: Translator) -> None:
    """Draw the workload, and behind a click what is assumed."""
    _workload(inputs, t)
    with st.expander(t("quotes_page.assumptions"), key="quotes_group_assumed", on_change="rerun") as group:
        if group.open:
            _assumptions(inputs, t)


def _workload(inputs: Inputs, t: Translator) -> None:
    inputs.choice("model", t("size.model"), ordered_ids())
    left, right = st.columns((3, 2), vertical_alignment="bottom", gap="xsmall")
    with left:
        inputs.number("rate", t("plan_page.rate"), step=STEPS[str(inputs["unit"])], format="%g")
    with right:
        inputs.choice(
            "unit",
            t("plan_page.unit"),
            UNITS,
            lambda unit: t(f"plan_page.units.{unit}"),
            label_visibility="collapsed",
        )
    left, right = st.columns(2, gap="xsmall")
    with left:
        inputs.number("input", t("plan_page.input"), step=100)
        inputs.number("peak", t("plan_page.peak"), step=0.5, format="%g", help=t("plan_page.help.peak"))
    with right:
        inputs.number("output", t("plan_page.output"), step=100)
        inputs.number("hits", t("plan_page.hits"), step=5, help=t("plan_page.help.hits"))
    left, right = st.columns((3, 2), vertical_alignment="bottom", gap="xsmall")
    with left:
        inputs.number("ttft", t("plan_page.ttft"), step=100, help=t("plan_page.help.ttft"))
    with right:
        inputs.choice("share", t("plan_page.share"), PERCENTILES, str.upper, label_visibility="collapsed")
    inputs.number("tpot", t("plan_page.tpot"), step=5.0, format="%g", placeholder=t("quotes_page.any"))
    inputs.steps(
        "headroom", t("plan_page.headroom"), HEADROOM, "{} %".format, help=t("plan_page.help.headroom")
    )


def _assumptions(inputs: Inputs, t: Translator) -> None:
    st.caption(t("quotes_page.assumptions_note"))
    names = places()
    inputs.choice(
        "place",
        t("quotes_page.place"),
        tuple(names),
        names.__getitem__,
        placeholder=t("quotes_page.place_default"),
        help=t("quotes_page.place_help"),
    )
    place = str(inputs["place"]) if inputs["place"] else None
    if place and not has_tariff(place):
        st.caption(t("quotes_page.no_tariff", place=names[place]))
    known = ranges(place)
    for name in ASSUMED:
        _assumption(inputs, name, known[name], t)


def _assumption(inputs: Inputs, name: str, known: Range, t: Translator) -> None:
    """Draw one assumption; empty, it is the typical value, whose range and source stand below."""
    percent = name in SHARES
    label = t(f"cost.assumption.{name}")
    low, typical, high = (_shown(value, percent=percent) for value in known.values)
    figure = known.figure
    placeholder = t("quotes_page.by_load", typical=typical) if name == "utilisation" else typical
    inputs.number(
        name,
        t("quotes_page.percent", label=label) if percent else label,
        step=None,
        format="%g",
        placeholder=placeholder,
        help=t(
            "quotes_page.range_help",
            low=low,
            typical=typical,
            high=high,
            source=figure.provenance.source if figure else "–",
            as_of=f"{figure.provenance.as_of}" if figure else "–",
            confidence=figure.provenance.confidence if figure else "–",
        ),
    )
    st.caption(t("quotes_page.range", low=low, typical=typical, high=high))


def _shown(value: float, *, percent: bool) -> str:
    """Return a value as short as it can be said.

    >>> _shown(0.125, percent=True), _shown(36.0, percent=False), _shown(150_000.0, percent=False)
    ('12.5 %', '36', '150,000')
    """
    number = float(f"{value * 100 if percent else value:.4g}")
    return f"{number:,.15g}" + (" %" if percent else "")
