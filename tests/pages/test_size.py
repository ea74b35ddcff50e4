"""The Size page, without a browser."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog import accelerators, model_ids
from core.text import text
from pages.parts.address import LAG_S
from tests.configs import LLAMA
from tests.conftest import ROOT


def page(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages/main.py"), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def card(at: AppTest, label: str) -> str:
    return str(next(metric.value for metric in at.metric if metric.label == label))


def cards(at: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in at.metric}


def bar(at: AppTest) -> dict[str, Any]:
    """Return what the bar shows, by part, in GiB."""
    spec = json.loads(at.get("bidi_component")[0].proto.bytes)
    return {trace["name"]: trace["x"][0] for trace in spec["figure"]["data"] if trace["type"] == "bar"}


def paste(content: str) -> AppTest:
    at = page(source="config")
    at.text_area(key="size_pasted").set_value(content).run()
    assert not at.exception
    return at


def errors(at: AppTest) -> str:
    return " ".join(str(error.value) for error in at.error)


def test_opens_with_deepseek_v3_on_eight_h200_that_fit() -> None:
    at = page()
    assert at.selectbox(key="size_model").value == "deepseek-ai/DeepSeek-V3"
    assert at.selectbox(key="size_gpu").value == "h200-sxm"
    assert card(at, "Fits") == "Yes"
    assert len(at.success) == 1


def test_the_numbers_come_before_the_figures() -> None:
    kinds = [element.type for element in page().main if element.type in {"metric", "bidi_component"}]
    assert kinds == sorted(kinds, key=lambda kind: kind != "metric")


def test_every_model_and_gpu_can_be_picked_and_deepseek_is_first() -> None:
    at = page()
    assert set(at.selectbox(key="size_model").options) == set(model_ids())
    assert at.selectbox(key="size_model").options[0].startswith("deepseek-ai/")
    assert len(at.selectbox(key="size_gpu").options) == len(accelerators())


def test_usable_and_marketing_memory_are_told_apart() -> None:
    at = page()
    assert any("139.8 GiB usable, sold as 141 GB" in caption.value for caption in at.caption)
    assert card(at, "GPU memory") == "139.8 GiB"


def test_a_change_of_model_changes_numbers_and_figure() -> None:
    at = page()
    before, drawn = cards(at), bar(at)
    at.selectbox(key="size_model").set_value("Qwen/Qwen3-8B").run()
    assert cards(at) != before
    assert bar(at)["Weights"] < drawn["Weights"]


def test_more_requests_fill_more_of_the_cache() -> None:
    at = page()
    before = bar(at)["KV cache"]
    at.select_slider(key="size_requests").set_value(12).run()
    assert bar(at)["KV cache"] == pytest.approx(before * 12 / 16)


def test_a_choice_is_in_the_address_as_a_plain_id() -> None:
    at = page(lang="zh")
    at.selectbox(key="size_gpu").set_value("h100-sxm-80").run()
    at.select_slider(key="size_context").set_value(65536).run()
    assert at.query_params["gpu"] == "h100-sxm-80"
    assert at.query_params["context"] == "65536"


def test_an_address_is_the_page_it_was_copied_from() -> None:
    at = page(
        model="Qwen/Qwen3-8B", gpu="l4", gpus="2", context="5000", requests="3", weights="awq-int4", input="700",
        view="launch",
    )  # fmt: skip
    assert at.selectbox(key="size_model").value == "Qwen/Qwen3-8B"
    assert at.select_slider(key="size_context").value == 5000
    assert "--max-model-len 5000" in at.code[0].value
    assert "--quantization awq_marlin" in at.code[0].value
    assert card(at, "Requests at once") == card(page(**dict(at.query_params)), "Requests at once")


def test_an_address_takes_other_names_of_a_gpu() -> None:
    assert page(gpu="H100 SXM5 80GB").selectbox(key="size_gpu").value == "h100-sxm-80"


def test_a_closed_group_keeps_its_inputs() -> None:
    at = page(pp="2", gpus="16")
    assert "--pipeline-parallel-size 2" in page(pp="2", gpus="16", view="launch").code[0].value
    assert at.query_params["pp"] == "2"


def test_a_later_address_replaces_the_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    at = page()
    at.selectbox(key="size_model").set_value("Qwen/Qwen3-8B").run()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 2 * LAG_S)
    at.query_params["model"] = "Qwen/Qwen3-32B"
    at.run()
    assert at.selectbox(key="size_model").value == "Qwen/Qwen3-32B"


def test_an_address_that_lags_behind_does_not_undo_a_change() -> None:
    at = page()
    at.selectbox(key="size_model").set_value("Qwen/Qwen3-8B").run()
    at.query_params["model"] = "Qwen/Qwen3-32B"
    at.run()
    assert at.selectbox(key="size_model").value == "Qwen/Qwen3-8B"


@pytest.mark.parametrize(
    ("name", "value"),
    [("gpus", "0"), ("gpus", "-8"), ("gpu", "abacus"), ("context", "long"), ("fraction", "nan")],
)
def test_an_impossible_address_is_named_and_the_page_still_answers(name: str, value: str) -> None:
    at = page(**{name: value})
    assert f"{name}={value}" in at.warning[0].value
    assert card(at, "Fits") == "Yes"


def test_gpus_that_no_layout_divides_are_refused_and_the_inputs_stay() -> None:
    at = page()
    good = cards(at)
    at.select_slider(key="size_gpus").set_value(5).run()
    assert "tp = 5 does not divide the 128 attention heads" in errors(at)
    assert at.select_slider(key="size_gpus").value == 5
    assert cards(at) == good, "the last good answer stays"
    assert any("last inputs that could be sized" in caption.value for caption in at.caption)
    at.select_slider(key="size_gpus").set_value(16).run()
    assert not at.error


def test_a_context_above_the_models_limit_warns_and_answers() -> None:
    at = page(context="1048576", requests="1", gpus="16")
    assert any("above the model's limit" in caption.value for caption in at.caption)
    assert card(at, "Fits") in {"Yes", "In part", "No"}


def test_what_does_not_fit_says_what_would_and_one_click_does_it() -> None:
    at = page(gpu="h100-sxm-80")
    assert card(at, "Fits") == "No"
    at.button(key="size_apply_0").click().run()
    at.run()
    assert card(at, "Fits") == "Yes"
    assert not at.error


def test_a_pasted_config_is_sized() -> None:
    at = paste(json.dumps(LLAMA))
    assert not at.error
    assert card(at, "Fits") == "Yes"
    assert bar(at)["Weights"] < 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{hidden_size: 4096", "not JSON"),
        ("[1, 2]", "no model config"),
        ("{}", "hidden_size is missing"),
        (json.dumps({**LLAMA, "hidden_size": None}), "hidden_size"),
        (json.dumps({**LLAMA, "hidden_size": -4096}), "hidden_size"),
        (json.dumps({**LLAMA, "hidden_size": "4096"}), "hidden_size"),
        (json.dumps({**LLAMA, "num_hidden_layers": 10**12}), "num_hidden_layers"),
        (json.dumps({**LLAMA, "num_key_value_heads": 7}), "num_key_value_heads"),
        (json.dumps({**LLAMA, "model_type": "whisper"}), "whisper"),
        ("[" * 100_000, "not JSON"),
        ('{"a": "' + "x" * 3_000_000 + '"}', "3.0 MB"),
    ],
    ids=lambda value: value[:24],
)
def test_a_config_that_cannot_be_says_why(content: str, said: str) -> None:
    at = paste(content)
    assert said in errors(at)
    assert at.text_area(key="size_pasted").value == content, "what was pasted stays"


def test_a_bad_config_keeps_the_last_answer_and_its_inputs() -> None:
    at = paste(json.dumps(LLAMA))
    good = cards(at)
    at.text_area(key="size_pasted").set_value("{").run()
    assert "not JSON" in errors(at)
    assert cards(at) == good


def test_without_a_config_the_page_says_where_to_find_one() -> None:
    at = page(source="config")
    assert "Hugging Face" in at.info[0].value
    assert not at.error, "nothing is wrong yet"


def test_a_hand_made_model_is_sized_and_in_the_address() -> None:
    at = page(source="hand")
    assert bar(at)["Weights"] == pytest.approx(6_738_415_616 * 2 / 8 / 2**30, rel=0.05)
    at.number_input(key="size_layers").set_value(40).run()
    assert at.query_params["layers"] == "40"


def test_heads_that_do_not_divide_the_hidden_size_are_named() -> None:
    at = page(source="hand", heads="30", kv_heads="30")
    assert "hidden size 4096" in errors(at)


def test_why_opens_every_part_to_formula_and_source() -> None:
    at = page(view="why")
    labels = [expander.label for expander in at.main.expander]
    assert [label.split("**")[1] for label in labels] == [
        "Weights", "Activations", "Runtime", "CUDA graphs", "KV cache",
    ]  # fmt: skip
    for expander in at.main.expander:
        assert "GiB" in expander.markdown[0].value
        assert expander.caption[0].value.startswith("Source of the constants: ")


def test_the_table_of_gpus_has_a_row_for_each_and_reasons() -> None:
    at = page(view="fleet")
    table = at.dataframe[0].value
    assert len(table) == len(accelerators())
    assert (table["gpus"].isna() == (table["reason"] != "")).all(), "a reason exactly where none fits"
    at.toggle(key="size_only_fitting").set_value(True).run()
    assert 0 < len(at.dataframe[0].value) < len(accelerators())
    at.text_input(key="size_search").set_value("h200").run()
    assert all("H200" in name for name in at.dataframe[0].value["gpu"])


@pytest.mark.parametrize("engine", ["vllm", "sglang", "llama.cpp", "transformers", "tensorrt-llm"])
def test_every_engine_has_a_command(engine: str) -> None:
    at = page(engine=engine, view="launch", model="Qwen/Qwen3-8B", gpus="1", context="4096")
    assert "Qwen3-8B" in at.code[0].value


def test_the_shared_link_spells_out_what_may_change() -> None:
    at = page(view="share")
    query = parse_qs(urlsplit(at.code[0].value).query)
    assert query["model"] == ["deepseek-ai/DeepSeek-V3"]
    assert query["gpu"] == ["h200-sxm"]
    assert query["gpus"] == ["8"]
    assert query["lang"] == ["en"]


def test_a_config_of_ones_own_is_said_not_to_be_in_the_link() -> None:
    assert any(text("size.not_in_link") == caption.value for caption in page(source="config").caption)


@pytest.mark.parametrize("view", ["curve", "why", "fleet", "launch", "share"])
def test_speaks_chinese(view: str) -> None:
    at = page(lang="zh", view=view)
    assert at.title[0].value == text("size.title", "zh")
    assert card(at, "能否放下") == "能"


def test_a_change_of_language_keeps_the_inputs() -> None:
    at = page()
    at.select_slider(key="size_requests").set_value(12).run()
    at.sidebar.get("button_group")[0].set_value("zh").run()
    assert card(at, "能否放下") == "能"
    assert at.select_slider(key="size_requests").value == 12


def test_every_technical_input_has_a_tooltip() -> None:
    at = page()
    for widget in (*at.selectbox, *at.select_slider):
        assert widget.help


def test_a_rerun_costs_little() -> None:
    at = page()
    took = []
    for requests in (12, 16) * 5:
        began = time.process_time()
        at.select_slider(key="size_requests").set_value(requests).run()
        took.append(time.process_time() - began)
    assert sorted(took)[len(took) // 2] < 0.1
