"""The answer of the `plan` verb."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from core.api.plan_request import USUAL_PLANS
from core.planning.record import number, recorded
from core.planning.result import Plan, Planned, Rejection, Relaxation
from core.text import Sentence


def plan_answer(
    planned: Planned,
    *,
    listed: int = USUAL_PLANS,
    notes: Iterable[Sentence] = (),
    trace: dict[str, Any] | None = None,
    today: date | None = None,
) -> dict[str, Any]:
    """Return the contract's answer of the `plan` verb: the first *listed* plans, and why others are not among them.

    *notes* are told before those of the search. *trace* is what was read from the trace of the request. Ages of
    prices are those of *today*, by default the day in UTC.
    """
    day = today or datetime.now(UTC).date()
    share = planned.question.targets.share
    return {
        "plans": [
            {"rank": rank, **recorded(plan, day)} for rank, plan in enumerate(planned.plans[:listed], start=1)
        ],
        "front": [_point(plan, share) for plan in planned.front],
        "rejected": [_rejected(one) for one in planned.rejections],
        "relax": [_relaxed(one) for one in planned.relaxations],
        "notes": [str(sentence) for sentence in (*notes, *planned.notes)],
        "deployments_evaluated": planned.deployments,
        **({} if trace is None else {"trace": trace}),
    }


def _point(plan: Plan, share: float) -> dict[str, Any]:
    return {
        "id": plan.id,
        "gpus": plan.gpus,
        "usd_per_month": plan.usd_per_month,
        "ttft_s": number(plan.service.ttft[share]),
    }


def _rejected(rejection: Rejection) -> dict[str, Any]:
    record = rejection.record
    return {
        "gpu": record.id,
        "gpu_name": record.name,
        "stage": rejection.stage,
        "reason": str(rejection.reason),
    }


def _relaxed(relaxation: Relaxation) -> dict[str, Any]:
    of_set = not relaxation.given and not relaxation.needed  # names to choose from have no number
    return {
        "field": relaxation.field,
        "given": None if of_set else number(relaxation.given),
        "needed": None if of_set else number(relaxation.needed),
        "reason": str(relaxation.reason),
    }
