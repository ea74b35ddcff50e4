"""Plans made by hand: what pages and figures draw, without a search."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from core.api import deployment_of, parse
from core.catalog import find_accelerator
from core.cost.prices import Price
from core.planning.question import Limits, Question, Targets
from core.planning.result import Plan, Planned, Rejection, Relaxation, Service
from core.text import say
from core.traffic import Traffic, lognormal

MODEL = "Qwen/Qwen3-8B"
TRAFFIC = Traffic(450_000 / 86_400, lognormal(800, 2000), lognormal(400, 1000), peak=2.0)


def service(rate: float = 10.0, stable: float = 16.0, ttft: float = 0.3) -> Service:
    return Service(
        rate=rate,
        stable=stable,
        concurrency=40.0,
        slots=128.0,
        ttft={0.5: ttft / 3, 0.95: ttft / 1.5, 0.99: ttft},
        tpot=0.02,
        request=8.0,
        bound="memory",
        bands={
            "ttft": (ttft * 0.8, ttft * 1.3),
            "tpot": (0.018, 0.023),
            "request": (7.0, 9.5),
            "stable": (14.0, 18.0),
        },
    )


def made(
    gpu: str = "h100-sxm-80",
    *,
    tp: int = 1,
    replicas: int = 2,
    usd: float | None = 2.0,
    model: str = MODEL,
    as_of: date | None = date(2026, 5, 16),
    **more: Any,
) -> Plan:
    """Return a plan of *replicas*; *usd* for an hour of one GPU, and *more* of its service."""
    record = find_accelerator(gpu)
    deployment = deployment_of(parse({"model": model, "gpu": gpu, "tp": tp, "context": 8192}))
    price = Price(usd, 8, f"cloud/{gpu}/here", "cloud", "here", "on_demand", as_of, "a list") if usd else None
    return Plan(
        deployment=deployment,
        record=record,
        traffic=TRAFFIC,
        replicas=replicas,
        spare=0,
        service=service(**more),
        price=price,
        instances=1,
        usd_per_hour=None if usd is None else usd * replicas * tp,
        watts=(record.tdp_w or 300.0) * replicas * tp,
    )


def answer(plans: tuple[Plan, ...] | None = None, **more: Any) -> Planned:
    """Return the answer that has *plans*, those that no other beats as its front."""
    if plans is None:
        plans = (
            made(),
            made("l4", replicas=6, usd=0.8, ttft=0.45),
            made("b200-sxm", replicas=1, usd=6.0, ttft=0.08),
            made("mi300x", replicas=2, usd=2.4, ttft=0.35),
            made("a100-sxm-80", replicas=3, usd=None),
        )
    question = Question(
        tuple({plan.deployment.model.name: plan.deployment.model for plan in plans}.values()),
        TRAFFIC,
        Targets(ttft=0.5),
        Limits(),
    )
    priced = sorted(
        (p for p in plans if p.usd_per_hour), key=lambda p: (p.usd_per_hour or 0, p.service.ttft[0.99])
    )
    front: list[Plan] = []
    for plan in priced:
        if not front or plan.service.ttft[0.99] < front[-1].service.ttft[0.99]:
            front.append(plan)
    fields: dict[str, Any] = {
        "question": question,
        "plans": plans,
        "alternatives": plans,
        "front": tuple(front),
        "rejections": (
            Rejection(find_accelerator("t4"), "format", say("fleet.vendor", engine="vLLM", vendor="X")),
        ),
        "relaxations": (),
        "notes": (),
        "deployments": 1234,
    }
    return Planned(**fields | more)


def nothing(**more: Any) -> Planned:
    """Return the answer to a question that no plan meets: a longer time to the first token would admit one."""
    reason = say("fleet.vendor", engine="vLLM", vendor="X")
    found = answer()
    return replace(
        found,
        plans=(),
        alternatives=(),
        front=(),
        relaxations=(Relaxation("ttft_ms", 5.0, 80.0, reason),),
        **more,
    )
