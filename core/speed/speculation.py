"""Speculative decoding: how many tokens a step gives, and what proposing them costs.

A step proposes `drafts` tokens for each sequence, by the model's own multi-token prediction layers, by a smaller
model, or by looking them up in the text (n-gram), and verifies all of them in one pass of the model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from core.architecture import Model
from core.architecture.formats import WeightFormat
from core.errors import BadRequest
from core.memory.deployment import Deployment
from core.memory.layout import Layout
from core.speed.profile import StepProfile, cached_bytes, profile_of

Method = Literal["mtp", "ngram", "draft"]

_CERTAIN = 1e-12
"""How near an acceptance may come to 0 and 1: the series below is exact at both ends within rounding."""


def tokens_per_step(drafts: Any, acceptance: Any) -> Any:
    """Return the mean tokens that one step gives a sequence: (1 - a^(k + 1)) / (1 - a).

    A draft counts only where all before it were accepted, each with probability *acceptance* (0 to 1); the pass
    that verifies *drafts* of them adds one token of its own.
    Source: Leviathan, Kalman and Matias, Fast Inference from Transformers via Speculative Decoding (2023), eq. 1.

    >>> float(tokens_per_step(1.0, 0.9)), float(tokens_per_step(3.0, 1.0)), float(tokens_per_step(0.0, 0.5))
    (1.9, 4.0, 1.0)
    """
    # Rounded, so that it is exactly 1 without drafts.
    missed = np.clip(1.0 - acceptance, _CERTAIN, 1.0 - _CERTAIN)
    return np.round(-np.expm1((drafts + 1.0) * np.log1p(-missed)) / missed, 10)


@dataclass(frozen=True)
class Speculation:
    """`drafts` tokens a step from `method`, each accepted with probability `acceptance` if all before it were.

    `model` in `weights` proposes where the method is draft.
    """

    method: Method
    drafts: int
    acceptance: float
    model: Model | None = None
    weights: WeightFormat | None = None


def drafting_profile(deployment: Deployment, speculation: Speculation) -> StepProfile | None:
    """Return the pass that proposes one draft on one rank of *deployment*; None: it costs nothing.

    Multi-token prediction runs on the last pipeline stage with the model's own head. A model of its own is divided
    over as many of the tensor-parallel ranks as its heads allow, and copied to the data-parallel ones.

    Raises:
        BadRequest: the model has no multi-token prediction layers, or the smaller model is missing.
    """
    layout = deployment.layout
    if speculation.method == "mtp":
        alone = replace(layout, pp=1)
        return profile_of(prediction_model(deployment.model), deployment.weights, deployment.kv, alone)
    if speculation.method == "draft":
        model, weights = speculation.model, speculation.weights
        if model is None or weights is None:
            raise BadRequest("request.draft_model", field="speculative.model")
        return profile_of(model, weights, deployment.kv, Layout(tp=math.gcd(layout.tp, model.heads)))
    return None


@lru_cache(maxsize=256)
def prediction_model(model: Model) -> Model:
    """Return one multi-token prediction layer of *model* as a model of one layer, with the head of the whole.

    Engines use the first layer again for each further draft.
    Source: DeepSeek-V3 technical report (arXiv 2412.19437), section 2.2; vLLM and SGLang load one layer.

    Raises:
        BadRequest: the model has none.
    """
    if not model.mtp_groups:
        raise BadRequest("request.no_mtp", field="speculative.method", model=model.name or model.family)
    shared = [group for group in model.groups if group.role in ("embedding", "head")]
    own = [
        replace(group, layers=group.layers[:1])
        for group in model.mtp_groups
        if group.role not in ("embedding", "head")
    ]
    last = model.layers - 1
    caches = [replace(layout, layers=(last,)) for layout in model.caches if last in layout.layers]
    return replace(model, layers=1, groups=(*shared, *own), mtp_groups=(), caches=tuple(caches))


def room_share(
    profile: StepProfile, drafting: StepProfile, pool: float, tokens: float, *, head: bool
) -> float:
    """Return which part of the requests of *tokens* tokens remains when the drafting pass needs memory too.

    Its weights leave the *pool* (bytes of cache on a rank), and each request caches its layers beside the model's.
    *head*: it has an output matrix of its own.
    """
    if pool <= 0:
        return 0.0
    matrices = np.sum(drafting.dense_bytes) + np.sum(drafting.expert_bytes)
    weights = float(matrices + head * drafting.head_bytes)
    own, more = float(cached_bytes(profile, tokens)), float(cached_bytes(drafting, tokens))
    return max(0.0, 1.0 - weights / pool) * own / (own + more)
