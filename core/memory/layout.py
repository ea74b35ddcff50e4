"""How a model is divided over GPUs: tensor, pipeline, expert and attention-data parallelism."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from core.architecture import Model, TensorGroup
from core.errors import BadRequest


@dataclass(frozen=True)
class Layout:
    """Numbers of parallel ranks.

    `attention_dp` says that attention and dense layers are copied to `dp` ranks, each serving its own requests,
    while experts are spread over `ep`. Without it, `dp` counts independent replicas and changes nothing here.
    """

    tp: int = 1
    pp: int = 1
    dp: int = 1
    ep: int = 1
    attention_dp: bool = False

    @property
    def gpus(self) -> int:
        """GPUs of one replica."""
        return self.tp * self.pp * (self.dp if self.attention_dp else 1)

    @property
    def expert_ranks(self) -> int:
        """Ranks that share the experts of one pipeline stage."""
        return max(self.ep, self.tp * (self.dp if self.attention_dp else 1))


SINGLE_GPU = Layout()


def check_layout(model: Model, layout: Layout) -> None:
    """Refuse a layout that no engine can start.

    Raises:
        BadRequest: tp does not divide the attention heads, pp exceeds the layers, ep does not divide experts.
    """
    if model.heads % layout.tp:
        good = ", ".join(str(n) for n in _divisors(model.heads, 64))
        raise BadRequest("request.tp_heads", field="tp", tp=layout.tp, heads=model.heads, good=good)
    if layout.pp > model.layers:
        raise BadRequest("request.pp_layers", field="pp", pp=layout.pp, layers=model.layers)
    if layout.ep > 1 and not model.is_moe:
        raise BadRequest("request.ep_dense", field="ep", ep=layout.ep)
    if layout.ep > max(1, model.experts):
        raise BadRequest("request.ep_experts", field="ep", ep=layout.ep, experts=model.experts)


def _divisors(number: int, limit: int) -> list[int]:
    return [n for n in range(1, min(number, limit) + 1) if number % n == 0]


def stage_layers(layers: int, pp: int) -> list[range]:
    """Return the layers of each pipeline stage, as vLLM deals them.

    What is left over goes to the last stages but one, because the last holds the head.
    Source: vLLM distributed/utils.py get_pp_indices.

    >>> [len(stage) for stage in stage_layers(61, 4)]
    [15, 15, 16, 15]
    """
    sizes = [layers // pp] * pp
    for place in range(2, layers % pp + 2):
        sizes[-place] += 1
    bounds = [0]
    for size in sizes:
        bounds.append(bounds[-1] + size)
    return [range(start, end) for start, end in pairwise(bounds)]


@dataclass(frozen=True)
class Padding:
    """Sizes that an engine rounds up to: of the vocabulary, and of the experts' two axes (0: as they are)."""

    vocabulary: int = 1
    expert_inner: int = 0
    expert_hidden: int = 0


AS_THEY_ARE = Padding()


def _up(size: int, step: int) -> int:
    return math.ceil(size / step) * step if step > 1 else size


def rank_tensor(group: TensorGroup, layout: Layout, padding: Padding) -> tuple[float, float, float]:
    """Return (rows, columns, copies) of *group* that the most loaded rank holds in one layer.

    >>> from core.architecture.tensors import matrix
    >>> k = matrix("attention.k", 1024, 8192, "attention", "kv-heads", unit=128)
    >>> rank_tensor(k, Layout(tp=16), Padding())
    (128, 8192, 1)
    """
    rows = group.shape[0]
    columns = group.shape[1] if group.is_matrix else 1
    tp = layout.tp
    if group.shard == "vocabulary":
        return math.ceil(_up(rows, padding.vocabulary) / tp), columns, group.copies
    if group.shard == "column":
        return math.ceil(rows / tp), columns, group.copies
    if group.shard == "row":
        return rows, math.ceil(columns / tp), group.copies
    if group.shard == "kv-heads":
        return max(group.unit, math.ceil(rows / group.unit / tp) * group.unit), columns, group.copies
    if group.shard == "expert":
        return _expert(group, layout, padding, rows, columns)
    return rows, columns, group.copies


def _expert(
    group: TensorGroup, layout: Layout, padding: Padding, rows: int, columns: int
) -> tuple[float, float, float]:
    """Divide experts first by ep, then each expert's inner axis by what is left of the ranks."""
    copies = math.ceil(group.copies / layout.ep)
    inside = max(1, layout.expert_ranks // layout.ep)
    if not group.is_matrix:
        return (math.ceil(rows / inside) if group.name.endswith("up_bias") else rows), 1, copies
    if group.name.endswith("down"):
        return (
            _up(rows, padding.expert_hidden),
            _up(math.ceil(columns / inside), padding.expert_inner),
            copies,
        )
    return _up(math.ceil(rows / inside), padding.expert_inner), _up(columns, padding.expert_hidden), copies
