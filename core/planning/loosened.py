"""A request with one of its constraints loosened as far as a relaxation says."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from core.planning.question import Choices
from core.planning.result import Relaxation

MORE_WEIGHTS = ("fp16", "fp8", "awq-int4")
"""Formats that a relaxation of the weights adds."""

_ROUNDED: dict[str, Callable[[float], float]] = {
    "ttft_s": lambda seconds: math.ceil(seconds * 1000) / 1000,
    "tpot_s": lambda seconds: math.ceil(seconds * 10_000) / 10_000,
    "request_s": lambda seconds: math.ceil(seconds * 100) / 100,
    "headroom": lambda share: math.floor(share * 100 + 1e-6) / 100,
    "max_gpus_per_replica": round,
    "max_gpus": round,
    "budget_usd_month": math.ceil,
}
"""How a needed value becomes one that people state, on the side that admits the plan."""


def loosened(request: Mapping[str, Any], relaxation: Relaxation) -> dict[str, Any]:
    """Return the fields of *request* that *relaxation* changes, with what they become; None: no constraint.

    Nothing where it is no single field, as for a relaxation of everything.
    """
    field, needed = relaxation.field, relaxation.needed
    if field in _ROUNDED:
        return {field: _ROUNDED[field](needed)}
    if field in ("gpus", "vendors"):
        return {field: None}
    if field == "clouds":
        return {"clouds": None, "regions": None}
    if field == "weights":
        return {field: list(dict.fromkeys((*(request.get(field) or Choices.weights), *MORE_WEIGHTS)))}
    if field == "owned":
        owned = request.get(field) or {}
        return {
            field: {
                gpu: round(needed) if count == relaxation.given else count for gpu, count in owned.items()
            }
        }
    if field == "requests_per_second" and "trace" not in request:
        return {field: math.floor(needed * 10_000) / 10_000 or needed}
    return {}
