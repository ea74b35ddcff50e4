"""One figure with its name, what it is in a few words below it, and help: the same on all pages."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

Translator = Callable[..., str]


def cards_of(section: str) -> Callable[..., None]:
    """Return what draws the cards of a page: card(name, t, value, below, color, **values).

    Its title is the sentence `card.name` of *section* and its help `card_help.name`, both with *values*. *below* is
    shown as a badge in *color*, "off" for none.
    """

    def card(
        name: str, t: Translator, value: str, below: str | None, color: str = "off", **values: str
    ) -> None:
        st.metric(
            t(f"{section}.card.{name}", **values),
            value,
            below,
            delta_color=color,
            delta_arrow="off",
            border=True,
            height="stretch",
            help=t(f"{section}.card_help.{name}", **values),
        )

    return card
