"""What can be shown below the table of quotes: time, load, a mix, what decides, units, chances, fit, files."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.charts.cumulative import cumulative, cumulative_alt
from core.charts.quotes_axes import MOST, shown
from core.charts.spread import drawn, spread, spread_alt
from core.charts.tornado import tornado, tornado_alt
from core.charts.utilisation import utilisation, utilisation_alt
from core.cost.uncertainty import Measure
from core.planning.fair import UNITS, Answer
from core.planning.quoted import Capability
from core.planning.words import plan_words
from core.quantities import format_digits, format_seconds, format_usd
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.plot import plot
from pages.parts.quotes_api import api_price
from pages.parts.quotes_compared import state_of
from pages.parts.quotes_files import files
from pages.parts.quotes_mix import mixes

Translator = Callable[..., str]


def _time(inputs: Inputs, answer: Answer, t: Translator) -> None:
    pair = _pair(inputs, answer, answer.pair, t)
    locale = language.current()
    plot(cumulative(answer, pair, locale), "quotes_time", cumulative_alt(answer, pair, locale))
    st.caption(t("quotes_page.time_note") + _some(answer, t))
    if pair is None:
        return
    first, second = pair
    if answer.quotes[first].is_purchase and not answer.quotes[second].is_purchase:
        share = float(answer.comparison.break_even_utilisation(first, second))
        key = "break_even_used" if share <= 1 else "break_even_beyond"
        names = {"first": answer.quotes[first].name, "second": answer.quotes[second].name}
        st.markdown(plain(t(f"quotes_page.{key}", share=f"{share:.0%}", **names)))


def _load(inputs: Inputs, answer: Answer, t: Translator) -> None:
    locale = language.current()
    plot(utilisation(answer, locale), "quotes_load", utilisation_alt(answer, locale))
    st.caption(t("quotes_page.load_note") + _some(answer, t))
    api_price(inputs, answer, t)


def _decides(inputs: Inputs, answer: Answer, t: Translator) -> None:
    place = _one(inputs, answer, t)
    swings, locale = answer.swings(place), language.current()
    unit = t("chart.usd_year" if answer.loads[place] is None else "chart.per_million")
    plot(
        tornado(swings, unit, locale),
        "quotes_decides",
        tornado_alt(swings, answer.quotes[place].name, locale),
    )
    st.caption(t("quotes_page.decides_note"))


def _units(inputs: Inputs, answer: Answer, t: Translator) -> None:
    pair = _pair(inputs, answer, answer.contrast, t)
    if pair is None:
        st.info(t("quotes_page.one_quote"), icon=":material/info:")
        return
    names = [answer.quotes[place].name for place in pair]
    rows = {
        t(f"quotes_page.unit.{unit}"): [
            _usd(answer.unit(pair[0], unit)),
            _usd(answer.unit(pair[1], unit)),
            _times(answer.ratio(*pair, unit)),
        ]
        for unit in UNITS
    }
    columns = [f"(1) {plain(names[0])}", f"(2) {plain(names[1])}", t("quotes_page.times")]
    st.table(pd.DataFrame.from_dict(rows, orient="index", columns=columns))
    st.caption(t("quotes_page.units_note", model=plain(str(inputs["model"]))))


def _chances(inputs: Inputs, answer: Answer, t: Translator) -> None:
    measure: Measure = "per_million" if drawn(answer, "per_million") else "yearly"
    locale = language.current()
    plot(spread(answer, measure, locale), "quotes_chances", spread_alt(answer, measure, locale))
    st.caption(t("quotes_page.chances_note") + _some(answer, t))
    del inputs
    places = shown(answer)
    table = {
        f"({row + 1}) {plain(answer.quotes[row].name)}": [
            "–" if row == other else f"{answer.cheaper(row, other) * 100:.0f}\u00a0%" for other in places
        ]
        for row in places
    }
    st.markdown(f"**{t('quotes_page.chances')}**")
    st.table(pd.DataFrame.from_dict(table, orient="index", columns=[f"({place + 1})" for place in places]))


def _fit(inputs: Inputs, answer: Answer, t: Translator) -> None:
    del inputs
    columns = [t(f"quotes_page.fits.{name}") for name in ("state", "plan", "ttft", "most", "why")]
    rows = {
        plain(quote.name): _fitted(one, state_of(answer, place, t), t)
        for place, (quote, one) in enumerate(zip(answer.quotes, answer.capabilities, strict=True))
    }
    st.table(pd.DataFrame.from_dict(rows, orient="index", columns=columns))
    st.caption(t("quotes_page.fit_note"))


def _fitted(one: Capability, state: str, t: Translator) -> list[str]:
    reason = plain(one.reason.render(language.current())) if one.reason else "–"
    if one.plan is None:
        return [state, "–", "–", "–", reason]
    words = f"{one.copies} × {plan_words(one.plan).rpartition('× ')[2]}, {one.plan.deployment.weights.label}"
    first = one.plan.service.ttft
    share = min(first, key=lambda known: abs(known - 0.95))
    most = t("quotes_page.per_second", rate=format_digits(one.stable or 0.0, 2))
    return [state, words, format_seconds(first[share], 2), most, reason]


def _pair(
    inputs: Inputs, answer: Answer, usual: tuple[int, int] | None, t: Translator
) -> tuple[int, int] | None:
    """Draw the choice of two quotes, and return them; the *usual* ones where none were chosen."""
    count = len(answer.quotes)
    if count < 2:
        return None
    usual = usual or (0, 1)
    left, right = st.columns(2)
    with left:
        first = _quote("first", inputs, answer, usual[0], t)
    with right:
        second = _quote("second", inputs, answer, usual[1], t)
    return first, second


def _one(inputs: Inputs, answer: Answer, t: Translator) -> int:
    usual = answer.cheapest_tokens
    return _quote("of", inputs, answer, answer.ranked[0] if usual is None else usual, t)


def _quote(name: str, inputs: Inputs, answer: Answer, usual: int, t: Translator) -> int:
    """Draw the choice of a quote by its number in the table; return its place."""
    names = [quote.name for quote in answer.quotes]
    chosen = inputs[name]
    if isinstance(chosen, int) and chosen > len(names):
        inputs.change(**{name: None})
    inputs.choice(
        name,
        t(f"quotes_page.choose.{name}"),
        range(1, len(names) + 1),  # type: ignore[arg-type]
        lambda number: names[int(number) - 1],
        placeholder=names[usual],
    )
    found = inputs[name]
    return found - 1 if isinstance(found, int) else usual


def _some(answer: Answer, t: Translator) -> str:
    """Return how many of the quotes are drawn, where not all are."""
    return (
        f" {t('quotes_page.drawn_some', most=MOST, count=len(answer.quotes))}"
        if len(answer.quotes) > MOST
        else ""
    )


def _usd(value: float | None) -> str:
    return "–" if value is None else format_usd(value).replace("$", "\\$")


def _times(value: float | None) -> str:
    return "–" if value is None else f"{format_digits(value, 2)} ×"


SHOW = {
    "time": _time,
    "load": _load,
    "mix": mixes,
    "decides": _decides,
    "units": _units,
    "chances": _chances,
    "fit": _fit,
    "files": files,
}
"""What can be shown below the table, by the name that the address has for it."""
