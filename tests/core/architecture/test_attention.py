"""Attention blocks, counted by hand."""

from __future__ import annotations

import pytest

from core.architecture.attention import (
    CompressedAttention,
    CrossAttention,
    GroupedQueryAttention,
    LatentAttention,
    SparseIndex,
)
from core.architecture.tensors import TensorGroup


def size(groups: list[TensorGroup]) -> int:
    return sum(group.parameters for group in groups)


def names(groups: list[TensorGroup]) -> set[str]:
    return {group.name for group in groups}


GQA = {"hidden": 64, "heads": 8, "kv_heads": 2, "head_dim": 16, "value_dim": 16}
PLAIN = 64 * 128 * 2 + 64 * 32 * 2


@pytest.mark.parametrize(
    ("more", "added"),
    [
        ({}, 0),
        ({"qkv_bias": True}, 128 + 32 + 32),
        ({"output_bias": True}, 64),
        ({"qk_norm": "head"}, 32),
        ({"qk_norm": "full"}, 128 + 32),
        ({"sinks": True}, 8),
        ({"gate": "query"}, 64 * 128),
        ({"gate": "head"}, 64 * 8),
        ({"gate": "full"}, 64 * 128),
        ({"values_are_keys": True}, -64 * 32),
        ({"index": SparseIndex(4, 8, 2048)}, 64 * 32 + 64 * 8 + 16 + 4 * 64),
        ({"index": SparseIndex(4, 8, 2048, blocks=True)}, 64 * 32 + 64 * 8 + 16),
    ],
)
def test_grouped_query_attention(more: dict[str, object], added: int) -> None:
    assert size(GroupedQueryAttention(**GQA, **more).tensors()) == PLAIN + added  # type: ignore[arg-type]


def test_grouped_query_cache() -> None:
    (layout,) = GroupedQueryAttention(**GQA, cache="window", window=128).caches()
    assert (layout.keys, layout.values, layout.heads, layout.window) == (32, 32, 2, 128)
    assert layout.divided(1) == 1
    assert layout.divided(2) == 0.5
    assert layout.divided(8) == 0.5  # two heads on eight ranks: one each


def test_values_may_be_narrower_than_keys() -> None:
    (layout,) = GroupedQueryAttention(64, 8, 2, 24, 16).caches()
    assert (layout.keys, layout.values) == (48, 32)


MLA = LatentAttention(
    hidden=64, heads=8, query_rank=24, latent_rank=32, nope_dim=16, rope_dim=8, value_dim=16
)


def test_latent_attention() -> None:
    down, up = 64 * 24 + 24 * 192, 64 * 40 + 32 * 8 * 32
    assert size(MLA.tensors()) == down + up + 24 + 32 + 128 * 64
    (layout,) = MLA.caches()
    assert layout.elements == 40
    assert layout.divided(8) == 1.0  # every rank keeps the whole latent
    assert layout.expanded == (8 * 24, 8 * 16)


def test_latent_attention_with_an_index_caches_its_keys_in_fp8() -> None:
    indexed = LatentAttention(64, 8, 24, 32, 16, 8, 16, index=SparseIndex(4, 8, 2048))
    latent, index = indexed.caches()
    assert (latent.name, index.name) == ("latent", "index")
    assert index.elements == 8 + 4
    assert index.bytes_per_element == 1.0


def test_gated_latent_attention() -> None:
    gated = LatentAttention(64, 8, 24, 32, 16, 8, 16, gated=True)
    assert size(gated.tensors()) - size(MLA.tensors()) == 64 * 128


@pytest.mark.parametrize(("ratio", "kinds"), [(0, 1), (4, 3), (128, 2)])
def test_compressed_attention(ratio: int, kinds: int) -> None:
    block = CompressedAttention(64, 8, 16, 24, 8, 2, 128, ratio, SparseIndex(4, 8, 512))
    assert len(block.caches()) == kinds
    assert ("indexer.q_b" in names(block.tensors())) == (ratio == 4)


def test_cross_attention_caches_no_text() -> None:
    block = CrossAttention(GroupedQueryAttention(**GQA))
    assert block.caches() == []
    assert size(block.tensors()) == PLAIN + 2
