"""A model as the rest of the program sees it: tensors, caches and the few sizes that formulas ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.architecture.caches import CacheLayout
from core.architecture.tensors import Role, TensorGroup
from core.text import Sentence


@dataclass(frozen=True, eq=False)
class Model:
    """What a config.json says, in terms that no family-specific code is needed for.

    `groups` are the tensors that an engine loads; `mtp_groups` those of multi-token prediction layers, which
    a checkpoint holds and an engine loads only for speculative decoding. `rope_tables` are the position tables
    that engines precompute, as (rows, columns). `quantization` is the checkpoint's own `quantization_config`.
    """

    name: str
    family: str
    architecture: str
    layers: int
    hidden: int
    vocabulary: int
    heads: int
    kv_heads: int
    head_dim: int
    dense_inner: int
    experts: int
    experts_per_token: int
    expert_inner: int
    max_context: int | None
    dtype: str
    tied: bool
    multimodal: bool
    groups: tuple[TensorGroup, ...]
    mtp_groups: tuple[TensorGroup, ...]
    caches: tuple[CacheLayout, ...]
    rope_tables: tuple[tuple[int, int], ...]
    quantization: Mapping[str, Any]
    warnings: tuple[Sentence, ...] = ()

    @property
    def parameters(self) -> int:
        """Parameters of all groups, without multi-token prediction layers; shared tensors count once."""
        return sum(group.parameters for group in self.groups)

    @property
    def active_parameters(self) -> int:
        """Parameters that one token passes through: of the experts only those chosen."""
        return round(sum(group.parameters * group.active for group in self.groups if group.role != "vision"))

    @property
    def mtp_parameters(self) -> int:
        """Parameters of the multi-token prediction layers, without the embedding and head that they share."""
        return sum(group.parameters for group in self.mtp_groups if group.role not in ("embedding", "head"))

    def parameters_of(self, *roles: Role) -> int:
        """Return the parameters of the groups with one of *roles*."""
        return sum(group.parameters for group in self.groups if group.role in roles)

    @property
    def text_groups(self) -> tuple[TensorGroup, ...]:
        """The groups without vision and audio towers."""
        return tuple(group for group in self.groups if group.role != "vision")

    @property
    def is_moe(self) -> bool:
        """Whether some layer has experts."""
        return self.experts > 1

    @property
    def has_latent_cache(self) -> bool:
        """Whether attention keeps a latent (MLA) that tensor parallelism does not divide."""
        return any(layout.expanded_heads for layout in self.caches)

    @property
    def is_hybrid(self) -> bool:
        """Whether layers differ in what they remember (windows, states beside full attention)."""
        return len({layout.kind for layout in self.caches}) > 1
