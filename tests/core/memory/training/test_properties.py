"""Orders that hold for any model and setting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.api import TrainRequest, training_of
from core.api.requests import parse_as
from core.catalog.accelerators import accelerators
from core.memory.training import TrainingMemory, TrainingRun, size_training
from core.memory.training.frameworks import framework_names

MODELS = (
    "meta-llama/Llama-3.1-8B-Instruct",
    "meta-llama/Llama-3.2-1B-Instruct",
    "meta-llama/Llama-3.1-70B-Instruct",
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen3-30B-A3B",
    "deepseek-ai/DeepSeek-V3",
    "google/gemma-2-9b-it",
    "EleutherAI/pythia-6.9b",
    "mistralai/Mixtral-8x7B-Instruct-v0.1",
)


def run_of(**fields: Any) -> TrainingRun:
    return training_of(parse_as(TrainRequest, fields))


def request() -> st.SearchStrategy[dict[str, Any]]:
    """Requests of full training with any setting that goes with any other."""
    return st.fixed_dictionaries(
        {
            "model": st.sampled_from(MODELS),
            "sequence": st.sampled_from([128, 512, 2048, 8192]),
            "micro_batch": st.sampled_from([1, 2, 8]),
            "grad_accumulation": st.sampled_from([1, 8]),
            "checkpointing": st.sampled_from(["none", "selective", "full", "full+offload"]),
            "flash_attention": st.booleans(),
            "loss": st.sampled_from(["eager", "chunked", "fused", "compiled"]),
            "dp": st.sampled_from([2, 4, 16, 64]),
            "tp": st.sampled_from([1, 2]),
            "sp": st.booleans(),
            "zero": st.sampled_from([0, 1, 2, 3]),
            "compile": st.booleans(),
            "dropout": st.sampled_from([0.0, 0.1]),
        }
    )


def process(run: TrainingRun) -> float:
    return size_training(run).process


def with_zero(run: TrainingRun, level: int) -> TrainingMemory:
    return size_training(replace(run, layout=replace(run.layout, zero=level)))


@settings(max_examples=300, deadline=None)
@given(request(), st.sampled_from([None, *framework_names()]))
def test_more_sharding_never_needs_more(fields: dict[str, Any], framework: str | None) -> None:
    run = run_of(**fields, framework=framework)
    sizes = [with_zero(run, level).allocated for level in (3, 2, 1, 0)]
    assume(run.framework.constant("load") == "sharded")
    assert sizes == sorted(sizes)


@settings(max_examples=200, deadline=None)
@given(request(), st.sampled_from([None, *framework_names()]), st.sampled_from(["full", "lora", "qlora"]))
def test_more_checkpointing_never_needs_more(
    fields: dict[str, Any], framework: str | None, method: str
) -> None:
    run = run_of(**fields, framework=framework, method=method)
    sizes = [
        process(replace(run, checkpointing=kind)) for kind in ("full+offload", "full", "selective", "none")
    ]
    assert sizes == sorted(sizes)


@settings(max_examples=200, deadline=None)
@given(request(), st.sampled_from(["full", "lora", "qlora"]), st.integers(1, 32))
def test_more_sequences_never_need_less(fields: dict[str, Any], method: str, more: int) -> None:
    run = run_of(**fields, method=method)
    assert process(replace(run, micro_batch=run.micro_batch + more)) >= process(run)
    assert process(replace(run, sequence=run.sequence + 64 * more)) >= process(run)


@settings(max_examples=300, deadline=None)
@given(
    request(),
    st.sampled_from([4, 16, 64]),
    st.sampled_from([["q", "v"], ["q", "k", "v", "o"], ["qkv", "o", "mlp"]]),
    st.sampled_from(["AdamW", "SGD", "Lion", "Adafactor"]),
)
def test_fewer_trained_weights_never_need_more(
    fields: dict[str, Any], rank: int, targets: list[str], optimizer: str
) -> None:
    """Of one framework, with adapters in the format of the computation, and layers of one size.

    Under ZeRO 1 and 2 every rank holds all adapters, while very many ranks leave next to nothing of the gradients and
    states of full training to each: there large adapters may take more, and do.
    """
    assume(fields["zero"] in (0, 3) or fields["dp"] <= 16)
    fields |= {"lora": {"rank": rank, "targets": targets}, "optimizer": {"name": optimizer}}
    full, lora, qlora = (process(run_of(**fields, method=name)) for name in ("full", "lora", "qlora"))
    assert qlora <= lora <= full


@settings(max_examples=100, deadline=None)
@given(request(), st.sampled_from([None, *framework_names()]), st.sampled_from(["full", "lora", "qlora"]))
def test_components_of_the_peak_make_it_up(
    fields: dict[str, Any], framework: str | None, method: str
) -> None:
    memory = size_training(run_of(**fields, framework=framework, method=method))
    assert sum(memory.components.values()) == pytest.approx(memory.allocated)
    assert memory.allocated == pytest.approx(max(sum(parts.values()) for parts in memory.phases.values()))
    assert all(size >= 0 for parts in memory.phases.values() for size in parts.values())
    assert memory.allocated <= memory.reserved <= memory.process


@pytest.mark.parametrize("name", sorted(accelerators()))
@pytest.mark.parametrize("offload", [None, "all"])
def test_deepseek_v3_is_not_trained_on_eight_of_any_kind(name: str, offload: str | None) -> None:
    for fields in ({"dp": 8, "zero": 3}, {"pp": 8}, {"tp": 8}):
        run = run_of(
            model="deepseek-ai/DeepSeek-V3", gpu=name, checkpointing="full", loss="fused", sequence=512,
            offload=offload, **fields,
        )  # fmt: skip
        assert size_training(run).fits is False
