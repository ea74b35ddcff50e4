"""Whole configs: what is refused and with which words, and what is read from unusual ones."""

from __future__ import annotations

from typing import Any

import pytest

from core.architecture import read_model
from core.catalog import find_model
from core.errors import BadModelConfig, PlannerError, UnsupportedArchitecture
from tests.core.architecture.conftest import LLAMA, MLA, MOE, changed

GEMMA = dict(find_model("google/gemma-3-4b-it").config)
NEMOTRON = dict(find_model("nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B-BF16").config)


@pytest.mark.parametrize(
    ("config", "key", "field", "words"),
    [
        (changed(LLAMA, hidden_size=...), "missing", "hidden_size", "config.json"),
        (changed(LLAMA, vocab_size=...), "missing", "vocab_size", "missing"),
        (changed(LLAMA, num_hidden_layers=0), "out_of_range", "num_hidden_layers", "10000"),
        (changed(LLAMA, num_hidden_layers=10_001), "out_of_range", "num_hidden_layers", "10000"),
        (changed(LLAMA, hidden_size=65), "heads_divide", "num_attention_heads", "65"),
        (changed(LLAMA, num_key_value_heads=3), "kv_heads", "num_key_value_heads", "8 attention heads"),
        (
            changed(LLAMA, hidden_size=2**30, intermediate_size=2**30),
            "too_many_parameters",
            "hidden_size",
            "e+",
        ),
        (changed(LLAMA, vocab_size=2**31, hidden_size=2**24), "too_many_parameters", "vocab_size", "e+"),
        (changed(LLAMA, n_embd=32), "contradiction", "hidden_size", "n_embd"),
        (changed(LLAMA, n_layer=5), "contradiction", "num_hidden_layers", "n_layer"),
        (changed(LLAMA, layer_types=["full_attention"] * 3), "short_list", "layer_types", "4 layers"),
        (
            changed(LLAMA, layer_types=["full_attention"] * 3 + ["odd"]),
            "unknown_word",
            "layer_types",
            "'odd'",
        ),
        (changed(LLAMA, layer_types=["mamba"] * 4), "no_recurrence", "layer_types", "llama"),
        (changed(LLAMA, layer_types="full_attention"), "not_list", "layer_types", "a list"),
        (
            changed(LLAMA, rope_scaling={"type": "yarn", "factor": "2"}),
            "not_number",
            "rope_scaling.factor",
            "2",
        ),
        (changed(LLAMA, block_configs=[1] * 4), "not_object", "block_configs", "got 1"),
        (changed(LLAMA, block_configs=[{}] * 4), "missing_part", "block_configs", "attention"),
        (changed(LLAMA, block_configs=[{}] * 3), "short_list", "block_configs", "3 entries"),
        (changed(MOE, num_experts_per_tok=9), "too_many_chosen", "num_experts_per_tok", "8 experts"),
        (changed(MOE, moe_layer_freq=[1, 1]), "short_list", "moe_layer_freq", "2 entries"),
        (
            changed(MOE, num_experts_per_tok=[2, 2, 2]),
            "short_list",
            "num_experts_per_tok",
            "3 entries, but the model has 4",
        ),
        (
            changed(MOE, moe_intermediate_size=[32, 32, 32, "x"]),
            "not_integer",
            "moe_intermediate_size",
            "'x'",
        ),
        (changed(MOE, mlp_layer_types=["sparse"] * 3 + ["?"]), "unknown_word", "mlp_layer_types", "dense"),
        (changed(MOE, moe_layers_enum="1,a"), "not_integer", "moe_layers_enum", "1,a"),
        (changed(MOE, decoder_sparse_step=0), "out_of_range", "decoder_sparse_step", "0"),
        (changed(MOE, use_mla=1) | {"model_type": "deepseek_v3"}, "not_boolean", "use_mla", "true or false"),
        (changed(MLA, kv_lora_rank=...), "missing", "kv_lora_rank", "missing"),
        (changed(MLA, first_k_dense_replace=5), "out_of_range", "first_k_dense_replace", "between 0 and 4"),
        (changed(GEMMA, text_config=3), "not_object", "text_config", "got 3"),
        (changed(GEMMA, vision_config=[1]), "not_object", "vision_config", "got [1]"),
        (
            changed(GEMMA, vision_config={"hidden_size": -1}),
            "out_of_range",
            "vision_config.hidden_size",
            "-1",
        ),
        (
            changed(NEMOTRON, layers_block_type=["mamba", "?"]),
            "unknown_word",
            "layers_block_type",
            "attention",
        ),
        (changed(NEMOTRON, layers_block_type=...), "missing", "num_hidden_layers", "missing"),
    ],
)
def test_refused(config: dict[str, Any], key: str, field: str, words: str) -> None:
    with pytest.raises(BadModelConfig) as refused:
        read_model(config)
    assert refused.value.sentence.key == f"config.{key}"
    assert refused.value.field == field
    assert field in refused.value.message
    assert words in refused.value.message


def test_the_path_to_a_nested_field_is_named() -> None:
    config = {"model_type": "dbrx", **changed(LLAMA, model_type=..., intermediate_size=...)}
    config["ffn_config"] = {"ffn_hidden_size": "big", "moe_num_experts": 4, "moe_top_k": 2}
    with pytest.raises(BadModelConfig) as refused:
        read_model(config)
    assert refused.value.field == "ffn_config.ffn_hidden_size"
    inner = {name: LLAMA[name] for name in LLAMA if name != "vocab_size"}
    with pytest.raises(BadModelConfig) as refused:
        read_model({"model_type": "llava", "text_config": inner, "vocab_size": -1})
    assert refused.value.field == "vocab_size"


@pytest.mark.parametrize(
    "type_", ["t5", "bert", "whisper", "rwkv", "mamba2", "clip", "lfm2", "longcat_flash", "gemma3n"]
)
def test_what_is_known_to_be_different_is_refused_by_name(type_: str) -> None:
    with pytest.raises(UnsupportedArchitecture, match=type_) as refused:
        read_model(changed(LLAMA, model_type=type_))
    assert refused.value.field == "model_type"
    assert refused.value.kind == "unsupported_architecture"
    assert type_ in refused.value.sentence.render("zh")


def test_an_encoder_decoder_is_refused_whatever_it_is_called() -> None:
    with pytest.raises(UnsupportedArchitecture, match="encoder-decoder"):
        read_model(changed(LLAMA, model_type="new", is_encoder_decoder=True))


def test_an_unknown_type_that_looks_different_is_refused() -> None:
    with pytest.raises(UnsupportedArchitecture, match="ssm_state_size"):
        read_model(changed(LLAMA, model_type="new", ssm_state_size=16))


def test_an_unknown_type_without_the_sizes_of_a_decoder_is_refused() -> None:
    with pytest.raises(UnsupportedArchitecture, match="hidden_size"):
        read_model({"model_type": "new"})
    with pytest.raises(PlannerError):
        read_model({})


def test_an_unknown_type_is_read_as_a_plain_decoder_and_says_so() -> None:
    model = read_model(changed(LLAMA, model_type="new"))
    assert model.parameters == read_model(LLAMA).parameters
    assert [warning.key for warning in model.warnings] == ["config.assumed_decoder"]


def test_a_config_without_a_length_is_read() -> None:
    model = read_model(changed(LLAMA, max_position_embeddings=...))
    assert model.max_context is None
    assert model.rope_tables == ()


@pytest.mark.parametrize(
    ("name", "family"),
    [("litgpt:Llama-3-8B", "llama"), ("litgpt:Gemma-2-9b", "gemma2"), ("litgpt:pythia-1b", "gpt_neox"),
     ("litgpt:Mixtral-8x7B", "mixtral"), ("qwen3 (text part)", "qwen3"), ("qwen3_vl_text", "qwen3_vl")],
)  # fmt: skip
def test_names_of_other_tools_are_understood(name: str, family: str) -> None:
    assert read_model(changed(LLAMA, model_type=name, num_experts_per_tok=1)).family == family


def test_a_text_part_says_that_its_tower_is_missing() -> None:
    assert [w.key for w in read_model(changed(LLAMA, model_type="qwen3 (text part)")).warnings] == [
        "config.text_part"
    ]


def test_two_matrices_may_be_stated() -> None:
    three, two = read_model(LLAMA), read_model(changed(LLAMA, ffn="2-matrix"))
    assert three.parameters - two.parameters == 4 * 64 * 96


def test_a_tower_that_the_config_omits_is_assumed_and_said() -> None:
    model = read_model(find_model("meta-llama/Llama-4-Scout-17B-16E-Instruct").config)
    assert [warning.key for warning in model.warnings] == ["config.tower_assumed"]
    assert model.parameters_of("vision") == pytest.approx(0.87e9, rel=0.01)


def test_heads_stated_as_plain_have_no_latent() -> None:
    model = read_model(changed(MLA, kv_lora_rank=None, qk_rope_head_dim=0, v_head_dim=0, use_mla=False))
    assert not model.has_latent_cache
    assert [layout.elements for layout in model.caches] == [2 * 64]


def test_tied_heads_count_once() -> None:
    untied, tied = read_model(LLAMA), read_model(changed(LLAMA, tie_word_embeddings=True))
    assert untied.parameters - tied.parameters == 1000 * 64


def test_parameters_of_a_small_llama_by_hand() -> None:
    attention = 64 * 64 * 2 + 64 * 16 * 2
    mlp = 3 * 64 * 96
    assert read_model(LLAMA).parameters == 4 * (attention + mlp + 2 * 64) + 2 * 1000 * 64 + 64


def test_a_name_is_taken_from_the_caller_or_the_config() -> None:
    assert read_model(LLAMA, "a/b").name == "a/b"
    assert read_model(changed(LLAMA, _name_or_path="c/d")).name == "c/d"
    assert read_model(LLAMA).name == "llama"


@pytest.mark.parametrize(
    ("dtype", "read"), [("float16", "fp16"), ("torch.float32", "fp32"), ("auto", "bf16"), (3, "bf16")]
)
def test_dtype(dtype: Any, read: str) -> None:
    assert read_model(changed(LLAMA, torch_dtype=dtype)).dtype == read


@pytest.mark.parametrize(
    ("scaling", "rows"),
    [
        (None, [512]),
        ({"type": "linear", "factor": 4}, [2048]),
        ({"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 100}, [400]),
        ({"rope_type": "llama3", "factor": 8}, [512]),
        ({"type": "mrope", "mrope_section": [1, 1, 2]}, [2048]),
        ({"type": "longrope", "original_max_position_embeddings": 100}, [612]),
    ],
)
def test_position_tables(scaling: Any, rows: list[int]) -> None:
    assert [table[0] for table in read_model(changed(LLAMA, rope_scaling=scaling)).rope_tables] == rows


def test_one_block_layers_are_counted_from_their_list() -> None:
    model = read_model(NEMOTRON)
    assert model.layers == len(NEMOTRON["layers_block_type"]) == 108
    assert {layout.kind for layout in model.caches} == {"full", "state"}


def test_multi_token_prediction_follows_its_own_pattern() -> None:
    names = {group.name for group in read_model(NEMOTRON).mtp_groups}
    assert {"attention.q", "expert.up", "mtp.join"} <= names
