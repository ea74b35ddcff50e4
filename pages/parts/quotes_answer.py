"""What follows from the quotes: the cheapest first, all of them in one table, and views of why."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.charts.quotes_axes import short_name
from core.planning.fair import Answer
from core.planning.larger import larger
from core.quantities import format_digits, format_usd
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.quotes_compared import compared
from pages.parts.quotes_fields import VIEWS
from pages.parts.quotes_views import SHOW

Translator = Callable[..., str]

WIDTH, PAIR = 205, 440
"""Pixels of the narrowest card, and of two of them side by side."""

EVEN = "<style>.st-key-quotes_cards [data-testid=stGrid] { flex-grow: 1; }</style>"
"""Lets a pair of cards be as high as the pair beside it."""


def quotes_answer(inputs: Inputs, answer: Answer, t: Translator) -> None:
    """Draw the cards, the table and the view that was chosen."""
    # Two pairs: four cards stand in one row, two or one, but never three and a fourth below them.
    st.html(EVEN)
    with st.grid(2, min_column_width=PAIR, key="quotes_cards"):
        with st.grid(2, min_column_width=WIDTH, height="stretch"):
            _tokens(answer, t)
            _hour(answer, t)
        with st.grid(2, min_column_width=WIDTH, height="stretch"):
            _break_even(answer, t)
            _chance(answer, t)
    _not_serving(answer, t)
    compared(answer, t)
    inputs.segments(
        "view",
        t("size.view"),
        VIEWS,
        lambda view: t(f"quotes_page.views.{view}"),
        label_visibility="collapsed",
    )
    SHOW[str(inputs["view"])](inputs, answer, t)


def band(found: tuple[float, float] | None, t: Translator) -> str:
    """Return where eight of ten draws lie, in words."""
    return (
        "–" if found is None else t("quotes_page.band", low=format_usd(found[0]), high=format_usd(found[1]))
    )


def _tokens(answer: Answer, t: Translator) -> None:
    place = answer.cheapest_tokens
    usd = None if place is None else answer.tokens(place)
    if place is None or usd is None:
        _card("tokens", t, "–", t("quotes_page.nobody_holds"), None)
        return
    _card("tokens", t, format_usd(usd), _named(answer, place), band(answer.band(place, "per_million"), t))


def _hour(answer: Answer, t: Translator) -> None:
    place = answer.cheapest_hour
    usd = answer.unit(place, "gpu_hour") or 0.0
    serves = answer.capabilities[place].state == "keeps"
    below = band(answer.hour_band(place), t)
    if not serves:
        below = f"{below} · {t(f'quotes_page.state.{answer.capabilities[place].state}')}"
    _card("hour", t, format_usd(usd), _named(answer, place), below)


def _break_even(answer: Answer, t: Translator) -> None:
    pair = answer.pair
    if pair is None:
        _card("break_even", t, "–", t("quotes_page.no_pair"), None)
        return
    month = answer.crossing(*pair)
    first, second = (_named(answer, place) for place in pair)
    value = t("quotes_page.never") if month is None else t("quotes_page.month", month=format_digits(month, 2))
    _card("break_even", t, value, t("quotes_page.against", first=first, second=second), None)


def _chance(answer: Answer, t: Translator) -> None:
    if len(answer.ranked) < 2:
        _card("chance", t, "–", t("quotes_page.one_quote"), None)
        return
    first, second = answer.ranked[:2]
    told = t("quotes_page.cheaper_than", first=_named(answer, first), second=_named(answer, second))
    _card("chance", t, chance(answer.cheaper(first, second)), told, t(f"quotes_page.by.{answer.measure}"))


def chance(share: float) -> str:
    """Return a probability; draws cannot tell the ends.

    >>> chance(0.5), chance(1.0), chance(0.0)
    ('50 %', '> 99 %', '< 1 %')
    """
    return "> 99 %" if share > 0.99 else "< 1 %" if share < 0.01 else f"{share * 100:.0f} %"


def _named(answer: Answer, place: int) -> str:
    """Return the name of quote *place* as a card has room for it."""
    return short_name(answer.quotes[place].name, 36)


def _card(name: str, t: Translator, value: str, who: str, below: str | None) -> None:
    with st.container(border=True, height="stretch", gap="xxsmall"):
        st.metric(t(f"quotes_page.card.{name}"), value, help=t(f"quotes_page.card_help.{name}"))
        st.markdown(plain(who))
        if below:
            st.caption(below)


def _not_serving(answer: Answer, t: Translator) -> None:
    """Say which quotes cannot serve the workload, and why."""
    lines = [
        f"{told} {_larger(answer, place, t)}".rstrip()
        for place, one in enumerate(answer.capabilities)
        if one.state != "keeps"
        for reason in [plain(one.reason.render(language.current())) if one.reason else ""]
        for told in [t(f"quotes_page.told.{one.state}", name=plain(answer.quotes[place].name), reason=reason)]
    ]
    if lines:
        listed = "\n".join(f"- {line}" for line in lines) if len(lines) > 1 else lines[0]
        st.warning(listed, icon=":material/report:")


def _larger(answer: Answer, place: int, t: Translator) -> str:
    """Return how many servers quote *place* takes for the load and what they cost; empty where it is not too small."""
    found = larger(answer, place)
    if found is None or found.row.tokens is None:
        return ""
    costs = {"yearly": found.row.yearly, "tokens": found.row.tokens.total}
    told = {name: format_usd(float(usd)).replace("$", "\\$") for name, usd in costs.items()}
    return t("quotes_page.told_larger", nodes=found.nodes, now=answer.quotes[place].nodes, **told)
