"""Weights, gradients and optimizer states by method, optimizer, sharding and offload; constants by version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.errors import BadRequest
from core.memory.training import TrainingRun, find_framework
from core.memory.training.bands import training_band, training_band_rows
from core.memory.training.shapes import stages_of
from core.memory.training.states import states

Train = Callable[..., TrainingRun]
N = 8_030_261_248
ENDS = 128_256 * 4096


def sizes(run: TrainingRun) -> tuple[float, float, float]:
    found = states(run, stages_of(run.model.layers, run.layout.pp)[0])
    return found.weights / N, found.gradients / N, found.optimizer / N


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (2, 2, 12)),
        ({"zero": 1, "dp": 4}, (2, 2, 3)),
        ({"zero": 2, "dp": 4}, (2, 0.5, 3)),
        ({"zero": 3, "dp": 4}, (0.5, 0.5, 3)),
        ({"zero": 3, "dp": 2, "cp": 2}, (0.5, 0.5, 3)),
        ({"framework": "torchtitan", "dp": 8, "zero": 3}, (0.5, 0.5, 1)),
        ({"framework": "torchtitan", "dp": 8, "zero": 2}, (0.5, 0.5, 1)),
        ({"framework": "torchtune", "optimizer": {"state": "bf16"}}, (2, 2, 4)),
        ({"framework": "torchtune", "optimizer": {"state": "fp32"}}, (2, 2, 4)),  # states follow bf16 weights
        ({"framework": "torchtune", "optimizer": {"state": "8bit"}}, (2, 2, 2.03125)),
        ({"framework": "torchtune", "optimizer": {"state": "8bit_paged"}}, (2, 2, 0)),
        ({"optimizer": {"name": "SGD"}}, (2, 2, 8)),
        ({"optimizer": {"name": "Lion"}}, (2, 2, 8)),
        ({"optimizer": {"name": "sgd", "state": "none"}}, (2, 2, 4)),
        ({"optimizer": {"fused_backward": True}}, (2, 2 / 32, 12)),
        ({"optimizer": {"fused_backward": True}, "grad_accumulation": 2}, (2, 2, 12)),
        ({"offload": "optimizer"}, (2, 2, 0)),
        ({"offload": "parameters"}, (0, 2, 0)),
        ({"offload": "all"}, (0, 0, 0)),
    ],
)
def test_bytes_a_parameter(train: Train, fields: dict[str, Any], expected: tuple[float, ...]) -> None:
    assert sizes(train(**fields)) == pytest.approx(expected, rel=1e-3)


def test_muon_leaves_embedding_and_head_to_adamw(train: Train) -> None:
    run = train(framework="torchtune", optimizer={"name": "Muon", "state": "bf16"})
    assert sizes(run)[2] * N == pytest.approx(2 * N + 2 * 2 * ENDS, rel=1e-3)


def test_adafactor_keeps_rows_and_columns(train: Train) -> None:
    assert sizes(train(framework="torchtune", optimizer={"name": "Adafactor"}))[2] < 0.01


def test_what_is_offloaded_is_on_the_host(train: Train) -> None:
    stage = stages_of(32, 1)[0]
    plain, moved = (states(train(offload=kind), stage) for kind in (None, "all"))
    assert plain.host == 0
    assert moved.host == pytest.approx(plain.weights + plain.gradients + plain.optimizer)


def test_adapters_take_sixteen_bytes_in_fp32_and_their_base_two(train: Train) -> None:
    run = train(method="lora", lora={"rank": 8, "targets": ["q", "k", "v", "o", "gate", "up", "down"],
                                     "adapter_dtype": "fp32"})  # fmt: skip
    found = states(run, stages_of(32, 1)[0])
    assert found.weights == pytest.approx(2 * N + 4 * 20_971_520)
    assert found.gradients == 4 * 20_971_520
    assert found.optimizer == 8 * 20_971_520


def test_preparation_for_k_bit_training_doubles_what_is_not_quantised(train: Train) -> None:
    plain = states(train(method="qlora"), stages_of(32, 1)[0])
    prepared = train(framework="hf", method="qlora", quantiser={"implementation": "bitsandbytes"},
                     lora={"adapter_dtype": "bf16"})  # fmt: skip
    more = states(prepared, stages_of(32, 1)[0]).weights - plain.weights
    assert more == pytest.approx(2 * 2 * ENDS, rel=0.01)


def test_experts_are_sharded_over_the_ranks_that_hold_the_same(train: Train) -> None:
    layout = train("Qwen/Qwen3-30B-A3B", dp=16, ep=8, zero=1).layout
    assert layout.expert_shards == 2
    assert layout.shards == 16


def test_constants_depend_on_the_day(train: Train) -> None:
    assert find_framework("hf", "2023-11").constant("quantised_inputs") == "shared"
    assert find_framework("hf", "2024-08-01").constant("quantised_inputs") == "none"
    assert find_framework("hf").constant("quantised_inputs") == "none"
    assert find_framework("litgpt").constant("logits")["chunked"]["backward"] == 10
    assert (
        find_framework("litgpt").constant("logits")["eager"] == find_framework().constant("logits")["eager"]
    )
    assert not find_framework("hf", "v4.40").dated
    with pytest.raises(BadRequest, match="torchtune"):
        find_framework("keras")


def test_bands_are_wider_for_what_is_less_certain(train: Train) -> None:
    def width(**fields: Any) -> float:
        low, high = training_band(train(**fields), 1.0)
        return high - low

    assert width(framework="torchtitan", offload="all") > width(framework="torchtitan")
    latent = width(model="deepseek-ai/DeepSeek-V3", framework="torchtitan")
    assert latent > width(framework="torchtitan")
    assert width() > width(framework="hf", method="lora")
    assert training_band_rows(train(framework="hf", method="lora"))[0]["cases"] > 8
