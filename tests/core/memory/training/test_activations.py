"""What a layer keeps, against counts of the tensors that autograd saves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.memory.training import TrainingLayout, TrainingRun
from core.memory.training.activations import keeping, kept
from core.memory.training.peak import in_flight, layer_bytes
from core.memory.training.shapes import layer_kinds, stages_of

Train = Callable[..., TrainingRun]
H, K, F = 4096, 1024, 14336  # of Llama 3.1 8B: hidden, key, inner
EVERY = ["q", "k", "v", "o", "gate", "up", "down"]


def per_token(run: TrainingRun) -> float:
    kind = layer_kinds(run.model)[0]
    return kept(run.model, kind, keeping(run), run.layout).per_token(run.layout)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # counted with saved_tensors_hooks on one layer, Transformers, bf16, without the log-sum-exp of attention
        ({"framework": "hf"}, 20 * H + 4 * K + 8 * F),
        ({"framework": "hf", "method": "lora", "lora": {"targets": ["q", "v"], "adapter_dtype": "bf16"}},
         14 * H + 4 * K + 6 * F),
        ({"framework": "hf", "method": "lora", "lora": {"targets": EVERY, "adapter_dtype": "bf16"}},
         16 * H + 4 * K + 8 * F),
        # one kernel for a norm, and for the gate of the MLP
        ({"framework": "torchtitan"}, 12 * H + 4 * K + 8 * F),
        ({"framework": "megatron"}, 12 * H + 4 * K + 6 * F),
        ({"framework": "hf", "compile": True}, 12 * H + 4 * K + 6 * F),
    ],
)  # fmt: skip
def test_what_a_llama_layer_keeps(train: Train, fields: dict[str, Any], expected: float) -> None:
    assert per_token(train(**fields)) == pytest.approx(expected)


def test_adapters_in_another_format_or_behind_a_dropout_keep_copies(train: Train) -> None:
    def size(**lora: Any) -> float:
        return per_token(train(method="lora", lora={"targets": ["q", "v"], **lora}))

    shared = size(adapter_dtype="bf16")
    assert size(adapter_dtype="fp32") == shared + 2 * 4 * H - 2 * H
    assert size(adapter_dtype="bf16", dropout=0.1) == shared + 2 * 3 * H - 2 * H


def test_gpt_with_dropout_keeps_what_korthikanti_counts(train: Train) -> None:
    """34 bytes a channel and token, of which the mask of the MLP's output and of attention's are two."""
    config = {
        "model_type": "gpt2", "n_embd": 1024, "n_layer": 2, "n_head": 16, "n_inner": 4096, "vocab_size": 1000,
        "n_positions": 1024,
    }  # fmt: skip
    assert per_token(train(config, framework="megatron", dropout=0.1)) == pytest.approx(34 * 1024, rel=0.02)


def test_tensor_parallelism_divides_the_residual_stream_only_with_sequence_parallelism(train: Train) -> None:
    one = per_token(train(framework="torchtitan"))
    assert per_token(train(framework="torchtitan", tp=8, sp=True)) == pytest.approx(one / 8)
    assert per_token(train(framework="torchtitan", tp=8)) == pytest.approx(8 * H + (one - 8 * H) / 8)


def test_tokens_meet_only_their_experts(train: Train) -> None:
    run = train("mistralai/Mixtral-8x7B-Instruct-v0.1", framework="torchtitan")
    kind = layer_kinds(run.model)[0]
    dense = train("mistralai/Mistral-7B-Instruct-v0.3", framework="torchtitan")
    # two of eight experts, each as wide as the MLP of the dense model, with inputs and outputs of their own
    more = per_token(run) - per_token(dense)
    assert more == pytest.approx(8 * F + 2 * 2 * H + 2 * 2 * H - 2 * H + 2 * H + 8 * 8, rel=0.02)
    assert kind.find("router") is not None


def test_full_checkpointing_keeps_the_stream_between_layers(train: Train) -> None:
    run = train(framework="torchtitan", checkpointing="full", sequence=4096)
    stage = stages_of(32, 1)[0]
    assert layer_bytes(run, stage).waiting == 32 * 2 * H * 4096
    upcast = train(
        framework="hf", method="qlora", quantiser={"implementation": "bitsandbytes"}, checkpointing="full",
        sequence=4096,
    )  # fmt: skip
    assert upcast.upcast
    assert layer_bytes(upcast, stage).waiting == 32 * 4 * H * 4096


@pytest.mark.parametrize(
    ("fields", "stage", "expected"),
    [
        ({"pp": 4, "grad_accumulation": 16}, 0, 4),
        ({"pp": 4, "grad_accumulation": 16}, 3, 1),
        ({"pp": 4, "grad_accumulation": 2}, 0, 2),
        ({"pp": 4, "vpp": 2, "grad_accumulation": 16}, 0, 11 / 2),
        ({"pp": 4, "vpp": 2, "grad_accumulation": 16}, 3, 5 / 2),
        ({}, 0, 1),
    ],
)
def test_micro_batches_that_wait(train: Train, fields: dict[str, Any], stage: int, expected: float) -> None:
    run = train(**fields)
    assert in_flight(run, stages_of(32, run.layout.pp)[stage]) == expected


def test_layers_of_one_kind_are_found_once(train: Train) -> None:
    assert len(layer_kinds(train().model)) == 1
    kinds = layer_kinds(train("deepseek-ai/DeepSeek-V3").model)
    assert sorted(len(kind.layers) for kind in kinds) == [3, 58]
    assert TrainingLayout(dp=4, tp=2, pp=2, cp=2).gpus == 32
