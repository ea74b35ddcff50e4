"""Plans that are kept: saved as a plan.json, opened by a link, changed by several people without a loss.

The store is opened where somebody looks at saved plans, or follows a link to one: never for the first paint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import streamlit as st

from core.errors import BadRequest, PlannerError
from core.planning.document import read_plan_document
from core.store import Saved
from pages.parts.address import LAG_S, Value, joined, listed
from pages.parts.inputs import Inputs
from pages.parts.plan_fields import FIELDS, MOST_BESIDE
from pages.parts.plan_share import LOADED, as_json, show, values_of
from pages.parts.planning import asked, chosen_of, request_of

Translator = Callable[..., str]

PARAMETER = "work"
"""What names saved work in an address."""

WORK = "plan:work"
"""Where the session keeps the saved plan that is open."""
FAULT = "plan:work_fault"
"""Where the session keeps why a plan could not be saved, copied, deleted or compared."""
MISSED = "plan:work_missed"
"""Where the session keeps why the plan that was asked for could not be opened."""
DOWN = "plan:work_down"
"""Where the session keeps why there is no store: it is not asked again until somebody says so."""
DELETED = "plan:work_deleted"
"""Where the session keeps what was deleted last, to undo it."""
NAME, NOTES = "plan_work_name", "plan_work_notes"

_BASE = "plan:work_base"
_WANTED = "plan:work_wanted"
_WHEN = "plan:work_when"
_ALSO = ("preset", "chosen", "compared", "layouts")
"""Inputs that no request holds, saved beside it."""
_LOOKS = ("view", "beside")
"""Inputs that say how a plan is looked at; they are not saved with it."""


class WorkInputs(Inputs):
    """Inputs whose address says what differs from the saved plan that is open, or else from the defaults."""

    def spelled(self, *, defaults: bool = False) -> dict[str, str]:
        """Return the inputs as an address spells them; an empty text takes back what was saved."""
        base = _base()
        if defaults or not base:
            return super().spelled(defaults=defaults)
        return {
            name: "" if self[name] is None else field.spell(self[name])
            for name, field in self.fields.items()
            if self[name] != base.get(name, field.default)
        }

    def link(self, names: Sequence[str], **more: str) -> str:
        """Return an address that reproduces the page, the saved plan that is open included."""
        work = opened()
        if work is not None:
            more = {**self.spelled(), PARAMETER: work.id, **more}
        return super().link(names, **more)

    def begin(self, values: Mapping[str, Value], said: Mapping[str, str]) -> None:
        """Show the *values* of a saved plan, but for what the address *said* of inputs."""
        self.rest(values)
        st.session_state[f"{self.page}:wrong"] = self._adopt(said)
        st.session_state[f"{self.page}:address"] = dict(said), time.monotonic()

    def rest(self, values: Mapping[str, Value]) -> None:
        """Take *values* for what is saved: the address then says what differs from them."""
        st.session_state[_BASE] = {
            name: value
            for name, value in values.items()
            if name not in _LOOKS and value != self.fields[name].default
        }

    def _adopt(self, said: Mapping[str, str]) -> dict[str, str]:
        base = _base()
        empty = {name for name, given in said.items() if not given and self.fields[name].default is None}
        wrong = super()._adopt({name: given for name, given in said.items() if name not in empty})
        for name, value in base.items():
            if name not in said or name in wrong:
                self._changed[name] = value
        return wrong


def _base() -> dict[str, Value]:
    base: dict[str, Value] = st.session_state.get(_BASE, {})
    return base


def store() -> Any:
    """Return the store, one for all pages and sessions; it is opened, and its module read, where it is needed.

    Raises:
        StoreUnavailable: it cannot be opened.
    """
    from pages.parts.quotes_work import store as kept  # noqa: PLC0415 - not for the first paint

    return kept()


@contextmanager
def _told() -> Iterator[None]:
    """Keep what the store refuses, to be told beside the saved plans."""
    try:
        yield
    except PlannerError as error:
        st.session_state[FAULT] = error
    else:
        st.session_state.pop(FAULT, None)


def opened() -> Saved | None:
    """Return the saved plan that is open."""
    work: Saved | None = st.session_state.get(WORK)
    return work


def is_changed(inputs: WorkInputs) -> bool:
    """Return whether what is asked, or which plan is chosen, is other than what was saved."""
    work, base = opened(), _base()
    if work is None:
        return True
    if any(inputs[name] != base.get(name, FIELDS[name].default) for name in _ALSO):
        return True
    try:
        request = orjson.loads(orjson.dumps(request_of(inputs)))
    except PlannerError:
        return True
    return bool(request != work.content.get("request"))


def settle(inputs: WorkInputs) -> None:
    """Open the plan that was clicked or that the address names; called before the inputs are read."""
    wanted, work = st.session_state.pop(_WANTED, None), opened()
    if wanted is not None:
        _open(inputs, wanted, {})
        return
    said = st.query_params.get(PARAMETER)
    if said == (work.id if work else None):
        return
    # Another page was looked at meanwhile, or the browser still reports the address of before.
    if said is None or time.monotonic() - st.session_state.get(_WHEN, -LAG_S) < LAG_S:
        _name_in_address(work)
        return
    _open(inputs, said, {name: st.query_params[name] for name in FIELDS if name in st.query_params})


def _open(inputs: WorkInputs, id_: str, said: Mapping[str, str]) -> None:
    """Show the saved plan with *id_*; one that cannot be shown leaves all as it is, and why is kept."""
    try:
        work = store().get(id_)
        if work.kind != "plan":
            raise BadRequest("saved.other_kind", field=PARAMETER, name=work.name)
        document = read_plan_document(orjson.dumps(work.content))
        values = values_of(document) | _also(work)
    except PlannerError as error:
        st.session_state[MISSED] = error
        _name_in_address(opened())
        return
    st.session_state.pop(MISSED, None)
    st.session_state.pop(FAULT, None)
    show(document, seen=bool(said.keys() - {*_LOOKS}))
    inputs.begin(values, said)
    if values["chosen"] is None and not said.keys() - {*_LOOKS} and _best(inputs) != document.chosen:
        # The best plan of then is not the best any more: what was saved is shown all the same.
        inputs.begin(values | {"chosen": document.chosen}, said)
    _hold(work)


def _best(inputs: WorkInputs) -> str | None:
    planned = asked(inputs).planned
    return planned.best.id if planned and planned.best else None


def _also(work: Saved) -> dict[str, Value]:
    """Return what was saved of inputs that no request holds."""
    found: dict[str, Value] = {name: FIELDS[name].default for name in _ALSO}
    kept = work.content.get("page")
    for name in _ALSO:
        try:
            if isinstance(kept, dict) and name in kept:
                found[name] = FIELDS[name].parse(str(kept[name]))
        except (ValueError, KeyError):
            continue
    return found


def _hold(work: Saved | None) -> None:
    """Note that *work* is what is open, or nothing."""
    if work is None:
        for name in (WORK, _BASE):
            st.session_state.pop(name, None)
    else:
        st.session_state[WORK] = work
    for key, typed in ((NAME, work.name if work else ""), (NOTES, work.notes if work else "")):
        st.session_state[key] = st.session_state[f"{key}:typed"] = typed
    st.session_state[_WHEN] = time.monotonic()
    _name_in_address(work)


def _name_in_address(work: Saved | None) -> None:
    if work is None:
        st.query_params.pop(PARAMETER, None)
    else:
        st.query_params[PARAMETER] = work.id


def save(inputs: WorkInputs, t: Translator, *, copy: bool = False) -> None:
    """Save the page as a new version of what is open, or as a *copy*; what fails is kept to be told."""
    work, result = opened(), asked(inputs)
    name, notes = _typed(NAME), _typed(NOTES)
    if result.error is not None or result.planned is None:
        st.session_state[FAULT] = BadRequest("saved.nothing")
        return
    also = {name: FIELDS[name].spell(inputs[name]) for name in _ALSO if inputs[name] is not None}
    content = orjson.loads(as_json(result, chosen_of(inputs, result.planned))) | {"page": also}
    with _told():
        if work is None:
            saved = store().save("plan", name, content, notes)
        elif copy:
            same = " ".join(name.split()) == work.name
            saved = store().save("plan", t("store.copy", name=name) if same else name, content, notes)
        else:
            saved = store().update(work.id, work.version, name=name, notes=notes, content=content)
        # The plan that was opened is another one now: how it differs from that is no longer of interest.
        st.session_state.pop(LOADED, None)
        inputs.rest(inputs)
        inputs.change()
        _hold(saved)


def rename(inputs: WorkInputs) -> None:
    """Save name and notes of what is open, and leave its numbers as they were saved."""
    work = opened()
    if work is None:
        return
    with _told():
        _hold(store().update(work.id, work.version, name=_typed(NAME), notes=_typed(NOTES)))
        inputs.change()


def _typed(key: str) -> str:
    return str(st.session_state.get(key) or "")


def load(id_: str) -> None:
    """Open the saved plan with *id_* in place of what is shown."""
    st.session_state[_WANTED] = id_


def close(inputs: WorkInputs) -> None:
    """Forget which plan is open, but not its inputs: what is saved next is new."""
    _hold(None)
    st.session_state.pop(FAULT, None)
    inputs.change()


def duplicate(id_: str, name: str) -> None:
    """Copy the saved plan with *id_* and open the copy."""
    with _told():
        load(store().duplicate(id_, name).id)


def delete(inputs: WorkInputs, id_: str, name: str) -> None:
    """Delete the saved plan with *id_*; the session remembers how to undo it."""
    with _told():
        st.session_state[DELETED] = store().delete(id_), name
        work = opened()
        if work is not None and work.id == id_:
            close(inputs)
        if id_ in listed(inputs["beside"]):
            inputs.change(beside=joined([one for one in listed(inputs["beside"]) if one != id_]))


def undo(token: str) -> None:
    """Bring back what was deleted."""
    with _told():
        store().restore(token)
        st.session_state.pop(DELETED, None)


def beside(inputs: WorkInputs, id_: str) -> None:
    """Compare the saved plan with *id_* with those of the page."""
    with _told():
        work = store().get(id_)
        if not isinstance(work.content.get("plan"), dict):
            raise BadRequest("saved.no_plan", name=work.name)
        others = [one for one in listed(inputs["beside"]) if one != id_]
        inputs.change(view="compare", beside=joined([*others, id_][-MOST_BESIDE:]))
