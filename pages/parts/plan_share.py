"""The page as a link, and the plan as a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from core.planning.result import Plan
from pages.parts import language
from pages.parts.inputs import Inputs
from pages.parts.plan_fields import STATED
from pages.parts.planning import TRACE, Asked

Translator = Callable[..., str]


def share(inputs: Inputs, result: Asked, plan: Plan, t: Translator) -> None:
    """Draw the link and the files."""
    del result, plan
    st.markdown(f"**{t('size.link')}**")
    st.code(inputs.link(STATED, lang=language.current()), language=None, wrap_lines=True)
    partial = inputs["source"] == "config" or TRACE in st.session_state
    st.caption(t("plan_page.not_in_link" if partial else "size.link_note"))


def file_name(plan: Plan) -> str:
    """Return a name that says model, GPUs and date."""
    words = (
        plan.deployment.model.name.rpartition("/")[2],
        f"{plan.gpus}x-{plan.record.id}",
        f"{datetime.now(UTC):%Y-%m-%d}",
    )
    return "_".join(re.sub(r"[^A-Za-z0-9.-]+", "-", word) for word in words)
