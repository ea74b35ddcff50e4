"""Where plans are saved and found: what is open, the list of all, and a plan.json, in one expander."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from pages.parts.inputs import Inputs
from pages.parts.plan_share import saved_plan
from pages.parts.plan_work import PlanWork
from pages.parts.saved_inputs import WorkInputs
from pages.parts.saved_view import form, saved_list

Translator = Callable[..., str]


def saved_plans(inputs: Inputs, t: Translator) -> None:
    """Draw the saved plans, and below them the place for a plan.json."""
    work = PlanWork(cast("WorkInputs", inputs))
    form(work, t)
    saved_list(work, t)
    saved_plan(inputs, t)
