"""Bytes of each encoding by hand, and which tensors a format covers."""

from __future__ import annotations

import pytest

from core.architecture import read_model
from core.architecture.checkpoint import checkpoint_format
from core.architecture.formats import (
    checkpoint_bytes,
    encodings,
    gguf_bf16,
    stored_groups,
    weight_format,
    weight_formats,
)
from core.architecture.tensors import matrix, vector
from core.catalog import find_model
from core.errors import BadRequest
from tests.core.architecture.conftest import LLAMA, MOE, changed

GIB = 2**30


@pytest.mark.parametrize(
    ("name", "size"),
    [  # a matrix of 512 rows and 256 columns: 131,072 elements
        ("fp32", 4 * 131_072),
        ("bf16", 2 * 131_072),
        ("fp8", 131_072 + 512 * 4),  # a scale a row
        ("fp8-block", 131_072 + 4 * 2 * 4),  # 4 x 2 blocks of 128 x 128
        ("int8", 131_072 + 512 * 4),
        ("gptq-int4", 65_536 + 1024 * (2 + 0.5) + 256 * 4),  # AutoGPTQ: scale, packed zero; g_idx an input
        ("awq-int4", 65_536 + 1024 * (2 + 0.5)),
        ("int4", 65_536 + 1024 * 2),
        ("nf4", 65_536 + 2048 * 4),  # bitsandbytes: fp32 absmax for 64
        ("nf4-double", 65_536 + 2048 * (1 + 4 / 256)),  # absmax in 8 bit, fp32 for 256 of them
        ("mxfp4", 65_536 + 4096),  # OCP MX: E8M0 for 32
        ("nvfp4", 65_536 + 8192 + 8),  # fp8 scale for 16, two fp32 scales a tensor
        ("q8_0", 4096 * 34),  # ggml-common.h: half and 32 bytes
        ("q4_0", 4096 * 18),
        ("q5_0", 4096 * 22),
        ("q4_1", 4096 * 20),
        ("q6_k", 512 * 210),  # 256 elements: 128 + 64 + 16 + 2
        ("q5_k", 512 * 176),
        ("q4_k", 512 * 144),
        ("q3_k", 512 * 110),
        ("q2_k", 512 * 84),
        ("iq4_xs", 512 * 136),
        ("iq1_s", 512 * 50),
    ],
)
def test_bytes_of_a_matrix(name: str, size: float) -> None:
    assert encodings()[name].bytes(512, 256) == size


@pytest.mark.parametrize(
    ("id_", "format_", "gib"),
    [  # sizes that llama.cpp prints on loading
        ("deepseek-ai/DeepSeek-R1", "q8_0", 664.295),
        ("Qwen/Qwen3-235B-A22B", "q8_0", 232.769),
        ("meta-llama/Llama-2-13b-hf", "f16", 24.24),
    ],
)
def test_size_of_a_file(id_: str, format_: str, gib: float) -> None:
    model = read_model(find_model(id_).config)
    assert checkpoint_bytes(model, weight_format(format_)) / GIB == pytest.approx(gib, rel=5e-4)


MODEL = read_model(MOE)
ROLES = {
    "attention.q": "attention",
    "expert.up": "expert",
    "router": "router",
    "embedding": "embedding",
    "head": "head",
}


@pytest.mark.parametrize(
    ("format_", "covered"),
    [
        ("bf16", set()),
        ("fp8", {"attention.q", "expert.up"}),
        ("awq-int4", {"attention.q", "expert.up"}),
        ("mxfp4", {"expert.up"}),
        ("q8_0", {"attention.q", "expert.up", "embedding", "head"}),
    ],
)
def test_coverage(format_: str, covered: set[str]) -> None:
    groups = {group.name: group for group in MODEL.groups}
    format_of = weight_format(format_)
    assert {name for name in ROLES if format_of.encoding(groups[name]) is not None} == covered


def test_vectors_are_never_quantised() -> None:
    for format_ in weight_formats().values():
        assert format_.encoding(vector("norms", 64)) is None


def test_ggml_keeps_vectors_and_routers_in_fp32() -> None:
    for format_ in (weight_format("q8_0"), gguf_bf16()):
        assert format_.tensor_bytes(vector("norms", 64), 64, 1) == 256
        assert format_.tensor_bytes(matrix("router", 8, 64, "router", "replicated"), 8, 64) == 2048


def test_a_mix_gives_some_tensors_more_bits() -> None:
    mix = weight_format("q4_k_m")
    value = matrix("attention.v", 256, 256, "attention", "kv-heads")
    sizes = [mix.tensor_bytes(value, 256, 256, layer=layer, layers=32) for layer in range(32)]
    wide, narrow = encodings()["q6_k"].bytes(256, 256), encodings()["q4_k"].bytes(256, 256)
    assert sizes[:4] == [wide] * 4
    assert sizes[-4:] == [wide] * 4
    assert sizes.count(wide) == 16
    assert set(sizes) == {wide, narrow}


def test_a_tied_embedding_is_the_head_of_a_mix() -> None:
    embedding = matrix("embedding", 256, 256, "embedding", "vocabulary")
    mix = weight_format("q4_k_m")
    assert mix.tensor_bytes(embedding, 256, 256, tied=True) > mix.tensor_bytes(embedding, 256, 256)


def test_a_quantised_checkpoint_of_a_tied_model_carries_a_head() -> None:
    tied = read_model(changed(LLAMA, tie_word_embeddings=True))
    assert len(stored_groups(tied, weight_format("fp8"))) == len(tied.groups) + 1
    assert stored_groups(tied, weight_format("bf16")) == tied.groups
    assert checkpoint_bytes(tied, weight_format("bf16")) == 2 * tied.parameters


def test_names_are_found_in_any_case_and_others_refused_with_a_list() -> None:
    assert weight_format("Q4_K_M").id == "q4_k_m"
    with pytest.raises(BadRequest, match="q4_k_m") as refused:
        weight_format("q4_k_x")
    assert refused.value.field == "weights"


def test_every_format_sizes_every_role() -> None:
    for format_ in weight_formats().values():
        size = checkpoint_bytes(MODEL, format_)
        assert 0.15 * MODEL.parameters < size <= 4.1 * MODEL.parameters, format_.id


def test_a_checkpoint_stores_multi_token_prediction_with_its_own_embedding_and_head() -> None:
    # DeepSeek-V3 on the Hub: 163 files of 688.6 GB; README_WEIGHTS.md: 671 B and 14 B parameters.
    record = find_model("deepseek-ai/DeepSeek-V3")
    model = read_model(record.config, record.id)
    assert checkpoint_bytes(model, checkpoint_format(model)) / 1e9 == pytest.approx(688.6, rel=1e-3)
    stored = model.parameters + sum(group.parameters for group in model.mtp_groups)
    assert stored / 1e9 == pytest.approx(684.5, rel=1e-3)
    assert model.mtp_parameters / 1e9 == pytest.approx(11.6, rel=1e-2)
