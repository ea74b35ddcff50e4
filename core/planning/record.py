"""A plan as plain data: the names and numbers that the headless contract and a saved plan hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from core.cost.prices import Price
from core.planning.figures import percentile
from core.planning.result import Plan
from core.planning.words import layout_words

NAMES = {"ttft": "ttft_s", "tpot": "tpot_s", "request": "request_s", "stable": "stable_requests_per_s"}
"""Names of the banded quantities of a service, as the headless contract spells them."""


def recorded(plan: Plan, today: date | None = None) -> dict[str, Any]:
    """Return the names and numbers of *plan*: seconds, requests per second, US dollars, watts.

    What nobody knows is None. With *today*, the price has its age in days too.
    """
    deployment, service = plan.deployment, plan.service
    layout = deployment.layout
    return {
        "id": plan.id,
        "model": deployment.model.name,
        "gpu": plan.record.id,
        "gpu_name": plan.record.name,
        "engine": deployment.engine.name,
        "engine_version": deployment.engine.version,
        "weights": deployment.weights.id,
        "kv": deployment.kv.name,
        "context": deployment.context,
        "tp": layout.tp,
        "pp": layout.pp,
        "dp": layout.dp,
        "ep": layout.ep,
        "attention_dp": layout.attention_dp,
        "replicas": plan.replicas,
        "spare_replicas": plan.spare,
        "gpus_per_replica": plan.gpus_per_replica,
        "gpus": plan.gpus,
        "instances": plan.instances,
        "layout": f"{plan.replicas + plan.spare} x {layout_words(layout) or 'TP1'}",
        "ttft_s": {percentile(share).lower(): number(value) for share, value in service.ttft.items()},
        "tpot_s": number(service.tpot),
        "request_s": number(service.request),
        "requests_per_s": number(service.rate),
        "stable_requests_per_s": number(service.stable),
        "utilisation": number(service.utilisation),
        "concurrency": number(service.concurrency),
        "slots": number(service.slots),
        "output_tokens_per_s_per_gpu": number(plan.tokens_per_s_per_gpu),
        "bound": service.bound,
        "usd_per_hour": plan.usd_per_hour,
        "usd_per_month": plan.usd_per_month,
        "usd_per_million_tokens": plan.usd_per_million_tokens,
        "watts": plan.watts,
        "kwh_per_million_tokens": plan.kwh_per_million_tokens,
        "price": None if plan.price is None else _price(plan.price, today),
        "band": _bands(service.bands),
    }


def number(value: float) -> float | None:
    """Return *value* as JSON can carry it: a Python number, None where it is not finite.

    >>> number(2.5), number(math.inf)
    (2.5, None)
    """
    value = float(value)
    return value if math.isfinite(value) else None


def _price(price: Price, today: date | None) -> dict[str, Any]:
    return {
        "usd_per_gpu_hour": price.usd_per_gpu_hour,
        "gpus_per_instance": price.gpus,
        "offer": price.offer,
        "cloud": price.cloud,
        "region": price.region,
        "kind": price.kind,
        "as_of": None if price.as_of is None else price.as_of.isoformat(),
        **({} if today is None else {"age_days": price.age(today)}),
        "source": price.source,
    }


def _bands(bands: Mapping[str, tuple[float, float]]) -> dict[str, list[float | None]]:
    return {NAMES[name]: [number(limit) for limit in limits] for name, limits in bands.items()}
