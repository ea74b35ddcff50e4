"""A scenario: a workload and what is assumed about costs, without the hardware or the quotes that it is asked of.

A page saves those of `NAMES` that it has inputs for, and takes those that it has from a scenario of any page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.catalog.ownership import PATH as OWNERSHIP
from core.errors import BadRequest
from core.planning.document import files_version
from core.store import Saved
from core.text import sentences, text
from pages.parts.address import Field, Value, joined, listed
from pages.parts.plan_fields import FIELDS as PLAN
from pages.parts.quotes_fields import ASSUMED
from pages.parts.quotes_fields import FIELDS as QUOTES
from pages.parts.saved_inputs import WorkInputs

FORMAT = "scenario/1"
WORKLOAD = (
    *("rate", "unit", "peak", "input", "input_p95", "output", "output_p95", "hits"),
    *("ttft", "share", "tpot", "e2e", "headroom"),
)
NAMES = ("models", *WORKLOAD, "place", *ASSUMED)
"""Inputs that a scenario may have."""

_FOLLOW = ("preset", "chosen", "compared")
"""Inputs that mean nothing any more under another workload."""
_SECTIONS = ("plan_page", "quotes_page", "cost.assumption", "size", "quotes_page.choose")
"""Sections of sentences in which inputs have their labels, the first that has it."""


@st.cache_resource(show_spinner=False)
def data_version() -> str:
    """Return the hash of the data that hold where a scenario states no assumption."""
    return str(files_version([OWNERSHIP])["sha256"])


def scenario_of(inputs: WorkInputs) -> dict[str, Any]:
    """Return workload and assumptions of *inputs* as a scenario keeps them; an empty text is an input at rest."""
    found = {name: _spelled(name, inputs) for name in NAMES if name in inputs}
    if "models" not in inputs:
        found["models"] = _spelled("model", inputs)
    elif inputs.get("source") != "catalogue":
        # A config of one's own belongs to the page that has it.
        del found["models"]
    return {"format": FORMAT, "inputs": found}


def given_in(work: Saved) -> dict[str, str]:
    """Return what the scenario *work* says, by the names of `NAMES`.

    Raises:
        BadRequest: it is no scenario.
    """
    given = work.content.get("inputs")
    if work.kind != "scenario" or not isinstance(given, dict):
        raise BadRequest("saved.no_scenario", field="work", name=work.name)
    return {name: str(given[name]) for name in NAMES if name in given}


def values_of(work: Saved, inputs: WorkInputs) -> dict[str, Value]:
    """Return what the scenario *work* puts into *inputs*; a workload that does not state an input leaves it empty.

    Raises:
        BadRequest: it is no scenario.
    """
    given = given_in(work)
    values: dict[str, Value] = {name: None for name in _FOLLOW if name in inputs}
    values |= {name: None for name in WORKLOAD if name in inputs and inputs.fields[name].default is None}
    for name, said in given.items():
        if name == "models":
            values |= _models(said, inputs)
        elif name in inputs:
            values |= _parsed(name, said, inputs.fields[name])
    return values


def lacking(work: Saved, inputs: WorkInputs, values: Mapping[str, Value]) -> list[str]:
    """Return what the scenario *work* states and *inputs* do not have among *values*: names, and further models."""
    given = given_in(work)
    left = [name for name, said in given.items() if said and name != "models" and name not in values]
    models = listed(given.get("models"))
    return [*models[1 if "model" in values else 0 :], *left] if "models" not in values else left


def label_of(name: str, language: str) -> str:
    """Return the label of the input *name*; what is none, such as a model, stands for itself.

    >>> label_of("ttft", "en"), label_of("usd_kwh", "en"), label_of("Qwen/Qwen3-8B", "en")
    ('Time to first token, ms', 'Electricity, USD/kWh', 'Qwen/Qwen3-8B')
    """
    known = sentences(language)
    key = next((key for section in _SECTIONS if (key := f"{section}.{name}") in known), None)
    return text(key, language) if key else name


def words_of(given: Mapping[str, str], language: str) -> dict[str, str]:
    """Return inputs as an address spells them in words, by their labels."""
    return {label_of(name, language): _words(name, said, language) for name, said in given.items()}


def _words(name: str, said: str, language: str) -> str:
    known = sentences(language)
    if name in PLAN and PLAN[name].kind is bool:
        return text("saved.yes" if said == "1" else "saved.no", language)
    keys = (f"plan_page.{name}s.{said}", f"plan_page.kinds.{said}")
    return next((known[key] for key in keys if key in known), said.replace(",", ", ")) or "–"


def _spelled(name: str, inputs: WorkInputs) -> str:
    value = inputs[name]
    return "" if value is None else inputs.fields[name].spell(value)


def _models(said: str, inputs: WorkInputs) -> dict[str, Value]:
    """Return the models *said*, of which a page with one input takes the first."""
    if "models" in inputs:
        parsed = _parsed("models", said, PLAN["models"])
        return parsed | {"source": "catalogue"} if parsed else {}
    first = joined(listed(said)[:1], "")
    return _parsed("model", str(first), QUOTES["model"])


def _parsed(name: str, said: str, field: Field) -> dict[str, Value]:
    """Return the value that *said* spells by its *name*; nothing where it spells none, so that it is told."""
    if not said:
        return {name: field.default} if field.default is None else {}
    try:
        return {name: field.parse(said)}
    except (ValueError, KeyError, OverflowError):
        return {}
