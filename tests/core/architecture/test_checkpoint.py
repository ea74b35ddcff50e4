"""What a `quantization_config` says about the bytes of a checkpoint."""

from __future__ import annotations

from typing import Any

import pytest

from core.architecture import Model, read_model
from core.architecture.checkpoint import checkpoint_format, with_ignored
from core.architecture.formats import WeightFormat, checkpoint_bytes, weight_format
from core.catalog import find_model, model_ids
from core.errors import BadModelConfig
from tests.core.architecture.conftest import LLAMA, MOE, changed


def model(**quantization: Any) -> Model:
    return read_model(changed(MOE, quantization_config=quantization))


def group(bits: int, kind: str = "int", targets: Any = ("Linear",), **weights: Any) -> dict[str, Any]:
    return {"targets": list(targets), "weights": {"num_bits": bits, "type": kind, **weights}}


def compressed(*groups: dict[str, Any], **more: Any) -> dict[str, Any]:
    named = {f"group_{number}": found for number, found in enumerate(groups)}
    return {"quant_method": "compressed-tensors", "config_groups": named, **more}


@pytest.mark.parametrize(
    ("quantization", "id_"),
    [
        ({}, "bf16"),
        ({"quant_method": "fp8"}, "fp8"),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8-block"),
        ({"quant_method": "fbgemm_fp8"}, "fp8"),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "gptq-int4"),
        ({"quant_method": "gptq", "bits": 8, "group_size": 32}, "gptq-int8"),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "awq-int4"),
        ({"quant_method": "awq", "w_bit": 4}, "awq-int4"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "nf4"),
        ({"quant_method": "bitsandbytes", "bnb_4bit_use_double_quant": True}, "nf4-double"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "int8"),
        ({"quant_method": "mxfp4"}, "mxfp4"),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, "fp8"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4"),
        ({"quant_algo": "FP8"}, "fp8"),
        (compressed(group(8, "float")), "fp8"),
        (compressed(group(8, "float", strategy="block", block_structure=[128, 128])), "fp8-block"),
        (compressed(group(8)), "int8"),
        (compressed(group(4, group_size=32)), "int4"),
        (compressed(group(4, "float", group_size=16)), "nvfp4"),
        (compressed(group(4, "float", group_size=32)), "mxfp4"),
    ],
)
def test_formats(quantization: dict[str, Any], id_: str) -> None:
    assert checkpoint_format(model(**quantization)).id == id_


@pytest.mark.parametrize(
    ("quantization", "field"),
    [
        ({"quant_method": "new"}, "quantization_config"),
        ({"bits": 4}, "quantization_config"),
        ({"quant_method": "gptq", "bits": 3}, "quantization_config"),
        ({"quant_method": "gptq", "bits": "four"}, "quantization_config.bits"),
        ({"quant_method": 4}, "quantization_config.quant_method"),
        ({"quant_method": "fp8", "ignored_layers": {}}, "quantization_config.ignored_layers"),
        ({"quant_method": "modelopt", "quant_algo": "W5"}, "quantization_config"),
        (compressed(group(3)), "quantization_config"),
        (compressed(group("x")), "quantization_config.config_groups.group_0.weights.num_bits"),  # type: ignore[arg-type]
        ({"quant_method": "compressed-tensors", "config_groups": [1]}, "quantization_config.config_groups"),
    ],
)
def test_what_is_not_known_is_refused(quantization: dict[str, Any], field: str) -> None:
    with pytest.raises(BadModelConfig) as refused:
        checkpoint_format(model(**quantization))
    assert refused.value.field == field
    assert field in refused.value.message


def covered(weights: WeightFormat, found: Model, name: str) -> list[float | None]:
    """Return the bits of the tensor *name* in each layer, None where it stays wide."""
    tensor = next(tensor for tensor in found.groups if tensor.name == name)
    encoded = [weights.encoding(tensor, layer) for layer in tensor.layers or (None,)]
    return [encoding.bits if encoding else None for encoding in encoded]


def test_listed_modules_stay_wide() -> None:
    found = model(
        quant_method="fp8", modules_to_not_convert=["model.layers.1.self_attn", "re:.*layers.2.mlp.*"]
    )
    weights = checkpoint_format(found)
    assert covered(weights, found, "attention.q") == [8, None, 8, 8]
    assert covered(weights, found, "expert.up") == [8, 8, None, 8]


def test_rules_of_gptqmodel_leave_modules_out() -> None:
    found = model(quant_method="gptq", bits=4, dynamic={"-:.*self_attn.*": {}, "+:.*mlp.*": {"bits": 8}})
    assert covered(checkpoint_format(found), found, "attention.q") == [None] * 4


def test_a_list_of_the_checkpoint_holds_for_a_format_that_is_asked_for() -> None:
    found = model(quant_method="fp8", ignore=["re:.*self_attn.*"])
    assert covered(with_ignored(weight_format("int4"), found), found, "attention.q") == [None] * 4
    assert with_ignored(weight_format("q4_0"), found) is weight_format("q4_0")


def test_groups_may_name_their_modules() -> None:
    found = model(
        **compressed(
            group(8, "float", ["re:.*self_attn.*"]), group(4, "float", ["re:.*experts.*"], group_size=16)
        )
    )
    weights = checkpoint_format(found)
    assert covered(weights, found, "attention.q") == [8] * 4
    assert covered(weights, found, "expert.up") == [4] * 4
    assert weights.id == "nvfp4"
    assert covered(weights, found, "head") == [None]


def test_one_group_may_be_the_rule_and_another_the_exception() -> None:
    found = model(**compressed(group(4, group_size=128), group(8, "int", ["re:.*self_attn.*"])))
    weights = checkpoint_format(found)
    assert covered(weights, found, "attention.q") == [8] * 4
    assert covered(weights, found, "expert.up") == [4] * 4


def test_experts_may_be_quantised_further() -> None:
    found = model(
        quant_method="fp8", weight_block_size=[128, 128], moe_quant_algo="NVFP4", ignore=["*.attn.*"]
    )
    weights = checkpoint_format(found)
    assert covered(weights, found, "attention.q") == [8] * 4
    assert covered(weights, found, "expert.up") == [4] * 4


@pytest.mark.parametrize(("size", "scales"), [(32, 64 / 32 * 2), (128, 64 / 128 * 2), (-1, 2)])
def test_groups_of_other_sizes(size: int, scales: float) -> None:
    encoding = checkpoint_format(model(**compressed(group(4, group_size=size)))).covers["attention"]
    assert encoding.bytes(1, 64) == 32 + scales


def test_without_a_quantisation_the_dtype_holds() -> None:
    assert checkpoint_format(read_model(changed(LLAMA, torch_dtype="float32"))).id == "fp32"


QUANTISED = [id_ for id_ in model_ids() if "quantization_config" in str(dict(find_model(id_).config))]

# Sizes of published checkpoints without multi-token prediction layers, GB.
PUBLISHED = {
    "moonshotai/Kimi-K2-Thinking": 594,
    "openai/gpt-oss-120b": 65.2,
    "openai/gpt-oss-20b": 13.8,
    "nvidia/Llama-3.1-70B-Instruct-FP8": 72.7,
}


@pytest.mark.parametrize("id_", QUANTISED)
def test_every_quantised_checkpoint_of_the_catalogue_is_read(id_: str) -> None:
    found = read_model(find_model(id_).config)
    size = checkpoint_bytes(found, checkpoint_format(found))
    assert 0.5 * found.parameters < size < 1.7 * found.parameters
    if id_ in PUBLISHED:
        assert size / 1e9 == pytest.approx(PUBLISHED[id_], rel=0.01)
