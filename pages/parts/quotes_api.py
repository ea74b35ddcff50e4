"""What an API would ask for the same tokens, beside what the quotes cost."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.planning.against_api import AgainstApi, against_api
from core.planning.fair import Answer
from core.quantities import format_count, format_usd
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs

Translator = Callable[..., str]


def api_price(inputs: Inputs, answer: Answer, t: Translator) -> None:
    """Draw the prices of an API as inputs, and each quote against them."""
    st.markdown(f"**{t('quotes_page.api')}**")
    left, right = st.columns(2)
    with left:
        inputs.number("api_in", t("quotes_page.api_in"), step=0.1, placeholder=t("quotes_page.api_none"))
    with right:
        inputs.number("api_out", t("quotes_page.api_out"), step=0.1, placeholder=t("quotes_page.api_none"))
    prompt, reply = inputs["api_in"], inputs["api_out"]
    if not isinstance(prompt, float) or not isinstance(reply, float):
        st.caption(t("quotes_page.api_note"))
        return
    found = [against_api(answer, place, prompt, reply) for place in range(len(answer.quotes))]
    rows = {
        plain(quote.name): _row(one, t) if one else ["–"] * 4
        for quote, one in zip(answer.quotes, found, strict=True)
    }
    columns = [t(f"quotes_page.api_column.{name}") for name in ("own", "api", "saves", "from")]
    st.table(pd.DataFrame.from_dict(rows, orient="index", columns=columns))
    st.caption(t("quotes_page.api_told"))


def _row(one: AgainstApi, t: Translator) -> list[str]:
    start = t("quotes_page.api_never") if one.break_even is None else format_count(one.break_even)
    return [_usd(one.own), _usd(one.api), _usd(one.saves), start]


def _usd(value: float) -> str:
    sign = "−" if value < 0 else ""
    return sign + format_usd(abs(value)).replace("$", "\\$")
