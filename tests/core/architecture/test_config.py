from __future__ import annotations

from typing import Any

import pytest

from core.architecture.config import Config
from core.errors import BadModelConfig


def refused(call: Any, *arguments: Any, **more: Any) -> BadModelConfig:
    with pytest.raises(BadModelConfig) as caught:
        call(*arguments, **more)
    return caught.value


@pytest.mark.parametrize("name", ["hidden_size", "n_embd", "d_model", "dim"])
def test_one_concept_goes_by_many_names(name: str) -> None:
    assert Config({name: 64}).integer("hidden_size") == 64


def test_a_fault_names_the_field_as_the_config_spells_it() -> None:
    error = refused(Config({"n_embd": -3}).integer, "hidden_size")
    assert error.field == "n_embd"
    assert "n_embd is -3" in error.message


def test_a_fault_inside_a_part_names_the_path() -> None:
    part = Config({"vision_config": {"depth": "deep"}}).part("vision_config")
    assert part is not None
    assert refused(part.integer, "depth").field == "vision_config.depth"


def test_null_means_absent() -> None:
    config = Config({"head_dim": None}, {"head_dim": 128})
    assert config.integer("head_dim") == 128
    assert refused(Config({"head_dim": None}).integer, "head_dim").sentence.key == "config.missing"


@pytest.mark.parametrize("value", ["4096", 0.5, True, [1], {}, float("nan"), float("inf")])
def test_a_whole_number_is_no_text_fraction_or_flag(value: Any) -> None:
    assert refused(Config({"head_dim": value}).integer, "head_dim").sentence.key == "config.not_integer"


def test_a_whole_float_is_a_whole_number() -> None:
    assert Config({"head_dim": 128.0}).integer("head_dim") == 128


@pytest.mark.parametrize("value", [0, -1, 2**31 + 1, 10**400])
def test_sizes_are_positive_and_bounded(value: int) -> None:
    error = refused(Config({"head_dim": value}).integer, "head_dim")
    assert error.sentence.key == "config.out_of_range"
    assert len(error.message) < 200


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 10**400])
def test_numbers_are_finite(value: float) -> None:
    assert refused(Config({"factor": value}).number, "factor", 1.0).field == "factor"


@pytest.mark.parametrize("value", ["8", True, [], {}])
def test_a_number_is_a_number(value: Any) -> None:
    assert refused(Config({"factor": value}).number, "factor", 1.0).sentence.key == "config.not_number"


def test_other_kinds_are_checked_too() -> None:
    config = Config({"flag": 1, "word": 1, "list": "ab", "part": [], "numbers": [1, "b"], "range": [-1]})
    assert refused(config.flag, "flag", False).sentence.key == "config.not_boolean"
    assert refused(config.word, "word").sentence.key == "config.not_text"
    assert refused(config.sequence, "list").sentence.key == "config.not_list"
    assert refused(config.part, "part").sentence.key == "config.not_object"
    assert refused(config.integers, "numbers").sentence.key == "config.not_integer"
    assert refused(config.integers, "range").sentence.key == "config.out_of_range"
    assert refused(config.choice, "word", "a", {"b": "c"}).sentence.key == "config.unknown_word"


def test_what_is_shown_is_short() -> None:
    value: Any = [1] * 1000
    for _ in range(500):
        value = [value] * 9
    assert len(refused(Config({"head_dim": value}).integer, "head_dim").message) < 200


def test_a_list_has_an_entry_for_each_layer() -> None:
    config = Config({"types": ["a", "b", "c"], "intermediate_size": [8, 16]})
    assert config.sequence("types", 2) == ["a", "b"]
    assert "3 entries" in refused(config.sequence, "types", 4).message
    assert config.at(1).integer("intermediate_size") == 16
    assert refused(config.at(2).integer, "intermediate_size").sentence.key == "config.short_list"
    assert refused(config.integer, "intermediate_size").sentence.key == "config.not_integer"


def test_sizes_may_stand_elsewhere_for_some_layers() -> None:
    config = Config({"n_head": 4, "swa_heads": 8, "other": {"width": 32}}, prefix="text_config.")
    renamed = config.renamed(
        {"num_attention_heads": "swa_heads", "head_dim": "other.width", "vocab_size": "nowhere.at_all"}
    )
    assert renamed.integer("num_attention_heads") == 8
    assert renamed.integer("head_dim") == 32
    assert not renamed.has("vocab_size")
    assert renamed.fault("missing", "head_dim").field == "text_config.other.width"
    assert config.integer("num_attention_heads") == 4


def test_two_names_for_one_size_agree() -> None:
    Config({"hidden_size": 64, "d_model": 64}).agree()
    error = refused(Config({"hidden_size": 64, "d_model": 32}).agree)
    assert error.field == "hidden_size"
    assert "d_model" in error.message
