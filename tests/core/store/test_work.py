"""All that can be done with saved work, in both databases."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import BadRequest, PlannerError
from core.planning.document import program_version
from core.store import KINDS, Attachment, Conflict, StoreUnavailable, UnknownWork
from core.store.records import (
    ATTACHMENT_LIMIT_MB,
    ATTACHMENTS,
    CONTENT_LIMIT_MB,
    KEPT_DAYS,
    MB,
    NAME_LIMIT,
    NOTES_LIMIT,
    PAGE,
)
from core.store.work import Store

CONTENT = {"request": {"model": "a/b", "ttft_s": 0.25}, "rows": [1, 2.5, None, True, "x"], "空": "é\u0000\n"}
QUOTE = Attachment("quote 报价.csv", b"gpu,price\n\x00\xff")
STRANGE = [
    "'; DROP TABLE planner_work; --",
    '"quoted" \\ back % _ /',
    "{name} {0} %s %(name)s :name ?",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "🦙 مرحبا 计划 e\u0301",
]


def test_gives_back_what_was_saved(store: Store) -> None:
    began = datetime.now(UTC)
    saved = store.save(
        "quotes", "  Offers of\tMay ", CONTENT, "two\nlines", [QUOTE], data_version="d1", by="Ada"
    )
    assert store.get(saved.id) == saved
    assert (saved.kind, saved.name, saved.notes, saved.content) == (
        "quotes",
        "Offers of May",
        "two\nlines",
        CONTENT,
    )
    assert (saved.version, saved.data_version, saved.app_version) == (1, "d1", program_version())
    assert (saved.by, saved.deleted) == ("Ada", None)
    assert began <= saved.created == saved.updated <= datetime.now(UTC)
    assert saved.created.utcoffset() == timedelta(0)
    assert saved.attachments == (QUOTE.info,)
    assert QUOTE.info.sha256 == hashlib.sha256(QUOTE.content).hexdigest()
    assert store.attachment(saved.id, QUOTE.name) == QUOTE


def test_ids_suit_links_and_differ(store: Store) -> None:
    ids = {store.save("plan", "p", {}).id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(id_) == 16 and id_.isascii() and id_.isalnum() for id_ in ids)


def test_the_hash_of_the_data_is_that_of_a_plan(store: Store) -> None:
    plan = store.save("plan", "p", {"data": {"sha256": "abc"}})
    assert plan.data_version == "abc"
    assert store.update(plan.id, 1, content={"data": {"sha256": "def"}}).data_version == "def"
    assert store.update(plan.id, 2, name="q").data_version == "def"
    assert store.save("plan", "p", {"data": 5}).data_version == ""


def test_changes_what_is_given_and_keeps_the_rest(store: Store) -> None:
    first = store.save("scenario", "a", {"x": 1}, "n", [QUOTE])
    second = store.update(first.id, 1, content={"x": 2}, by="Bo")
    assert (second.name, second.notes, second.content, second.version) == ("a", "n", {"x": 2}, 2)
    assert (second.by, second.created, second.attachments) == ("Bo", first.created, first.attachments)
    assert second.updated > first.updated
    third = store.update(first.id, 2, name="b", notes="")
    assert (third.name, third.notes, third.content, third.version) == ("b", "", {"x": 2}, 3)
    assert store.get(first.id) == third


def test_files_are_added_replaced_and_dropped(store: Store) -> None:
    saved = store.save("quotes", "a", {}, attachments=[QUOTE, Attachment("b", b"1")])
    saved = store.update(
        saved.id, 1, attach=[Attachment("b", b"22"), Attachment("c", b"3")], detach=[QUOTE.name]
    )
    assert [(file.name, file.size) for file in saved.attachments] == [("b", 2), ("c", 1)]
    assert store.attachment(saved.id, "b").content == b"22"
    for name in (QUOTE.name, "d", "\0", "\ud800", "x" * 10_000):
        with pytest.raises(UnknownWork):
            store.attachment(saved.id, name)
        with pytest.raises(UnknownWork):
            store.update(saved.id, 2, name="lost", detach=[name])
    assert store.get(saved.id) == saved


def test_too_many_files_change_nothing(store: Store) -> None:
    files = [Attachment(str(number), b"") for number in range(ATTACHMENTS)]
    saved = store.save("quotes", "a", {}, attachments=files)
    with pytest.raises(BadRequest, match="21 files"):
        store.update(saved.id, 1, name="b", attach=[Attachment("more", b"")])
    assert store.get(saved.id) == saved
    with pytest.raises(BadRequest):
        store.save("quotes", "other", {}, attachments=[*files, Attachment("more", b"")])
    assert store.listed().count == 1


def test_the_second_of_two_people_is_told(store: Store) -> None:
    saved = store.save("plan", "Chat", {"x": 0})
    theirs = store.update(saved.id, 1, content={"x": 1}, by="Ada")
    with pytest.raises(Conflict, match=r"'Chat' was saved by Ada at 20..-..-.. ..:.. UTC") as told:
        store.update(saved.id, 1, content={"x": 2}, by="Bo", attach=[QUOTE])
    assert (told.value.version, told.value.at) == (2, theirs.updated)
    assert "Ada" in told.value.sentence.render("zh")
    assert store.get(saved.id) == theirs
    with pytest.raises(Conflict):
        store.update(saved.id, 9, name="from nowhere")
    other = store.save("plan", "p", {})
    with pytest.raises(Conflict, match="somebody else"):
        store.update(other.id, 0, name="q")


def test_a_copy_is_apart(store: Store) -> None:
    saved = store.save("quotes", "a", CONTENT, "n", [QUOTE], data_version="d", by="Ada")
    copy = store.duplicate(saved.id)
    assert copy.id != saved.id
    assert (copy.name, copy.notes, copy.content, copy.version) == ("a (copy)", "n", CONTENT, 1)
    assert (copy.attachments, copy.data_version, copy.by) == (saved.attachments, "d", "")
    store.update(copy.id, 1, content={}, detach=[QUOTE.name])
    assert store.get(saved.id) == saved
    assert store.attachment(saved.id, QUOTE.name) == QUOTE
    assert store.duplicate(saved.id, "副本", by="Bo").by == "Bo"
    long = store.save("plan", "x" * NAME_LIMIT, {})
    assert len(store.duplicate(long.id).name) == NAME_LIMIT


def test_deletion_can_be_undone(store: Store) -> None:
    saved = store.save("quotes", "a", CONTENT, attachments=[QUOTE])
    token = store.delete(saved.id)
    assert store.listed().count == 0
    assert [item.id for item in store.listed(deleted=True).items] == [saved.id]
    assert store.listed(deleted=True).items[0].deleted is not None
    for refused in (
        lambda: store.get(saved.id),
        lambda: store.update(saved.id, 1, name="b"),
        lambda: store.duplicate(saved.id),
        lambda: store.delete(saved.id),
        lambda: store.attachment(saved.id, QUOTE.name),
    ):
        with pytest.raises(UnknownWork, match="'a' was deleted at"):
            refused()
    assert store.restore(token) == saved
    assert store.restore(token) == saved == store.get(saved.id)
    assert store.attachment(saved.id, QUOTE.name) == QUOTE


def test_what_was_deleted_is_forgotten_after_30_days(store: Store) -> None:
    kept, old, gone = (store.save("plan", name, {}, attachments=[QUOTE]) for name in ("kept", "old", "gone"))
    start = datetime.now(UTC)
    store.now = lambda: start
    token = store.delete(gone.id)
    store.now = lambda: start + timedelta(days=2)
    store.delete(old.id)
    store.now = lambda: start + timedelta(days=KEPT_DAYS, seconds=-1)
    store.purge()
    assert store.listed(deleted=True).count == 2
    store.now = lambda: start + timedelta(days=KEPT_DAYS, seconds=1)
    store.purge()
    assert [item.name for item in store.listed(deleted=True).items] == ["old"]
    with pytest.raises(UnknownWork, match="30 days"):
        store.restore(token)
    store.now = lambda: start + timedelta(days=100)
    store.delete(kept.id)
    assert [item.name for item in store.listed(deleted=True).items] == ["kept"]


@pytest.mark.parametrize(
    "id_", ["", "x", "1" * 16, "a\0bcdefghijklmno", "é" * 16, "' OR '1'='1' --", "../" * 9]
)
def test_an_id_that_nobody_has(store: Store, id_: str) -> None:
    store.save("plan", "p", {})
    for asked in (store.get, store.delete, store.restore, store.duplicate):
        with pytest.raises(UnknownWork) as told:
            asked(id_)
        assert told.value.field == "id"
    with pytest.raises(UnknownWork):
        store.update(id_, 1, name="x")
    assert store.listed().count == 1


def test_lists_the_newest_first_by_pages(store: Store) -> None:
    ids = [store.save(KINDS[number % 2], f"n {number}", {}).id for number in range(2 * PAGE + 5)]
    store.update(ids[0], 1, notes="again")
    newest = [ids[0], *reversed(ids[1:])]
    pages = [store.listed(page=page) for page in (1, 2, 3)]
    assert [item.id for page in pages for item in page.items] == newest
    assert {(page.count, page.pages) for page in pages} == {(45, 3)}
    assert store.listed(page=99) == store.listed(page=3)
    assert store.listed(page=0) == store.listed(page=-5) == pages[0]
    assert store.listed(kind="quotes").count == 22
    assert store.listed(kind=("quotes", "scenario")) == store.listed(kind="quotes")
    assert store.listed(kind=("plan", "quotes")) == store.listed()
    assert store.listed(kind="scenario") == store.listed(kind="scenario", page=7)
    assert store.listed(kind="scenario").items == ()


def test_searches_names_and_notes_for_all_words(store: Store) -> None:
    store.save("plan", "Größe für CHAT", {"hidden": "needle"}, "im Mai ÉTÉ")
    store.save("quotes", "100% of chat_1", {}, "ｆｕｌｌ计划")

    def found(text: str | None) -> int:
        return store.listed(text=text).count

    assert found("chat") == found("") == found(None) == found("  ") == found("\0") == found("\ud800") == 2
    for text in ("GRÖSSE", "grösse mai", "été", "100%", "chat_", "full", "计划"):
        assert found(text) == 1, text
    for text in ("%", "_", "1%0", "chat mars"):
        assert found(text) == (1 if text in "%_" else 0), text
    for text in ("needle", "'", "\\", "x" * 100_000, "x " * 10_000):
        assert found(text) == 0, text[:10]
    assert store.listed(kind="plan", text="100%").count == 0
    plan = store.listed(text="mai").items[0]
    store.update(plan.id, 1, notes="Juni")
    assert (found("mai"), found("juni"), found("chat")) == (0, 1, 2)
    store.duplicate(plan.id, "Zwilling")
    assert (found("juni"), found("zwilling juni")) == (2, 1)


@pytest.mark.parametrize("strange", STRANGE)
def test_strange_text_is_only_text(store: Store, strange: str) -> None:
    saved = store.save("plan", strange, {strange: strange}, strange, [Attachment(strange, b"x")], by=strange)
    assert (saved.name, saved.notes, saved.content, saved.by) == (
        strange,
        strange,
        {strange: strange},
        strange,
    )
    assert store.attachment(saved.id, strange).content == b"x"
    assert store.listed(text=strange).count == 1
    assert strange in store.duplicate(saved.id).name
    with pytest.raises(Conflict) as told:
        store.update(saved.id, 2, name="x")
    assert strange in told.value.message
    store.update(saved.id, 1, detach=[strange])
    assert store.listed().count == 2


def test_a_file_that_changed_on_disk_is_not_handed_out(store: Store) -> None:
    saved = store.save("quotes", "a", {}, attachments=[QUOTE])
    with store._engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE planner_file SET size = size, content = CAST('x' AS bytea)"
            if store._engine.dialect.name == "postgresql"
            else "UPDATE planner_file SET content = x'00'"
        )
    with pytest.raises(StoreUnavailable, match="damaged"):
        store.attachment(saved.id, QUOTE.name)


def test_what_is_refused_is_not_saved(store: Store) -> None:
    with pytest.raises(PlannerError):
        store.save("plan", "", {})
    with pytest.raises(BadRequest, match="plan, quotes, scenario"):
        store.save("model", "a", {})  # type: ignore[arg-type]
    with pytest.raises(BadRequest):
        store.listed(kind="model")  # type: ignore[arg-type]
    assert store.listed().count == 0


def test_the_largest_that_may_be_saved(store: Store) -> None:
    content = {"a": "x" * (CONTENT_LIMIT_MB * MB - 8)}
    file = Attachment("large", bytes(range(250)) * (ATTACHMENT_LIMIT_MB * MB // 250))
    saved = store.save("quotes", "n" * NAME_LIMIT, content, "n" * NOTES_LIMIT, [file])
    assert store.get(saved.id).content == content
    assert store.attachment(store.duplicate(saved.id).id, "large") == file
    for refused in ({"content": {"a": content}}, {"attach": [Attachment("larger", file.content + b"x")]}):
        with pytest.raises(BadRequest, match="at most"):
            store.update(saved.id, 1, name="never", **refused)  # type: ignore[arg-type]
    assert store.get(saved.id) == saved
