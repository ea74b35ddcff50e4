"""What can be shown below a plan: all plans, some side by side, its day, how to start it, what was left out."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import PlannerError
from core.memory.launch import launch_command
from core.planning.manifest import manifest
from core.planning.result import Plan
from pages.parts import language
from pages.parts.inputs import Inputs
from pages.parts.plan_beside import saved_beside
from pages.parts.plan_details import bill, changes, plan_day
from pages.parts.plan_share import file_name, share
from pages.parts.plan_table import comparison, plan_table, rejected
from pages.parts.planning import Asked, is_checkpoint

Translator = Callable[..., str]
View = Callable[[Inputs, Asked, Plan, Translator], None]


def _plans(inputs: Inputs, result: Asked, plan: Plan, t: Translator) -> None:
    del plan
    if result.planned:
        plan_table(inputs, result.planned, t)


def _compare(inputs: Inputs, result: Asked, plan: Plan, t: Translator) -> None:
    del plan
    if result.planned:
        comparison(inputs, result.planned, t, saved_beside(inputs, result, t))


def _deploy(inputs: Inputs, result: Asked, plan: Plan, t: Translator) -> None:
    del inputs, result
    st.markdown(f"**{t('plan_page.command')}**")
    st.caption(t("size.launch_note", engine=plan.deployment.engine.label))
    st.code(launch_command(plan.deployment, is_checkpoint(plan)), language="bash", wrap_lines=True)
    st.markdown(f"**{t('plan_page.manifest')}**")
    try:
        content = manifest(
            plan.deployment,
            plan.replicas + plan.spare,
            checkpoint_as_is=is_checkpoint(plan),
            language=language.current(),
        )
    except PlannerError as error:
        st.info(error.sentence.render(language.current()), icon=":material/info:")
        return
    st.caption(t("plan_page.manifest_note"))
    st.download_button(
        t("plan_page.download_manifest"),
        content,
        f"{file_name(plan)}.yaml",
        "application/yaml",
        icon=":material/download:",
        on_click="ignore",
        key="plan_manifest",
    )
    st.code(content, language="yaml", height=480)


def _rejected(inputs: Inputs, result: Asked, plan: Plan, t: Translator) -> None:
    del inputs, plan
    if result.planned:
        rejected(result.planned, t)


SHOW: dict[str, View] = {
    "plans": _plans,
    "compare": _compare,
    "day": plan_day,
    "changes": changes,
    "deploy": _deploy,
    "materials": bill,
    "rejected": _rejected,
    "share": share,
}
"""What can be shown below a plan, by the name that the address has for it."""
