"""The Train page, without a browser."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.text import text
from tests.conftest import ROOT


def page(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages/main.py"), default_timeout=60)
    at.run()
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("train.py").run()
    assert not at.exception
    return at


def cards(at: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in at.metric}


def bar(at: AppTest, number: int = 0) -> dict[str, list[float]]:
    """Return what a figure shows, by part, in GiB."""
    spec = json.loads(at.get("bidi_component")[number].proto.bytes)
    return {trace["name"]: trace["x"] for trace in spec["figure"]["data"] if trace["type"] == "bar"}


def errors(at: AppTest) -> str:
    return " ".join(str(error.value) for error in at.error)


def test_opens_with_a_lora_run_of_qwen3_that_fits_one_h100() -> None:
    at = page()
    assert at.selectbox(key="train_model").value == "Qwen/Qwen3-14B"
    assert at.selectbox(key="train_gpu").value == "h100-sxm-80"
    assert cards(at)["Fits"] == "Yes"
    assert len(at.success) == 1


def test_the_bar_adds_up_to_the_usable_memory() -> None:
    shown = bar(page())
    assert sum(size for (size,) in shown.values()) == pytest.approx(79.10, abs=0.01)


def test_every_phase_has_the_parts_of_the_bar_and_the_peak_is_the_process() -> None:
    at = page()
    phases = bar(at, 1)
    whole = [sum(sizes) for sizes in zip(*phases.values(), strict=True)]
    process = sum(size for (size,) in bar(at).values()) - bar(at)["Not used"][0]
    assert len(whole) == 5
    assert max(whole) == pytest.approx(process)


def test_a_full_training_does_not_fit_and_says_how_much_is_lacking() -> None:
    at = page(method="full")
    assert cards(at)["Fits"] == "No"
    assert "Lacking" in cards(at)
    assert "Does not fit" in errors(at)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"zero": "2"}, "ZeRO 2"),
        ({"micro": "0"}, "micro_batch"),
        ({"rank": "99999"}, "99,999"),
        ({"pp": "64", "gpus": "64"}, "pp = 64"),
        ({"tp": "3", "gpus": "3"}, "tp = 3"),
        ({"tp": "2", "gpus": "3"}, "multiple"),
        ({"model": "openai-community/gpt2", "targets": "gate"}, "gate"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_said_in_place_of_figures(query: dict[str, str], said: str) -> None:
    at = page(**query)
    assert said in errors(at)
    assert not at.metric


def test_after_a_mistake_the_last_figures_stay() -> None:
    at = page()
    before = cards(at)
    at.session_state["train:inputs"]["zero"] = "2"
    at.session_state["train:touched"] = True
    at.run()
    assert "ZeRO 2" in errors(at)
    assert cards(at) == before


def test_the_effective_batch_counts_every_gpu() -> None:
    at = page(gpus="8", micro="2", accumulation="4")
    assert cards(at)["Effective batch"] == "64"


@pytest.mark.parametrize("view", ["phases", "why", "share"])
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_every_view_of_every_method_speaks_chinese(method: str, view: str) -> None:
    at = page(method=method, view=view, lang="zh")
    assert text("train_page.title", "zh") in [title.value for title in at.title]
    shown = " ".join(str(element.value) for element in [*at.markdown, *at.caption])
    assert "train_page." not in shown


def test_the_parts_come_with_their_formulas() -> None:
    at = page(view="why")
    table = next(element.value for element in at.markdown if "| **Weights**" in element.value)
    assert "151,936 words" in table
    assert table.count("\n") == 9
