"""Why a deployment fits or does not, and what was assumed: one sentence each."""

from __future__ import annotations

from core.memory.bands import known_tokens
from core.memory.serving import ServingMemory
from core.memory.support import unsupported
from core.quantities import GIB
from core.text import Sentence, say


def reasons_of(memory: ServingMemory) -> list[Sentence]:
    """Return the verdict first, then warnings and assumptions."""
    return [*verdict(memory), *cautions(memory)]


def verdict(memory: ServingMemory) -> list[Sentence]:
    """Return why the engine starts or refuses, and whether the wanted requests fit."""
    deployment, pool = memory.deployment, memory.pool
    if pool is None or deployment.device is None:
        return [say("memory.no_device")]
    refused = unsupported(deployment)
    if refused:
        return [refused]
    fixed = memory.needed - memory.part("kv").bytes
    if pool.bytes <= 0:
        return [
            say(
                "memory.no_room",
                gpu=deployment.device.name,
                short=-pool.bytes / GIB,
                fixed=fixed / GIB,
                weights=memory.part("weights").bytes / GIB,
                usable=deployment.device.usable / GIB,
                fraction=deployment.fraction,
            )
        ]
    if memory.longest_held < 1:
        return [
            say(
                "memory.context_too_long",
                context=deployment.context,
                pool=pool.bytes / GIB,
                tokens=known_tokens(deployment, pool.tokens),
                largest=known_tokens(deployment, memory.largest_context),
            )
        ]
    if memory.mean_requests < deployment.requests:
        return [
            say(
                "memory.requests_too_many",
                requests=deployment.requests,
                held=int(memory.mean_requests),
                pool=pool.bytes / GIB,
            )
        ]
    return [
        say(
            "memory.fits",
            gpu=deployment.device.name,
            tokens=known_tokens(deployment, pool.tokens),
            pool=pool.bytes / GIB,
            requests=int(memory.long_requests),
            context=deployment.context,
        )
    ]


def cautions(memory: ServingMemory) -> list[Sentence]:
    """Return what a reader should know before trusting the figures."""
    deployment = memory.deployment
    model, layout = deployment.model, deployment.layout
    notes = list(model.warnings)
    if deployment.engine.assumed:
        notes.append(deployment.engine.assumed)
    if model.max_context and deployment.context > model.max_context:
        notes.append(say("memory.beyond_model", context=deployment.context, limit=model.max_context))
    if model.has_latent_cache and layout.tp > 1:
        notes.append(say("memory.latent_replicated", tp=layout.tp))
    elif any(c.split == "kv-heads" and c.heads < layout.tp for c in model.caches):
        notes.append(say("memory.heads_replicated", heads=model.kv_heads, tp=layout.tp))
    if model.vocabulary % layout.tp:
        notes.append(say("memory.vocabulary_padded", vocabulary=model.vocabulary, tp=layout.tp))
    notes += _blocks(memory)
    if deployment.device and deployment.device.derived:
        notes.append(say("memory.derived_capacity", gpu=deployment.device.name))
    graphs = memory.part("cuda_graph").bytes
    if deployment.device and memory.pool and memory.pool.bytes > 0:
        spare = deployment.device.usable * (1 - deployment.fraction) - deployment.memory_in_use
        if deployment.engine.rule == "of_total" and graphs > max(spare, 0) and not _budgeted(memory):
            notes.append(say("memory.graphs_outside", graphs=graphs / GIB, spare=max(spare, 0) / GIB))
    return notes


def _budgeted(memory: ServingMemory) -> bool:
    return bool(memory.deployment.engine.span("cuda_graph").get("budgeted"))


def _blocks(memory: ServingMemory) -> list[Sentence]:
    """Warn where tensor parallelism cuts through the 128-row blocks of an fp8 checkpoint."""
    deployment = memory.deployment
    if not deployment.weights.id.startswith("fp8-block") or deployment.layout.tp == 1:
        return []
    for group in deployment.model.groups:
        encoding = deployment.weights.encoding(group)
        if encoding is None or not encoding.block[0] or group.shard not in ("column", "row", "expert"):
            continue
        if group.shard == "expert" and deployment.layout.ep > 1:
            continue
        size = group.shape[1] if group.shard == "row" or group.name.endswith("down") else group.shape[0]
        if size % (deployment.layout.tp * encoding.block[0]):
            return [say("memory.block_cut", tensor=group.name, size=size, tp=deployment.layout.tp)]
    return []
