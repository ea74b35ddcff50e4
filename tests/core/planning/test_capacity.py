"""What replicas hold, over arrays, against the memory of each deployment alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalog import accelerators
from core.memory.deployment import Device
from core.memory.serving import ServingMemory, size_serving
from core.planning.capacity import Capacity, capacity
from core.planning.question import Choices
from core.planning.space import variants_of
from tests.questions import DEEPSEEK, GEMMA, GPT_OSS, LLAMA, model

ENGINES = ("vllm", "sglang", "tensorrt-llm", "llama.cpp")
MEAN, CONTEXT = 6000, 32_768
SAMPLE = 60

Case = tuple[ServingMemory, dict[str, float]]


def sample(name: str, engine: str) -> list[Case]:
    """Return the memory of some deployments, each alone and as the arrays have it."""
    plain = engine == "llama.cpp"
    choices = Choices((engine,), ("checkpoint", "fp8", "awq-int4")[: 1 if plain else 3], (None,))
    variants = variants_of(model(name), choices)
    devices = tuple(Device.of(record) for record in accelerators().values())
    found = capacity(model(name), variants, devices, MEAN, CONTEXT)
    random = np.random.default_rng(7)
    cases = []
    for row, column in zip(
        random.integers(len(variants), size=SAMPLE), random.integers(len(devices), size=SAMPLE), strict=True
    ):
        deployment = variants[row].on(model(name), devices[column], CONTEXT)
        alone = size_serving(replace(deployment, input_tokens=MEAN))
        cases.append((alone, {field: float(value[row, column]) for field, value in vars(found).items()}))
    return cases


def is_alone(memory: ServingMemory) -> bool:
    """Return whether one pipeline stage is all there is: with several, the tightest differs by quantity."""
    return memory.deployment.layout.pp == 1


def longest(memory: ServingMemory) -> float:
    return memory.pool.requests_at_context if memory.pool else 0.0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", [LLAMA, DEEPSEEK, GEMMA, GPT_OSS])
def test_arrays_have_what_each_deployment_has_alone(name: str, engine: str) -> None:
    for memory, row in sample(name, engine):
        assert memory.pool is not None
        if is_alone(memory):
            assert row["weights"] == pytest.approx(memory.part("weights").bytes)
            assert row["room"] == pytest.approx(memory.pool.bytes)
        assert row["weights"] >= memory.part("weights").bytes * (1 - 1e-9)
        assert row["room"] <= memory.pool.bytes + 1e-9 * abs(memory.pool.bytes)
        if memory.pool.bytes > 0 and is_alone(memory) and longest(memory) > 1:
            assert row["longest"] == pytest.approx(longest(memory), rel=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", [LLAMA, DEEPSEEK, GEMMA, GPT_OSS])
def test_what_starts_starts_alone(name: str, engine: str) -> None:
    for memory, row in sample(name, engine):
        if row["longest"] >= 1:
            assert memory.pool is not None
            assert memory.pool.bytes > 0
            assert longest(memory) >= 1
        elif is_alone(memory):
            assert longest(memory) < 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", [LLAMA, DEEPSEEK, GEMMA, GPT_OSS])
def test_every_deployment_holds_the_same_requests_alone(name: str, engine: str) -> None:
    for memory, row in sample(name, engine):
        assert row["held"] == pytest.approx(memory.mean_requests)


def test_attention_ranks_each_hold_requests_of_their_own() -> None:
    variants = variants_of(model(DEEPSEEK), Choices(("sglang",), kv=(None,)))
    wide = [one for one in variants if one.layout.attention_dp and one.layout.dp == 16]
    device = (Device.of(accelerators()["h200-sxm"]),)
    (found,) = (capacity(model(DEEPSEEK), tuple(wide[:1]), device, MEAN, CONTEXT),)
    alone = size_serving(replace(wide[0].on(model(DEEPSEEK), device[0], CONTEXT), input_tokens=MEAN))
    assert found.held[0, 0] == pytest.approx(alone.mean_requests)
    assert found.longest[0, 0] == pytest.approx(alone.long_requests / 16, rel=1e-3)


def test_the_order_of_variants_is_kept() -> None:
    variants = variants_of(model(LLAMA), Choices())
    devices = (Device.of(accelerators()["h100-sxm-80"]), Device.of(accelerators()["l4"]))
    whole = capacity(model(LLAMA), variants, devices, MEAN, CONTEXT)
    for row in (0, 40, len(variants) - 1):
        one = capacity(model(LLAMA), (variants[row],), devices, MEAN, CONTEXT)
        for field, values in vars(one).items():
            assert np.array_equal(values[0], getattr(whole, field)[row]), field


@settings(max_examples=25, deadline=None)
@given(
    mean=st.integers(16, 8000),
    longer=st.integers(0, 8000),
    name=st.sampled_from([LLAMA, GEMMA]),
    engine=st.sampled_from(["vllm", "sglang"]),
)
def test_longer_requests_are_never_more(mean: int, longer: int, name: str, engine: str) -> None:
    variants = variants_of(model(name), Choices((engine,)))[:12]
    devices = (Device.of(accelerators()["h100-sxm-80"]),)

    def of(tokens: int) -> Capacity:
        return capacity(model(name), variants, devices, tokens, 16_384)

    short, long = of(mean), of(mean + longer)
    assert (long.held <= short.held * (1 + 1e-9)).all()
    assert (long.slots <= short.slots).all()


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from([LLAMA, DEEPSEEK, GEMMA]),
    formats=st.permutations(["bf16", "fp8", "awq-int4"]).map(lambda names: names[:2]),
    engine=st.sampled_from(["vllm", "sglang", "tensorrt-llm"]),
)
def test_fewer_bits_of_weights_never_take_more_memory(name: str, formats: list[str], engine: str) -> None:
    devices = tuple(Device.of(accelerators()[id_]) for id_ in ("h100-sxm-80", "l4", "mi300x"))
    least, most = sorted(formats, key=["awq-int4", "fp8", "bf16"].index)
    found = []
    for weights in (least, most):
        variants = variants_of(model(name), Choices((engine,), (weights,), ("bf16",)))
        found.append(
            {
                one.layout: row
                for one, row in zip(
                    variants,
                    capacity(model(name), variants, devices, MEAN, CONTEXT).weights,
                    strict=True,
                )
            }
        )
    for layout in found[0].keys() & found[1].keys():
        assert (found[0][layout] <= found[1][layout] * (1 + 1e-9)).all()
