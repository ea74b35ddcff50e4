"""Attention blocks: their tensors and what they keep in the KV cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.architecture.caches import CacheKind, CacheLayout
from core.architecture.tensors import TensorGroup, matrix, vector

QkNorm = Literal["none", "head", "full"]
"""Norms on queries and keys: none, one vector of a head's size, or one over all heads."""

Gate = Literal["none", "query", "head", "full"]
"""A sigmoid gate on the output: computed by a query projection twice as tall, or by a matrix of its own with one
number a head or one a channel."""


@dataclass(frozen=True)
class SparseIndex:
    """The lightning indexer of DeepSeek sparse attention: it chooses the tokens that attention reads."""

    heads: int
    head_dim: int
    topk: int
    blocks: bool = False
    """Whether it chooses blocks of tokens by keys in the format of the cache (MiniMax M3), not tokens by fp8 keys."""

    def tensors(self, hidden: int, query_rank: int) -> list[TensorGroup]:
        """Return its projections; every rank keeps all of them."""
        groups = [
            matrix("indexer.q_b", self.heads * self.head_dim, query_rank, "attention", "replicated"),
            matrix("indexer.k", self.head_dim, hidden, "attention", "replicated"),
            vector("indexer.k_norm", 2 * self.head_dim),
        ]
        if not self.blocks:
            groups.append(matrix("indexer.weights", self.heads, hidden, "router", "replicated"))
        return groups

    def cache(self) -> CacheLayout:
        """Return one fp8 key of `head_dim` and its fp32 scale a token, on every rank.

        Source: FlashMLA entry and indexer of DeepSeek-V3.2 (D + 4 bytes), InferenceX experimental/dsv32.
        """
        if self.blocks:
            return CacheLayout("index", "full", (), self.head_dim, 0, split="replicated")
        size = self.head_dim + 4
        return CacheLayout(
            "index", "full", (), size, 0, split="replicated", bytes_per_element=1.0, chosen=self.topk
        )


@dataclass(frozen=True)
class GroupedQueryAttention:
    """Multi-head, grouped-query and multi-query attention, windowed or not."""

    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    value_dim: int
    qkv_bias: bool = False
    output_bias: bool = False
    qk_norm: QkNorm = "none"
    sinks: bool = False
    gate: Gate = "none"
    cache: CacheKind = "full"
    window: int = 0
    values_are_keys: bool = False
    index: SparseIndex | None = None

    def tensors(self) -> list[TensorGroup]:
        """Return the projections and norms of one layer."""
        queries = self.heads * self.head_dim
        keys, values = self.kv_heads * self.head_dim, self.kv_heads * self.value_dim
        tall = queries * 2 if self.gate == "query" else queries
        groups = [
            matrix("attention.q", tall, self.hidden, "attention", "column"),
            matrix("attention.k", keys, self.hidden, "attention", "kv-heads", unit=self.head_dim),
            matrix("attention.o", self.hidden, self.heads * self.value_dim, "attention", "row"),
        ]
        if not self.values_are_keys:
            groups.insert(
                2, matrix("attention.v", values, self.hidden, "attention", "kv-heads", unit=self.value_dim)
            )
        if self.gate in ("head", "full"):
            width = self.heads * (self.value_dim if self.gate == "full" else 1)
            groups.append(matrix("attention.gate", width, self.hidden, "attention", "column"))
        if self.qkv_bias:
            groups += [
                vector("attention.q_bias", tall, "attention", "column"),
                vector("attention.k_bias", keys, "attention", "kv-heads", unit=self.head_dim),
                vector("attention.v_bias", values, "attention", "kv-heads", unit=self.value_dim),
            ]
        if self.output_bias:
            groups.append(vector("attention.o_bias", self.hidden, "attention"))
        if self.qk_norm == "head":
            groups += [vector("attention.q_norm", self.head_dim), vector("attention.k_norm", self.head_dim)]
        elif self.qk_norm == "full":
            groups += [vector("attention.q_norm", queries), vector("attention.k_norm", keys)]
        if self.sinks:
            groups.append(vector("attention.sinks", self.heads, "attention", "column"))
        if self.index:
            groups += self.index.tensors(self.hidden, self.hidden)
        return groups

    def caches(self) -> list[CacheLayout]:
        """Return keys and values of one token: ``kv_heads * head_dim`` elements each."""
        layout = CacheLayout(
            "kv",
            self.cache,
            (),
            self.kv_heads * self.head_dim,
            self.kv_heads * self.value_dim,
            heads=self.kv_heads,
            window=self.window,
        )
        return [layout, self.index.cache()] if self.index else [layout]


@dataclass(frozen=True)
class LatentAttention:
    """Multi-head latent attention (MLA): keys and values are rebuilt from one small latent per token."""

    hidden: int
    heads: int
    query_rank: int
    latent_rank: int
    nope_dim: int
    rope_dim: int
    value_dim: int
    bias: bool = False
    index: SparseIndex | None = None
    gated: bool = False

    def tensors(self) -> list[TensorGroup]:
        """Return the projections of one layer. The down projections are too small to split."""
        queries = self.heads * (self.nope_dim + self.rope_dim)
        groups = []
        if self.query_rank:
            groups += [
                matrix("attention.q_a", self.query_rank, self.hidden, "attention", "replicated"),
                vector("attention.q_a_norm", self.query_rank),
                matrix("attention.q_b", queries, self.query_rank, "attention", "column"),
            ]
        else:
            groups.append(matrix("attention.q", queries, self.hidden, "attention", "column"))
        latent = self.latent_rank + self.rope_dim
        expanded = self.heads * (self.nope_dim + self.value_dim)
        groups += [
            matrix("attention.kv_a", latent, self.hidden, "attention", "replicated"),
            vector("attention.kv_a_norm", self.latent_rank),
            matrix("attention.kv_b", expanded, self.latent_rank, "attention", "column"),
            matrix("attention.o", self.hidden, self.heads * self.value_dim, "attention", "row"),
        ]
        if self.bias:
            groups.append(vector("attention.o_bias", self.hidden, "attention"))
        if self.gated:
            width = self.heads * self.value_dim
            groups.append(matrix("attention.gate", width, self.hidden, "attention", "column"))
        if self.index:
            groups += self.index.tensors(self.hidden, self.query_rank or self.hidden)
        return groups

    def caches(self) -> list[CacheLayout]:
        """Return the latent of one token: ``latent_rank + rope_dim`` elements on every rank."""
        latent = CacheLayout(
            "latent",
            "full",
            (),
            self.latent_rank + self.rope_dim,
            0,
            split="replicated",
            expanded=(self.heads * (self.nope_dim + self.rope_dim), self.heads * self.value_dim),
            expanded_heads=self.heads,
            latent=self.latent_rank,
        )
        return [latent, self.index.cache()] if self.index else [latent]


@dataclass(frozen=True)
class CompressedAttention:
    """DeepSeek-V4 attention: a short window, and one key-value entry for every `ratio` older tokens.

    Read from the published config and its inference notes, not from a measurement: the split of an entry
    into fp8 and 16-bit parts and the size of the compressor's state are uncertain.
    """

    hidden: int
    heads: int
    head_dim: int
    query_rank: int
    output_rank: int
    output_groups: int
    window: int
    ratio: int
    index: SparseIndex | None

    def tensors(self) -> list[TensorGroup]:
        """Return the projections of one layer, with the compressor where `ratio` is not 0."""
        width = self.heads * self.head_dim
        groups = [
            matrix("attention.q_a", self.query_rank, self.hidden, "attention", "replicated"),
            vector("attention.q_a_norm", self.query_rank),
            matrix("attention.q_b", width, self.query_rank, "attention", "column"),
            matrix("attention.kv", self.head_dim, self.hidden, "attention", "replicated"),
            vector("attention.kv_norm", self.head_dim),
            matrix("attention.o_a", self.output_rank, width, "attention", "row"),
            matrix("attention.o_b", self.hidden, self.output_groups * self.output_rank, "attention", "row"),
            vector("attention.sinks", self.heads, "attention", "column"),
        ]
        if self.ratio:
            # Compression by 4 pools overlapping spans, so its projections are twice as wide.
            pooled = self.head_dim * (2 if self.ratio == 4 else 1)
            groups += [
                matrix("compressor.kv", pooled, self.hidden, "attention", "replicated"),
                matrix("compressor.gate", pooled, self.hidden, "attention", "replicated"),
                matrix("compressor.position", self.ratio, pooled, "norm", "replicated"),
                vector("compressor.norm", self.head_dim),
            ]
        if self.ratio == 4 and self.index:
            narrow = 2 * self.index.head_dim
            groups += [
                matrix(
                    "indexer.q_b",
                    self.index.heads * self.index.head_dim,
                    self.query_rank,
                    "attention",
                    "replicated",
                ),
                matrix("indexer.weights", self.index.heads, self.hidden, "router", "replicated"),
                matrix("indexer.kv", narrow, self.hidden, "attention", "replicated"),
                matrix("indexer.gate", narrow, self.hidden, "attention", "replicated"),
            ]
        return groups

    def caches(self) -> list[CacheLayout]:
        """Return the window and, where `ratio` is not 0, the compressed entries and their index keys."""
        layouts = [
            CacheLayout("window", "window", (), self.head_dim, 0, split="replicated", window=self.window)
        ]
        if self.ratio:
            layouts.append(
                CacheLayout(
                    "compressed", "compressed", (), self.head_dim, 0, split="replicated", ratio=self.ratio
                )
            )
        if self.ratio == 4 and self.index:
            layouts.append(
                CacheLayout(
                    "index",
                    "compressed",
                    (),
                    self.index.head_dim + 4,
                    0,
                    split="replicated",
                    ratio=self.ratio,
                    bytes_per_element=1.0,
                    chosen=self.index.topk,
                )
            )
        return layouts


@dataclass(frozen=True)
class CrossAttention:
    """A layer that attends to image tokens instead of text (Llama 3.2 Vision): its cache does not grow with text."""

    inner: GroupedQueryAttention

    def tensors(self) -> list[TensorGroup]:
        """Return the projections and the two tanh gates of one layer."""
        return [*self.inner.tensors(), vector("attention.gates", 2, "attention")]

    def caches(self) -> list[CacheLayout]:
        """Return nothing: image tokens are cached for as long as a request lives, but text adds none."""
        return []
