"""Vision and audio towers, held to published counts."""

from __future__ import annotations

from typing import Any

import pytest

from core.architecture import read_model
from core.architecture.config import Config
from core.architecture.tensors import TensorGroup
from core.architecture.towers import PUBLISHED, towers
from core.catalog import find_model
from core.errors import BadModelConfig


def size(groups: list[TensorGroup]) -> int:
    return sum(group.parameters for group in groups)


@pytest.mark.parametrize(
    ("id_", "millions"),
    [  # published totals less the text model
        ("google/gemma-3-4b-it", 420),
        ("Qwen/Qwen2-VL-7B-Instruct", 676),
        ("Qwen/Qwen2.5-VL-7B-Instruct", 676.5),
        ("Qwen/Qwen3-VL-8B-Instruct", 576.4),
        ("meta-llama/Llama-3.2-11B-Vision-Instruct", 895),
        ("mistralai/Mistral-Small-3.1-24B-Instruct-2503", 439),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 871),
        ("moonshotai/Kimi-VL-A3B-Instruct", 447),
    ],
)
def test_published_towers(id_: str, millions: float) -> None:
    assert read_model(find_model(id_).config).parameters_of("vision") / 1e6 == pytest.approx(
        millions, rel=0.015
    )


def test_a_plain_tower_by_hand() -> None:
    config = {
        "vision_config": {"hidden_size": 8, "intermediate_size": 32, "num_hidden_layers": 2, "patch_size": 2}
    }
    layer = 4 * 8 * 8 + 2 * 8 * 32 + (8 * 8 + 32 + 8)
    assert size(towers(Config(config), 16, None)) == 2 * layer + 8 * 3 * 4 + 16 * 8 + 16 * 16


def test_several_towers_stand_by_name_in_the_place_of_the_width() -> None:
    tower = {"width": 8, "layers": 1, "patch_size": 2}
    one = size(towers(Config({"vision_config": tower}), 16, None))
    assert size(towers(Config({"vision_config": {"width": {"a": tower, "b": tower}}}), 16, None)) == 2 * one


def test_towers_load_on_the_first_stage_and_are_no_part_of_a_token() -> None:
    model = read_model(find_model("google/gemma-3-4b-it").config)
    vision = [group for group in model.groups if group.role == "vision"]
    assert {(group.stage, group.layers) for group in vision} == {("first", ())}
    assert model.active_parameters == sum(group.parameters for group in model.text_groups)


def test_an_audio_tower_by_hand() -> None:
    audio = {
        "d_model": 8,
        "encoder_layers": 2,
        "encoder_ffn_dim": 32,
        "num_mel_bins": 4,
        "max_source_positions": 10,
    }
    layer = 4 * 8 * 8 + 2 * 32 * 8 + 9 * 8 + 32
    assert size(towers(Config({"audio_config": audio}), 16, None)) == 2 * layer + 24 * 12 + 80 + 16 * 8


@pytest.mark.parametrize("name", PUBLISHED)
def test_towers_that_configs_omit_are_known(name: str) -> None:
    assert 3e8 < size(towers(Config({}), 4096, name)) < 1e9
    assert towers(Config({}), 4096, None) == []


@pytest.mark.parametrize(
    ("tower", "field"),
    [
        ({"depth": 10**6}, "vision_config.depth"),
        ({"patch_size": 0}, "vision_config.patch_size"),
        ({"image_size": "big"}, "vision_config.image_size"),
        ({"mlp_ratio": -1}, "vision_config.mlp_ratio"),
        ({"width": {"a": 3}}, "vision_config.width.a"),
    ],
)
def test_broken_towers_are_refused(tower: dict[str, Any], field: str) -> None:
    with pytest.raises(BadModelConfig) as refused:
        towers(Config({"vision_config": tower}), 16, None)
    assert refused.value.field == field
