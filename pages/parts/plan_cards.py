"""The chosen plan in words, and its first figures as a row of cards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import streamlit as st

from core.planning.figures import is_stable, percentile, ranged, shown, utilisation
from core.planning.result import Plan, Planned
from core.planning.words import plan_words
from core.quantities import format_digits, format_usd
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.card import cards_of
from pages.parts.inputs import Inputs
from pages.parts.planning import plan_options

Translator = Callable[..., str]
_card = cards_of("plan_page")

WIDTH = 132
"""Pixels of the narrowest card: six side by side on a desktop, two on a telephone."""


def today() -> date:
    """Return the day against which the age of prices is told."""
    return datetime.now(UTC).date()


def plan_title(inputs: Inputs, planned: Planned, plan: Plan, t: Translator) -> None:
    """Draw the chosen plan in words, and the choice of another."""
    options = plan_options(planned)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width="stretch"):
            best = planned.best is not None and plan.id == planned.best.id
            badge = t("plan_page.best" if best else "plan_page.chosen")
            color = "green" if best else "blue"
            st.subheader(f"{plain(plan_words(plan))} :{color}-badge[{badge}]", anchor=False)
        inputs.choice(
            "chosen",
            t("plan_page.shown_plan"),
            tuple(options),
            lambda id_: _option(options[id_], planned),
            placeholder=t("plan_page.the_best"),
            help=t("plan_page.help.chosen"),
            width=320,
        )
    deployment = plan.deployment
    st.caption(
        t(
            "plan_page.described",
            model=plain(deployment.model.name),
            weights=deployment.weights.label,
            kv=deployment.kv.name.upper(),
            engine=f"{deployment.engine.label} {deployment.engine.version}",
            replicas=_replicas(plan, t),
            concurrency=f"{plan.service.concurrency:,.0f}",
        )
    )


def _replicas(plan: Plan, t: Translator) -> str:
    key = "replicas_spare" if plan.spare else "replicas"
    return t(f"plan_page.{key}", replicas=plan.replicas, gpus=plan.gpus_per_replica, spare=plan.spare)


def _option(plan: Plan, planned: Planned) -> str:
    words = [plan_words(plan)]
    if len(planned.question.models) > 1:
        words.append(plan.deployment.model.name.rpartition("/")[2])
    if plan.usd_per_month is not None:
        words.append(format_usd(plan.usd_per_month))
    return " · ".join(words)


def plan_cards(planned: Planned, plan: Plan, t: Translator) -> None:
    """Draw the cards: GPUs, cost, latencies with their bands, and how full it runs."""
    share = planned.question.targets.share
    locale = language.current()
    used, color = (utilisation(plan), "off") if is_stable(plan) else (t("plan_page.unstable"), "red")
    with st.grid(6, min_column_width=WIDTH):
        _card("gpus", t, f"{plan.gpus:,}", t("plan_page.card.replicas", replicas=plan.replicas + plan.spare))
        _card("cost", t, _cost(plan), *_age(plan, t))
        _card(
            "ttft",
            t,
            shown(plan, "ttft", locale, share),
            ranged(plan, "ttft", share),
            share=percentile(share),
        )
        _card("tpot", t, shown(plan, "tpot", locale), ranged(plan, "tpot"))
        _card("request", t, shown(plan, "request", locale), ranged(plan, "request"))
        rate = format_digits(plan.service.rate, 2)
        stable = format_digits(plan.service.stable, 2)
        _card("used", t, used, t("plan_page.card.rates", rate=rate, stable=stable), color)
    if plan.price is not None:
        st.caption(plain(plan.price.sentence(today()).render(locale)))


def _cost(plan: Plan) -> str:
    return "–" if plan.usd_per_month is None else format_usd(plan.usd_per_month)


def _age(plan: Plan, t: Translator) -> tuple[str | None, str]:
    """Return how old the price is, and the colour of the badge that says so."""
    price = plan.price
    if price is None:
        return t("plan_page.card.no_price"), "orange"
    if price.as_of is None:
        return t(f"plan_page.card.{price.kind}"), "off"
    age = price.age(today()) or 0
    return t("plan_page.card.age", days=age), "orange" if price.is_old(today()) else "off"
