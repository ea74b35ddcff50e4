"""The Plan page, without a browser."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from core.api.plan_question import question_of
from core.api.plan_request import PlanRequest
from core.api.requests import parse_as
from core.catalog import accelerators
from core.planning.document import document_of
from core.planning.search import plan
from core.planning.words import plan_words
from core.text import text
from pages.parts import planning
from pages.parts.plan_fields import VIEWS
from tests.configs import LLAMA
from tests.conftest import ROOT

SMALL = {"models": "Qwen/Qwen3-8B", "gpus": "h100-sxm-80,l40s,l4,a100-sxm-80"}
TRACE = (
    "timestamp,input_tokens,output_tokens\n"
    + "".join(f"{second},{500 + second % 7 * 100},{200 + second % 5 * 40}\n" for second in range(200))
    + "200,many,100\n201,300\n202,-5,10\n"
)


def page(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages/main.py"), default_timeout=60)
    at.run()
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("plan.py").run()
    assert not at.exception
    return at


def small(**query: str) -> AppTest:
    return page(**SMALL | query)


def cards(at: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in at.metric}


def figure(at: AppTest, number: int = 0) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(at.get("bidi_component")[number].proto.bytes)["figure"]
    return spec


def errors(at: AppTest) -> str:
    return " ".join(str(error.value) for error in at.error)


def best(at: AppTest) -> str:
    return str(at.subheader[0].value)


def test_opens_with_a_full_answer() -> None:
    at = page()
    assert at.multiselect(key="plan_models").value == ["deepseek-ai/DeepSeek-V3"]
    assert at.number_input(key="plan_rate").value == 450_000
    assert "Best plan" in best(at)
    assert set(cards(at)) == {"GPUs", "USD a month", "P99 TTFT", "TPOT", "Whole request", "Utilisation"}
    assert cards(at)["USD a month"].startswith("$")
    assert not at.error


def test_its_first_question_is_answered_before_the_first_visit(monkeypatch: pytest.MonkeyPatch) -> None:
    planning.warm()
    asked = []
    monkeypatch.setattr(planning, "plan", asked.append)
    page()
    assert not asked


def test_the_numbers_come_before_the_figures() -> None:
    kinds = [element.type for element in small().main if element.type in {"metric", "bidi_component"}]
    assert kinds == sorted(kinds, key=lambda kind: kind != "metric")


def test_the_best_plan_is_first_in_the_table_and_ringed_in_the_figure() -> None:
    at = small()
    table = at.dataframe[0].value
    assert best(at).startswith(str(table["plan"][0]))
    ring = next(trace for trace in figure(at)["data"] if trace["name"] == "chosen")
    assert ring["x"][0] == pytest.approx(table["cost"][0])


def test_the_target_is_met_by_every_plan() -> None:
    assert (small(layouts="1").dataframe[0].value["P99"] <= 500).all()


def test_another_plan_is_shown_without_a_search() -> None:
    at = small()
    other = at.selectbox(key="plan_chosen").options[1]
    at.selectbox(key="plan_chosen").select_index(1).run()
    assert best(at).split(" :")[0] in str(other)
    assert "Chosen plan" in best(at)
    assert "/" in at.query_params["chosen"]


def test_a_link_reproduces_the_page() -> None:
    first = small(rate="90", unit="second", ttft="300", share="p95", headroom="30", spare="1", rank="latency")
    second = page(**{name: first.query_params[name] for name in first.query_params})
    assert cards(first) == cards(second)
    assert second.selectbox(key="plan_unit").value == "second"
    assert second.toggle(key="plan_spare").value is True
    assert "P95 TTFT" in cards(second)


def test_a_change_of_unit_keeps_the_number() -> None:
    at = small(rate="120", unit="minute")
    at.selectbox(key="plan_unit").set_value("second").run()
    assert at.number_input(key="plan_rate").value == 120
    at.number_input(key="plan_rate").set_value(7.5).run()
    assert (at.query_params["rate"], at.query_params["unit"]) == ("7.5", "second")


def test_a_preset_fills_in_its_numbers_and_can_be_gone_back_to() -> None:
    at = small()
    at.selectbox(key="plan_preset").set_value("rag").run()
    assert at.number_input(key="plan_input").value == 4000
    assert at.query_params["input_p95"] == "9000"
    at.number_input(key="plan_input").set_value(5000).run()
    at.button(key="plan_reset").click().run()
    assert at.number_input(key="plan_input").value == 4000
    assert not [button for button in at.button if button.key == "plan_reset"], "nothing left to reset"


@pytest.mark.parametrize("preset", ["chat", "rag", "summarising", "code", "reasoning"])
def test_a_preset_leads_to_a_plan_and_a_manifest(preset: str) -> None:
    at = small(view="deploy")
    at.selectbox(key="plan_preset").set_value(preset).run()
    assert cards(at)["GPUs"]
    assert "Qwen3-8B" in at.code[0].value
    kinds = [part["kind"] for part in yaml.safe_load_all(at.code[1].value)]
    assert kinds[0] in {"Deployment", "LeaderWorkerSet"}
    assert "Service" in kinds


def test_every_accelerator_is_in_a_plan_or_left_out_with_a_reason() -> None:
    at = page(view="rejected")
    left_out = at.dataframe[0].value
    assert (left_out["reason"].str.len() > 10).all()
    used = page(layouts="1").dataframe[0].value["plan"]
    names = {record.name for record in accelerators().values()}
    told = set(left_out["gpu"]) | {name for name in names for plan in used if plan.endswith(name)}
    assert told == names


def test_what_is_left_out_can_be_searched() -> None:
    at = small(view="rejected")
    at.text_input(key="plan_search").set_value("amd mi300").run()
    assert {"MI300" in name for name in at.dataframe[0].value["gpu"]} == {True}
    assert set(at.dataframe[0].value["reason"]) != {""}


def test_no_plan_says_what_would_admit_one_and_one_click_does_it() -> None:
    at = small(ttft="2")
    assert "No plan" in str(at.warning[0].proto.title)
    assert "instead of 2 ms" in " ".join(str(line.value) for line in at.markdown)
    at.button(key="plan_apply_0").click().run()
    at.run()
    assert cards(at)["GPUs"]
    assert at.number_input(key="plan_ttft").value > 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"input": "5000000"}, "longer than 40960"),
        ({"models": ""}, "No model"),
        ({"input": "100", "input_p95": "5000"}, "P95"),
        ({"context": "100"}, "100"),
    ],
)
def test_what_cannot_be_planned_says_why(query: dict[str, str], said: str) -> None:
    at = small(**query)
    assert said in errors(at)
    assert len(at.error) == 2, "in the answer and beside the inputs"


def test_a_config_of_ones_own_is_planned() -> None:
    at = small(source="config")
    assert "Hugging Face" in at.info[0].value
    at.text_area(key="size_pasted").set_value(json.dumps(LLAMA)).run()
    assert not at.error
    assert cards(at)["GPUs"]
    at.text_area(key="size_pasted").set_value("{").run()
    assert "not JSON" in errors(at)
    assert cards(at)["GPUs"], "the last good answer stays"


def test_a_fault_keeps_the_last_answer_and_the_inputs() -> None:
    at = small()
    good = cards(at)
    at.number_input(key="plan_input").set_value(9_000_000).run()
    assert at.error
    assert cards(at) == good
    assert at.number_input(key="plan_input").value == 9_000_000
    at.number_input(key="plan_input").set_value(800).run()
    assert not at.error


@pytest.mark.parametrize(
    ("name", "value"), [("rate", "-5"), ("share", "p42"), ("gpus", "abacus"), ("owned", "l4:x")]
)
def test_an_impossible_address_is_named_and_the_page_still_answers(name: str, value: str) -> None:
    at = page(models="Qwen/Qwen3-8B", **{name: value})
    assert f"{name}={value}" in at.warning[0].value
    assert cards(at)["GPUs"]


def test_a_trace_counts_and_its_bad_rows_are_told_by_line() -> None:
    at = small()
    at.session_state["plan_group_trace"] = True
    at.run()
    at.get("file_uploader")[0].set_value(("mine.csv", TRACE.encode(), "text/csv")).run()
    assert not at.error
    told = " ".join(str(caption.value) for caption in at.sidebar.caption)
    assert all(f"Line {line}: " in told for line in (202, 203, 204))
    assert "200 requests" in told
    assert at.number_input(key="plan_rate").disabled
    at.button(key="plan_trace_drop").click().run()
    assert not at.number_input(key="plan_rate").disabled


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe\x00", b"a,b,c\n1,2,3\n", b"1,2,3\n4,5,6\n"])
def test_a_trace_that_cannot_be_read_changes_nothing(content: bytes) -> None:
    at = small()
    good = cards(at)
    at.session_state["plan_group_trace"] = True
    at.run()
    at.get("file_uploader")[0].set_value(("mine.csv", content, "text/csv")).run()
    assert len(at.sidebar.error) == 1
    assert cards(at) == good


def test_owned_gpus_are_all_that_is_used_and_cost_what_is_stated() -> None:
    at = page(models="Qwen/Qwen3-8B", owned="l40s:16", prices="l40s:0.5")
    assert "L40S" in best(at)
    gpus = int(cards(at)["GPUs"])
    assert cards(at)["USD a month"] == f"${gpus * 0.5 * 730:,.0f}"


def test_prices_older_than_ninety_days_are_told() -> None:
    metric = next(metric for metric in page().metric if metric.label == "USD a month")
    assert " d old" in str(metric.delta)


def saved(request: dict[str, Any]) -> tuple[bytes, str]:
    """Return the plan.json of *request*, and the words of its best plan."""
    planned = plan(question_of(parse_as(PlanRequest, request)))
    assert planned.best
    return json.dumps(document_of(request, planned, planned.best.id)).encode(), plan_words(planned.best)


@pytest.mark.parametrize(
    "more",
    [
        {
            "models": ["Qwen/Qwen3-8B"],
            "requests_per_minute": 90.0,
            "input_tokens": 500.0,
            "output_tokens": 100.0,
        },
        {
            "models": ["Qwen/Qwen3-8B", "Qwen/Qwen3-14B"],
            "requests_per_second": 4.5,
            "peak_factor": 3.0,
            "input_tokens": {"mean": 900.0, "p95": 2000.0},
            "output_tokens": 100.0,
            "prefix_cache_hit_rate": 0.4,
            "ttft_s": 0.8,
            "ttft_percentile": 95,
            "tpot_s": 0.04,
            "request_s": 12.0,
            "headroom": 0.35,
            "spare_replicas": 1,
            "owned": {"l40s": 64},
            "prices_usd_per_gpu_hour": {"l40s": 0.75},
            "tp": [1, 2],
            "weights": ["fp8"],
            "kv": ["fp8"],
            "engines": ["vllm"],
            "rank_by": "latency",
        },
        {"model": LLAMA | {"_name_or_path": "mine"}, "trace": TRACE},
    ],
    ids=["few", "many", "config and trace"],
)
def test_a_saved_plan_is_asked_again(more: dict[str, Any]) -> None:
    content, words = saved(more)
    at = small(ttft="123", unit="hour", kv="fp8")
    at.session_state["plan_group_saved"] = True
    at.run()
    at.get("file_uploader")[0].set_value(("plan.json", content, "application/json")).run()
    assert not at.exception
    assert not at.error
    assert best(at).startswith(words)
    told = [*at.success, *at.warning]
    assert "every number is the same" in str(told[0].value), told[0].value


def test_a_file_that_is_no_plan_says_so_and_changes_nothing() -> None:
    at = small()
    good = cards(at)
    at.session_state["plan_group_saved"] = True
    at.run()
    for content in (
        b"{",
        b"[]",
        b'{"format": "llm-deployment-planner/plan", "version": 1, "request": {"rate": []}}',
    ):
        at.get("file_uploader")[0].set_value(("plan.json", content, "application/json")).run()
        assert not at.exception
        assert cards(at) == good


def test_two_plans_are_compared() -> None:
    at = small(view="compare")
    assert at.table[0].value.shape[1] == 2
    assert "P99 TTFT" in at.table[0].value.index


def test_the_day_has_a_load_and_two_lines() -> None:
    drawn = figure(small(view="day"), 1)
    assert len(drawn["data"][0]["y"]) == 25
    assert len([shape for shape in drawn["layout"]["shapes"] if shape["type"] == "line"]) == 2


def test_changes_of_assumptions_have_a_row_each() -> None:
    table = small(view="changes").dataframe[0].value
    assert len(table) >= 8
    assert (table["same"].str.len() > 0).all()


def test_the_bill_is_beside_what_the_guides_say() -> None:
    at = small(view="materials")
    assert len(at.table) == 2
    assert at.table[0].value.shape[0] >= 8


@pytest.mark.parametrize("view", VIEWS)
def test_speaks_chinese(view: str) -> None:
    at = small(lang="zh", view=view)
    assert at.title[0].value == text("plan_page.title", "zh")
    assert "最佳方案" in best(at)


def test_every_group_of_inputs_opens() -> None:
    at = small()
    for name in ("traffic", "trace", "latency", "hardware", "formats", "prices", "saved"):
        at.session_state[f"plan_group_{name}"] = True
    at.run()
    assert not at.exception
    for widget in (*at.sidebar.number_input, *at.sidebar.selectbox):
        assert widget.help or widget.proto.label_visibility.value, widget.label


def test_choosing_a_view_searches_for_nothing() -> None:
    at = small()
    took = []
    for view in ("rejected", "compare") * 3:
        began = time.process_time()
        at.get("button_group")[-1].set_value(view).run()
        took.append(time.process_time() - began)
    assert sorted(took)[len(took) // 2] < 0.2


def test_a_plan_leads_to_quotes_for_its_workload() -> None:
    at = page(view="share", models="Qwen/Qwen3-8B", rate="1000", unit="hour", ttft="700")
    (link,) = [one for one in at.get("link_button") if "/quotes?" in str(one.proto)]
    address = str(link.proto)
    for asked in ("model=Qwen%2FQwen3-8B", "rate=1000", "unit=hour", "ttft=700", "share=p99"):
        assert asked in address
