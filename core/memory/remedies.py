"""What would make a deployment fit: each single change that does, with the number that it would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from core.architecture.formats import weight_formats
from core.errors import PlannerError
from core.memory.bands import known_tokens
from core.memory.deployment import KV_BYTES, Deployment, kv_format
from core.memory.fleet import layouts_up_to
from core.memory.layout import Layout
from core.memory.serving import ServingMemory, size_serving
from core.quantities import GIB
from core.text import Sentence, say

NARROWER = ("fp8", "int8", "awq-int4", "gptq-int4", "nf4")
"""Weight formats to try, widest first, for engines that load checkpoints."""

NARROWER_GGUF = ("q8_0", "q6_k", "q5_k_m", "q4_k_m", "q3_k_m", "q2_k")

STAGES = (2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Pipeline stages to try."""

SHORTER = tuple(2**power for power in range(20, 9, -1))
"""Contexts to try, longest first."""


@dataclass(frozen=True)
class Remedy:
    """One change that makes it fit: in words, as request fields to set, and what follows from it."""

    sentence: Sentence
    change: dict[str, Any]
    outcome: ServingMemory


def remedies(memory: ServingMemory) -> tuple[Remedy, ...]:
    """Return the smallest change of each kind after which *memory*'s deployment fits; empty if it fits already.

    Kinds: more tensor parallelism, more pipeline stages, fewer bits of weights, fewer bits of cache, a shorter
    context, fewer requests, a higher memory fraction. A kind that alone does not help is left out; where none
    does, more GPUs and fewer bits are combined.
    """
    if memory.fits or memory.pool is None:
        return ()
    deployment = memory.deployment
    kinds = (
        _wider_tensor(deployment),
        _more_stages(deployment),
        _narrower_weights(deployment),
        _narrower_cache(deployment),
        _shorter_context(deployment),
        _fewer_requests(memory),
        _higher_fraction(deployment),
    )
    found = []
    for kind in kinds:
        for changed, key, values, change in kind:
            outcome = _sized(changed)
            if outcome is not None and outcome.fits and outcome.pool is not None:
                sentence = say(
                    f"remedy.{key}",
                    **values,
                    tokens=known_tokens(outcome.deployment, outcome.pool.tokens),
                    pool=outcome.pool.bytes / GIB,
                    held=int(outcome.mean_requests),
                )
                found.append(Remedy(sentence, change, outcome))
                break
    return tuple(found) or _combined(deployment)


def _combined(deployment: Deployment) -> tuple[Remedy, ...]:
    """Return the fewest GPUs on which some weight format fits, widest format first; empty if none does."""
    formats = weight_formats()
    narrower = [formats[changed[3]["weights"]] for changed in _narrower_weights(deployment)]
    for layout in layouts_up_to(deployment):
        for weights in (deployment.weights, *narrower):
            outcome = _sized(replace(deployment, layout=layout, weights=weights))
            if outcome is not None and outcome.fits and outcome.pool is not None:
                sentence = say(
                    "remedy.combined",
                    format=weights.label,
                    tp=layout.tp,
                    pp=layout.pp,
                    gpus=layout.gpus,
                    tokens=known_tokens(outcome.deployment, outcome.pool.tokens),
                    pool=outcome.pool.bytes / GIB,
                    held=int(outcome.mean_requests),
                )
                change = _layout_fields(layout) | {"dp": 1}
                if weights is not deployment.weights:
                    change["weights"] = weights.id
                return (Remedy(sentence, change, outcome),)
    return ()


def _sized(deployment: Deployment) -> ServingMemory | None:
    try:
        return size_serving(deployment)
    except PlannerError:
        return None


Change = tuple[Deployment, str, dict[str, Any], dict[str, Any]]


def _wider_tensor(deployment: Deployment) -> Iterator[Change]:
    tp = deployment.layout.tp * 2
    while tp <= 64:
        ep = deployment.layout.ep * tp // deployment.layout.tp if deployment.layout.ep > 1 else 1
        layout = replace(deployment.layout, tp=tp, ep=ep)
        yield (
            replace(deployment, layout=layout),
            "tp",
            {"tp": tp, "gpus": layout.gpus},
            _layout_fields(layout),
        )
        tp *= 2


def _more_stages(deployment: Deployment) -> Iterator[Change]:
    for pp in STAGES:
        if not deployment.layout.pp < pp <= deployment.model.layers:
            continue
        layout = replace(deployment.layout, pp=pp)
        yield (
            replace(deployment, layout=layout),
            "pp",
            {"pp": pp, "gpus": layout.gpus},
            _layout_fields(layout),
        )


def _layout_fields(layout: Layout) -> dict[str, Any]:
    return {"tp": layout.tp, "pp": layout.pp, "ep": layout.ep}


def _narrower_weights(deployment: Deployment) -> Iterator[Change]:
    formats = weight_formats()
    now = deployment.weights.covers.get("matrix" if deployment.weights.is_gguf else "mlp")
    bits = now.bits if now else deployment.weights.wide * 8
    if deployment.weights.id == "bf16":
        # As wide, but known to cards without bf16.
        yield (
            replace(deployment, weights=formats["fp16"]),
            "weights",
            {"format": formats["fp16"].label},
            {"weights": "fp16"},
        )
    names = NARROWER_GGUF if deployment.engine.name == "llama.cpp" else NARROWER
    for name in names:
        encoding = next(iter(formats[name].covers.values()))
        if encoding.bits < bits:
            yield (
                replace(deployment, weights=formats[name]),
                "weights",
                {"format": formats[name].label},
                {"weights": name},
            )


def _narrower_cache(deployment: Deployment) -> Iterator[Change]:
    names = ("q8_0", "q4_0") if deployment.engine.name == "llama.cpp" else ("fp8",)
    for name in names:
        if KV_BYTES[name] < KV_BYTES[deployment.kv.keys]:
            yield replace(deployment, kv=kv_format(name)), "kv", {"format": name}, {"kv": name}


def _shorter_context(deployment: Deployment) -> Iterator[Change]:
    for context in SHORTER:
        if context < deployment.context:
            yield replace(deployment, context=context), "context", {"context": context}, {"context": context}


def _fewer_requests(memory: ServingMemory) -> Iterator[Change]:
    held = int(memory.mean_requests)
    if memory.starts and held >= 1:
        yield replace(memory.deployment, requests=held), "requests", {"requests": held}, {"requests": held}


def _higher_fraction(deployment: Deployment) -> Iterator[Change]:
    if deployment.engine.rule == "of_context":
        return
    for fraction in (0.9, 0.92, 0.95, 0.97):
        if fraction > deployment.fraction:
            yield (
                replace(deployment, memory_fraction=fraction),
                "fraction",
                {"fraction": fraction},
                {"memory_fraction": fraction},
            )
