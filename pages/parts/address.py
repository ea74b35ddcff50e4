"""The inputs of a page: kept for the session, mirrored in its address, so that a link reproduces the page.

Streamlit's own `bind="query-params"` is not used: it writes what a choice displays, which differs between
languages, and it forgets what is inside a closed expander. Here the address holds plain ids and numbers, and
widgets that are not drawn keep their values, so that a page draws only the inputs that somebody looks at.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

Value = str | int | float | bool | None

LAG_S = 2.0
"""For so long after a change the browser may still report the address of before."""


@dataclass(frozen=True)
class Field:
    """One input: its default, and what an address may say. A default of None means: not stated."""

    default: Value
    kind: type[str | int | float | bool] = str
    least: float = 0
    most: float = math.inf
    known: Callable[[str], str | None] | None = None
    """Returns the id that a text means, or None; for kind str."""

    def parse(self, given: str) -> Value:
        """Return the value that *given* spells in an address.

        Raises:
            ValueError: it spells none.
        """
        if self.kind is bool:
            return {"1": True, "true": True, "0": False, "false": False}[given.lower()]
        if self.kind is str:
            found = self.known(given) if self.known else given
            if found is None:
                raise ValueError(given)
            return found
        number = self.kind(given)
        if not self.least <= number <= self.most:
            raise ValueError(given)
        return number

    def spell(self, value: Value) -> str:
        """Return *value* as an address spells it."""
        if self.kind is bool:
            return str(int(bool(value)))
        return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def listed(value: Value) -> list[str]:
    """Return the entries of an input that holds several, as an address spells them: between commas.

    >>> listed("h100-sxm-80,l4"), listed(None)
    (['h100-sxm-80', 'l4'], [])
    """
    return [entry for entry in str(value or "").split(",") if entry]


def joined(entries: Sequence[str], default: Value = None) -> Value:
    """Return *entries* as one input holds them; none is *default* where that is None, else an empty text.

    >>> joined(["h100-sxm-80", "l4"]), joined([], None), joined([], "all")
    ('h100-sxm-80,l4', None, '')
    """
    return ",".join(entries) or (None if default is None else "")


def several(known: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Return what reads several entries, each of which *known* reads; None where one of them is not known."""

    def read(given: str) -> str | None:
        found = [known(entry) for entry in listed(given)]
        return None if None in found else ",".join(entry for entry in found if entry is not None)

    return read


def pairs(known: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Return what reads numbers above zero by name, such as `l4:16,h100-sxm-80:8`."""

    def read(given: str) -> str | None:
        found = {known(entry.rpartition(":")[0]): float(entry.rpartition(":")[2]) for entry in listed(given)}
        if None in found or not all(0 < number < math.inf for number in found.values()):
            return None
        return paired({str(name): number for name, number in found.items()})

    return read


def numbers(value: Value) -> dict[str, float]:
    """Return the numbers of an input that holds some by name.

    >>> numbers("l4:16,h100-sxm-80:2.5")
    {'l4': 16.0, 'h100-sxm-80': 2.5}
    """
    return {entry.rpartition(":")[0]: float(entry.rpartition(":")[2]) for entry in listed(value)}


def paired(numbers: Mapping[str, float]) -> str:
    """Return *numbers* by name as one input holds them."""
    return ",".join(f"{name}:{number:.15g}" for name, number in numbers.items())


class State(Mapping[str, Value]):
    """The values of the inputs of *page*."""

    def __init__(self, page: str, fields: Mapping[str, Field]) -> None:
        self.page, self.fields = page, fields
        self._changed: dict[str, Value] = st.session_state.setdefault(f"{page}:inputs", {})

    def __getitem__(self, name: str) -> Value:
        return self._changed.get(name, self.fields[name].default)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the inputs."""
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def change(self, **values: Value) -> None:
        """Set inputs; from a callback, before the page is drawn."""
        for name, value in values.items():
            if value == self.fields[name].default:
                self._changed.pop(name, None)
            else:
                self._changed[name] = value
        st.session_state[f"{self.page}:touched"] = True

    def settle(self) -> dict[str, str]:
        """Bring session and address together; return what the address says that cannot be, by input.

        Called once per run, before the inputs are read. A change made here goes to the address. An address that
        differs although nothing was changed here was opened or gone back to: it goes to the inputs.
        """
        touched = st.session_state.pop(f"{self.page}:touched", False)
        said = {name: st.query_params[name] for name in self.fields if name in st.query_params}
        written, when = st.session_state.get(f"{self.page}:address", (None, 0.0))
        # An address without inputs is what Streamlit leaves when another page was looked at meanwhile.
        if said and said != written and not touched and time.monotonic() - when > LAG_S:
            st.session_state[f"{self.page}:wrong"] = self._adopt(said)
        elif touched:
            st.session_state[f"{self.page}:wrong"] = {}
        spelled = self.spelled()
        if said != spelled:
            others = {name: value for name, value in st.query_params.items() if name not in self.fields}
            st.query_params.from_dict({**others, **spelled})
        if spelled != written:
            st.session_state[f"{self.page}:address"] = spelled, time.monotonic() if touched else 0.0
        wrong: dict[str, str] = st.session_state.get(f"{self.page}:wrong", {})
        return wrong

    def _adopt(self, said: Mapping[str, str]) -> dict[str, str]:
        wrong = {}
        self._changed.clear()
        for name, given in said.items():
            try:
                value = self.fields[name].parse(given)
            except (ValueError, KeyError, OverflowError):
                wrong[name] = given
                continue
            if value != self.fields[name].default:
                self._changed[name] = value
        return wrong

    def spelled(self, *, defaults: bool = False) -> dict[str, str]:
        """Return the inputs as an address spells them; those at their default only with *defaults*."""
        return {
            name: field.spell(self[name])
            for name, field in self.fields.items()
            if self[name] is not None and (defaults or name in self._changed)
        }

    def link(self, names: Sequence[str], **more: str) -> str:
        """Return an address that reproduces the page even after a default has changed: *names* are spelled out."""
        spelled = self.spelled(defaults=True)
        asked = {name: spelled[name] for name in spelled if name in names or name in self._changed}
        address = str(st.context.url or "").partition("?")[0]
        return f"{address}?{urlencode({**asked, **more}, safe='/')}"
