"""Work that a page keeps: saved, opened by a link, changed by several people without a loss.

A page says in a subclass of `Work` what is saved and how it is shown again; the rest is the same on all pages:

    inputs = WorkInputs("plan", FIELDS)
    work = PlanWork(inputs)
    work.settle()          # before the inputs are read: opens what the address names
    inputs.settle()
    form(work, t)          # of saved_view: name, notes, save
    saved_list(work, t)    # what is saved, scenarios too

The store is opened where somebody looks at saved work, or follows a link to some: never for the first paint.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import streamlit as st

from core.errors import BadRequest, Conflict, PlannerError, UnknownWork
from core.store import Attachment, Kind, Saved
from core.text import Sentence, say
from pages.parts import language
from pages.parts.address import LAG_S
from pages.parts.saved_inputs import PARAMETER, WorkInputs
from pages.parts.saved_scenario import data_version, label_of, lacking, scenario_of, values_of
from pages.parts.saved_store import ask_again, asking

Translator = Callable[..., str]


@dataclass(frozen=True)
class Draft:
    """What is to be saved; `data_version` None: the one that a plan.json names."""

    content: dict[str, Any]
    files: tuple[Attachment, ...] = ()
    data_version: str | None = None


@dataclass(frozen=True)
class Side:
    """Saved work as one side of a comparison, in words by their labels.

    `data` says with which data it was worked out, `again` what is different when worked out with those of today:
    nothing where all is the same, None where there are no results to compare.
    """

    figures: Mapping[str, str]
    inputs: Mapping[str, str]
    data: str
    again: tuple[str, ...] | None = None


class Work(ABC):
    """The saved work of one page and session."""

    kind: ClassVar[Kind]
    """What the page saves beside scenarios."""
    more: ClassVar[Mapping[str, str]] = {}
    """What else can be done with one of the list: the method by the name of its sentence in `saved`."""

    def __init__(self, inputs: WorkInputs) -> None:
        self.inputs, self.page = inputs, inputs.page

    @abstractmethod
    def draft(self) -> Draft:
        """Return what the page shows, to be saved.

        Raises:
            PlannerError: there is nothing to save.
        """

    @abstractmethod
    def show(self, work: Saved, said: Mapping[str, str]) -> None:
        """Show *work*; what the address *said* of inputs goes before what was saved.

        Raises:
            PlannerError: it cannot be shown, and nothing was changed.
        """

    @abstractmethod
    def differs(self, work: Saved) -> bool:
        """Return whether the page shows something else than *work*."""

    @abstractmethod
    def side(self, work: Saved, t: Translator) -> Side:
        """Return *work* for a comparison.

        Raises:
            PlannerError: it is not what this page saves.
        """

    def scenario(self) -> dict[str, Any]:
        """Return the workload and the assumptions of the page, to be saved.

        Raises:
            PlannerError: no scenario says what the page shows.
        """
        return scenario_of(self.inputs)

    @property
    def opened(self) -> Saved | None:
        """What is open."""
        return self.inputs.work

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save."""
        work = self.opened
        return work is None or self.differs(work)

    @property
    def fault(self) -> PlannerError | None:
        """Why something could not be saved, copied or deleted."""
        fault: PlannerError | None = st.session_state.get(self.key("fault"))
        return fault

    def key(self, name: str) -> str:
        """Return where the session keeps what is called *name* here."""
        return f"{self.page}:work_{name}"

    def field(self, name: str) -> str:
        """Return the key of the widget *name*."""
        return f"{self.page}_work_{name}"

    def pop(self, name: str) -> Any:
        """Return what the session keeps as *name*, and forget it."""
        return st.session_state.pop(self.key(name), None)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Keep what is refused, to be told beside the saved work."""
        self.pop("lost")
        try:
            yield
        except PlannerError as error:
            st.session_state[self.key("fault")] = error
        else:
            self.pop("fault")

    @contextmanager
    def _told_of_opened(self) -> Iterator[None]:
        """Do the same, and note where somebody else saved what is open meanwhile."""
        with self.told():
            try:
                yield
            except Conflict:
                st.session_state[self.key("lost")] = True
                raise

    @property
    def is_lost(self) -> bool:
        """Whether what is open could not be saved since somebody else saved it meanwhile."""
        return bool(st.session_state.get(self.key("lost"))) and self.opened is not None

    def settle(self) -> None:
        """Open what was clicked or what the address names; called before the inputs are read."""
        wanted, work = self.pop("wanted"), self.opened
        if wanted is not None:
            self._open(wanted, {})
            return
        said = st.query_params.get(PARAMETER)
        if said == (work.id if work else None):
            return
        # Another page was looked at meanwhile, or the browser still reports the address of before.
        if said is None or time.monotonic() - st.session_state.get(self.key("when"), -LAG_S) < LAG_S:
            self._name_in_address()
            return
        self._open(said, self.inputs.said())

    def _open(self, id_: str, said: Mapping[str, str]) -> None:
        """Show the work with *id_*; what cannot be shown leaves all as it is, and why is kept."""
        try:
            with asking() as store:
                work = store.get(id_)
            if work.kind == "scenario":
                self.apply(work)
            elif work.kind != self.kind:
                raise BadRequest(
                    "saved.other_kind", field=PARAMETER, name=work.name, kind=say(f"saved.kind.{work.kind}")
                )
            else:
                self.show(work, said)
                self.hold(work)
        except PlannerError as error:
            st.session_state[self.key("missed")] = error
            self._name_in_address()
            return
        for name in ("missed", "fault", "lost"):
            self.pop(name)

    def apply(self, work: Saved) -> None:
        """Put the scenario *work* into the inputs; what the page has no input for is told.

        Raises:
            BadRequest: it is no scenario.
        """
        values = values_of(work, self.inputs)
        self.inputs.change(**values)
        locale = language.current()
        left = ", ".join(label_of(name, locale) for name in lacking(work, self.inputs, values))
        self.note(say("saved.applied_but" if left else "saved.applied", name=work.name, names=left))
        self._name_in_address()

    def hold(self, work: Saved | None) -> None:
        """Note that *work* is what is open, or nothing."""
        if work is None:
            st.session_state.pop(f"{self.page}:work", None)
            self.inputs.leave()
        else:
            st.session_state[f"{self.page}:work"] = work
        for name, typed in (("name", work.name if work else ""), ("notes", work.notes if work else "")):
            st.session_state[self.field(name)] = st.session_state[f"{self.field(name)}:text"] = typed
        st.session_state[self.key("when")] = time.monotonic()
        self._name_in_address()

    def _name_in_address(self) -> None:
        work = self.opened
        if work is None:
            st.query_params.pop(PARAMETER, None)
        else:
            st.query_params[PARAMETER] = work.id

    def typed(self, name: str) -> str:
        """Return what was typed as "name" or "notes"."""
        return str(st.session_state.get(self.field(name)) or "")

    def save(self, t: Translator, *, copy: bool = False) -> None:
        """Save the page as a new version of what is open, or as a *copy*; what fails is kept to be told."""
        work, name, notes = self.opened, self.typed("name"), self.typed("notes")
        with self._told_of_opened():
            draft = self.draft()
            more: dict[str, Any] = {"data_version": draft.data_version}
            with asking() as store:
                if work is None or copy:
                    same = work is not None and " ".join(name.split()) == work.name
                    name = t("store.copy", name=name) if same else name
                    saved = store.save(self.kind, name, draft.content, notes, draft.files, **more)
                else:
                    known = {one.name: one for one in work.attachments}
                    more["attach"] = [one for one in draft.files if known.get(one.name) != one.info]
                    more |= {"name": name, "notes": notes, "content": draft.content}
                    saved = store.update(work.id, work.version, **more)
            self.inputs.rest(self.inputs)
            self.inputs.change()
            self.hold(saved)

    def rename(self) -> None:
        """Save name and notes of what is open, and leave the rest as it was saved."""
        work = self.opened
        if work is None:
            return
        with self._told_of_opened(), asking() as store:
            name, notes = self.typed("name"), self.typed("notes")
            self.hold(store.update(work.id, work.version, name=name, notes=notes))
            self.inputs.change()

    def save_scenario(self) -> None:
        """Save workload and assumptions of the page as a scenario; what is open stays open."""
        with self.told(), asking() as store:
            name, notes = self.typed("name"), self.typed("notes")
            saved = store.save("scenario", name, self.scenario(), notes, data_version=data_version())
            self.note(say("saved.scenario_saved", name=saved.name))

    def replace(self, id_: str, version: int) -> None:
        """Save the workload and the assumptions of the page as the scenario with *id_*, listed as *version*."""
        with self.told(), asking() as store:
            saved = store.update(id_, version, content=self.scenario(), data_version=data_version())
            self.note(say("saved.scenario_saved", name=saved.name))

    def note(self, sentence: Sentence) -> None:
        """Tell *sentence* once, beside the saved work."""
        st.session_state[self.key("note")] = sentence

    def load(self, id_: str) -> None:
        """Open the work with *id_* in place of what is shown, or apply it where it is a scenario."""
        st.session_state[self.key("wanted")] = id_

    def close(self) -> None:
        """Forget what is open, but not its inputs: what is saved next is new."""
        self.hold(None)
        self.pop("fault")
        self.inputs.change()

    def duplicate(self, id_: str, name: str) -> None:
        """Copy the work with *id_* and open the copy; a scenario is not applied."""
        with self.told():
            with asking() as store:
                copy = store.duplicate(id_, name)
            if copy.kind == self.kind:
                self.load(copy.id)

    def delete(self, id_: str, name: str) -> None:
        """Delete the work with *id_*; the session remembers how to undo it."""
        with self.told():
            with asking() as store:
                st.session_state[self.key("deleted")] = store.delete(id_), name
            work = self.opened
            if work is not None and work.id == id_:
                self.close()

    def undo(self, token: str) -> None:
        """Bring back what was deleted."""
        with self.told():
            with asking() as store:
                store.restore(token)
            self.pop("deleted")

    def again(self) -> None:
        """Ask a store that did not answer again."""
        ask_again()
        self.pop("fault")

    def works(self, ids: Sequence[str]) -> list[Saved]:
        """Return the works with *ids*, without those that are gone.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        found = []
        with asking() as store:
            for id_ in ids:
                try:
                    found.append(store.get(id_))
                except UnknownWork:
                    continue
        return found
