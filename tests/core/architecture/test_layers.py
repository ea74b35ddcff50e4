"""Which feed-forward block each layer has."""

from __future__ import annotations

from typing import Any

import pytest

from core.architecture.config import Config
from core.architecture.families import recognise
from core.architecture.feedforward import MixtureOfExperts, Mlp
from core.architecture.layers import feedforwards, layer_count
from tests.core.architecture.conftest import LLAMA, MLA, MOE, changed


def blocks(config: dict[str, Any]) -> list[Mlp | MixtureOfExperts | None]:
    family = recognise(Config(config))
    return feedforwards(Config(config, family.row["defaults"]), family)


def pattern(config: dict[str, Any]) -> str:
    """Return E for experts, D for a dense MLP and - for nothing, a letter a layer."""
    letters = {MixtureOfExperts: "E", Mlp: "D", type(None): "-"}
    return "".join(letters[type(block)] for block in blocks(config))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (LLAMA, "DDDD"),
        (MOE, "EEEE"),
        (MLA, "DEEE"),
        (changed(MOE, num_experts=1), "DDDD"),
        (changed(MOE, decoder_sparse_step=2), "DEDE"),
        (changed(MOE, mlp_only_layers=[0, 2]), "DEDE"),
        (changed(MOE, moe_layer_freq=[0, 1, 1, 0]), "DEED"),
        (changed(MOE, moe_layer_freq=2), "EDED"),
        (changed(MOE, moe_layers_enum="1,3"), "DEDE"),
        (changed(MOE, moe_layers=[3]), "DDDE"),
        (changed(MOE, mlp_layer_types=["dense", "sparse", "sparse", "dense"]), "DEED"),
        (changed(MOE, model_type="jamba", expert_layer_period=2, expert_layer_offset=1), "DEDE"),
        (changed(MOE, model_type="llama4_text", interleave_moe_layer_step=2), "DEDE"),
        (changed(MOE, model_type="nemotron_h", hybrid_override_pattern="ME*-"), "-E-D"),
    ],
)
def test_layouts(config: dict[str, Any], expected: str) -> None:
    assert pattern(config) == expected


def test_sizes_may_differ_from_layer_to_layer() -> None:
    config = changed(MOE, moe_intermediate_size=[8, 8, 16, 16], num_experts_per_tok=[1, 2, 2, 1])
    found = [(block.inner, block.chosen) for block in blocks(config) if isinstance(block, MixtureOfExperts)]
    assert found == [(8, 1), (8, 2), (16, 2), (16, 1)]
    dense = [block.inner for block in blocks(changed(LLAMA, intermediate_size=[8, 16, 24, 32])) if block]
    assert dense == [8, 16, 24, 32]


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"model_type": "deepseek_v3", "n_shared_experts": 2}, 64),
        ({"model_type": "qwen2_moe", "shared_expert_intermediate_size": 48}, 48),
        (
            {
                "model_type": "nemotron_h",
                "hybrid_override_pattern": "EEEE",
                "moe_shared_expert_intermediate_size": 20,
            },
            20,
        ),
        ({"model_type": "qwen3_moe"}, 0),
    ],
)
def test_shared_experts(fields: dict[str, Any], size: int) -> None:
    block = blocks(changed(MOE, **fields))[-1]
    assert isinstance(block, MixtureOfExperts)
    assert block.shared_inner == size


def test_layers_may_be_counted_from_their_list() -> None:
    assert layer_count(Config({"layers_block_type": ["mamba"] * 7})) == 7
    assert layer_count(Config({"num_hidden_layers": 3, "layers_block_type": ["mamba"] * 7})) == 3


def test_blocks_of_variable_size() -> None:
    attention = {"n_heads_in_group": 4}
    found = blocks(
        changed(
            LLAMA,
            num_hidden_layers=3,
            block_configs=[
                {"attention": attention, "ffn": {"ffn_mult": 1.5}},
                {"attention": attention, "ffn": {"no_op": True}},
                {"attention": attention, "ffn": {"intermediate_size": 40}},
            ],
        )
    )
    assert [block.inner if isinstance(block, Mlp) else None for block in found] == [256, None, 40]
