"""Bytes of weights on the most loaded GPU."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from core.architecture import Model, TensorGroup
from core.architecture.formats import WeightFormat, stored_groups
from core.memory.layout import AS_THEY_ARE, Layout, Padding, rank_tensor, stage_layers
from core.quantities import MIB

FUSED = (
    ("attention.q", "attention.k", "attention.v"),
    ("attention.o",),
    ("mlp.gate", "mlp.up"),
    ("mlp.down",),
    ("shared_expert.gate", "shared_expert.up"),
    ("shared_expert.down",),
    ("expert.gate", "expert.up"),
    ("expert.down",),
)
"""Tensors that serving engines load as one."""


@dataclass(frozen=True)
class Loading:
    """What an engine makes of a checkpoint: the sizes it pads to, and what it loads beside the decoder.

    `towers`: vision and audio towers are loaded. `untied_head`: a second head that a quantised checkpoint of a
    tied model carries is kept. `allocator`: PyTorch's caching allocator rounds large tensors up.
    """

    padding: Padding = AS_THEY_ARE
    towers: bool = True
    untied_head: bool = False
    allocator: bool = False


@dataclass(frozen=True)
class RankWeights:
    """Weights of one pipeline stage's rank, in bytes, by role."""

    stage: int
    by_role: dict[str, float]

    @property
    def total(self) -> float:
        """Bytes of all roles."""
        return sum(self.by_role.values())


@dataclass(frozen=True)
class _Rank:
    """One rank of one stage: sizes the share of a tensor group that it holds."""

    model: Model
    weights: WeightFormat
    layout: Layout
    padding: Padding
    layers: range

    def tensor(self, group: TensorGroup, layer: int | None = None) -> float:
        """Return the bytes of *group* in one layer."""
        rows, columns, copies = rank_tensor(group, self.layout, self.padding)
        return copies * self.weights.tensor_bytes(
            group, rows, columns, layer=layer, layers=self.model.layers, tied=self.model.tied
        )

    def count(self, group: TensorGroup) -> int:
        """Return in how many of the stage's layers *group* is."""
        return sum(1 for layer in group.layers if layer in self.layers)

    def held(self, group: TensorGroup, stage: int, stages: int) -> float:
        """Return the bytes of *group* on this rank, over all layers of the stage."""
        if not group.layers:
            place = {"first": 0, "last": stages - 1}.get(group.stage, stage)
            return self.tensor(group) if place == stage else 0.0
        if self.weights.varies_by_layer:
            return sum(self.tensor(group, layer) for layer in group.layers if layer in self.layers)
        return self.count(group) * self.tensor(group)

    def rounding(self, groups: tuple[TensorGroup, ...]) -> float:
        """Return what the allocator adds to fused tensors; see `allocated`."""
        by_name = {(group.name, group.layers): group for group in groups if group.is_matrix and group.layers}
        total = 0.0
        for names in FUSED:
            # A plain MLP has no gate: its up projection then stands alone.
            for places in {places for name, places in by_name if name in names}:
                fused = [by_name[name, places] for name in names if (name, places) in by_name]
                size = sum(self.tensor(group) for group in fused)
                total += self.count(fused[0]) * (allocated(size) - size)
        return total


@lru_cache(maxsize=512)
def stage_weights(
    model: Model, weights: WeightFormat, layout: Layout, loading: Loading
) -> tuple[RankWeights, ...]:
    """Return the weights of each pipeline stage on one rank; kept, since loads change and weights do not.

    The bytes are the sum over tensor groups of the rank's share, each in the encoding that *weights* gives its
    role, and of what the allocator adds.
    """
    stages = stage_layers(model.layers, layout.pp)
    groups = stored_groups(model, weights) if loading.untied_head else model.groups
    if layout.pp > 1 and model.tied:
        embedding = next(group for group in groups if group.name == "embedding")
        groups = (*groups, embedding.at((), "last"))
    answer = []
    for number, layers in enumerate(stages):
        rank = _Rank(model, weights, layout, loading.padding, layers)
        roles: dict[str, float] = defaultdict(float)
        for group in groups:
            if loading.towers or group.role != "vision":
                roles[group.role] += rank.held(group, number, len(stages))
        if loading.allocator and not weights.is_gguf:
            roles["rounding"] = rank.rounding(groups)
        answer.append(RankWeights(number, dict(roles)))
    return tuple(answer)


def allocated(size: float) -> float:
    """Return the bytes that PyTorch counts as allocated for one tensor of *size* bytes.

    A tensor of 10 MiB or more gets a segment rounded up to 2 MiB; a rest of at most 1 MiB is not split off and
    counts as allocated. Source: c10/cuda/CUDACachingAllocator.cpp (kMinLargeAlloc, kRoundLarge, should_split);
    checked on phi-4 and Qwen2.5-72B, whose logs exceed their tensors by just this.

    >>> allocated(175 * 2**20) / 2**20, allocated(174.5 * 2**20) / 2**20
    (176.0, 174.5)
    """
    if size < 10 * MIB:
        return size
    segment = -(-size // (2 * MIB)) * 2 * MIB
    return segment if segment - size <= MIB else size


def rope_bytes(model: Model, element_bytes: float) -> float:
    """Return the bytes of the cosine and sine tables that every rank keeps."""
    return sum(rows * columns for rows, columns in model.rope_tables) * element_bytes
