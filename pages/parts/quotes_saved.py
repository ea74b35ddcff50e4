"""The saved quotes of the Quotes page: with what came of them, and the files that they are from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.planning.fair import Answer
from core.quantities import format_digits, format_usd
from core.store import Attachment, Saved
from pages.parts import language
from pages.parts.quotes_answer import chance
from pages.parts.quotes_fields import FIELDS
from pages.parts.quotes_import import ORIGINALS
from pages.parts.quotes_rows import add, current, put
from pages.parts.quotes_work import content_of, data_version, read
from pages.parts.quoting import told
from pages.parts.saved_scenario import words_of
from pages.parts.saved_store import asking
from pages.parts.saved_work import Draft, Side, Translator, Work

_CONTENT = ("format", "rows", "inputs")
"""What a person changes of what is saved; the results follow from it."""


class QuotesWork(Work):
    """The saved comparisons of the Quotes page."""

    kind = "quotes"
    more = {"add_here": "add_rows"}  # noqa: RUF012 - as the base class has it

    def draft(self) -> Draft:
        """Return rows, inputs and results, to be saved with the files that the rows are from."""
        content = content_of(self.inputs, current())
        answer = told(content["rows"], self.inputs).answer
        results = {} if answer is None else {"results": results_of(answer)}
        kept: dict[str, bytes] = st.session_state.get(ORIGINALS, {})
        files = tuple(Attachment(file, found) for file, found in kept.items())
        return Draft(content | results, files, data_version())

    def differs(self, work: Saved) -> bool:
        """Return whether rows or inputs are others than those saved."""
        saved = {name: work.content.get(name) for name in _CONTENT}
        return content_of(self.inputs, current()) != saved

    def show(self, work: Saved, said: Mapping[str, str]) -> None:
        """Show rows and inputs as they were saved, but for what the address *said*."""
        rows, values = read(work)
        with asking() as store:
            files = {one.name: store.attachment(work.id, one.name).content for one in work.attachments}
        self.inputs.begin(values, said)
        put(rows)
        st.session_state[ORIGINALS] = files

    def add_rows(self, id_: str) -> None:
        """Add the quotes of the work with *id_* to those that are shown, to compare them."""
        with self.told():
            with asking() as store:
                rows, _ = read(store.get(id_))
            add(rows)

    def start_empty(self) -> None:
        """Begin anew, with no quote."""
        self.close()
        st.session_state[ORIGINALS] = {}
        put([])

    def side(self, work: Saved, t: Translator) -> Side:
        """Return results and inputs as they were saved, and what the same quotes give today."""
        rows, values = read(work)
        answer = told(rows, values).answer
        now = {} if answer is None else results_words(results_of(answer), t)
        kept = work.content.get("results")
        before = results_words(kept, t) if isinstance(kept, dict) else None
        named = {t("saved.quotes_row"): ", ".join(row.get("name", "–") for row in rows) or "–"}
        spelled = {name: "" if value is None else FIELDS[name].spell(value) for name, value in values.items()}
        same = work.data_version == data_version()
        return Side(
            before or now,
            named | words_of({name: spelled[name] for name in FIELDS if name != "view"}, language.current()),
            t(
                "saved.data_same" if same else "saved.data_other",
                date=f"{work.updated:%Y-%m-%d}",
                hash=work.data_version[:8] or "–",
            ),
            None if before is None else _differences(before, now),
        )


def results_of(answer: Answer) -> dict[str, Any]:
    """Return the headline results as they are saved: what is cheapest, the break-even, and how sure it is."""
    names = [quote.name for quote in answer.quotes]
    tokens, hour, pair, ranked = answer.cheapest_tokens, answer.cheapest_hour, answer.pair, answer.ranked
    return {
        "serving": [len(answer.serving), len(names)],
        "tokens": None if tokens is None else [_finite(answer.tokens(tokens)), names[tokens]],
        "hour": [_finite(answer.unit(hour, "gpu_hour")), names[hour]],
        "break_even": None if pair is None else [answer.crossing(*pair), *(names[place] for place in pair)],
        "chance": None
        if len(ranked) < 2
        else [answer.cheaper(*ranked[:2]), *(names[place] for place in ranked[:2])],
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def results_words(results: Mapping[str, Any], t: Translator) -> dict[str, str]:
    """Return saved *results* in words, by the titles of the cards."""

    def card(name: str, show: Any, who: str) -> str:
        found = results.get(name)
        if not isinstance(found, list) or (found[0] is None and name != "break_even"):
            return "–"
        return f"{show(found[0])} · {t(who, first=found[1], second=found[-1])}"

    def month(value: float | None) -> str:
        return (
            t("quotes_page.never") if value is None else t("quotes_page.month", month=format_digits(value, 2))
        )

    serving = results.get("serving") or ["–", "–"]
    return {
        t("saved.serving_row"): t("saved.serving", count=serving[0], all=serving[1]),
        t("quotes_page.card.tokens"): card("tokens", format_usd, "saved.quote"),
        t("quotes_page.card.hour"): card("hour", format_usd, "saved.quote"),
        t("quotes_page.card.break_even"): card("break_even", month, "quotes_page.against"),
        t("quotes_page.card.chance"): card("chance", chance, "quotes_page.cheaper_than"),
    }


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{label}: {told} → {now.get(label, '–')}" for label, told in before.items() if now.get(label) != told
    )
