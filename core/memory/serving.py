"""What fills the memory of each GPU of a serving deployment, and what is left for the KV cache."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.architecture.formats import SPARSITY_2_4, WeightFormat, checkpoint_bytes, weight_formats
from core.memory.cache import Pool, bytes_per_token, pool_of, request_bytes, taken_bytes
from core.memory.deployment import Deployment
from core.memory.layout import Padding, check_layout, stage_layers
from core.memory.overheads import Overhead, activation, cuda_graphs, graphs_are_budgeted, runtime
from core.memory.support import unsupported
from core.memory.weights import Loading, rope_bytes, stage_weights
from core.quantities import GIB
from core.text import Sentence, say


@dataclass(frozen=True)
class Part:
    """One component of a GPU's memory: its bytes, how they were computed, and the source of the constants."""

    name: str
    bytes: float
    formula: Sentence
    source: str = ""


@dataclass(frozen=True)
class ServingMemory:
    """The memory of the most loaded GPU: of the pipeline `stage` that holds the fewest requests.

    `parts` are weights, activation, runtime, cuda_graph and kv (what the wanted requests need), and sum to
    `needed`. `pool` is what the engine itself would set aside for the cache; it is None where the device is
    unknown. `mean_requests` and `long_requests` are how many requests of the mean and of the greatest length all
    data-parallel ranks hold at once, in every stage.
    """

    deployment: Deployment
    parts: tuple[Part, ...]
    weights_by_role: dict[str, float]
    per_token: float
    pool: Pool | None
    mean_requests: float
    long_requests: float
    stage: int

    @cached_property
    def largest_context(self) -> int:
        """Tokens of the longest single request that the pool holds."""
        layers = stage_layers(self.deployment.model.layers, self.deployment.layout.pp)[self.stage]
        return _largest_context(self.deployment, self.pool.bytes if self.pool else 0.0, layers)

    @cached_property
    def checkpoint(self) -> float:
        """Bytes of the checkpoint as it is stored."""
        return checkpoint_bytes(self.deployment.model, self.deployment.weights)

    @property
    def needed(self) -> float:
        """Bytes of all parts."""
        return sum(part.bytes for part in self.parts)

    @property
    def capacity(self) -> float | None:
        """Bytes that the engine sees on the device."""
        return self.deployment.device.usable if self.deployment.device else None

    @property
    def mean_length(self) -> int:
        """Tokens that a wanted request holds on average."""
        return _mean_length(self.deployment)

    @property
    def longest_held(self) -> float:
        """Requests of the greatest length that one data-parallel rank holds."""
        return self.long_requests / self.deployment.layout.dp

    def part(self, name: str) -> Part:
        """Return the part *name*."""
        return next(part for part in self.parts if part.name == name)

    @property
    def rate(self) -> float:
        """Cache bytes per token as the engine would report them.

        Where layers differ, pool divided by capacity at this context; llama.cpp: the whole cache by n_ctx.
        """
        deployment = self.deployment
        layers = stage_layers(deployment.model.layers, deployment.layout.pp)[self.stage]
        if not deployment.model.is_hybrid:
            return self.per_token
        if deployment.engine.rule == "of_context":
            return float(request_bytes(deployment, deployment.context, layers)) / deployment.context
        pool = self.pool if self.pool and self.pool.tokens > 0 else pool_of(deployment, 64.0 * GIB, layers)
        return pool.bytes_per_token

    @property
    def starts(self) -> bool:
        """Whether the engine starts: it runs there, a pool is left, and that holds one request of full length."""
        if unsupported(self.deployment):
            return False
        return self.pool is not None and self.pool.bytes > 0 and self.longest_held >= 1

    @property
    def fits(self) -> bool:
        """Whether the engine starts and the wanted requests fit at their mean length."""
        return self.starts and self.mean_requests >= self.deployment.requests


def loaded_format(deployment: Deployment) -> WeightFormat:
    """Return the weight format as the engine loads it; vLLM's bitsandbytes always quantises the scales too."""
    name = deployment.engine.fact("formats", {}).get(deployment.weights.id)
    return weight_formats()[name] if name else deployment.weights


def _padding(deployment: Deployment) -> Padding:
    engine = deployment.engine
    vocabulary = int(engine.span("padding").get("vocabulary", 1))
    expert = deployment.weights.covers.get("expert")
    if deployment.weights.id != "mxfp4" or expert is None:
        return Padding(vocabulary)
    span = engine.span("mxfp4_padding", deployment.device.capability if deployment.device else None)
    return Padding(vocabulary, int(span["inner"]), int(span["hidden"]))


def weights_on_rank(deployment: Deployment) -> tuple[list[float], list[dict[str, float]]]:
    """Return for each pipeline stage the bytes of weights on one rank, and the same by role.

    Tensors as divided and padded, the RoPE tables, and the absorbed copy of MLA's up projection.
    """
    engine, model = deployment.engine, deployment.model
    loading = Loading(
        _padding(deployment),
        towers=bool(engine.fact("towers", True)),
        untied_head=bool(engine.fact("untied_head", False)),
        allocator=bool(engine.fact("rope_tables")),
    )
    stages = stage_weights(model, loaded_format(deployment), deployment.layout, loading)
    rope = rope_bytes(model, deployment.element_bytes) if engine.fact("rope_tables") else 0.0
    absorbed = bool(engine.span("latent_cache").get("absorbed"))
    totals, roles = [], []
    for stage, layers in zip(stages, stage_layers(model.layers, deployment.layout.pp), strict=True):
        by_role = dict(stage.by_role)
        by_role["rope"] = rope
        if absorbed:
            by_role["attention"] = by_role.get("attention", 0.0) + _absorbed(deployment, layers)
        if deployment.sparse_weights:
            by_role = _sparsified(deployment, by_role)
        totals.append(sum(by_role.values()))
        roles.append(by_role)
    return totals, roles


def _absorbed(deployment: Deployment, layers: range) -> float:
    """Return the 16-bit copy of kv_b that decoding with an absorbed latent multiplies with."""
    total = 0.0
    for group in deployment.model.groups:
        if group.name == "attention.kv_b":
            here = sum(1 for layer in group.layers if layer in layers)
            total += here * group.shape[0] / deployment.layout.tp * group.shape[1] * deployment.element_bytes
    return total


def _sparsified(deployment: Deployment, by_role: dict[str, float]) -> dict[str, float]:
    """Return the weights with attention, MLP and experts pruned 2:4."""
    bits = loaded_format(deployment).covers.get("mlp")
    dense = bits.bits if bits else 16.0
    share = (SPARSITY_2_4 * 16 if dense >= 16 else dense / 2 + 2) / dense
    return {
        role: size * (min(1.0, share) if role in ("attention", "mlp", "expert") else 1.0)
        for role, size in by_role.items()
    }


def size_serving(deployment: Deployment) -> ServingMemory:
    """Return what fills the most loaded GPU, part by part, and the KV pool that its engine will have.

    Raises:
        BadRequest: the layout cannot be (tp that does not divide the heads, more stages than layers, ...).
    """
    check_layout(deployment.model, deployment.layout)
    totals, roles = weights_on_rank(deployment)
    overhead = (activation(deployment), runtime(deployment), cuda_graphs(deployment))
    stages = _stages(deployment, totals, overhead)
    tightest = _tightest(stages)
    stage, pool = tightest.number, tightest.pool
    ranks = deployment.layout.dp  # each serves its own requests
    wanted = -(-deployment.requests // ranks) * tightest.each + tightest.prefix
    parts = (
        _weights_part(deployment, totals[stage], roles[stage]),
        Part("activation", overhead[0].bytes, overhead[0].formula, overhead[0].source),
        Part("runtime", overhead[1].bytes, overhead[1].formula, overhead[1].source),
        Part("cuda_graph", overhead[2].bytes, overhead[2].formula, overhead[2].source),
        _cache_part(deployment, wanted, tightest),
    )
    return ServingMemory(
        deployment,
        parts,
        roles[stage],
        bytes_per_token(deployment, tightest.layers),
        pool,
        mean_requests=ranks * tightest.held,
        long_requests=ranks
        * min(one.pool.requests_at_context if one.pool else 0.0 for one in _caching(stages)),
        stage=stage,
    )


def cache_room(
    deployment: Deployment, weights: Any, activation_bytes: Any, runtime_bytes: Any, graph_bytes: Any
) -> Any:
    """Return the bytes that the engine's rule leaves for the cache on one GPU; negative: it does not start.

    of_total    fraction * total - weights - activation - runtime (- graphs where they are budgeted)
    of_free     fraction * (total - runtime) - weights
    of_rest     fraction * (total - weights - activation - runtime)
    of_context  total - weights - activation - runtime
    """
    device = deployment.device
    if device is None:
        raise ValueError("a cache pool needs a device")
    return room_by_rule(
        deployment.engine.rule,
        deployment.fraction,
        device.usable,
        deployment.memory_in_use,
        (weights, activation_bytes, runtime_bytes, graph_bytes if graphs_are_budgeted(deployment) else 0.0),
    )


def room_by_rule(rule: str, fraction: Any, usable: Any, in_use: Any, taken: tuple[Any, Any, Any, Any]) -> Any:
    """Return what `cache_room` says, from numbers or arrays: bytes for the cache of one GPU.

    *taken* are the bytes of weights, activation, runtime and of CUDA graphs where the engine budgets them.
    """
    weights, activation_bytes, runtime_bytes, graphs = taken
    free = usable - in_use
    if rule == "of_total":
        return np.minimum(fraction * usable, free) - weights - activation_bytes - runtime_bytes - graphs
    if rule == "of_free":
        return fraction * (free - runtime_bytes) - weights
    return fraction * (free - weights - activation_bytes - runtime_bytes)


@dataclass(frozen=True)
class _Stage:
    """What a rank of one pipeline stage has for the cache, and what requests of the mean length take of it.

    `pool` is None where the device is unknown, `prefix` what all requests share.
    """

    number: int
    layers: range
    weights: float
    pool: Pool | None
    each: float
    prefix: float

    @property
    def held(self) -> float:
        """Requests of the mean length that it holds."""
        room = self.pool.bytes if self.pool else 0.0
        return max(0.0, room - self.prefix) / self.each if self.each and room > 0 else 0.0


def _stages(
    deployment: Deployment, totals: list[float], overhead: tuple[Overhead, Overhead, Overhead]
) -> list[_Stage]:
    mean = _mean_length(deployment)
    # Prompt prefixes that all requests share are cached once.
    prefix = deployment.shared_prefix * (deployment.input_tokens or 0)
    own = mean - deployment.shared_prefix * min(mean, deployment.input_tokens or 0)
    found = []
    for number, layers in enumerate(stage_layers(deployment.model.layers, deployment.layout.pp)):
        pool = None
        if deployment.device is not None:
            last = number == len(totals) - 1
            peak = overhead[0].bytes if last else activation(deployment, last_stage=False).bytes
            room = cache_room(deployment, totals[number], peak, overhead[1].bytes, overhead[2].bytes)
            pool = pool_of(deployment, float(room), layers)
        each, shared = taken_bytes(deployment, np.array([own, prefix]), layers, running=True).tolist()
        found.append(_Stage(number, layers, totals[number], pool, each, shared))
    return found


def _caching(stages: list[_Stage]) -> list[_Stage]:
    """Return those of *stages* whose layers cache anything; all where none does."""
    return [stage for stage in stages if stage.each] or stages


def _tightest(stages: list[_Stage]) -> _Stage:
    """Return the stage that holds the fewest requests; without a device, the one with most weights."""
    if stages[0].pool is None:
        return max(stages, key=lambda stage: stage.weights)
    return min(
        _caching(stages),
        key=lambda stage: (stage.held, stage.pool.tokens, stage.pool.bytes) if stage.pool else (0.0, 0, 0.0),
    )


def _mean_length(deployment: Deployment) -> int:
    if deployment.input_tokens is None and not deployment.output_tokens:
        return deployment.context
    return min(deployment.context, (deployment.input_tokens or 0) + deployment.output_tokens)


def _largest_context(deployment: Deployment, room: float, layers: range) -> int:
    """Return the longest single request that *room* bytes hold: a search on a function that only grows."""
    low, high = 0, 2**40
    while high - low > 1:
        step = max(1, (high - low) // 64)
        lengths = np.arange(low + step, high, step)
        held = lengths[taken_bytes(deployment, lengths, layers) <= room]
        low = int(held[-1]) if len(held) else low
        high = min(high, low + step)
    return low


def _weights_part(deployment: Deployment, total: float, roles: dict[str, float]) -> Part:
    listed = ", ".join(
        f"{role} {size / GIB:.2f}" for role, size in sorted(roles.items(), key=lambda x: -x[1]) if size
    )
    formula = say(
        "memory.weights",
        parameters=deployment.model.parameters,
        format=deployment.weights.label,
        tp=deployment.layout.tp,
        pp=deployment.layout.pp,
        ep=deployment.layout.ep,
        roles=listed,
        total=total / GIB,
    )
    return Part("weights", total, formula)


def _cache_part(deployment: Deployment, wanted: float, stage: _Stage) -> Part:
    formula = say(
        "memory.kv",
        requests=-(-deployment.requests // deployment.layout.dp),
        tokens=_mean_length(deployment),
        per_request=stage.each / GIB,
        prefix=stage.prefix / GIB,
        kv=deployment.kv.name,
        total=wanted / GIB,
    )
    return Part("kv", wanted, formula)


def needed_by_load(deployment: Deployment, memory: ServingMemory, contexts: Any, requests: Any) -> Any:
    """Return the bytes per GPU for every pair of *contexts* and *requests* (broadcast): a curve in one call."""
    fixed = memory.needed - memory.part("kv").bytes
    layers = stage_layers(deployment.model.layers, deployment.layout.pp)[memory.stage]
    lengths = np.asarray(contexts, dtype=float)
    shared = deployment.shared_prefix * np.minimum(lengths, deployment.input_tokens or 0)
    own = taken_bytes(deployment, lengths - shared, layers, running=True)
    common = taken_bytes(deployment, shared, layers, running=True)
    return fixed + np.ceil(np.asarray(requests) / deployment.layout.dp) * own + common
