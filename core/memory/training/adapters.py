"""Where LoRA adapters sit, and how many parameters they and other trained parts have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from core.architecture import Model, TensorGroup
from core.memory.training.run import Adapters, TrainingLayout, TrainingRun
from core.memory.training.shapes import Stage, head_of, held, parameters, share, stage_groups

_LATENT = ("attention.kv_a", "attention.kv_b", "attention.kv")
TARGETS: dict[str, tuple[str, ...]] = {
    "q": ("attention.q", "attention.q_a", "attention.q_b"),
    "k": ("attention.k", *_LATENT),
    "v": ("attention.v", *_LATENT),
    "qkv": ("attention.q", "attention.k", "attention.v", "attention.q_a", "attention.q_b", *_LATENT),
    "o": ("attention.o", "attention.o_a", "attention.o_b"),
    "gate": ("mlp.gate", "shared_expert.gate", "expert.gate"),
    "up": ("mlp.up", "shared_expert.up", "expert.up"),
    "down": ("mlp.down", "shared_expert.down", "expert.down"),
    "head": ("head",),
    "embed": ("embedding",),
}
"""Tensor groups that each target of the headless contract means; `mlp` means gate, up and down."""
_JOINED = ("attention.q", "attention.k", "attention.v")


@dataclass(frozen=True)
class Site:
    """Tensors beside which one adapter sits: several where a projection is joined (qkv)."""

    groups: tuple[TensorGroup, ...]

    def parameters(self, rank: int, layout: TrainingLayout) -> float:
        """Return the parameters of the adapters of one layer on one rank: A (rank x in) and B (out x rank)."""
        first = self.groups[0]
        part = share(first, layout)
        inputs = first.shape[1] * (part if first.shard == "row" else 1.0)
        outputs = sum(
            group.shape[0] * (share(group, layout) if group.shard in ("column", "kv-heads") else 1.0)
            for group in self.groups
        )
        copies = first.copies * (part if first.shard == "expert" else 1.0)
        return rank * (inputs + outputs) * copies


@lru_cache(maxsize=512)
def sites(model: Model, targets: tuple[str, ...]) -> tuple[Site, ...]:
    """Return where the adapters of *targets* sit in *model*."""
    names = [
        name for target in targets for name in (("gate", "up", "down") if target == "mlp" else (target,))
    ]
    wanted = {name for target in names if target != "qkv" for name in TARGETS[target]}
    joined: dict[tuple[int, ...], list[TensorGroup]] = {}
    found = []
    for group in (*model.groups, *((head_of(model),) if model.tied else ())):
        if not group.is_matrix or group.role == "vision":
            continue
        if "qkv" in names and group.name in _JOINED:
            joined.setdefault(group.layers, []).append(group)
        elif group.name in wanted or ("qkv" in names and group.name in TARGETS["qkv"]):
            found.append(Site((group,)))
    return (*found, *(Site(tuple(groups)) for groups in joined.values()))


def lacking(model: Model, targets: tuple[str, ...]) -> list[str]:
    """Return the targets that no layer of *model* has."""
    return [target for target in targets if not sites(model, (target,))]


def available(model: Model) -> list[str]:
    """Return the targets that *model* has."""
    return [target for target in TARGETS if sites(model, (target,))]


@lru_cache(maxsize=512)
def adapted_names(model: Model, targets: tuple[str, ...]) -> frozenset[str]:
    """Return the names of the tensor groups beside which adapters sit."""
    return frozenset(group.name for site in sites(model, targets) for group in site.groups)


@lru_cache(maxsize=4096)
def adapter_parameters(model: Model, adapters: Adapters, layout: TrainingLayout, stage: Stage) -> float:
    """Return the adapters' parameters on one rank of *stage*."""
    total = 0.0
    for site in sites(model, adapters.targets):
        first = site.groups[0]
        if first.layers:
            count = sum(1 for layer in first.layers if layer in stage.layers)
        else:
            count = int(stage.last if first.stage == "last" else stage.first)
        total += count * site.parameters(adapters.rank, layout)
    return total


def trained_embeddings(run: TrainingRun, stage: Stage) -> float:
    """Return the parameters of embedding and head on one rank where they are trained whole beside adapters."""
    if run.method == "full" or not (run.adapters and run.adapters.train_embeddings):
        return 0.0
    ends = [(g, n) for g, n in stage_groups(run.model, stage) if g.name in ("embedding", "head")]
    return held(ends, run.layout)


def adapters_held(run: TrainingRun, stage: Stage) -> float:
    """Return the parameters of adapters on one rank of *stage*: counted, or as the run states them."""
    if run.method == "full":
        return 0.0
    if run.trainable is not None:
        return run.trainable * len(stage.layers) / run.model.layers / run.layout.tp
    if run.adapters is None:
        return 0.0
    return adapter_parameters(run.model, run.adapters, run.layout, stage)


def trainable_parameters(run: TrainingRun) -> int:
    """Return the parameters that the whole run trains."""
    if run.trainable is not None:
        return run.trainable
    groups = run.model.groups
    if run.method == "full":
        return run.model.parameters
    if run.adapters is None:
        return 0
    whole = Stage(0, 1, range(run.model.layers))
    total = adapter_parameters(run.model, run.adapters, TrainingLayout(), whole)
    if run.adapters.train_embeddings:
        total += sum(parameters(group) for group in groups if group.name in ("embedding", "head"))
    return round(total)
