"""Plans by cost and latency: every priced plan has its point, and the chosen one is marked."""

from __future__ import annotations

import math
from typing import Any

import pytest

from core.charts import pareto
from core.charts.alt import pareto_alt
from core.charts.axes import log_axis
from tests.plans import answer, made, nothing


def traces(figure: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {trace["name"]: trace for trace in figure["data"]}


def test_every_plan_with_a_price_has_a_point_of_its_makers_colour() -> None:
    planned = answer()
    found = traces(pareto(planned))
    assert sorted(found["NVIDIA"]["x"] + found["AMD"]["x"]) == sorted(
        plan.usd_per_month for plan in planned.plans if plan.usd_per_month
    )
    assert found["NVIDIA"]["marker"]["color"] != found["AMD"]["marker"]["color"]
    assert found["NVIDIA"]["marker"]["symbol"] != found["AMD"]["marker"]["symbol"]


def test_several_models_are_told_apart_instead_of_makers() -> None:
    planned = answer((made(), made("l4", model="Qwen/Qwen3-32B", tp=4)))
    assert {"Qwen/Qwen3-8B", "Qwen/Qwen3-32B"} <= set(traces(pareto(planned)))
    assert [item["text"] for item in pareto(planned)["legend"]] == ["Qwen/Qwen3-8B", "Qwen/Qwen3-32B"]


def test_more_gpus_make_a_larger_point() -> None:
    figure = pareto(answer((made(replicas=2), made("h200-sxm", replicas=8))))
    small, large = traces(figure)["NVIDIA"]["marker"]["size"]
    assert large > small


def test_the_chosen_plan_has_a_ring_and_its_name() -> None:
    planned = answer()
    figure = pareto(planned, planned.plans[0])
    assert traces(figure)["chosen"]["x"] == [planned.plans[0].usd_per_month]
    assert any("2 × H100" in note["text"] for note in figure["layout"]["annotations"])


def test_the_front_falls_and_the_target_is_a_line() -> None:
    figure = pareto(answer())
    front = traces(figure)["front"]
    assert front["x"] == sorted(front["x"])
    assert front["y"] == sorted(front["y"], reverse=True)
    assert figure["layout"]["shapes"][0]["y0"] == 0.5


def test_a_plan_that_is_not_stable_has_no_point() -> None:
    found = traces(pareto(answer((made(), made("l4", rate=20.0, stable=16.0)))))
    assert len(found["NVIDIA"]["x"]) == 1


def test_hover_tells_all() -> None:
    told = traces(pareto(answer()))["NVIDIA"]["text"][0]
    for word in ("2 × H100 SXM 80GB", "Qwen/Qwen3-8B", "2 GPUs", "$2,920", "P99 TTFT 300 ms", "TPOT", "62%"):
        assert word in told


def test_without_plans_there_is_nothing_to_draw() -> None:
    assert pareto(nothing())["data"] == []
    assert "No plan" in pareto_alt(nothing())


def test_the_description_names_cheapest_and_fastest() -> None:
    told = pareto_alt(answer())
    assert "4 plans" in told
    assert "2 × H100 SXM 80GB for $2,920" in told
    assert "1 × B200" in told
    assert "个方案" in pareto_alt(answer(), "zh")


def test_plans_that_cost_nothing_are_on_a_linear_axis() -> None:
    assert log_axis([0.0, 5.0], str)["type"] == "linear"


@pytest.mark.parametrize("values", [[3.0], [3.0, 3.1], [1.0, 1e6], [0.02, 0.5]])
def test_an_axis_holds_its_values_and_has_few_round_ticks(values: list[float]) -> None:
    axis = log_axis(values, str)
    assert axis["range"][0] < math.log10(min(values)) <= math.log10(max(values)) < axis["range"][1]
    assert 1 <= len(axis["tickvals"]) <= 7


def test_without_any_price_plans_are_drawn_by_their_gpus() -> None:
    planned = answer((made(usd=None), made("l4", usd=None, replicas=6)))
    figure = pareto(planned, planned.plans[0])
    assert sorted(traces(figure)["NVIDIA"]["x"]) == [2, 6]
    assert figure["layout"]["xaxis"]["title"]["text"] == "GPUs"
    assert "by GPUs" in pareto_alt(planned)
