"""The page as a link, and the plan as a file that asks and answers the same again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import streamlit as st

from core.api.plan_question import question_of
from core.api.plan_request import PlanRequest
from core.api.requests import parse_as
from core.errors import BadRequest, PlannerError
from core.planning.document import PlanDocument, document_of, read_plan_document
from core.planning.document import changes as changes_since
from core.planning.result import Plan
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.plan_fields import FIELDS, STATED
from pages.parts.planning import TRACE, Asked, inputs_of
from pages.parts.serving import DOCUMENT

Translator = Callable[..., str]

LOADED = "plan:loaded"
"""Where the session keeps a plan.json that was loaded, or what is wrong with it."""

_FILE = "plan_file"

WORKLOAD = ("rate", "unit", "peak", "input", "output", "hits", "ttft", "share", "tpot", "headroom")
"""Inputs that the Quotes page has too."""

WITHOUT = {"ttft": 0, "peak": 1.0, "rank": "cost", "pricing": "on_demand"}
"""What inputs mean where a request does not state them, other than the defaults of the page."""


def share(inputs: Inputs, result: Asked, plan: Plan | None, t: Translator) -> None:
    """Draw the link and the file."""
    st.markdown(f"**{t('size.link')}**")
    st.code(inputs.link(STATED, lang=language.current()), language=None, wrap_lines=True)
    partial = inputs["source"] == "config" or TRACE in st.session_state
    st.caption(t("plan_page.not_in_link" if partial else "size.link_note"))
    if inputs["source"] == "catalogue" and inputs["models"]:
        st.link_button(t("plan_page.to_quotes"), quotes_link(inputs), icon=":material/request_quote:")
    st.markdown(f"**{t('plan_page.file')}**")
    st.caption(t("plan_page.file_note"))
    st.download_button(
        t("plan_page.download_plan"),
        lambda: as_json(result, plan),
        f"{file_name(plan)}.plan.json" if plan else "none.plan.json",
        "application/json",
        icon=":material/data_object:",
        on_click="ignore",
        key="plan_json",
    )


def quotes_link(inputs: Inputs) -> str:
    """Return the address at which quotes are compared for the same workload; of several models, the first."""
    same = {name: FIELDS[name].spell(inputs[name]) for name in WORKLOAD if inputs.get(name) is not None}
    model = str(inputs["models"]).split(",", 1)[0]
    here = inputs.link(()).partition("?")[0]
    return f"{here.rpartition('/')[0]}/quotes?{urlencode({'model': model, **same})}"


def as_json(result: Asked, plan: Plan | None) -> bytes:
    """Return the request and its answer as a plan.json."""
    if result.planned is None:
        return b"{}"
    return orjson.dumps(
        document_of(result.request, result.planned, plan.id if plan else None), option=orjson.OPT_INDENT_2
    )


def file_name(plan: Plan) -> str:
    """Return a name that says model, GPUs and date."""
    words = (
        plan.deployment.model.name.rpartition("/")[2],
        f"{plan.gpus}x-{plan.record.id}",
        f"{datetime.now(UTC):%Y-%m-%d}",
    )
    return "_".join(re.sub(r"[^A-Za-z0-9.-]+", "-", word) for word in words)


def saved_plan(inputs: Inputs, t: Translator) -> None:
    """Draw the place for a plan.json, and what is wrong with the one that was given."""
    st.file_uploader(t("plan_page.upload_plan"), type=["json"], key=_FILE, on_change=_load, args=(inputs,))
    loaded = st.session_state.get(LOADED)
    if isinstance(loaded, PlannerError):
        st.error(loaded.sentence.render(language.current()), icon=":material/error:")
    else:
        st.caption(t("plan_page.upload_plan_note"))


def _load(inputs: Inputs) -> None:
    """Take over the request of an uploaded plan.json; one that cannot be read changes nothing."""
    file = st.session_state[_FILE]
    if file is None:
        return
    try:
        document = read_plan_document(file.getvalue())
        values = values_of(document)
    except PlannerError as error:
        st.session_state[LOADED] = error
        return
    inputs.change(**values)
    show(document)


def values_of(document: PlanDocument) -> dict[str, Any]:
    """Return all inputs that ask for *document* again.

    Raises:
        PlannerError: its request cannot be asked, or not on this page.
    """
    try:
        question_of(parse_as(PlanRequest, document.request))
        return _values(document.request) | {"chosen": document.chosen, "compared": None}
    except (TypeError, ValueError, KeyError, AttributeError):
        raise BadRequest("plan_page.file_values", field="request") from None


def show(document: PlanDocument, *, seen: bool = False) -> None:
    """Take over what no input holds of *document*; *seen*: it is asked with changes, and differs by that."""
    st.session_state[LOADED] = document
    st.session_state[f"{LOADED}:seen"] = seen
    model, trace = document.request.get("model"), document.request.get("trace")
    if isinstance(model, dict):
        st.session_state[DOCUMENT] = orjson.dumps(model).decode()
    st.session_state.pop(TRACE, None)
    if trace:
        st.session_state[TRACE] = "plan.json", trace


def _values(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return all inputs for *request*, those that it does not state included."""
    given = inputs_of(request)
    if isinstance(request.get("model"), dict):
        given["source"] = "config"
    kept = {
        name: field.default
        for name, field in FIELDS.items()
        if name not in ("view", "chosen", "compared", "beside")
    }
    values = kept | WITHOUT | given
    for name, value in given.items():
        # What an address could not say would break the widgets.
        if value is not None:
            values[name] = FIELDS[name].parse(FIELDS[name].spell(value))
    return values


def told_of_loaded(result: Asked, t: Translator) -> None:
    """Say whether the plan.json that was loaded is answered as it was when it was saved."""
    document = st.session_state.get(LOADED)
    if not isinstance(document, PlanDocument) or result.planned is None or result.stale:
        return
    created = str(document.stored.get("created", ""))[:10]
    missing = sorted(name for name in document.request if document.request[name] != result.request.get(name))
    if missing and not st.session_state.get(f"{LOADED}:seen"):
        st.warning(t("plan_page.not_taken", names=", ".join(missing)), icon=":material/difference:")
        return
    if missing:
        return
    st.session_state[f"{LOADED}:seen"] = True
    found = changes_since(document, result.planned)
    if not found:
        st.success(t("plan_page.reproduced", date=created), icon=":material/verified:")
        return
    listed = "\n".join(f"- {plain(one.render(language.current()))}" for one in found)
    st.info(f"{t('plan_page.differs', date=created)}\n\n{listed}", icon=":material/difference:")
