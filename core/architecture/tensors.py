"""What a model is made of: tensors, each with the role that decides its format and the rule that splits it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

Role = Literal["embedding", "attention", "mlp", "expert", "router", "norm", "vision", "head", "mtp", "state"]
"""What a tensor does. Weight formats cover roles: an fp8 checkpoint keeps embedding, head, norm and router wide."""

Shard = Literal["vocabulary", "column", "row", "kv-heads", "expert", "replicated"]
"""How tensor parallelism splits a tensor.

vocabulary    rows of the vocabulary, padded by the engine so that they divide
column, row   the output or the input features; only the column kind splits its bias
kv-heads      key and value heads, of which every rank keeps at least one
expert        whole experts under expert parallelism, else the inner features of each expert
replicated    a full copy on every rank
"""

Stage = Literal["layers", "first", "last", "every"]
"""Which pipeline stages hold a tensor: those of its layers, the first, the last, or every one."""


@dataclass(frozen=True)
class TensorGroup:
    """Equal tensors of one name: *copies* of *shape* in each of *layers*.

    `shape` is (out_features, in_features) for a matrix and (size,) for a vector. `unit` is the smallest slice
    of the first axis that a rank can hold (one KV head), in elements. `layers` are decoder layer numbers;
    it is empty for a tensor outside the stack, which then counts once. `active` is the share of the copies
    that one token uses (experts chosen / experts). `module` is the name in a checkpoint where it is not the
    usual one of this group.
    """

    name: str
    shape: tuple[int, ...]
    role: Role
    shard: Shard = "replicated"
    copies: int = 1
    layers: tuple[int, ...] = ()
    stage: Stage = "layers"
    unit: int = 1
    active: float = 1.0
    module: str = ""

    @property
    def occurrences(self) -> int:
        """Tensors of this group in the whole model."""
        return self.copies * max(1, len(self.layers))

    @property
    def parameters(self) -> int:
        """Parameters of the whole group."""
        return math.prod(self.shape) * self.occurrences

    @property
    def is_matrix(self) -> bool:
        """Whether it has two axes; vectors are never quantised."""
        return len(self.shape) == 2

    def at(self, layers: tuple[int, ...], stage: Stage = "layers") -> TensorGroup:
        """Return the same tensor placed in *layers*."""
        return replace(self, layers=layers, stage=stage)


def matrix(name: str, rows: int, columns: int, role: Role, shard: Shard, **more: object) -> TensorGroup:
    """Return a weight matrix of *rows* output and *columns* input features."""
    return TensorGroup(name, (rows, columns), role, shard, **more)  # type: ignore[arg-type]


def vector(
    name: str, size: int, role: Role = "norm", shard: Shard = "replicated", **more: object
) -> TensorGroup:
    """Return a bias, norm or other one-dimensional tensor of *size* elements."""
    return TensorGroup(name, (size,), role, shard, **more)  # type: ignore[arg-type]
