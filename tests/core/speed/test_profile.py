"""Coefficients of a forward pass, against arithmetic by hand."""

import pytest

from core.speed.profile import FORMATS

WIDE, FP8, NVFP4, MXFP4, INT8, UNPACKED = range(len(FORMATS))
LAYER = 4096 * (4096 + 2 * 1024 + 4096) + 3 * 4096 * 14336
"""Parameters of the matrices in one layer of Llama 3.1 8B."""


def test_a_dense_model_multiplies_every_matrix_once_a_token(profile):
    one = profile()
    assert one.dense_flops[WIDE] == 2 * 32 * LAYER
    assert one.dense_bytes[WIDE] == 2 * 32 * LAYER
    assert one.head_flops == 2 * 128_256 * 4096
    assert one.kv_full == 131_072
    assert one.expert_bytes.sum() == 0


def test_ranks_share_the_matrices(profile):
    one, four = profile(), profile(tp=4)
    assert four.dense_flops[WIDE] == one.dense_flops[WIDE] / 4
    assert four.kv_full == one.kv_full / 4


@pytest.mark.parametrize(
    ("weights", "row", "bits"),
    [
        ("fp8", FP8, 8), ("nvfp4", NVFP4, 4.5), ("int8", INT8, 8),
        ("awq-int4", UNPACKED, 4.15625), ("q8_0", UNPACKED, 8.5),
    ],
)  # fmt: skip
def test_formats_keep_apart_what_is_multiplied_apart(profile, weights, row, bits):
    one = profile(weights=weights)
    assert one.dense_flops[row] == 2 * 32 * LAYER
    assert one.dense_bytes[row] == pytest.approx(32 * LAYER * bits / 8, rel=0.002)


def test_only_quantised_activations_cost_kernels(profile):
    assert profile(weights="fp8").quantised_layers == 32
    assert profile(weights="awq-int4").quantised_layers == 0


def test_a_latent_cache_is_on_every_rank_and_absorbed_in_decode(profile):
    one, eight = profile("deepseek-ai/DeepSeek-V3"), profile("deepseek-ai/DeepSeek-V3", tp=8)
    assert one.kv_full == eight.kv_full == 61 * 576 * 2
    assert one.decode_full == 61 * 2 * 128 * (2 * 512 + 64)
    assert one.prefill_full == 61 * 2 * 128 * (128 + 64 + 128)
    assert eight.decode_full == one.decode_full / 8


def test_experts_are_counted_by_what_a_token_chooses(profile):
    one = profile("deepseek-ai/DeepSeek-V3")
    expert = 3 * 7168 * 2048
    assert one.expert_flops[FP8] == pytest.approx(2 * 58 * 8 * expert)
    assert one.expert_bytes[FP8] == pytest.approx(58 * 256 * expert, rel=0.001)
    assert one.chosen == 8 / 256
    assert (one.moe_layers, one.latent_layers) == (58, 61)


def test_attention_data_parallelism_copies_attention_and_spreads_experts(profile):
    one = profile("deepseek-ai/DeepSeek-V3")
    spread = profile("deepseek-ai/DeepSeek-V3", dp=8, ep=8, attention_dp=True)
    assert spread.dense_flops[FP8] == one.dense_flops[FP8]
    assert spread.expert_flops[FP8] == pytest.approx(one.expert_flops[FP8] / 8)
    assert (spread.attention_ranks, spread.expert_ranks) == (8, 8)


def test_windows_and_sparse_attention_limit_the_context(profile):
    gemma = profile("google/gemma-3-27b-it")
    assert gemma.window == 1024
    assert 0 < gemma.kv_full < gemma.kv_window
    sparse = profile("deepseek-ai/DeepSeek-V3.2")
    assert sparse.sparse == 2048
    assert sparse.kv_full == 61 * (128 + 4)  # index keys alone are read whole
    assert sparse.kv_sparse == 61 * 576 * 2
    assert sparse.decode_index == pytest.approx(61 * 2 * 64 * 128, rel=0.05)


def test_a_recurrent_layer_has_a_state_that_no_context_changes(profile):
    hybrid = profile("Qwen/Qwen3-Next-80B-A3B-Instruct")
    assert hybrid.state_bytes > 0
    assert hybrid.kv_full == 12 * 2 * 2 * 256 * 2
