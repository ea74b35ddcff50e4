"""Servers that are kept all day and others for the busy hours, beside the quotes as they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from core.charts.mix import mix as figure
from core.charts.mix import mix_alt
from core.planning.fair import Answer
from core.planning.larger import larger
from core.planning.mix import Mix, bases, mix, rests, usual, usual_rest
from core.quantities import format_digits, format_usd
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.plot import plot

Translator = Callable[..., str]


def mixes(inputs: Inputs, answer: Answer, t: Translator) -> None:
    """Draw what is kept and what fills up as inputs, the servers of each hour, and the costs in one table."""
    st.caption(t("quotes_page.mix_note"))
    pair = usual(answer)
    if pair is None:
        st.info(t("quotes_page.mix_none"), icon=":material/info:")
        return
    left, middle, right = st.columns((2, 2, 1), vertical_alignment="bottom")
    with left:
        base = _chosen("base", inputs, answer, bases(answer), t, likely=pair[0])
    able = rests(answer, base)
    with middle:
        rest = _chosen("rest", inputs, answer, able, t, likely=usual_rest(answer, able))
    best = mix(answer, base, rest)
    if best is None:
        return
    with right:
        inputs.number("kept", t("quotes_page.choose.kept"), step=1, placeholder=str(best.kept))
    kept = inputs["kept"]
    found = mix(answer, base, rest, kept) if isinstance(kept, int) else best
    if found is None:
        return
    _tell(found, best, t)
    plot(figure(found, language.current()), "quotes_mix", mix_alt(found, language.current()))
    _table(found, answer, (base, rest), t)
    st.caption(t("quotes_page.mix_told"))


def _chosen(
    name: str, inputs: Inputs, answer: Answer, places: Sequence[int], t: Translator, *, likely: int
) -> int:
    """Draw the choice of one of the quotes at *places*, by their numbers in the table; return its place."""
    numbers = [place + 1 for place in places]
    if inputs[name] is not None and inputs[name] not in numbers:
        inputs.change(**{name: None})
    inputs.choice(
        name,
        t(f"quotes_page.choose.{name}"),
        numbers,  # type: ignore[arg-type]
        lambda number: answer.quotes[int(number) - 1].name,
        placeholder=answer.quotes[likely].name,
    )
    found = inputs[name]
    return found - 1 if isinstance(found, int) else likely


def _tell(found: Mix, best: Mix, t: Translator) -> None:
    """Say what runs when and what it costs, and what would cost less."""
    values = {
        "kept": found.kept,
        "most": found.most,
        "hours": format_digits(found.hours_per_day, 2),
        "base": plain(found.base.name),
        "rest": plain(found.rest.name),
        "yearly": _usd(found.yearly),
        "tokens": _usd(found.per_million),
    }
    if not found.kept:
        st.markdown(t("quotes_page.mix_hours", **values))
    elif not found.most:
        st.markdown(t("quotes_page.mix_day", **values))
    else:
        st.markdown(t("quotes_page.mix_both", **values))
    if found.kept != best.kept:
        less = _usd(found.yearly - best.yearly)
        st.markdown(t("quotes_page.mix_best", kept=best.kept, less=less, yearly=_usd(best.yearly)))


def _table(found: Mix, answer: Answer, pair: tuple[int, int], t: Translator) -> None:
    """Draw the mix, its two ends, and each quote that serves the load, as it is or with more servers."""
    columns = [t(f"quotes_page.mix_column.{name}") for name in ("servers", "tokens", "year", "present")]
    base, rest = plain(found.base.name), plain(found.rest.name)
    rows = [(f"**{t('quotes_page.mix_row')}**", _mixed(found))]
    ends = {0: t("quotes_page.mix_all_hours", name=rest)}
    most = mix(answer, *pair, kept=_all(found))
    if most is not None:
        ends[most.kept] = t("quotes_page.mix_all_day", name=base)
    for kept, label in ends.items():
        end = mix(answer, *pair, kept=kept)
        if end is not None and kept != found.kept:
            rows.append((label, _mixed(end)))
    rows += [
        (plain(answer.quotes[place].name), row) for place in answer.order for row in _quoted(answer, place)
    ]
    st.table(pd.DataFrame([cells for _, cells in rows], index=[label for label, _ in rows], columns=columns))


def _all(found: Mix) -> int:
    """Return the servers of the base that need no other beside them."""
    gpus = found.kept * found.base.gpus_per_node + found.most * found.rest.gpus_per_node
    return -(-gpus // found.base.gpus_per_node)


def _mixed(one: Mix) -> list[str]:
    servers = f"{one.kept} + {one.most}" if one.kept and one.most else str(one.kept or one.most)
    return [servers, _usd(one.per_million), _usd(one.yearly), _usd(one.present)]


def _quoted(answer: Answer, place: int) -> list[list[str]]:
    """Return the row of quote *place*, none where it serves the load in no number."""
    more = larger(answer, place)
    if more is None and answer.capabilities[place].state != "keeps":
        return []
    row = answer.comparison.rows[place] if more is None else more.row
    tokens = "–" if row.tokens is None else _usd(float(row.tokens.total))
    return [[str(row.quote.nodes), tokens, _usd(float(row.yearly)), _usd(float(row.present))]]


def _usd(value: float) -> str:
    return format_usd(value).replace("$", "\\$")
