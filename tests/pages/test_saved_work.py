"""What all pages that save work share: scenarios, comparisons, and a store that is away."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.store import Saved, open_store
from core.store.opening import CONNECT_S
from core.text import text
from pages.parts import saved_store
from tests.conftest import free_port, silent
from tests.pages import test_plan as plan
from tests.pages import test_quotes as quotes
from tests.pages.test_plan_saved import names, press, query, said


def listed(at: AppTest, page: str) -> AppTest:
    at.session_state[f"{page}_group_saved"] = True
    at.run()
    assert not at.exception
    return at


def named(at: AppTest, page: str, name: str, button: str = "save") -> AppTest:
    at.text_input(key=f"{page}_work_name").set_value(name).run()
    press(at, f"{page}_work_{button}")
    return at


def newest(kind: str) -> Saved:
    store = open_store()
    return store.get(store.listed(kind).items[0].id)  # type: ignore[arg-type]


def tables(at: AppTest) -> list[dict[str, list[str]]]:
    """Return the rows of each table that is drawn, by their labels."""
    return [
        {
            str(label): [str(cell) for cell in row]
            for label, row in zip(one.value.index, one.value.values, strict=True)
        }
        for one in at.table
    ]


def test_a_scenario_of_quotes_is_applied_to_a_plan() -> None:
    at = quotes.page(rate="900000", input="1234", tpot="40", usd_kwh="0.31")
    named(at, "quotes", "Dear power", "scenario")
    assert "Dear power" in said(at)
    assert "quotes:work" not in at.session_state, "what is shown is not saved by it"
    other = listed(plan.small(e2e="9", input_p95="2000", preset="chat"), "plan")
    press(other, f"plan_work_open_{newest('scenario').id}")
    assert other.number_input(key="plan_rate").value == 900_000
    assert other.number_input(key="plan_input").value == 1234
    assert other.session_state["plan:inputs"]["models"] == "Qwen/Qwen3-14B"
    assert {"e2e", "input_p95", "preset"}.isdisjoint(other.session_state["plan:inputs"])
    assert "Not taken" in said(other)
    assert "Electricity, USD/kWh" in said(other)
    assert "work" not in query(other)
    assert not other.error


def test_a_scenario_of_a_plan_is_applied_to_quotes_whose_assumptions_stay() -> None:
    at = listed(plan.page(models="Qwen/Qwen3-8B,Qwen/Qwen3-14B", rate="90", unit="second", e2e="20"), "plan")
    named(at, "plan", "Two models", "scenario")
    other = listed(quotes.page(usd_kwh="0.31", tpot="40"), "quotes")
    before = quotes.rows(other)
    press(other, f"quotes_work_open_{newest('scenario').id}")
    assert other.number_input(key="quotes_rate").value == 90
    assert other.selectbox(key="quotes_unit").value == "second"
    assert other.selectbox(key="quotes_model").value == "Qwen/Qwen3-8B"
    assert other.session_state["quotes:inputs"]["usd_kwh"] == 0.31
    assert "tpot" not in other.session_state["quotes:inputs"], (
        "the scenario says that there is no such target"
    )
    assert quotes.rows(other) == before
    assert "Qwen/Qwen3-14B" in said(other)
    assert "Whole request, s" in said(other)


def test_a_scenario_keeps_what_is_open_and_is_replaced_by_other_inputs() -> None:
    at = named(listed(quotes.page(), "quotes"), "quotes", "Autumn")
    opened = at.session_state["quotes:work"].id
    named(at, "quotes", "Base", "scenario")
    assert at.session_state["quotes:work"].id == opened
    scenario = newest("scenario")
    at.number_input(key="quotes_rate").set_value(7).run()
    press(at, f"quotes_work_replace_{scenario.id}")
    assert newest("scenario").content["inputs"]["rate"] == "7"
    assert newest("scenario").version == 2
    # The list of this session is drawn, somebody else saves, and the click comes after that.
    open_store().update(scenario.id, 2, notes="by a colleague")
    press(at, f"quotes_work_replace_{scenario.id}")
    assert "after you opened it" in said(at)
    assert "quotes_work_keep_mine" not in {button.key for button in at.button}, "what is open was not lost"


def test_a_scenario_with_a_trace_is_refused_and_one_replaces_a_trace() -> None:
    at = listed(plan.small(), "plan")
    named(at, "plan", "Base", "scenario")
    at.session_state["plan_group_trace"] = True
    at.run()
    at.get("file_uploader")[0].set_value(("mine.csv", plan.TRACE.encode(), "text/csv")).run()
    press(at, "plan_work_scenario")
    assert "Remove the trace" in said(at)
    press(at, f"plan_work_open_{newest('scenario').id}")
    assert not at.number_input(key="plan_rate").disabled


def test_a_scenario_has_a_link_too() -> None:
    named(quotes.page(rate="900000"), "quotes", "Base", "scenario")
    at = quotes.page(work=newest("scenario").id)
    assert at.number_input(key="quotes_rate").value == 900_000
    assert query(at) == {"rate": "900000"}


def test_a_scenario_that_is_broken_changes_nothing() -> None:
    saved = open_store().save("scenario", "Broken", {"inputs": 3})
    at = quotes.page(work=saved.id)
    assert "no scenario that can be applied" in said(at)
    assert at.metric


def test_a_default_that_was_set_again_after_opening_survives_a_reload() -> None:
    first = named(quotes.page(rate="900000", tpot="40"), "quotes", "Autumn")
    assert query(first) == {"work": first.session_state["quotes:work"].id}
    first.number_input(key="quotes_rate").set_value(1_500_000).run()
    first.number_input(key="quotes_tpot").set_value(None).run()
    assert query(first)["rate"] == "1500000"
    second = quotes.page(**query(first))
    assert second.number_input(key="quotes_rate").value == 1_500_000
    assert second.number_input(key="quotes_tpot").value is None
    assert quotes.cards(second) == quotes.cards(first)
    assert "not saved" in said(second)
    press(second, "quotes_work_save")
    assert "rate" not in query(second)
    assert quotes.page(**query(second)).number_input(key="quotes_rate").value == 1_500_000


def test_notes_are_kept_with_quotes_and_a_new_name_leaves_the_rest() -> None:
    at = quotes.page()
    at.text_area(key="quotes_work_notes").set_value("for the auditors").run()
    named(at, "quotes", "Autumn")
    assert newest("quotes").notes == "for the auditors"
    content = newest("quotes").content
    at.text_input(key="quotes_work_name").set_value("Winter").run()
    press(at, "quotes_work_rename")
    assert (names("quotes"), newest("quotes").content) == (["Winter"], content)
    assert "Everything is saved" in said(at)


def test_plans_are_compared_by_results_and_by_the_inputs_that_differ() -> None:
    at = named(listed(plan.small(), "plan"), "plan", "Now")
    at.number_input(key="plan_rate").set_value(9_000_000).run()
    at.text_input(key="plan_work_name").set_value("Later").run()
    press(at, "plan_work_save_copy")
    press(at, "plan_work_compare")
    results, inputs = tables(at)
    assert inputs == {text("plan_page.rate"): ["9000000", "450000"]}
    gpus = [int(cell.replace(",", "")) for cell in results[text("plan_page.column.gpus")]]
    assert gpus[0] > gpus[1]
    assert results[text("saved.today_row")] == [text("saved.again_same")] * 2
    assert all("with the data of today" in cell for cell in results[text("saved.data_row")])


def test_what_todays_data_change_is_told_for_each() -> None:
    at = named(listed(plan.small(), "plan"), "plan", "Now")
    saved = newest("plan")
    content = {**saved.content, "plan": {**saved.content["plan"], "usd_per_month": 1.0}}
    open_store().save("plan", "Then", content)
    press(at.run(), "plan_work_compare")
    results, *inputs = tables(at)
    assert results[text("saved.today_row")] == [text("saved.again_same"), text("saved.again_other")]
    assert not inputs
    assert text("saved.same_inputs") in " ".join(str(one.value) for one in at.markdown)
    assert "usd\\_per\\_month" in " ".join(str(one.value) for one in at.markdown)


def test_quotes_are_compared_with_the_results_that_were_saved() -> None:
    at = named(listed(quotes.page(), "quotes"), "quotes", "Autumn")
    saved = newest("quotes")
    results = {**saved.content["results"], "tokens": [0.01, "Gone"]}
    open_store().save("quotes", "Then", {**saved.content, "results": results})
    without = {name: part for name, part in saved.content.items() if name != "results"}
    open_store().save("quotes", "Without", {**without, "rows": without["rows"][:1]})
    press(at.run(), "quotes_work_compare")
    at.multiselect(key="quotes_work_compared_quotes").set_value(
        [one.id for one in open_store().listed("quotes").items]
    )
    at.run()
    shown, inputs = tables(at)
    again = dict(
        zip(
            (one.name for one in open_store().listed("quotes").items),
            shown[text("saved.today_row")],
            strict=True,
        )
    )
    assert again == {
        "Autumn": text("saved.again_same"),
        "Then": text("saved.again_other"),
        "Without": text("saved.no_results"),
    }
    assert set(inputs) == {text("saved.quotes_row")}
    assert "0.01" in " ".join(shown[text("quotes_page.card.tokens")])


def test_scenarios_are_compared_by_what_they_assume() -> None:
    at = listed(quotes.page(), "quotes")
    named(at, "quotes", "Base", "scenario")
    at.number_input(key="quotes_rate").set_value(7).run()
    named(at, "quotes", "Few", "scenario")
    press(at, "quotes_work_compare")
    assert text("saved.two_needed") in said(at)
    at.segmented_control(key="quotes_work_kind").set_value("scenario").run()
    assert tables(at)[1] == {text("plan_page.rate"): ["7", "1500000"]}


@pytest.fixture(params=["nobody", "silent"])
def away(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database at whose address nobody listens, or one that never says a word."""
    with silent() as port:
        asked = port if request.param == "silent" else free_port()
        monkeypatch.setenv("DATABASE_URL", f"postgresql://u:secret@127.0.0.1:{asked}/n")
        yield


@pytest.mark.usefixtures("away")
def test_a_database_that_is_away_holds_the_page_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    at = quotes.page()
    began = time.monotonic()
    listed(at, "quotes")
    assert time.monotonic() - began < CONNECT_S + 2
    assert "does not answer" in said(at)
    assert "secret" not in said(at)
    began = time.monotonic()
    at.number_input(key="quotes_rate").set_value(900_000).run()
    listed(quotes.page(work="2222222222222222"), "quotes")
    named(at, "quotes", "Autumn")
    assert time.monotonic() - began < CONNECT_S, "neither this session nor another asks again"
    assert len(at.error) == 2, "the list, and what could not be saved"
    assert at.metric
    monkeypatch.delenv("DATABASE_URL")
    press(at, "quotes_work_again_told")
    assert not at.error
    press(at, "quotes_work_save")
    assert names("quotes") == ["Autumn"]


@pytest.mark.usefixtures("away")
def test_a_database_that_was_away_is_asked_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    at = listed(quotes.page(), "quotes")
    assert at.error
    monkeypatch.delenv("DATABASE_URL")
    at.run()
    assert at.error
    now = time.monotonic()
    monkeypatch.setattr(saved_store.time, "monotonic", lambda: now + saved_store.REST_S)
    at.run()
    assert not at.error
