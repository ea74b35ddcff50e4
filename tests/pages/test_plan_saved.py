"""Saved plans on the Plan page, without a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
from streamlit.testing.v1 import AppTest

from core.store import Saved, open_store
from core.text import text
from tests.configs import LLAMA
from tests.conftest import free_port
from tests.pages.test_plan import TRACE, best, cards, errors, page, small


def saving(at: AppTest, name: str = "Chat, 2027", notes: str = "") -> AppTest:
    at.session_state["plan_group_saved"] = True
    at.run()
    at.text_input(key="plan_work_name").set_value(name).run()
    at.text_area(key="plan_work_notes").set_value(notes).run()
    press(at, "plan_work_save")
    return at


def press(at: AppTest, key: str) -> None:
    at.button(key=key).click().run()
    assert not at.exception


def work(at: AppTest) -> Saved:
    found: Saved = at.session_state["plan:work"]
    return found


def query(at: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()}


def said(at: AppTest) -> str:
    kinds = ("error", "warning", "success", "info", "caption")
    return " ".join(str(one.value) for kind in kinds for one in at.get(kind))


def names(kind: str = "plan") -> list[str]:
    return [one.name for one in open_store().listed(kind).items]  # type: ignore[arg-type]


def keys(at: AppTest) -> set[str | None]:
    return {button.key for button in at.button}


def test_the_store_is_not_opened_before_somebody_looks(data_folder: Path) -> None:
    small()
    assert not list(data_folder.iterdir())


def test_a_saved_plan_is_found_by_its_link() -> None:
    more = {"rate": "90", "unit": "second", "ttft": "300", "share": "p95", "kv": "fp8", "spare": "1"}
    first = small(**more)
    first.selectbox(key="plan_chosen").select_index(1).run()
    saving(first, notes="as agreed")
    assert "Everything is saved" in said(first)
    assert query(first) == {"work": work(first).id}, "the link is short while nothing is changed"
    second = page(work=work(first).id)
    assert cards(second) == cards(first)
    assert best(second) == best(first)
    assert second.selectbox(key="plan_unit").value == "second"
    assert "every number is the same" in said(second)
    second.session_state["plan_group_saved"] = True
    second.run()
    assert second.text_input(key="plan_work_name").value == "Chat, 2027"
    assert second.text_area(key="plan_work_notes").value == "as agreed"
    assert "Everything is saved" in said(second)


def test_what_is_saved_is_a_plan_json_with_its_data() -> None:
    saved = work(saving(small(rate="90", unit="second")))
    assert saved.content["format"] == "llm-deployment-planner/plan"
    assert saved.content["request"]["requests_per_second"] == 90
    assert saved.data_version == saved.content["data"]["sha256"]


def test_a_change_goes_before_what_was_saved_also_back_to_a_default() -> None:
    first = saving(small(kv="fp8", rate="90000"))
    first.number_input(key="plan_rate").set_value(450_000).run()
    assert query(first) == {"work": work(first).id, "rate": "450000"}
    assert "not saved" in said(first)
    second = page(**query(first))
    assert second.number_input(key="plan_rate").value == 450_000
    assert cards(second) == cards(first)
    first.session_state["plan_group_formats"] = True
    first.run()
    first.multiselect(key="plan_kv").set_value([]).run()
    assert query(first)["kv"] == ""
    third = page(**query(first))
    assert cards(third) == cards(first)
    assert not third.warning, "an input that was emptied is no fault of the link"


def test_the_link_to_share_leads_to_the_saved_plan_with_what_was_changed() -> None:
    at = saving(small(kv="fp8", view="share"))
    at.number_input(key="plan_rate").set_value(900_000).run()
    link = dict(parse_qsl(str(at.code[0].value).partition("?")[2]))
    assert (link["work"], link["rate"], link["kv"]) == (work(at).id, "900000", "fp8")
    assert cards(page(**link)) == cards(at)


def test_a_config_and_a_trace_of_ones_own_are_saved_too() -> None:
    at = small(source="config")
    at.text_area(key="size_pasted").set_value(json.dumps(LLAMA)).run()
    at.session_state["plan_group_trace"] = True
    at.run()
    at.get("file_uploader")[1].set_value(("mine.csv", TRACE.encode(), "text/csv")).run()
    saving(at)
    other = page(work=work(at).id)
    assert cards(other) == cards(at)
    assert other.number_input(key="plan_rate").disabled


def test_newer_data_are_told() -> None:
    saved = work(saving(small()))
    content = orjson.loads(orjson.dumps(saved.content))
    content["data"]["files"]["hardware_db/offers.csv"] = "0" * 64
    content["plan"]["usd_per_month"] += 1000
    open_store().update(saved.id, saved.version, content=content)
    at = page(work=saved.id)
    assert "offers.csv" in said(at)
    assert "per\\_month" in said(at)


def test_the_plan_that_was_best_is_shown_where_another_is_now() -> None:
    at = small()
    saving(at)
    other = str(at.dataframe[0].value["plan"][1])
    saved, plans = work(at), work(at).content["plans"]
    content = {**saved.content, "chosen": plans[1]["id"], "plan": plans[1]}
    open_store().update(saved.id, saved.version, content=content)
    again = page(work=saved.id)
    assert best(again).startswith(other)
    assert "Chosen plan" in best(again)
    assert query(again) == {"work": saved.id}


def test_saved_again_it_is_the_next_version() -> None:
    at = saving(small())
    at.number_input(key="plan_rate").set_value(900_000).run()
    press(at, "plan_work_save")
    assert (work(at).version, names()) == (2, ["Chat, 2027"])
    assert open_store().get(work(at).id).content["request"]["requests_per_day"] == 900_000
    assert not at.sidebar.error


def test_a_new_name_leaves_the_numbers() -> None:
    at = saving(small())
    created = work(at).content["created"]
    at.text_input(key="plan_work_name").set_value("Renamed").run()
    press(at, "plan_work_rename")
    assert (work(at).name, work(at).content["created"], names()) == ("Renamed", created, ["Renamed"])
    assert "Everything is saved" in said(at)


def test_without_a_name_nothing_is_saved() -> None:
    at = saving(small(), name=" ")
    assert "Give it a name" in errors(at)
    assert not names()


def test_what_cannot_be_planned_is_not_saved() -> None:
    at = saving(small(input="5000000"))
    assert "nothing to save" in errors(at)
    assert not names()


def conflict() -> tuple[AppTest, Saved]:
    """Return a page that could not save its change, and what somebody else saved."""
    at = saving(small())
    mine = work(at)
    request = {**mine.content["request"], "requests_per_day": 123_000.0}
    theirs = open_store().update(mine.id, mine.version, content={**mine.content, "request": request})
    at.number_input(key="plan_rate").set_value(5_000_000).run()
    press(at, "plan_work_save")
    assert "after you opened it" in errors(at)
    return at, theirs


def test_a_conflict_keeps_both_versions() -> None:
    at, theirs = conflict()
    press(at, "plan_work_keep_mine")
    assert not at.sidebar.error
    assert sorted(names()) == ["Chat, 2027", "Chat, 2027 (copy)"]
    assert open_store().get(theirs.id) == theirs
    assert work(at).content["request"]["requests_per_day"] == 5_000_000
    assert query(at) == {"work": work(at).id}


def test_the_other_version_of_a_conflict_can_be_loaded() -> None:
    at, theirs = conflict()
    press(at, "plan_work_theirs")
    assert at.number_input(key="plan_rate").value == 123_000
    assert work(at).version == theirs.version
    assert not at.sidebar.error


def test_plans_are_listed_searched_and_opened() -> None:
    at = saving(small(), "First", notes="for the auditors")
    press(at, "plan_work_close")
    at.number_input(key="plan_rate").set_value(900_000).run()
    saving(at, "Second")
    ids = [one.id for one in open_store().listed("plan").items]
    shown = [str(key) for button in at.button if (key := button.key) and key.startswith("plan_work_open_")]
    assert shown == [f"plan_work_open_{id_}" for id_ in ids], "the newest first"
    at.text_input(key="plan_work_search").set_value("AUDITORS").run()
    assert f"plan_work_open_{ids[0]}" not in keys(at)
    press(at, f"plan_work_open_{ids[1]}")
    assert at.number_input(key="plan_rate").value == 450_000
    assert at.text_input(key="plan_work_name").value == "First"
    assert query(at) == {"work": ids[1]}


def test_a_plan_is_duplicated_deleted_and_brought_back() -> None:
    at = saving(small())
    id_ = work(at).id
    press(at, f"plan_work_duplicate_{id_}")
    copy = work(at).id
    assert (work(at).name, copy == id_) == ("Chat, 2027 (copy)", False)
    press(at, f"plan_work_delete_{copy}")
    assert names() == ["Chat, 2027"]
    assert "plan:work" not in at.session_state
    assert "work" not in at.query_params
    assert query(at)["models"] == "Qwen/Qwen3-8B", "what was shown stays"
    press(at, "plan_work_undo")
    assert len(names()) == 2
    assert "plan_work_undo" not in keys(at)


def test_saved_plans_stand_beside_those_of_today() -> None:
    at = saving(small(), "Before")
    words = best(at).split(" :")[0]
    at.number_input(key="plan_rate").set_value(9_000_000).run()
    press(at, f"plan_work_beside_{work(at).id}")
    table: Any = at.table[0].value
    assert table.shape[1] == 3
    column = table[table.columns[2]]
    assert words in table.columns[2]
    assert column["GPUs"] == str(work(at).content["plan"]["gpus"])
    assert "$" in column["US dollars a month"]
    assert "ms" in column["P99 TTFT"]
    assert "with the data of today" in column[text("saved.saved_on")]
    assert table[table.columns[0]][text("saved.saved_on")] == "now"
    again = page(**query(at))
    assert list(again.table[0].value.columns) == list(table.columns)


def test_a_plan_that_is_gone_leaves_the_comparison() -> None:
    at = small(view="compare", beside="2222222222222222")
    assert "No saved work" in said(at)
    assert at.table[0].value.shape[1] == 2


@pytest.mark.parametrize("id_", ["2222222222222222", "../etc", "x"])
def test_an_unknown_link_is_told_and_the_page_answers(id_: str) -> None:
    at = small(work=id_)
    assert "No saved work" in said(at)
    assert cards(at)["GPUs"]
    assert "work" not in at.query_params


def test_work_of_another_page_is_told() -> None:
    other = open_store().save("quotes", "Autumn", {"format": "quotes/1"})
    at = small(work=other.id)
    assert "'Autumn' belongs to another page" in said(at)
    assert cards(at)["GPUs"]


@pytest.mark.parametrize("content", [{}, {"format": "else"}, {"format": "llm-deployment-planner/plan"}])
def test_a_saved_plan_that_is_broken_changes_nothing(content: dict[str, Any]) -> None:
    at = small(work=open_store().save("plan", "Broken", content).id)
    assert len(at.warning) == 1
    assert cards(at)["GPUs"]


@pytest.mark.parametrize("where", ["folder", "database"])
def test_without_a_store_the_page_works(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if where == "folder":
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("PLANNER_DATA", str(tmp_path / "file/below"))
    else:
        monkeypatch.setenv("DATABASE_URL", f"postgresql://u:p@127.0.0.1:{free_port()}/n")
    at = small()
    assert not at.error
    at.session_state["plan_group_saved"] = True
    at.run()
    assert not at.exception
    assert len(at.error) == len(at.sidebar.error) == 1
    assert at.get("file_uploader"), "a plan.json can still be loaded"
    assert cards(at)["GPUs"]
    monkeypatch.setenv("PLANNER_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    at.number_input(key="plan_rate").set_value(900_000).run()
    assert at.sidebar.error, "not asked again at each change"
    press(at, "plan_work_again_list")
    assert not at.error
    saving(at)
    assert names() == ["Chat, 2027"]


def test_a_link_without_a_store_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLANNER_DATA", str(tmp_path / "file/below"))
    at = small(work="2222222222222222")
    assert "PLANNER_DATA" in said(at)
    assert cards(at)["GPUs"]


def test_speaks_chinese() -> None:
    at = saving(small(lang="zh"))
    assert text("saved.all_saved", "zh") in said(at)
    assert query(at)["lang"] == "zh"
