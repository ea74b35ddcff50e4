"""Bytes of weights on the most loaded GPU."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from core.architecture import Model, TensorGroup
from core.architecture.formats import WeightFormat, stored_groups
from core.quantities import MIB
from core.memory.layout import Layout, Padding, rank_tensor, stage_layers


@dataclass(frozen=True)
class RankWeights:
    """Weights of one pipeline stage's rank, in bytes, by role."""

    stage: int
    by_role: dict[str, float]

    @property
    def total(self) -> float:
        """Bytes of all roles."""
        return sum(self.by_role.values())


@lru_cache(maxsize=512)
def stage_weights(
    model: Model, weights: WeightFormat, layout: Layout, padding: Padding, *, towers: bool = True,
    untied_head: bool = False, allocator: bool = False,
) -> list[RankWeights]:
    """Return the weights of each pipeline stage on one rank; kept, since a load changes and weights do not.

    The bytes are the sum over tensor groups of the rank's share, each in the encoding that *weights* gives its
    role. *towers* says whether vision and audio towers are loaded, *untied_head* whether a second head that a
    quantised checkpoint of a tied model carries is kept, *allocator* whether PyTorch's allocator rounds up.
    """
    stages = stage_layers(model.layers, layout.pp)
    groups = stored_groups(model, weights) if untied_head else model.groups
    if layout.pp > 1 and model.tied:
        embedding = next(group for group in groups if group.name == "embedding")
        groups = (*groups, embedding.at((), "last"))
    answer = []
    for number, layers in enumerate(stages):
        roles: dict[str, float] = defaultdict(float)
        for group in groups:
            if group.role == "vision" and not towers:
                continue
            count = _occurrences(group, layers, number, len(stages))
            if count:
                roles[group.role] += _group_bytes(model, group, weights, layout, padding, layers)
        if allocator and not weights.is_gguf:
            roles["rounding"] = _rounding(model, groups, weights, layout, padding, layers)
        answer.append(RankWeights(number, dict(roles)))
    return answer


def _occurrences(group: TensorGroup, layers: range, stage: int, stages: int) -> int:
    if group.layers:
        return sum(1 for layer in group.layers if layer in layers)
    if group.stage == "every":
        return 1
    return int(stage == (0 if group.stage == "first" else stages - 1))


def _group_bytes(
    model: Model, group: TensorGroup, weights: WeightFormat, layout: Layout, padding: Padding, layers: range
) -> float:
    rows, columns, copies = rank_tensor(group, layout, padding)
    if not group.layers:
        return copies * weights.tensor_bytes(group, rows, columns, tied=model.tied)
    here = [layer for layer in group.layers if layer in layers]
    if weights.varies_by_layer:
        return copies * sum(
            weights.tensor_bytes(group, rows, columns, layer=layer, layers=model.layers) for layer in here
        )
    return copies * len(here) * weights.tensor_bytes(group, rows, columns)


FUSED = (
    (("attention.q", "attention.k", "attention.v"), "qkv"), (("attention.o",), "o"), (("mlp.gate", "mlp.up"), "up"),
    (("mlp.down",), "down"), (("shared_expert.gate", "shared_expert.up"), "shared up"),
    (("shared_expert.down",), "shared down"), (("expert.gate", "expert.up"), "experts up"),
    (("expert.down",), "experts down"),
)
"""Tensors that serving engines load as one."""


def _rounding(
    model: Model, groups: tuple[TensorGroup, ...], weights: WeightFormat, layout: Layout, padding: Padding,
    layers: range,
) -> float:
    """Return what PyTorch's caching allocator adds to the tensors of *layers*.

    A tensor of 10 MiB or more gets a segment rounded up to 2 MiB; a rest of at most 1 MiB is not split off and
    counts as allocated. Source: c10/cuda/CUDACachingAllocator.cpp (kMinLargeAlloc, kRoundLarge, should_split);
    checked on phi-4 and Qwen2.5-72B, whose logs exceed their tensors by just this.
    """
    by_name = {(group.name, group.layers): group for group in groups if group.is_matrix}
    total = 0.0
    for names, _ in FUSED:
        for (name, places), group in by_name.items():
            if name != names[0] and not (name == names[-1] and (names[0], places) not in by_name):
                continue
            fused = [by_name[other, places] for other in names if (other, places) in by_name]
            size = sum(_one_layer(group, weights, layout, padding) for group in fused)
            total += sum(1 for layer in places if layer in layers) * allocated(size) if places else 0.0
            total -= sum(1 for layer in places if layer in layers) * size
    return total


def _one_layer(group: TensorGroup, weights: WeightFormat, layout: Layout, padding: Padding) -> float:
    rows, columns, copies = rank_tensor(group, layout, padding)
    return copies * weights.tensor_bytes(group, rows, columns)


def allocated(size: float) -> float:
    """Return the bytes that PyTorch counts as allocated for one tensor of *size* bytes.

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
