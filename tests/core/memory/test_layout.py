"""Division of tensors over ranks and of layers over pipeline stages."""

import pytest

from core.architecture.tensors import matrix, vector
from core.errors import BadRequest
from core.memory.layout import Layout, Padding, check_layout, rank_tensor, stage_layers


@pytest.mark.parametrize(
    ("layers", "pp", "sizes"),
    [(32, 1, [32]), (32, 4, [8, 8, 8, 8]), (61, 4, [15, 15, 16, 15]), (61, 3, [20, 21, 20]), (5, 5, [1] * 5)],
)
def test_layers_are_dealt_as_vllm_deals_them(layers, pp, sizes):
    assert [len(stage) for stage in stage_layers(layers, pp)] == sizes
    assert [layer for stage in stage_layers(layers, pp) for layer in stage] == list(range(layers))


@pytest.mark.parametrize(
    ("shard", "shape", "layout", "held"),
    [
        ("column", (4096, 1024), Layout(tp=4), (1024, 1024, 1)),
        ("row", (4096, 1024), Layout(tp=4), (4096, 256, 1)),
        ("replicated", (4096, 1024), Layout(tp=4), (4096, 1024, 1)),
        ("vocabulary", (32001, 1024), Layout(tp=2), (16032, 1024, 1)),  # padded to 32064
    ],
)
def test_a_rank_holds_its_share(shard, shape, layout, held):
    group = matrix("tensor", *shape, "attention", shard)
    assert rank_tensor(group, layout, Padding(vocabulary=64)) == held


@pytest.mark.parametrize(("tp", "rows"), [(1, 1024), (2, 512), (8, 128), (16, 128)])
def test_kv_heads_are_copied_when_there_are_fewer_than_ranks(tp, rows):
    keys = matrix("attention.k", 8 * 128, 4096, "attention", "kv-heads", unit=128)
    assert rank_tensor(keys, Layout(tp=tp), Padding())[0] == rows


def test_experts_are_dealt_whole_or_cut_inside():
    up = matrix("expert.up", 2048, 7168, "expert", "expert", copies=256)
    assert rank_tensor(up, Layout(tp=8), Padding()) == (256, 7168, 256)
    assert rank_tensor(up, Layout(tp=8, ep=8), Padding()) == (2048, 7168, 32)
    assert rank_tensor(up, Layout(tp=8, ep=4), Padding()) == (1024, 7168, 64)
    assert rank_tensor(up, Layout(dp=16, ep=16, attention_dp=True), Padding()) == (2048, 7168, 16)


def test_marlin_pads_both_axes_of_an_expert():
    down = matrix("expert.down", 2880, 2880, "expert", "expert", copies=128)
    assert rank_tensor(down, Layout(tp=4), Padding(1, 128, 256)) == (3072, 768, 128)


def test_a_bias_is_split_only_with_its_outputs():
    assert (
        rank_tensor(
            vector("expert.down_bias", 2880, "expert", "expert", copies=128), Layout(tp=4), Padding()
        )[0]
        == 2880
    )
    assert (
        rank_tensor(vector("expert.up_bias", 5760, "expert", "expert", copies=128), Layout(tp=4), Padding())[
            0
        ]
        == 1440
    )


@pytest.mark.parametrize(
    ("fields", "field", "word"),
    [
        ({"tp": 6}, "tp", "Choose one of 1, 2, 4, 8, 16, 32"),
        ({"pp": 33}, "pp", "at most 32"),
        ({"ep": 2}, "ep", "no experts"),
    ],
)
def test_a_layout_that_cannot_be_is_refused_with_the_remedy(deploy, fields, field, word):
    deployment = deploy(**fields)
    with pytest.raises(BadRequest) as refusal:
        check_layout(deployment.model, deployment.layout)
    assert refusal.value.field == field
    assert word in refusal.value.message


def test_more_expert_ranks_than_experts_are_refused(deploy):
    deployment = deploy("deepseek-ai/DeepSeek-V3", tp=8, ep=512)
    with pytest.raises(BadRequest, match="256 experts"):
        check_layout(deployment.model, deployment.layout)
