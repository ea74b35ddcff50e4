"""What the search tries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.architecture.formats import weight_format
from core.catalog import accelerators
from core.errors import BadRequest
from core.memory.deployment import Device
from core.memory.layout import Layout, check_layout
from core.planning.question import CHECKPOINT, Choices
from core.planning.space import (
    WIDEST,
    divides_blocks,
    formats_of,
    is_joined,
    layouts_of,
    refusal,
    variants_of,
)
from tests.questions import DEEPSEEK, GEMMA, GPT_OSS, LLAMA, LLAMA_70B, model

SMALL = "Qwen/Qwen2.5-0.5B-Instruct"  # 14 heads


@pytest.mark.parametrize("name", [LLAMA, LLAMA_70B, DEEPSEEK, GEMMA, GPT_OSS, SMALL])
def test_layouts_are_possible_and_each_is_tried_once(name: str) -> None:
    layouts = layouts_of(model(name))
    assert len(set(layouts)) == len(layouts)
    for layout in layouts:
        check_layout(model(name), layout)
        assert layout.gpus <= WIDEST


def test_layouts_divide_the_heads() -> None:
    assert {layout.tp for layout in layouts_of(model(SMALL))} == {1, 2}
    assert {layout.tp for layout in layouts_of(model(LLAMA_70B), (4, 6, 8))} == {4, 8}


def test_experts_are_divided_or_spread_and_attention_is_copied() -> None:
    layouts = layouts_of(model(DEEPSEEK))
    assert Layout(tp=8) in layouts
    assert Layout(tp=8, ep=8) in layouts
    assert Layout(dp=32, ep=32, attention_dp=True) in layouts
    assert not any(layout.ep > 1 for layout in layouts_of(model(LLAMA)))
    assert not any(layout.attention_dp for layout in layouts_of(model(DEEPSEEK), (8,)))


def test_degrees_that_divide_nothing_are_refused_by_name() -> None:
    with pytest.raises(BadRequest) as refused:
        variants_of(model(LLAMA_70B), Choices(tensor_parallel=(6,)))
    values = refused.value.sentence.values
    assert refused.value.field == "tp"
    assert (values["heads"], values["tp"], values["good"]) == (64, "6", "1, 2, 4, 8, 16, 32, 64")


def test_blocks_of_quantised_experts_are_not_cut() -> None:
    block = weight_format("fp8-block")
    deepseek = model(DEEPSEEK)  # experts of 2048 rows
    assert divides_blocks(deepseek, block, Layout(tp=16))
    assert not divides_blocks(deepseek, block, Layout(tp=32))
    assert divides_blocks(deepseek, weight_format("awq-int4"), Layout(tp=32))
    layouts = {one.layout.tp for one in variants_of(deepseek, Choices(tensor_parallel=(16, 32)))}
    assert layouts == {16}


def test_a_checkpoint_in_fp8_has_no_other_fp8() -> None:
    assert [one.id for one in formats_of(model(DEEPSEEK), Choices(weights=(CHECKPOINT, "fp8")))] == [
        "fp8-block"
    ]
    assert [one.id for one in formats_of(model(LLAMA), Choices(weights=(CHECKPOINT, "fp8", "bf16")))] == [
        "bf16",
        "fp8",
    ]
    assert [one.id for one in formats_of(model(GPT_OSS), Choices())] == ["mxfp4", "fp8"]


def test_variants_are_all_combinations_each_once() -> None:
    choices = Choices(engines=("vllm", "sglang"), weights=(CHECKPOINT, "fp8"), kv=(None, "bf16", "fp8"))
    variants = variants_of(model(LLAMA), choices)
    assert len(set(variants)) == len(variants)
    assert len(variants) == 2 * 2 * 2 * len(layouts_of(model(LLAMA)))  # the default cache is bf16


def refused(record: str, weights: str = "bf16", engine: str = "vllm") -> tuple[str, str] | None:
    variant = variants_of(model(LLAMA), Choices((engine,), (weights,)))[0]
    found = refusal(variant, model(LLAMA), accelerators()[record], Device.of(accelerators()[record]))
    return (found[0], str(found[1])) if found else None


def test_an_engine_is_refused_by_maker_and_capability() -> None:
    assert refused("h100-sxm-80") is None
    assert refused("mi300x", engine="tensorrt-llm") == ("engine", "TensorRT-LLM does not run on AMD devices.")
    assert refused("p4") == ("engine", "vLLM needs compute capability 7.0; this card has 6.1.")


def test_a_format_is_refused_by_capability_or_by_what_the_device_multiplies() -> None:
    stage, words = refused("t4") or ("", "")
    assert (stage, "No bf16 below compute capability 8.0" in words) == ("format", True)
    assert refused("t4", "fp16") is None
    assert refused("mi250x", "fp8") == (
        "format",
        "FP8 per channel needs units for fp8, which it does not have.",
    )
    assert refused("mi300x", "fp8") is None


def test_gpus_are_joined_within_a_server_or_its_fabric() -> None:
    h100, nvl72, thor = (accelerators()[id_] for id_ in ("h100-sxm-80", "gb200", "jetson-thor"))
    assert is_joined(h100, Layout(tp=8, pp=2))
    assert not is_joined(h100, Layout(tp=16))
    assert is_joined(nvl72, Layout(tp=16))
    assert is_joined(thor, Layout())
    assert not is_joined(thor, Layout(pp=2))


def test_a_device_without_any_link_serves_alone() -> None:
    linked = accelerators()["l4"]
    alone = linked.model_copy(update={"link": "-", "link_bidir_gbs": None, "pcie_gen": None})
    assert is_joined(linked, Layout(tp=2))
    assert not is_joined(alone, Layout(tp=2))


def test_a_variant_is_deployed_on_any_device() -> None:
    variant = variants_of(model(LLAMA), Choices())[0]
    found = variant.on(model(LLAMA), None, 4096)
    assert (found.device, found.context, found.layout) == (None, 4096, variant.layout)
    assert replace(variant, layout=Layout(tp=2)).on(model(LLAMA), None, 4096).layout.tp == 2
