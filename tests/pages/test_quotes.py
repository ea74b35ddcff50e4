"""The Quotes page, without a browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.store import open_store
from core.text import text
from pages.parts.quotes_fields import VIEWS
from tests.conftest import ROOT

CSV = (
    "Vendor,GPU model,Servers,GPUs per server,Unit price,Price per,Billing period,Currency\n"
    "Acme,A100 SXM 80GB,4,8,158000,node,once,USD\n"
    "Beta,H100,2,8,abc,gpu,hour,USD\n"
    "Gamma,H900,2,8,2.5,gpu,hour,USD\n"
    "Delta,L40S,2,8,0.9,gpu,hour,EUR\n"
)


def page(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages/main.py"), default_timeout=60)
    at.run()
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("quotes.py").run()
    assert not at.exception
    return at


def cards(at: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in at.metric}


def compared(at: AppTest) -> Any:
    return next(frame.value for frame in at.dataframe if "present" in frame.value.columns)


def rows(at: AppTest) -> list[dict[str, str]]:
    found: list[dict[str, str]] = at.session_state["quotes:current"]
    return found


def with_rows(at: AppTest, wanted: list[dict[str, str]]) -> None:
    at.session_state["quotes:current"] = wanted
    at.session_state["quotes:generation"] = 7
    at.run()


def figure(at: AppTest) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(at.get("bidi_component")[0].proto.bytes)
    return spec


def messages(at: AppTest) -> str:
    return " ".join(
        str(one.value) for kind in ("error", "warning", "markdown", "caption") for one in at.get(kind)
    )


def upload(at: AppTest, content: str = CSV) -> AppTest:
    at.file_uploader[0].upload("three.csv", content.encode(), "text/csv").run()
    assert not at.exception
    return at


def opened_import(at: AppTest) -> AppTest:
    at.session_state["quotes_import"] = True
    return at.run()


def test_opens_with_a_full_answer_for_three_examples() -> None:
    at = page()
    assert [row["name"].startswith("Example") for row in rows(at)] == [True] * 3
    assert set(cards(at)) == {"Cheapest per million tokens", "Cheapest GPU-hour", "Break-even", "How sure"}
    assert cards(at)["Cheapest per million tokens"].startswith("$")
    assert cards(at)["Break-even"].startswith("month")
    assert not at.error


def test_the_cheapest_that_serves_the_load_is_first_and_who_cannot_says_why() -> None:
    at = page()
    table = compared(at)
    assert list(table["serves"]) == ["serves it", "serves it", "too small, takes 8 nodes"]
    assert table["tokens"][0] < table["tokens"][1]
    assert "too small for the load" in messages(at)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_view_is_drawn(view: str, lang: str) -> None:
    at = page(view=view, lang=lang)
    assert at.title[0].value == text("quotes_page.title", lang)
    assert len(at.get("bidi_component")) == int(view in {"time", "load", "mix", "decides", "chances"})


def test_figures_say_what_they_show() -> None:
    assert "in month" in figure(page())["alt"]
    assert "at 10 % and at 100 %" in figure(page(view="load"))["alt"]


def test_a_larger_load_changes_who_serves_it() -> None:
    assert "serves it" in list(compared(page())["serves"])
    at = page(rate="90000000")
    assert "serves it" not in list(compared(at)["serves"])
    assert "fewer than two quotes serve the load" in messages(at)


def test_a_model_that_nobody_holds_is_told_with_the_reason() -> None:
    at = page(model="deepseek-ai/DeepSeek-V3")
    with_rows(at, [row for row in rows(at) if row["gpu"] == "t4"])
    assert cards(at)["Cheapest per million tokens"] == "–"
    assert "does not run the model" in messages(at)


def test_an_assumption_changes_the_costs_and_is_in_the_address() -> None:
    before = compared(page())
    at = page(horizon_months="60", discount_rate="0", place="de")
    after = compared(at)
    assert "60 months" in messages(at)
    assert before["present"][0] < after["present"][0]


def test_a_quote_that_is_too_small_says_how_many_nodes_it_takes_and_their_cost() -> None:
    """64 T4s in nodes of eight, at 7.824 USD an hour each."""
    found = " ".join(str(one.value) for one in page().warning)
    assert "It takes 8 nodes instead of 2: \\$548,306 a year" in found
    assert not found.startswith("-")


def mix_table(at: AppTest) -> dict[str, list[str]]:
    """Return the rows of the table of the mix by their names."""
    frame = at.table[0].value
    return {str(name): list(cells) for name, cells in zip(frame.index, frame.to_numpy(), strict=True)}


def with_a_term(**query: str) -> AppTest:
    """Return the page with an instance on demand and the same for a term."""
    at = page(view="mix", **query)
    listed = {**rows(at)[0], "name": "By the hour"}
    with_rows(
        at, [listed, {**listed, "name": "Term", "kind": "reserved", "price": "15", "commitment_months": "36"}]
    )
    return at


def test_a_term_and_the_busy_hours_are_one_row_beside_the_quotes() -> None:
    at = with_a_term()
    table = mix_table(at)
    assert set(table) == {
        "**This mix**",
        "Term, for the busiest hour, all day",
        "By the hour, only in the hours that need it",
        "Term",
        "By the hour",
    }
    present = {name: float(cells[3].replace("\\$", "").replace(",", "")) for name, cells in table.items()}
    assert present["**This mix**"] == min(present.values())
    assert "Keep **1** of Term all day and run up to **1** of By the hour" in messages(at)
    assert "all day" in figure(at)["alt"]


def test_the_nodes_that_are_kept_can_be_chosen_and_are_in_the_address() -> None:
    at = with_a_term(kept="0")
    assert "Keep none" in messages(at)
    assert "Keeping 1 costs" in messages(at)
    at.number_input(key="quotes_kept").set_value(2).run()
    assert "nothing more is needed" in messages(at)
    assert at.query_params["kept"] in ("2", ["2"])


def test_without_a_rent_by_the_hour_the_mix_says_what_it_takes() -> None:
    at = page(view="mix")
    with_rows(at, [row for row in rows(at) if row["kind"] == "purchase"])
    assert "takes a rent by the hour" in " ".join(str(one.value) for one in at.info)


def test_a_place_has_its_own_range_of_tariffs_or_says_that_none_is_known() -> None:
    def opened(place: str) -> str:
        at = page(place=place)
        at.session_state["quotes_group_assumed"] = True
        return messages(at.run())

    assert "0.1004 · typical 0.2052 · 0.2765" in opened("de")
    assert "in Japan is not known" in opened("jp")


def test_an_assumption_outside_its_limits_is_refused_with_its_name() -> None:
    assert "pue=0.2" in messages(page(pue="0.2"))


def test_start_empty_asks_for_a_quote() -> None:
    at = page()
    at.button(key="quotes_empty").click().run()
    assert rows(at) == []
    assert not at.metric
    assert "No quote yet" in " ".join(str(one.value) for one in at.info)


def test_a_list_price_is_added() -> None:
    at = page()
    at.number_input(key="quotes_nodes").set_value(3).run()
    at.button(key="quotes_add").click().run()
    assert len(rows(at)) == 4
    assert rows(at)[3]["nodes"] == "3"
    assert len(compared(at)) == 4


def test_a_row_that_is_wrong_keeps_what_was_typed_and_the_others_count() -> None:
    at = page()
    bad = {"name": "Mine", "gpu": "A100", "price": "two dollars and a bit", "kind": "on_demand"}
    with_rows(at, [*rows(at), bad])
    assert rows(at)[3] == bad
    assert len(compared(at)) == 3
    assert "Row 4, Price" in messages(at)


def test_a_file_shows_its_columns_and_what_is_wrong_by_line() -> None:
    at = upload(opened_import(page()))
    mapping = {box.label: box.value for box in at.selectbox}
    assert mapping["Unit price"] == "price"
    assert mapping["Vendor"] == "source"
    told = messages(at)
    assert "Line 3, column 'Unit price'" in told
    assert "Line 4, column 'GPU model'" in told
    assert "H900" in told


def test_rows_of_a_file_come_into_the_table_the_bad_ones_as_they_stood() -> None:
    at = upload(opened_import(page()))
    at.button(key="quotes_replace").click().run()
    found = rows(at)
    assert [row["gpu"] for row in found] == ["a100-sxm-80", "H100", "H900", "l40s"]
    assert found[1]["price"] == "abc"
    assert found[3]["usd_rate"] == "1.08"
    assert found[1]["notes"] == "three.csv: Line 3"
    assert at.session_state["quotes:originals"] == {"three.csv": CSV.encode()}
    assert len(compared(at)) == 2


def test_the_file_is_kept_with_what_is_saved() -> None:
    at = upload(opened_import(page()))
    at.button(key="quotes_append").click().run()
    assert len(rows(at)) == 7
    at.text_input(key="quotes_work_name").set_value("With file").run()
    at.button(key="quotes_work_save").click().run()
    work = at.session_state["quotes:work"]
    assert open_store().attachment(work.id, "three.csv").content == CSV.encode()


def test_two_headers_cannot_be_one_column() -> None:
    at = upload(opened_import(page()))
    next(box for box in at.selectbox if box.label == "Vendor").set_value("price").run()
    assert "same column" in messages(at)
    assert not [button for button in at.button if button.key == "quotes_append"]


def test_a_file_that_is_no_table_is_refused_and_the_page_stays() -> None:
    at = upload(opened_import(page()), "%PDF-1.7 nothing")
    assert at.error
    assert at.metric


def test_saved_quotes_are_found_by_their_link() -> None:
    first = page(rate="900000")
    first.button(key="quotes_add").click().run()
    first.text_input(key="quotes_work_name").set_value("Autumn round").run()
    first.button(key="quotes_work_save").click().run()
    assert not first.exception
    work = first.query_params["work"]
    second = page(work=work if isinstance(work, str) else work[0])
    assert rows(second) == rows(first)
    assert second.number_input(key="quotes_rate").value == 900_000
    assert second.text_input(key="quotes_work_name").value == "Autumn round"
    assert cards(second) == cards(first)
    assert "Everything is saved" in messages(second)


def saved(name: str = "Autumn round") -> AppTest:
    at = page()
    at.text_input(key="quotes_work_name").set_value(name).run()
    at.button(key="quotes_work_save").click().run()
    return at


def test_a_conflict_keeps_both_versions() -> None:
    at = saved()
    store = open_store()
    mine = at.session_state["quotes:work"]
    theirs = store.update(mine.id, mine.version, notes="by a colleague")
    at.number_input(key="quotes_rate").set_value(5_000_000).run()
    at.button(key="quotes_work_save").click().run()
    assert "after you opened it" in " ".join(str(one.value) for one in at.error)
    at.button(key="quotes_work_keep_mine").click().run()
    assert not at.error
    kept = store.get(at.session_state["quotes:work"].id)
    assert (kept.name, kept.content["inputs"]["rate"]) == ("Autumn round (copy)", "5000000")
    assert store.get(mine.id).version == theirs.version


def test_the_other_version_of_a_conflict_can_be_loaded() -> None:
    at = saved()
    mine = at.session_state["quotes:work"]
    content = {**mine.content, "inputs": {**mine.content["inputs"], "rate": "123"}}
    open_store().update(mine.id, mine.version, content=content)
    at.number_input(key="quotes_rate").set_value(5_000_000).run()
    at.button(key="quotes_work_save").click().run()
    at.button(key="quotes_work_theirs").click().run()
    assert at.number_input(key="quotes_rate").value == 123
    assert not at.error


def test_an_unknown_work_is_told() -> None:
    at = page(work="2222222222222222")
    assert "No saved work" in messages(at)
    assert at.metric


def test_saved_quotes_are_listed_duplicated_deleted_and_brought_back() -> None:
    at = saved()
    at.session_state["quotes_group_saved"] = True
    at.run()
    id_ = at.session_state["quotes:work"].id
    at.button(key=f"quotes_work_duplicate_{id_}").click().run()
    assert at.session_state["quotes:work"].name == "Autumn round (copy)"
    at.button(key=f"quotes_work_delete_{id_}").click().run()
    assert [one.name for one in open_store().listed("quotes").items] == ["Autumn round (copy)"]
    at.button(key="quotes_work_undo").click().run()
    assert open_store().listed("quotes").count == 2
    at.button(key=f"quotes_work_add_here_{id_}").click().run()
    assert len(rows(at)) == 6


def test_a_page_of_the_list_that_is_gone_shows_the_last_one() -> None:
    store = open_store()
    for place in range(21):
        store.save("quotes", f"work {place}", {"rows": []})
    store.close()
    at = page()
    at.session_state["quotes_work_page"] = 5
    at.session_state["quotes_group_saved"] = True
    at.run()
    assert not at.exception
    assert at.session_state["quotes_work_page"] == 2
    (line,) = [one.label for one in at.button if str(one.key).startswith("quotes_work_open_")]
    assert line == "work 0"
