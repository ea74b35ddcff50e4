"""Whatever is done in whatever order, the store holds what a dictionary would."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.store import KINDS, Attachment, Conflict, Saved, UnknownWork, open_store
from core.store.records import PAGE
from tests.core.store.conftest import Cluster

ANY = st.text(st.characters(exclude_categories=["Cs"]))
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
NAMES = TEXT.map(lambda text: " ".join(text.split())).filter(bool)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | ANY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY, inner, max_size=4),
    max_leaves=12,
)
CONTENT = st.dictionaries(ANY, JSON, max_size=5)
FILES = st.dictionaries(NAMES, st.binary(max_size=200), max_size=3).map(
    lambda files: [Attachment(name, content) for name, content in files.items()]
)


def info_of(files: dict[str, bytes]) -> tuple[Any, ...]:
    return tuple(Attachment(name, files[name]).info for name in sorted(files))


class Work(RuleBasedStateMachine):
    """Saved work beside dictionaries of what it should be."""

    ids = Bundle("ids")
    new_url: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.url = type(self).new_url()
        self.store = open_store(self.url)
        self.there: dict[str, Saved] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.deleted: set[str] = set()

    @rule(target=ids, kind=st.sampled_from(KINDS), name=NAMES, content=CONTENT, notes=TEXT, files=FILES)
    def save(self, kind: Any, name: str, content: dict[str, Any], notes: str, files: list[Attachment]) -> str:
        saved = self.store.save(kind, name, content, notes, files)
        assert (saved.kind, saved.name, saved.notes, saved.content) == (kind, name, notes, content)
        self.files[saved.id] = {file.name: file.content for file in files}
        self.there[saved.id] = saved
        return saved.id

    @rule(id_=ids, name=st.none() | NAMES, notes=st.none() | TEXT, content=st.none() | CONTENT, files=FILES)
    def update(self, id_: str, name: Any, notes: Any, content: Any, files: list[Attachment]) -> None:
        before = self.there[id_]
        changes = {"name": name, "notes": notes, "content": content}
        if id_ in self.deleted:
            with pytest.raises(UnknownWork):
                self.store.update(id_, before.version, **changes, attach=files)
            return
        after = self.store.update(id_, before.version, **changes, attach=files)
        self.files[id_] |= {file.name: file.content for file in files}
        given = {field: value for field, value in changes.items() if value is not None}
        assert replace(after, updated=before.updated) == replace(
            before, version=before.version + 1, attachments=info_of(self.files[id_]), **given
        )
        self.there[id_] = after

    @rule(id_=ids, offset=st.sampled_from([-1, 1, 5]))
    def update_another_version(self, id_: str, offset: int) -> None:
        with pytest.raises(UnknownWork if id_ in self.deleted else Conflict):
            self.store.update(id_, self.there[id_].version + offset, name="never", content={})

    @rule(id_=ids)
    def drop_files(self, id_: str) -> None:
        if id_ not in self.deleted:
            self.there[id_] = self.store.update(
                id_, self.there[id_].version, detach=list(self.files[id_]), by="dropper"
            )
            self.files[id_] = {}
            assert self.there[id_].attachments == ()
            # Who saved is of each version, as the next one shows.
            self.there[id_] = self.store.update(id_, self.there[id_].version)
            assert self.there[id_].by == ""

    @rule(target=ids, id_=ids, name=NAMES)
    def duplicate(self, id_: str, name: str) -> str:
        if id_ in self.deleted:
            with pytest.raises(UnknownWork):
                self.store.duplicate(id_, name)
            return id_
        copy = self.store.duplicate(id_, name)
        assert (copy.name, copy.content) == (name, self.there[id_].content)
        self.there[copy.id] = copy
        self.files[copy.id] = dict(self.files[id_])
        return copy.id

    @rule(id_=ids)
    def delete(self, id_: str) -> None:
        if id_ in self.deleted:
            with pytest.raises(UnknownWork):
                self.store.delete(id_)
        self.deleted.add(self.store.delete(id_) if id_ not in self.deleted else id_)

    @rule(id_=ids)
    def restore(self, id_: str) -> None:
        assert self.store.restore(id_) == self.there[id_]
        self.deleted.discard(id_)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = open_store(self.url)

    @rule(id_=ids, data=st.data())
    def find(self, id_: str, data: st.DataObject) -> None:
        word = data.draw(st.sampled_from(self.there[id_].name.split()))
        found = self.store.listed(text=word.swapcase())
        if id_ not in self.deleted and found.pages == 1 and word.swapcase().casefold() == word.casefold():
            assert id_ in {item.id for item in found.items}

    @invariant()
    def everything_is_there(self) -> None:
        kept = {id_: saved for id_, saved in self.there.items() if id_ not in self.deleted}
        for id_, saved in kept.items():
            assert self.store.get(id_) == saved
            assert saved.attachments == info_of(self.files[id_])
            for name, content in self.files[id_].items():
                assert self.store.attachment(id_, name).content == content
        newest = sorted(kept.values(), key=lambda saved: saved.updated, reverse=True)
        listed = self.store.listed()
        assert (listed.count, self.store.listed(deleted=True).count) == (len(kept), len(self.deleted))
        assert [item.id for item in listed.items] == [saved.id for saved in newest[:PAGE]]

    def teardown(self) -> None:
        self.store.close()


def run(new_url: Callable[[], str], examples: int) -> None:
    machine = type("Machine", (Work,), {"new_url": staticmethod(new_url)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_file_holds_what_a_dictionary_would(tmp_path: Path) -> None:
    run(lambda: f"sqlite:///{tempfile.mkdtemp(dir=tmp_path)}/work.sqlite3", 15)
    shutil.rmtree(tmp_path)


def test_a_server_holds_what_a_dictionary_would(cluster: Cluster) -> None:
    run(cluster.new_database, 8)
