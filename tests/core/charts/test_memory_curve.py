"""The curve of memory against load: it agrees with the estimate, and stops where the cache is full."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.api import deployment_of, parse
from core.charts import memory_curve
from core.charts.alt import curve_alt
from core.charts.memory_curve import limit_line, stops_at
from core.memory.serving import ServingMemory, size_serving
from core.quantities import GIB

V3 = {"model": "deepseek-ai/DeepSeek-V3", "gpu": "h200-sxm", "tp": 8, "context": 32768}


def memory_of(requests: int = 16, **more: Any) -> ServingMemory:
    fields = {
        name: more.pop(name) for name in ("input_tokens", "output_tokens", "shared_prefix") if name in more
    }
    return size_serving(replace(deployment_of(parse(V3 | more)), requests=requests, **fields))


def trace(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(trace for trace in figure["data"] if trace["name"].startswith(name))


def test_the_dot_is_the_current_choice() -> None:
    memory = memory_of()
    dot = trace(memory_curve(memory), "now")
    assert dot["x"] == [32768]
    assert dot["y"] == [pytest.approx(memory.needed / GIB)]


def test_the_dot_moves_to_the_mean_length() -> None:
    dot = trace(memory_curve(memory_of(input_tokens=2000, output_tokens=500)), "now")
    assert dot["x"] == [2500]


@pytest.mark.parametrize("more", [{}, {"input_tokens": 30000, "output_tokens": 2768, "shared_prefix": 0.5}])
def test_the_dot_lies_on_its_curve(more: dict[str, Any]) -> None:
    memory = memory_of(**more)
    curve = trace(memory_curve(memory), "16 requests")
    place = min(range(len(curve["x"])), key=lambda i: abs(curve["x"][i] - 32768))
    assert curve["x"][place] == pytest.approx(32768, rel=0.05)
    assert curve["y"][place] == pytest.approx(memory.needed / GIB, rel=0.03)


def test_where_it_stops_fitting_the_engine_agrees() -> None:
    stop = stops_at(memory_of())
    assert stop
    assert memory_of(context=int(stop * 0.95)).fits
    assert not memory_of(context=int(stop * 1.05)).fits


def test_more_requests_stop_earlier() -> None:
    few, many = stops_at(memory_of(8)), stops_at(memory_of(64))
    assert few
    assert many
    assert many < few


def test_a_model_that_does_not_start_shows_its_limit_below_all_curves() -> None:
    memory = memory_of(gpu="h100-sxm-80")
    figure = memory_curve(memory)
    lowest = min(min(item["y"]) for item in figure["data"] if item["mode"] == "lines")
    assert limit_line(memory) == pytest.approx(0.92 * (memory.capacity or 0) / GIB)
    assert (limit_line(memory) or 0) < lowest
    assert stops_at(memory) is None


def test_without_a_gpu_there_is_no_limit() -> None:
    memory = size_serving(deployment_of(parse({"model": "Qwen/Qwen3-8B", "context": 4096})))
    assert limit_line(memory) is None
    assert memory_curve(memory)["layout"]["shapes"] == []


def test_axes_are_fixed_and_hold_the_choice() -> None:
    layout = memory_curve(memory_of())["layout"]
    assert layout["xaxis"]["type"] == "log"
    assert layout["yaxis"]["range"][0] == 0
    assert not layout["xaxis"]["automargin"]
    assert layout["xaxis"]["ticktext"] == ["1K", "4K", "16K", "64K", "256K"]


def test_an_axis_stays_while_a_slider_moves_within_what_fits() -> None:
    first, second = (memory_curve(memory_of(requests))["layout"] for requests in (8, 16))
    assert first["xaxis"]["range"] == second["xaxis"]["range"]
    assert first["yaxis"]["range"] == second["yaxis"]["range"]


def test_the_description_says_where_it_stops() -> None:
    assert f"{stops_at(memory_of()):,}" in curve_alt(memory_of())
    assert "每个请求" in curve_alt(memory_of(), "zh")
    assert "fit at every length" in curve_alt(memory_of(1, context=1024))
