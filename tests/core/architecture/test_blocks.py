"""Attention, recurrent and feed-forward blocks, counted by hand."""

from __future__ import annotations

import pytest

from core.architecture.attention import (
    CompressedAttention,
    CrossAttention,
    GroupedQueryAttention,
    LatentAttention,
    SparseIndex,
)
from core.architecture.caches import CacheLayout
from core.architecture.feedforward import MixtureOfExperts, Mlp
from core.architecture.recurrent import GatedDeltaNet, KimiDeltaAttention, LightningAttention, Mamba, Mamba2
from core.architecture.tensors import TensorGroup, matrix, vector


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


def test_mlp() -> None:
    assert size(Mlp(64, 96).tensors()) == 3 * 64 * 96
    assert size(Mlp(64, 96, gated=False).tensors()) == 2 * 64 * 96
    assert size(Mlp(64, 96, bias=True).tensors()) == 3 * 64 * 96 + 2 * 96 + 64


def test_mixture_of_experts() -> None:
    block = MixtureOfExperts(64, 32, experts=8, chosen=2, shared_inner=32, shared_gate=True, router_bias=True)
    experts = [group for group in block.tensors() if group.role == "expert"]
    assert size(experts) == 8 * 3 * 64 * 32
    assert {group.active for group in experts} == {0.25}
    assert size(block.tensors()) == 9 * 3 * 64 * 32 + 8 * 64 + 8 + 64


def test_experts_may_work_in_a_narrower_space() -> None:
    block = MixtureOfExperts(64, 32, experts=8, chosen=2, gated=False, latent=16, latent_norm=True)
    assert size(block.tensors()) == 8 * 2 * 16 * 32 + 2 * 64 * 16 + 16 + 8 * 64


def test_experts_may_stand_beside_an_mlp() -> None:
    block = MixtureOfExperts(64, 32, experts=8, chosen=2, beside=Mlp(64, 96))
    assert size(block.tensors()) == 8 * 3 * 64 * 32 + 3 * 64 * 96 + 8 * 64 + 4 * 64 + 8
    assert {group.module for group in block.tensors() if group.role == "expert"} == {"outer_expert"}


@pytest.mark.parametrize(
    ("block", "state"),
    [
        (GatedDeltaNet(64, 2, 4, 8, 16, 4), 4 * 8 * 16 + 3 * (2 * 16 + 64)),
        (KimiDeltaAttention(64, 4, 16, 4), 4 * 16 * 16 + 3 * 3 * 64),
        (LightningAttention(64, 4, 16), 4 * 16 * 16),
        (Mamba(64, 128, 16, 4, 4), 128 * 16 + 3 * 128),
        (Mamba2(64, 8, 16, 32, 2, 4), 128 * 32 + 3 * (128 + 2 * 2 * 32)),
    ],
)
def test_states_have_a_fixed_size(block: Mamba, state: int) -> None:
    (layout,) = block.caches()
    assert layout.kind == "state"
    assert layout.elements == state
    assert size(block.tensors()) > 0


def test_parameters_of_recurrent_blocks_by_hand() -> None:
    assert size(Mamba2(64, 8, 16, 32, 2, 4).tensors()) == 64 * (128 + 256 + 8) + 256 * 5 + 24 + 128 + 64 * 128
    narrow, wide = KimiDeltaAttention(64, 4, 16, 4), KimiDeltaAttention(64, 4, 16, 4, wide_gate=True)
    assert size(wide.tensors()) - size(narrow.tensors()) == 64 * 64 - 2 * 64 * 16


def test_tensor_groups_count_copies_and_layers() -> None:
    group = matrix("expert.up", 8, 4, "expert", "expert", copies=3).at((0, 1, 5))
    assert group.occurrences == 9
    assert group.parameters == 9 * 32
    assert group.is_matrix
    assert not vector("norms", 4).is_matrix
    assert vector("norms", 4).at((), "last").stage == "last"
    assert vector("norms", 4).parameters == 4


def test_a_cache_counts_its_elements() -> None:
    assert CacheLayout("kv", "full", (0,), 3, 4, heads=1).elements == 7
    assert CacheLayout("state", "state", (0,), 8, 0, heads=4, split="heads").divided(2) == 0.5
