"""The bar of a GPU's memory: what it stacks, and where its limits stand."""

from __future__ import annotations

import re
from typing import Any

import orjson
import plotly.graph_objects as go
import pytest

from core.api import deployment_of, parse
from core.charts import memory_bar, memory_curve
from core.charts.alt import bar_alt
from core.charts.bar_parts import CEILING
from core.charts.memory_bar import limit_of, segments
from core.memory.serving import ServingMemory, size_serving
from core.quantities import GIB

V3 = {"model": "deepseek-ai/DeepSeek-V3", "gpu": "h200-sxm", "tp": 8, "context": 32768}
OTHERS = [
    V3,
    V3 | {"gpu": "h100-sxm-80"},
    V3 | {"engine": "sglang"},
    {
        "model": "google/gemma-3-27b-it",
        "gpu": "rtx-4090",
        "tp": 2,
        "engine": "vllm",
        "engine_version": "0.10.0",
    },
    {"model": "Qwen/Qwen3-8B", "gpu": "l4", "engine": "llama.cpp", "weights": "q4_k_m", "context": 16384},
    {"model": "Qwen/Qwen3-8B", "gpu": "l4", "engine": "transformers", "context": 4096},
    {"model": "Qwen/Qwen3-8B", "gpu": "h100-sxm-80", "engine": "tensorrt-llm", "context": 4096},
    {"model": "Qwen/Qwen3-8B", "context": 4096},
]


def memory_of(request: dict[str, Any]) -> ServingMemory:
    return size_serving(deployment_of(parse(request)))


@pytest.fixture(params=OTHERS, ids=lambda request: f"{request.get('engine')}-{request.get('gpu')}")
def memory(request: pytest.FixtureRequest) -> ServingMemory:
    return memory_of(request.param)


def painted(figure: dict[str, Any]) -> dict[str, Any]:
    """Return the figure with a colour in place of each role, as the browser would see it."""
    spec = {name: figure[name] for name in ("data", "layout")}
    plain = orjson.dumps(spec, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return dict(orjson.loads(re.sub(r"token:\w+", "#123456", plain)))


def test_plotly_accepts_it(memory: ServingMemory) -> None:
    go.Figure(painted(memory_bar(memory)))
    go.Figure(painted(memory_curve(memory)))


def test_segments_hold_every_part_once(memory: ServingMemory) -> None:
    stacked = dict(segments(memory))
    assert len(stacked) == len(segments(memory))
    for part in memory.parts:
        if part.bytes:
            assert stacked[part.name] == part.bytes


def test_a_bar_that_fits_is_as_long_as_the_usable_memory() -> None:
    memory = memory_of(V3)
    assert memory.capacity
    assert sum(size for _, size in segments(memory)) == pytest.approx(memory.capacity)


def test_the_limit_of_a_share_of_the_card_is_that_share() -> None:
    memory = memory_of(V3)
    assert limit_of(memory) == pytest.approx(memory.deployment.fraction * (memory.capacity or 0))


def test_the_limit_stands_where_the_pool_ends() -> None:
    memory = memory_of(V3)
    before = 0.0
    for name, size in segments(memory):
        before += size
        if name == "pool":
            break
    assert limit_of(memory) == pytest.approx(before)


def test_marks_the_limit_the_usable_and_the_marketing_size() -> None:
    labels = memory_bar(memory_of(V3))["data"][-1]
    texts = [text.strip("\u00a0") for text in labels["text"]]
    assert texts == ["vLLM limit 92%: 128.6 GiB", "usable 139.8 GiB", "sold as 141 GB"]
    assert labels["x"] == sorted(labels["x"])
    assert labels["y"] == sorted(set(labels["y"])), "labels at one height would meet"
    assert max(labels["y"]) < CEILING


def test_nothing_lies_beyond_the_axis(memory: ServingMemory) -> None:
    figure = memory_bar(memory)
    end = figure["layout"]["xaxis"]["range"][1]
    assert sum(trace["x"][0] for trace in figure["data"][:-1]) <= end
    assert all(x <= end for x in figure["data"][-1]["x"])


def test_a_colour_means_one_part() -> None:
    colors = {item["color"] for item in memory_bar(memory_of(V3))["legend"]}
    assert colors == {f"token:{role}" for role in ("weights", "runtime", "activation", "graph", "kv", "free")}


def test_the_legend_says_what_the_bar_shows(memory: ServingMemory) -> None:
    figure = memory_bar(memory)
    assert len(figure["legend"]) == len(figure["data"]) - 1
    assert all(
        item["text"].startswith(trace["name"])
        for item, trace in zip(figure["legend"], figure["data"], strict=False)
    )


@pytest.mark.parametrize(("language", "word"), [("en", "Weights"), ("zh", "权重")])
def test_speaks_both_languages(language: str, word: str) -> None:
    memory = memory_of(V3)
    assert memory_bar(memory, language)["legend"][0]["text"].startswith(word)
    assert word in bar_alt(memory, language)


def test_the_description_names_parts_and_capacity() -> None:
    sentence = bar_alt(memory_of(V3))
    assert "KV cache" in sentence
    assert f"{(memory_of(V3).capacity or 0) / GIB:.1f} GiB" in sentence
