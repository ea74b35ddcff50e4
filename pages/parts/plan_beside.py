"""Saved plans in the comparison, beside those of today: their numbers as they were saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core.architecture.formats import weight_formats
from core.errors import PlannerError
from core.planning.document import data_version
from core.planning.figures import percentile
from core.planning.question import SHARES
from core.planning.result import Planned
from core.planning.words import recorded_words
from core.quantities import format_digits, format_seconds, format_usd
from core.store import Saved
from pages.parts import language
from pages.parts.address import joined, listed
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.planning import Asked
from pages.parts.saved_store import asking

Translator = Callable[..., str]
Figures = dict[str, str]


def saved_beside(inputs: Inputs, result: Asked, t: Translator) -> dict[str, Figures]:
    """Draw which saved plans are compared; return their figures by the heading of each."""
    ids = listed(inputs["beside"])
    found = {id_: work for id_ in ids if (work := _work(id_)) is not None}
    if not found:
        return {}
    if len(found) < len(ids):
        inputs.change(beside=joined(tuple(found)))
    inputs.several(
        "beside", t("saved.compared"), tuple(found), lambda id_: found[id_].name if id_ in found else id_
    )
    return {_heading(work): _figures(work, result, t) for work in found.values()}


def _work(id_: str) -> Saved | None:
    """Return the saved plan with *id_*, None after saying why it is not there."""
    try:
        with asking() as store:
            work: Saved = store.get(id_)
    except PlannerError as error:
        st.warning(error.sentence.render(language.current()), icon=":material/link_off:")
        return None
    return work if isinstance(work.content.get("plan"), dict) else None


def _heading(work: Saved) -> str:
    return f"{plain(work.name)}: {recorded_words(work.content['plan'])}"


def _figures(work: Saved, result: Asked, t: Translator) -> Figures:
    data = data_words(work, result.planned, result.request, t)
    return figures_of(work.content["plan"], t) | {t("saved.saved_on"): data}


def figures_of(plan: Mapping[str, Any], t: Translator) -> Figures:
    """Return the figures of a recorded *plan* under the names that the comparison has for them."""
    waits = plan.get("ttft_s")
    waits = waits if isinstance(waits, dict) else {}
    price = plan.get("price") or {}
    formats, weights = weight_formats(), str(plan.get("weights", "–"))
    column = "plan_page.column."
    return {
        t(f"{column}model"): str(plan.get("model", "–")),
        t(f"{column}weights"): formats[weights].label if weights in formats else weights,
        t(f"{column}kv"): str(plan.get("kv", "–")).upper(),
        t(f"{column}engine"): f"{plan.get('engine', '–')} {plan.get('engine_version') or ''}".strip(),
        t(f"{column}replicas"): str(plan.get("replicas", "–")),
        t(f"{column}gpus"): _told(plan.get("gpus"), "{:,}".format),
        t(f"{column}cost_long"): _told(plan.get("usd_per_month"), format_usd),
        t(f"{column}tokens"): _told(plan.get("usd_per_million_tokens"), format_usd),
        **{
            t(f"{column}ttft_long", share=percentile(share)): _told(
                waits.get(percentile(share).lower()), _seconds
            )
            for share in SHARES
        },
        t(f"{column}tpot_long"): _told(plan.get("tpot_s"), _seconds),
        t(f"{column}request"): _told(plan.get("request_s"), _seconds),
        t(f"{column}used"): _told(plan.get("utilisation"), "{:.0%}".format),
        t(f"{column}speed"): _told(plan.get("output_tokens_per_s_per_gpu"), _two),
        t(f"{column}energy"): _told(plan.get("kwh_per_million_tokens"), _two),
        t(f"{column}offer"): f"{plan.get('instances')} × {price['offer']}" if price.get("offer") else "–",
    }


def data_words(work: Saved, planned: Planned | None, request: Mapping[str, Any], t: Translator) -> str:
    """Return when the numbers of a saved plan were worked out, and whether with those data that *planned* is from."""
    data = work.content.get("data")
    files = data.get("files") if isinstance(data, dict) else None
    now = data_version(planned, request)["files"] if planned else {}
    known = files if isinstance(files, dict) else {}
    same = bool(known) and all(now.get(name, known[name]) == known[name] for name in known)
    created = str(work.content.get("created", ""))[:10]
    return t(
        "saved.data_same" if same and planned else "saved.data_other",
        date=created or "–",
        hash=work.data_version[:8] or "–",
    )


def _told(value: object, show: Callable[[float], str]) -> str:
    return show(value) if isinstance(value, int | float) else "–"


def _seconds(value: float) -> str:
    return format_seconds(value, 2)


def _two(value: float) -> str:
    return format_digits(value, 2)
