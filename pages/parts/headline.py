"""The first answers as a row of cards, each with the band of what was measured."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.memory.headline import Estimate, headline
from core.memory.serving import ServingMemory
from core.quantities import GIB, format_gib, format_length

STATES = {"fits": "green", "waits": "orange", "refuses": "red", "unknown": "gray"}
WIDTH = 168
"""Pixels of the narrowest card: five side by side on a desktop, two on a telephone."""


def headline_cards(memory: ServingMemory, t: Callable[..., str]) -> None:
    """Draw the cards: the verdict, what is left, and for how many tokens and requests it is enough."""
    first = headline(memory)
    deployment = memory.deployment
    gpus, device = deployment.layout.gpus, deployment.device
    with st.grid(5, min_column_width=WIDTH):
        _card(
            t("size.card.verdict"),
            t(f"size.state.{first.state}"),
            f"{gpus} × {device.name}" if device else None,
            color=STATES[first.state],
            help=t("size.card_help.verdict"),
        )
        _card(
            t("size.card.spare" if first.spare.value >= 0 else "size.card.lacking"),
            format_gib(abs(_gib_rounded(first.spare))),
            t("size.card.capacity", usable=format_gib(memory.capacity or 0)),
            help=t("size.card_help.spare"),
        )
        _card(
            t("size.card.tokens"),
            _tokens(first.tokens),
            _band(first.tokens, t),
            help=t("size.card_help.tokens"),
        )
        _card(
            t("size.card.requests"),
            _tokens(first.requests, whole=True),
            t("size.card.each", tokens=format_length(memory.mean_length)),
            help=t("size.card_help.requests"),
        )
        limit = deployment.model.max_context
        _card(
            t("size.card.longest"),
            _tokens(first.largest_context),
            t("size.card.limit", limit=format_length(limit)) if limit else _band(first.largest_context, t),
            help=t("size.card_help.longest"),
        )


def _card(label: str, value: str, below: str | None, *, color: str = "off", help: str) -> None:  # noqa: A002
    st.metric(
        label, value, below, delta_color=color, delta_arrow="off", border=True, height="stretch", help=help
    )


def _gib_rounded(estimate: Estimate) -> float:
    return round(estimate.rounded / GIB, 1) * GIB


def _tokens(estimate: Estimate, *, whole: bool = False) -> str:
    value = int(estimate.value) if whole and estimate.value < 1000 else estimate.rounded
    return f"{value:,.0f}"


def _band(estimate: Estimate, t: Callable[..., str]) -> str | None:
    if estimate.value <= 0:
        return None
    low, high = estimate.range
    return t("size.card.band", low=f"{low:,.0f}", high=f"{high:,.0f}")
