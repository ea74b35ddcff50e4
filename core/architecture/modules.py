"""The modules of a checkpoint by name, and the lists with which a quantisation leaves some of them out."""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from core.architecture.tensors import TensorGroup

_MODULES = {
    "head": "lm_head head",
    "embedding": "embed_tokens embeddings",
    "attention.q": "self_attn.q_proj mixer.q_proj",
    "attention.k": "self_attn.k_proj mixer.k_proj",
    "attention.v": "self_attn.v_proj mixer.v_proj",
    "attention.o": "self_attn.o_proj mixer.o_proj",
    "attention.gate": "self_attn.g_proj",
    "attention.q_a": "self_attn.q_a_proj attn.wq_a",
    "attention.q_b": "self_attn.q_b_proj attn.wq_b",
    "attention.kv": "attn.wkv",
    "attention.kv_a": "self_attn.kv_a_proj_with_mqa",
    "attention.kv_b": "self_attn.kv_b_proj",
    "attention.o_a": "attn.wo_a",
    "attention.o_b": "attn.wo_b",
    "indexer.q_b": "self_attn.indexer.wq_b attn.indexer.wq_b",
    "indexer.k": "self_attn.indexer.wk",
    "mlp.gate": "mlp.gate_proj feed_forward.gate_proj",
    "mlp.up": "mlp.up_proj feed_forward.up_proj mixer.up_proj",
    "mlp.down": "mlp.down_proj feed_forward.down_proj mixer.down_proj",
    "shared_expert.gate": "mlp.shared_experts.gate_proj mlp.shared_expert.gate_proj ffn.shared_experts.w1",
    "shared_expert.up": "mlp.shared_experts.up_proj mlp.shared_expert.up_proj mixer.shared_experts.up_proj"
    " ffn.shared_experts.w3",
    "shared_expert.down": "mlp.shared_experts.down_proj mlp.shared_expert.down_proj"
    " mixer.shared_experts.down_proj ffn.shared_experts.w2",
    "expert.gate": "mlp.experts.0.gate_proj feed_forward.experts.gate_up_proj block_sparse_moe.experts.0.w1"
    " ffn.experts.0.w1",
    "expert.up": "mlp.experts.0.up_proj feed_forward.experts.gate_up_proj block_sparse_moe.experts.0.w3"
    " mixer.experts.0.up_proj ffn.experts.0.w3",
    "expert.down": "mlp.experts.0.down_proj feed_forward.experts.down_proj block_sparse_moe.experts.0.w2"
    " mixer.experts.0.down_proj ffn.experts.0.w2",
    "outer_expert": "experts.0.up_proj experts.gate_up_proj",
    "latent.down": "mixer.fc1_latent_proj block_sparse_moe.routed_expert_down_proj",
    "latent.up": "mixer.fc2_latent_proj block_sparse_moe.routed_expert_up_proj",
    "linear.qkvz": "linear_attn.in_proj_qkvz linear_attn.in_proj_qkv",
    "linear.qkv": "self_attn.q_proj",
    "linear.out": "linear_attn.out_proj self_attn.o_proj",
    "mamba.in": "mixer.in_proj mamba.in_proj",
    "mamba.out": "mixer.out_proj mamba.out_proj",
    "router": "mlp.gate mlp.router block_sparse_moe.gate",
}
"""Modules that a tensor group stands for, as the checkpoints of different families spell them."""

_NESTED = re.compile(r"[*+}][^()]*\)[*+{]|(?:[*+][^*+]*){7}")
"""Expressions that may take for ever: a repeated group with a repetition inside, or more than six repetitions."""

_WRAPPERS = re.compile(r"^(?:language_model\.|text_model\.|model\.|backbone\.|transformer\.|decoder\.)+")
_LAYER = re.compile(r"layers\.(\d+)(?!\d)")


@lru_cache(maxsize=50_000)
def module_names(name: str, layer: int | None) -> tuple[str, ...]:
    """Return the modules of the group *name* in *layer*, without what wraps the decoder.

    >>> module_names("attention.q", 3)
    ('layers.3.self_attn.q_proj', 'layers.3.mixer.q_proj')
    """
    parts = _MODULES.get(name, "").split()
    return tuple(parts if layer is None else (f"layers.{layer}.{part}" for part in parts))


class Modules:
    """A set of modules, given as names, names of enclosing modules, shell patterns, or "re:" and an expression.

    Lists of a few hundred entries are asked for every tensor of every layer, so names are looked up and
    patterns are sorted by the layer that they name.

    >>> ignored = Modules(["lm_head", "model.layers.0.mlp", "*.self_attn*", "re:.*shared_experts.*"])
    >>> "layers.0.mlp.up_proj" in ignored, "layers.10.mlp.up_proj" in ignored
    (True, False)
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        self._names: set[str] = set()
        self._globs: dict[str, list[re.Pattern[str]]] = defaultdict(list)
        self._expressions: list[re.Pattern[str]] = []
        self._known: dict[tuple[str, int | None], bool] = {}
        for pattern in self.patterns:
            self._add(pattern)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Modules) and self.patterns == other.patterns

    def __hash__(self) -> int:
        return hash(self.patterns)

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def _add(self, pattern: str) -> None:
        if pattern.startswith("re:"):
            expression = _compiled(pattern[3:])
            if expression is not None:
                self._expressions.append(expression)
            return
        bare = _WRAPPERS.sub("", pattern).removesuffix(".weight")
        if not any(mark in bare for mark in "*?["):
            self._names.add(bare)
            return
        layer = _LAYER.match(bare)
        self._globs[layer[1] if layer else ""].append(re.compile(fnmatch.translate(bare)))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (self._listed(name) or self._matched(name))

    def covers(self, group: TensorGroup, layer: int | None) -> bool:
        """Return whether *group*'s module in *layer* (default: its first) is in the set, under any of its names."""
        if not self.patterns:
            return False
        place = layer if layer is not None or not group.layers else group.layers[0]
        asked = (group.module or group.name, place)
        known = self._known.get(asked)
        if known is None:
            known = self._known[asked] = any(name in self for name in module_names(*asked))
        return known

    def _listed(self, name: str) -> bool:
        return any(part in self._names for part in _paths(name))

    def _matched(self, name: str) -> bool:
        layer = _LAYER.match(name)
        globs = self._globs[""] + (self._globs.get(layer[1], []) if layer else [])
        if any(glob.match(name) or glob.match(name + ".") for glob in globs):
            return True
        wrapped = (f"model.{name}", name, f"language_model.model.{name}", f"model.language_model.{name}")
        return any(expression.match(full) for expression in self._expressions for full in wrapped)


NOTHING = Modules(())
"""The empty set."""


def _paths(name: str) -> Iterator[str]:
    """Yield *name*, the modules around it, the ends of its path and each of its parts."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end])
        yield ".".join(parts[end - 1 :])
        yield parts[end - 1]


@cache
def _compiled(expression: str) -> re.Pattern[str] | None:
    if len(expression) > 1000 or _NESTED.search(expression):
        return None
    try:
        return re.compile(expression)
    except (re.error, RecursionError, OverflowError):
        return None
