"""Time and cost of a training run."""

from __future__ import annotations

from typing import Any

import pytest

from core.api import TrainRequest, training_of
from core.api.requests import parse_as
from core.cost.prices import stated_price
from core.memory.training import TrainingRun
from core.speed.training import step_time, token_flops, training_time

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"


def run_of(model: str = LLAMA, **fields: Any) -> TrainingRun:
    return training_of(parse_as(TrainRequest, {"model": model, "gpu": "h100-sxm-80", **fields}))


def test_six_flops_a_parameter_and_token() -> None:
    found = token_flops(run_of(sequence=16))
    products = 8_030_261_248 - 128_256 * 4096
    assert found.model == pytest.approx(6 * products, rel=0.001)
    assert found.recomputed == 0


def test_attention_grows_with_the_sequence() -> None:
    short, long = (token_flops(run_of(sequence=tokens)).model for tokens in (1024, 9216))
    # two products of 4096 channels with half of the sequence, three times, in 32 layers
    assert long - short == pytest.approx(3 * 32 * 2 * 2 * 4096 * 4096, rel=1e-6)


def test_a_frozen_matrix_needs_no_gradient_of_its_own() -> None:
    full, lora = (token_flops(run_of(method=name, sequence=16)).model for name in ("full", "lora"))
    assert lora == pytest.approx(full * 2 / 3, rel=0.01)


def test_checkpointing_computes_the_forward_pass_again() -> None:
    found = {kind: token_flops(run_of(checkpointing=kind)) for kind in ("none", "selective", "full")}
    assert found["full"].recomputed == pytest.approx(found["full"].model / 3)
    assert found["selective"].recomputed == pytest.approx(found["full"].recomputed / 2)


def test_a_published_run_takes_as_long_as_measured() -> None:
    """5,536 tokens a second and GPU: torchtitan, eight H100, 2025-02-05."""
    run = run_of(dp=8, zero=3, sequence=8192, checkpointing="selective", framework="torchtitan")
    time = training_time(run, 1e9)
    assert 1e9 / time.seconds / 8 == pytest.approx(5536, rel=0.15)
    assert time.mfu == pytest.approx(0.324, rel=0.15)


def test_deepseek_v3_within_a_factor_of_two_of_its_report() -> None:
    """180,000 GPU-hours on H800 for 1e12 tokens, with fp8 products."""
    run = run_of(
        "deepseek-ai/DeepSeek-V3", gpu="h800-sxm-80", dp=128, pp=16, ep=64, zero=1, sequence=4096,
        grad_accumulation=120, precision={"fp8_compute": True}, checkpointing="selective",
    )  # fmt: skip
    assert 90_000 < training_time(run, 1e12).gpu_hours < 360_000


def test_cost_is_hours_times_price() -> None:
    run = run_of(dp=8, zero=3)
    price = stated_price("h100-sxm-80", 2.0)
    time = training_time(run, 1e9, price)
    assert time.usd == pytest.approx(time.gpu_hours * 2.0)
    assert training_time(run, 2e9, price).usd == pytest.approx(2 * time.usd)
    assert training_time(run, 1e9).price is not None


def test_without_a_device_of_the_catalogue_there_is_no_price() -> None:
    run = run_of(gpu={"memory_gib": 40})
    assert training_time(run, 1e9).usd is None


def test_stages_wait_for_each_other() -> None:
    few, many = (step_time(run_of(pp=4, grad_accumulation=n)) for n in (4, 64))
    assert few.bubble / few.total > many.bubble / many.total
    assert few.bubble == pytest.approx(0.75 * few.compute)


def test_messages_and_transfers_take_time() -> None:
    assert step_time(run_of(dp=8, zero=3)).messages > 0
    assert step_time(run_of(tp=8, sp=True)).messages > 0
    assert step_time(run_of()).messages == 0
    assert step_time(run_of(offload="optimizer")).offload > step_time(run_of()).offload == 0
