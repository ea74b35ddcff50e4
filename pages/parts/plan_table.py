"""All plans as a table whose rows can be chosen, two or three of them side by side, and the accelerators left out."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from core.planning.figures import estimate, is_stable, percentile, ranged, shown, utilisation
from core.planning.question import SHARES
from core.planning.result import Plan, Planned
from core.planning.words import layout_words, plan_words
from core.quantities import format_digits, format_usd
from pages.parts import language
from pages.parts.address import joined, listed
from pages.parts.inputs import Inputs
from pages.parts.plan_fields import MOST_COMPARED
from pages.parts.planning import chosen_of, plan_options

Translator = Callable[..., str]

ROW, MOST_ROWS = 35, 12
"""Pixels of a row, and rows that are shown without scrolling."""


def plan_table(inputs: Inputs, planned: Planned, t: Translator) -> None:
    """Draw the ranked plans; the first chosen row is the plan that is shown, up to three are compared."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(t("plan_page.table_note", count=len(planned.plans), deployments=planned.deployments))
        inputs.toggle("layouts", t("plan_page.layouts"), help=t("plan_page.help.layouts"))
    plans = planned.alternatives if inputs["layouts"] else planned.plans
    ids = tuple(plan.id for plan in plans)
    chosen = chosen_of(inputs, planned)
    ticked = {*listed(inputs["compared"]), chosen.id if chosen else ""}
    marked = [place for place, id_ in enumerate(ids) if id_ in ticked]
    # A new answer is a new table: rows of the old one must not stay chosen.
    key = f"plan_table_{zlib.crc32(repr(ids).encode()):x}"
    st.session_state.setdefault(f"{key}:before", [ids[place] for place in marked])
    st.dataframe(
        _frame(plans),
        key=key,
        hide_index=True,
        height=ROW * (1 + min(len(plans), MOST_ROWS)) + 3,
        on_select=lambda: _take(inputs, key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": marked}},
        column_config=_columns(planned, t),
        column_order=[
            name for name in _columns(planned, t) if name != "model" or len(planned.question.models) > 1
        ],
        placeholder="–",
        alt=t("plan_page.table_alt", count=len(plans)),
    )
    st.caption(t("plan_page.table_hint", most=MOST_COMPARED))


def _take(inputs: Inputs, key: str, ids: tuple[str, ...]) -> None:
    """Show the row that was ticked last, and compare those that are ticked."""
    before = st.session_state.get(f"{key}:before", [])
    picked = [ids[row] for row in st.session_state[key]["selection"]["rows"] if row < len(ids)]
    st.session_state[f"{key}:before"] = picked
    if picked:
        first = next((id_ for id_ in picked if id_ not in before), picked[0])
        others = [id_ for id_ in picked if id_ != first]
        inputs.change(chosen=first, compared=joined([first, *others][:MOST_COMPARED]))


def _columns(planned: Planned, t: Translator) -> dict[str, object]:
    number, words = st.column_config.NumberColumn, st.column_config.TextColumn

    def label(name: str, **values: str) -> str:
        return t(f"plan_page.column.{name}", **values)

    asked = planned.question.targets.share
    return {
        "plan": words(label("plan"), pinned=True),
        "model": words(label("model")),
        "weights": words(label("weights")),
        "engine": words(label("engine")),
        "gpus": number(label("gpus"), format="localized"),
        "cost": number(label("cost"), format="$%,.0f"),
        **{
            percentile(share): number(
                label("ttft", share=percentile(share)),
                format="localized",
                help=t("plan_page.column_help.asked") if share == asked else None,
            )
            for share in SHARES
        },
        "tpot": number(label("tpot"), format="localized"),
        "used": number(label("used"), format="percent"),
        "tokens": number(label("tokens"), format="$%.3g", help=t("plan_page.column_help.tokens")),
        "speed": number(label("speed"), format="localized"),
        "energy": number(label("energy"), format="%.2g", help=t("plan_page.column_help.energy")),
        "offer": words(label("offer")),
    }


def _frame(plans: Sequence[Plan]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "plan": [plan_words(plan) for plan in plans],
            "model": [plan.deployment.model.name for plan in plans],
            "weights": [plan.deployment.weights.label for plan in plans],
            "engine": [plan.deployment.engine.label for plan in plans],
            "gpus": [plan.gpus for plan in plans],
            "cost": _numbers([plan.usd_per_month for plan in plans]),
            **{percentile(share): _numbers([_ms(plan, "ttft", share) for plan in plans]) for share in SHARES},
            "tpot": _numbers([_ms(plan, "tpot") for plan in plans]),
            "used": _numbers(
                [round(plan.service.utilisation, 2) if is_stable(plan) else None for plan in plans]
            ),
            "tokens": _numbers([plan.usd_per_million_tokens for plan in plans]),
            "speed": _numbers([_rounded(plan.tokens_per_s_per_gpu, 2) for plan in plans]),
            "energy": _numbers([plan.kwh_per_million_tokens for plan in plans]),
            "offer": [_offer(plan) for plan in plans],
        }
    )


def _numbers(values: Sequence[float | None]) -> pd.Series:
    return pd.Series(values, dtype="Float64")


def _ms(plan: Plan, name: str, share: float = 0.99) -> float | None:
    """Return a latency in milliseconds, with the digits that its band supports; None beyond the stable load."""
    if not is_stable(plan):
        return None
    found = estimate(plan, name, share)
    return _rounded(found.value * 1000, min(3, found.digits))


def _rounded(value: float, digits: int) -> float:
    return float(format_digits(value, digits).replace(",", ""))


def _offer(plan: Plan) -> str:
    price = plan.price
    if price is None or price.offer is None:
        return "" if price is None else price.kind
    return f"{plan.instances} × {price.offer}"


def comparison(
    inputs: Inputs, planned: Planned, t: Translator, saved: Mapping[str, Mapping[str, str]]
) -> None:
    """Draw two or three plans side by side, and the figures of *saved* plans by the heading of each."""
    options = plan_options(planned)
    kept = [id_ for id_ in listed(inputs["compared"]) if id_ in options]
    if joined(kept) != inputs["compared"] or len(kept) < 2:
        chosen = chosen_of(inputs, planned)
        first = [chosen.id] if chosen else []
        kept = list(dict.fromkeys((*kept, *first, *options)))[: max(2, len(kept))]
    inputs.several(
        "compared",
        t("plan_page.compared"),
        tuple(options),
        lambda id_: plan_words(options[id_]),
        max_selections=MOST_COMPARED,
        select_all=False,
        placeholder=t("plan_page.first_two"),
    )
    plans = [options[id_] for id_ in kept]
    today = {t("saved.saved_on"): t("saved.today")} if saved else {}
    columns: dict[str, Mapping[str, str]] = {
        _heading(plan, number): _told(plan, planned, t) | today for number, plan in enumerate(plans, 1)
    }
    for number, (name, told) in enumerate(saved.items(), len(plans) + 1):
        columns[f"({number}) {name}"] = told
    names = list(dict.fromkeys(name for told in columns.values() for name in told))
    st.table(
        pd.DataFrame(
            {heading: [told.get(name, "–") for name in names] for heading, told in columns.items()},
            index=names,
        )
    )


def _heading(plan: Plan, number: int) -> str:
    return f"({number}) {plan_words(plan)}"


def _told(plan: Plan, planned: Planned, t: Translator) -> dict[str, str]:
    """Return the figures of *plan* by their names, as the comparison lists them."""
    locale, asked = language.current(), planned.question.targets.share
    deployment = plan.deployment
    waits = {
        t("plan_page.column.ttft_long", share=percentile(share)): shown(plan, "ttft", locale, share)
        for share in SHARES
    }
    band = ranged(plan, "ttft", asked) or "–"
    return {
        t("plan_page.column.model"): deployment.model.name,
        t("plan_page.column.weights"): deployment.weights.label,
        t("plan_page.column.kv"): deployment.kv.name.upper(),
        t("plan_page.column.engine"): deployment.engine.label,
        t("plan_page.column.layout"): layout_words(deployment.layout) or "–",
        t("plan_page.column.replicas"): f"{plan.replicas} + {plan.spare}"
        if plan.spare
        else f"{plan.replicas}",
        t("plan_page.column.gpus"): f"{plan.gpus:,}",
        t("plan_page.column.cost_long"): "–"
        if plan.usd_per_month is None
        else format_usd(plan.usd_per_month),
        t("plan_page.column.tokens"): "–"
        if plan.usd_per_million_tokens is None
        else format_usd(plan.usd_per_million_tokens),
        **waits,
        t("plan_page.column.band", share=percentile(asked)): band,
        t("plan_page.column.tpot_long"): shown(plan, "tpot", locale),
        t("plan_page.column.request"): shown(plan, "request", locale),
        t("plan_page.column.used"): utilisation(plan),
        t("plan_page.column.speed"): format_digits(plan.tokens_per_s_per_gpu, 2),
        t("plan_page.column.energy"): "–"
        if plan.kwh_per_million_tokens is None
        else format_digits(plan.kwh_per_million_tokens, 2),
        t("plan_page.column.bound"): t(f"plan_page.bound.{plan.service.bound}"),
        t("plan_page.column.offer"): _offer(plan) or "–",
    }


def rejected(planned: Planned, t: Translator) -> None:
    """Draw every accelerator that no plan uses, with how far it came and why it went no further."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        stages = list(dict.fromkeys(one.stage for one in planned.rejections))
        wanted = st.multiselect(
            t("plan_page.stage"),
            stages,
            format_func=lambda stage: t(f"plan_page.stages.{stage}"),
            key="plan_stages",
            placeholder=t("plan_page.all"),
        )
        search = st.text_input(t("size.search"), key="plan_search", placeholder="H100, RTX, AMD")
    words = (search or "").lower().split()
    kept = [
        one
        for one in planned.rejections
        if (not wanted or one.stage in wanted)
        and all(word in f"{one.record.vendor} {one.record.name} {one.record.id}".lower() for word in words)
    ]
    st.caption(t("plan_page.rejected_count", shown=len(kept), count=len(planned.rejections)))
    st.dataframe(
        pd.DataFrame(
            {
                "gpu": [one.record.name for one in kept],
                "vendor": [one.record.vendor for one in kept],
                "stage": [t(f"plan_page.stages.{one.stage}") for one in kept],
                "reason": [one.reason.render(language.current()) for one in kept],
            }
        ),
        hide_index=True,
        height=430,
        column_config={
            "gpu": st.column_config.TextColumn(t("size.column.gpu"), pinned=True),
            "vendor": st.column_config.TextColumn(t("size.vendors"), width="small"),
            "stage": st.column_config.TextColumn(t("plan_page.stage"), width="small"),
            "reason": st.column_config.TextColumn(t("size.column.reason"), width="large"),
        },
        alt=t("plan_page.rejected_alt", count=len(kept)),
    )
