"""Inputs of a page that saves work: its address says what differs from what is open."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from core.store import Saved
from pages.parts.address import Field, Value
from pages.parts.inputs import Inputs

PARAMETER = "work"
"""What names saved work in an address."""


class WorkInputs(Inputs):
    """Inputs whose address says what differs from the saved work that is open, or else from the defaults.

    *looks* are inputs that say how an answer is looked at; they are not saved.
    """

    def __init__(self, page: str, fields: Mapping[str, Field], looks: Sequence[str] = ("view",)) -> None:
        super().__init__(page, fields)
        self.looks = tuple(looks)

    @property
    def work(self) -> Saved | None:
        """The saved work that is open."""
        work: Saved | None = st.session_state.get(f"{self.page}:work")
        return work

    @property
    def base(self) -> dict[str, Value]:
        """The inputs of what is open that are not at their defaults."""
        base: dict[str, Value] = st.session_state.get(f"{self.page}:work_base", {})
        return base

    def spelled(self, *, defaults: bool = False) -> dict[str, str]:
        """Return the inputs as an address spells them; an empty text takes back what was saved."""
        base = self.base
        if defaults or not base:
            return super().spelled(defaults=defaults)
        return {
            name: "" if self[name] is None else field.spell(self[name])
            for name, field in self.fields.items()
            if self[name] != base.get(name, field.default)
        }

    def link(self, names: Sequence[str], **more: str) -> str:
        """Return an address that reproduces the page, the saved work that is open included."""
        work = self.work
        if work is not None:
            more = {**self.spelled(), PARAMETER: work.id, **more}
        return super().link(names, **more)

    def begin(self, values: Mapping[str, Value], said: Mapping[str, str]) -> None:
        """Show the *values* of saved work, but for what the address *said* of inputs."""
        looks = {name: self[name] for name in self.looks if name not in said}
        self.rest(values)
        st.session_state[f"{self.page}:wrong"] = self._adopt(said)
        self.change(**looks)
        st.session_state[f"{self.page}:address"] = dict(said), time.monotonic()

    def rest(self, values: Mapping[str, Value]) -> None:
        """Take *values* for what is saved: the address then says what differs from them."""
        st.session_state[f"{self.page}:work_base"] = {
            name: value
            for name, value in values.items()
            if name not in self.looks and value != self.fields[name].default
        }

    def leave(self) -> None:
        """Take nothing for saved."""
        st.session_state.pop(f"{self.page}:work_base", None)

    def said(self) -> dict[str, str]:
        """Return what the address says of inputs."""
        return {name: st.query_params[name] for name in self.fields if name in st.query_params}

    def _adopt(self, said: Mapping[str, str]) -> dict[str, str]:
        empty = {name for name, given in said.items() if not given and self.fields[name].default is None}
        wrong = super()._adopt({name: given for name, given in said.items() if name not in empty})
        for name, value in self.base.items():
            if name not in said or name in wrong:
                self._changed[name] = value
        return wrong
