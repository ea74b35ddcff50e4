"""Plans that are kept: as a plan.json with the inputs that no request holds, compared with others and with today's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import streamlit as st

from core.errors import BadRequest, PlannerError
from core.planning.document import changes, read_plan_document
from core.store import Saved
from pages.parts import language
from pages.parts.address import Value, joined, listed
from pages.parts.plan_beside import data_words, figures_of
from pages.parts.plan_fields import FIELDS, MOST_BESIDE
from pages.parts.plan_share import LOADED, as_json, show, values_of
from pages.parts.planning import TRACE, asked, chosen_of, request_of, searched
from pages.parts.saved_inputs import WorkInputs
from pages.parts.saved_scenario import words_of
from pages.parts.saved_store import asking
from pages.parts.saved_work import Draft, Side, Translator, Work

_ALSO = ("preset", "chosen", "compared", "layouts")
"""Inputs that no request holds, saved beside it."""
LOOKS = ("view", "beside")
"""Inputs that say how a plan is looked at; they are not saved with it."""


def plan_inputs() -> WorkInputs:
    """Return the inputs of the Plan page."""
    return WorkInputs("plan", FIELDS, LOOKS)


class PlanWork(Work):
    """The saved plans of the Plan page."""

    kind = "plan"
    more = {"beside": "beside"}  # noqa: RUF012 - as the base class has it

    def draft(self) -> Draft:
        """Return the request, its answer and the other inputs, to be saved."""
        result = asked(self.inputs)
        if result.error is not None or result.planned is None:
            raise BadRequest("saved.nothing")
        content = orjson.loads(as_json(result, chosen_of(self.inputs, result.planned)))
        return Draft(content | {"page": self._also()})

    def _also(self) -> dict[str, str]:
        return {
            name: FIELDS[name].spell(self.inputs[name]) for name in _ALSO if self.inputs[name] is not None
        }

    def differs(self, work: Saved) -> bool:
        """Return whether what is asked, or which plan is chosen, is other than what was saved."""
        base = self.inputs.base
        if any(self.inputs[name] != base.get(name, FIELDS[name].default) for name in _ALSO):
            return True
        try:
            request = orjson.loads(orjson.dumps(request_of(self.inputs)))
        except PlannerError:
            return True
        return bool(request != work.content.get("request"))

    def show(self, work: Saved, said: Mapping[str, str]) -> None:
        """Show the plan as it was saved, but for what the address *said*."""
        document = read_plan_document(orjson.dumps(work.content))
        values = values_of(document) | _also_in(work)
        changed = bool(said.keys() - {*LOOKS})
        show(document, seen=changed)
        self.inputs.begin(values, said)
        if values["chosen"] is None and not changed and self._best() != document.chosen:
            # The best plan of then is not the best any more: what was saved is shown all the same.
            self.inputs.begin(values | {"chosen": document.chosen}, said)

    def _best(self) -> str | None:
        planned = asked(self.inputs).planned
        return planned.best.id if planned and planned.best else None

    def save(self, t: Translator, *, copy: bool = False) -> None:
        """Save the page; how it differs from a plan that was opened is then no longer of interest."""
        super().save(t, copy=copy)
        if self.fault is None:
            st.session_state.pop(LOADED, None)

    def delete(self, id_: str, name: str) -> None:
        """Delete the work with *id_*, also from the comparison."""
        super().delete(id_, name)
        kept = listed(self.inputs["beside"])
        if self.fault is None and id_ in kept:
            self.inputs.change(beside=joined([one for one in kept if one != id_]))

    def beside(self, id_: str) -> None:
        """Compare the saved plan with *id_* with those of the page."""
        with self.told():
            with asking() as store:
                work = store.get(id_)
            if not isinstance(work.content.get("plan"), dict):
                raise BadRequest("saved.no_plan", name=work.name)
            others = [one for one in listed(self.inputs["beside"]) if one != id_]
            self.inputs.change(view="compare", beside=joined([*others, id_][-MOST_BESIDE:]))

    def scenario(self) -> dict[str, Any]:
        """Return workload and targets; a trace is none that other pages could ask for."""
        if TRACE in st.session_state:
            raise BadRequest("saved.traced", field="trace")
        return super().scenario()

    def apply(self, work: Saved) -> None:
        """Put a scenario into the inputs, in place of a trace."""
        super().apply(work)
        st.session_state.pop(TRACE, None)

    def side(self, work: Saved, t: Translator) -> Side:
        """Return figures and inputs as they were saved, and what the same request gives today."""
        document = read_plan_document(orjson.dumps(work.content))
        values = values_of(document) | _also_in(work)
        inputs = {name: _spelled(name, value) for name, value in values.items() if name not in LOOKS}
        figures = figures_of(document.plan, t) if document.plan else {}
        try:
            planned = searched(orjson.dumps(document.request))
        except PlannerError as error:
            # What was asked then cannot be asked with the catalogue of today.
            again: tuple[str, ...] | None = (error.sentence.render(language.current()),)
            data = data_words(work, None, document.request, t)
        else:
            told = changes(document, planned)
            again = tuple(one.render(language.current()) for one in told) if document.plan else None
            data = data_words(work, planned, document.request, t)
        return Side(figures, words_of(inputs, language.current()), data, again)


def _spelled(name: str, value: Value) -> str:
    return "" if value is None else FIELDS[name].spell(value)


def _also_in(work: Saved) -> dict[str, Value]:
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
