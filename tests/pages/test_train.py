"""The Train page, without a browser."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from core.api import TrainRequest, training_of
from core.api.requests import parse_as
from core.api.training_claims import Checked, checked_claims
from core.memory.training import TrainingRun, size_training
from core.planning.fragments import FRAGMENTS
from core.planning.training_advice import advised, every_lever
from core.planning.training_start import guide_advice
from core.text import text
from pages.parts.train_fields import FIELDS, VIEWS
from pages.parts.train_guides import link_of
from pages.parts.training import differences, request_of
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


@pytest.mark.parametrize("view", VIEWS)
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


RUNS = {
    "full on one GPU": {"method": "full", "micro": 4},
    "full on eight GPUs": {"method": "full", "gpus": 8, "micro": 4, "checkpointing": "none"},
    "LoRA with eager attention": {"flash": False, "checkpointing": "none", "micro": 2},
    "QLoRA of two targets": {"method": "qlora", "targets": "q,v", "micro": 8, "checkpointing": "none"},
    "mixture of experts": {"model": "Qwen/Qwen3-30B-A3B", "method": "full", "gpus": 16, "gpu": "h200-sxm"},
}


def run_of(values: dict[str, Any]) -> TrainingRun:
    return training_of(parse_as(TrainRequest, request_of(values)))


@pytest.mark.parametrize("name", RUNS)
def test_every_button_makes_the_run_whose_figures_it_shows(name: str) -> None:
    values = {field: spec.default for field, spec in FIELDS.items()} | RUNS[name]
    run = run_of(values)
    found = advised(run)
    offered = [one for one in (found.best, found.wider, *found.single, *every_lever(run)) if one]
    assert len(offered) > 5
    for one in offered:
        after = run_of(values | differences(run, one.run))
        assert size_training(after).process == pytest.approx(one.memory.process), one.changes
        assert after.layout == one.run.layout
        assert after.accumulation == one.run.accumulation


def test_following_the_advice_makes_a_full_training_fit() -> None:
    at = page(method="full", gpus="8", micro="4", checkpointing="none")
    assert cards(at)["Fits"] == "No"
    at.button(key="train_apply_best").click().run()
    assert cards(at)["Fits"] in {"Yes", "Perhaps"}
    assert not [button for button in at.button if button.key == "train_apply_best"]


def test_deepseek_v3_does_not_fit_eight_gpus_and_the_page_says_what_would_hold_it() -> None:
    at = page(model="deepseek-ai/DeepSeek-V3", gpu="h200-sxm", gpus="8", method="full")
    assert cards(at)["Fits"] == "No"
    assert any("8 GPUs" in caption.value and "This would" in caption.value for caption in at.caption)
    at.button(key="train_apply_best").click().run()
    assert cards(at)["Fits"] in {"Yes", "Perhaps"}
    assert at.select_slider(key="train_gpus").value >= 32


def test_time_and_cost_grow_with_the_epochs() -> None:
    assert cards(page(epochs="1"))["Time"] != cards(page(epochs="6"))["Time"]
    at = page(view="time")
    table = next(element.value for element in at.markdown if "MFU of the run" in element.value)
    assert "Whole run" in table
    assert any("16-bit peak" in caption.value for caption in at.caption)


@pytest.mark.parametrize("claim", checked_claims(), ids=lambda one: one.claim.id)
def test_the_link_of_a_claim_opens_its_run(claim: Checked) -> None:
    said = dict(parse_qsl(urlsplit(link_of(claim.run)).query))
    values = {name: spec.default for name, spec in FIELDS.items()}
    values |= {name: FIELDS[name].parse(given) for name, given in said.items() if name in FIELDS}
    run = run_of(values)
    assert size_training(run).process == pytest.approx(size_training(claim.run).process)


def test_the_guides_stand_beside_our_figures() -> None:
    at = page(view="guides", gpus="2")
    cells = [element.value for element in at.markdown if "badge[" in element.value]
    assert len(cells) == len(checked_claims()) + len(guide_advice())
    assert "lang=en" in cells[0]
    assert any("16 sequences a step" in cell for cell in cells)


@pytest.mark.parametrize("program", FRAGMENTS)
def test_every_config_can_be_copied(program: str) -> None:
    at = page(view="config", program=program)
    assert len(at.code) == 1
    assert not at.warning


def test_a_config_says_what_it_cannot_carry() -> None:
    at = page(view="config", program="peft", pp="2", gpus="2")
    assert "pipeline stages" in at.warning[0].value
