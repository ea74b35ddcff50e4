"""More about one plan: its day, what changes with the assumptions, and what to buy for it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.architecture.formats import checkpoint_bytes
from core.catalog import accelerators
from core.charts import day
from core.charts.alt import day_alt
from core.errors import PlannerError
from core.planning.day import day_of
from core.planning.materials import Line, materials
from core.planning.recommendations import Difference, compare
from core.planning.result import Plan
from core.planning.sensitivity import Case, Held, sensitivity
from core.planning.words import plan_words
from core.quantities import format_digits, format_seconds, format_usd
from core.text import Sentence
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.plan_trace import hours_of
from pages.parts.planning import Asked
from pages.parts.plot import plot

Translator = Callable[..., str]


def plan_day(inputs: Inputs, result: Asked, plan: Plan, t: Translator) -> None:
    """Draw the load of a day against what the plan serves."""
    del inputs
    if result.planned is None:
        return
    try:
        curve = day_of(plan, hours_of(plan), result.planned.question.limits.headroom)
    except PlannerError as error:
        st.info(error.sentence.render(language.current()), icon=":material/info:")
        return
    locale = language.current()
    plot(day(curve, locale), "plan_day", day_alt(curve, locale))
    st.caption(
        t(
            "plan_page.day_note",
            mean=f"{curve.mean_utilisation:.0%}",
            busiest=f"{max(curve.utilisation):.0%}",
            above=len(curve.above),
            saved=f"{curve.saved:.0%}",
            replicas=curve.replicas,
        )
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _cases(key: tuple[str, str], _result: Asked, _plan: Plan) -> tuple[Case, ...]:
    """Return what changes with the assumptions; kept by request and plan, for it is a dozen searches."""
    del key
    planned = _result.planned
    return sensitivity(planned.question, _plan, planned) if planned else ()


def changes(inputs: Inputs, result: Asked, plan: Plan, t: Translator) -> None:
    """Draw what becomes of the plan where one assumption changes."""
    del inputs
    st.caption(t("plan_page.changes_note", plan=plan_words(plan)))
    with st.spinner(t("plan_page.changes_wait")):
        cases = _cases((result.key, plan.id), result, plan)
    locale = language.current()
    st.dataframe(
        pd.DataFrame(
            {
                "case": [case.name.render(locale) for case in cases],
                "same": [_held(case.same, plan, t) for case in cases],
                "best": [_best(case, t) for case in cases],
                "gpus": [_change(case.gpus_change, "{:,.0f}".format) for case in cases],
                "usd": [_change(case.usd_change, format_usd) for case in cases],
                "ttft": [_change(case.ttft_change, _seconds) for case in cases],
            }
        ),
        hide_index=True,
        height="content",
        column_config={
            "case": st.column_config.TextColumn(t("plan_page.case.what"), pinned=True),
            "same": st.column_config.TextColumn(t("plan_page.case.same"), width="medium"),
            "best": st.column_config.TextColumn(t("plan_page.case.best"), width="medium"),
            "gpus": st.column_config.TextColumn(t("plan_page.case.gpus"), alignment="right"),
            "usd": st.column_config.TextColumn(t("plan_page.case.usd"), alignment="right"),
            "ttft": st.column_config.TextColumn(t("plan_page.case.ttft"), alignment="right"),
        },
        placeholder="–",
        alt=t("plan_page.changes_alt", count=len(cases)),
    )


def _held(same: Held, plan: Plan, t: Translator) -> str:
    """Return how the plan as it stands does in a case, and how many replicas it would take."""
    if same.keeps:
        return t("plan_page.case.holds", used=f"{same.utilisation or 0:.0%}")
    key = "late" if same.stable else "unstable" if same.utilisation is not None else "not_at_all"
    told = t(f"plan_page.case.{key}")
    if same.replicas is None or same.replicas == plan.replicas:
        return told
    return t("plan_page.case.needs", told=told, replicas=same.replicas, now=plan.replicas)


def _best(case: Case, t: Translator) -> str:
    if case.plan is not None:
        same = case.base is not None and case.plan.id == case.base.id and case.gpus_change == 0
        return t("plan_page.case.unchanged") if same else plan_words(case.plan)
    return case.reason.render(language.current()) if case.reason else "–"


def _change(amount: float | None, show: Callable[[float], str]) -> str:
    """Return a difference with its sign; one too small to matter is 0."""
    if amount is None:
        return "–"
    return "0" if abs(amount) < 0.0005 else f"{'−' if amount < 0 else '+'}{show(abs(amount))}"


def _seconds(amount: float) -> str:
    return format_seconds(amount, 2)


def bill(inputs: Inputs, result: Asked, plan: Plan, t: Translator) -> None:
    """Draw what to buy for the plan on one's own ground, beside what the guides say."""
    del inputs, result
    deployment = plan.deployment
    try:
        found = materials(
            plan.record,
            plan.gpus_per_replica,
            deployment.layout.tp,
            plan.replicas + plan.spare,
            checkpoint_bytes(deployment.model, deployment.weights),
        )
    except PlannerError as error:
        st.info(error.sentence.render(language.current()), icon=":material/info:")
        return
    st.caption(t("plan_page.bill_note"))
    locale = language.current()
    columns = [t(f"plan_page.bill.{name}") for name in ("what", "total", "each", "rule")]
    rows = [
        (
            line.title.render(locale),
            _amount(line.quantity, line.unit, line),
            _amount(line.per_node, None),
            plain(line.rule.render(locale)),
        )
        for line in found.lines
    ]
    st.table(pd.DataFrame(rows, columns=columns).set_index(columns[0]))
    st.markdown(f"**{t('plan_page.guides')}**")
    st.caption(t("plan_page.guides_note", gpus=found.gpus_per_node))
    columns = [t(f"plan_page.bill.{name}") for name in ("what", "guide", "ours", "why")]
    rows = [_beside(one) for one in compare(found)]
    st.table(pd.DataFrame(rows, columns=columns).set_index(columns[0]))


def _beside(one: Difference) -> tuple[str, str, str, str]:
    locale = language.current()
    said = _amount(one.guide, one.unit)
    if one.name == "gpus" and one.by is not None:
        said = f"{one.by.gpus} × {accelerators()[one.by.accelerator].name}"
    if one.by is not None and one.guide is not None:
        said = f"{said} ({one.by.source.title})"
    return (
        one.title.render(locale),
        plain(said),
        _amount(one.ours, one.unit),
        plain(one.why.render(locale)),
    )


def _amount(value: float | None, unit: Sentence | None, line: Line | None = None) -> str:
    """Return an amount with its unit, and its range where *line* has one."""
    if value is None:
        return "–"
    words = _number(value) + (f" {unit.render(language.current())}" if unit else "")
    if line is None or line.low is None or line.high is None or line.low == line.high:
        return words
    return f"{words} ({_number(line.low)} – {_number(line.high)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else format_digits(value, 3)
