"""The first answers as a row of cards, each with the band of what was measured."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.memory.headline import Estimate, headline
from core.memory.serving import ServingMemory
from core.quantities import GIB, format_gib, format_length
from pages.parts.card import cards_of

Translator = Callable[..., str]
_card = cards_of("size")

STATES = {"fits": "green", "waits": "orange", "refuses": "red", "unknown": "gray"}
WIDTH = 132
"""Pixels of the narrowest card: six side by side on a desktop, two on a telephone."""


def headline_cards(memory: ServingMemory, t: Translator) -> None:
    """Draw the cards: the verdict, what is left, and for how many tokens and requests it is enough."""
    first = headline(memory)
    deployment = memory.deployment
    device, limit = deployment.device, deployment.model.max_context
    with st.grid(6, min_column_width=WIDTH):
        _card(
            "verdict",
            t,
            t(f"size.state.{first.state}"),
            t("size.card.gpus", gpus=deployment.layout.gpus),
            color=STATES[first.state],
        )
        if device:
            sold = t("size.card.sold", marketing=f"{device.marketing / GIB:g}") if device.marketing else None
            _card("memory", t, format_gib(device.usable), sold)
        _card("spare" if first.spare.value >= 0 else "lacking", t, *_spare(first.spare, t))
        _card("tokens", t, first.tokens.shown(), _band(first.tokens, t))
        _card(
            "requests",
            t,
            _held(first.requests),
            t("size.card.each", tokens=format_length(memory.mean_length)),
        )
        longest = (
            t("size.card.limit", limit=format_length(limit)) if limit else _band(first.largest_context, t)
        )
        _card("longest", t, first.largest_context.shown(), longest)


def _spare(estimate: Estimate, t: Translator) -> tuple[str, str | None]:
    """Return the amount, which the label says is left or lacking, and its range where it has one."""
    amount = f"{estimate.shown(GIB).removeprefix('-')} GiB"
    return amount, None if estimate.value < 0 else t("size.card.band", **_ends(estimate, GIB))


def _ends(estimate: Estimate, unit: float = 1.0) -> dict[str, str]:
    low, high = estimate.range(unit)
    return {"low": low, "high": high}


def _held(estimate: Estimate) -> str:
    """Return whole requests: one that is held in part waits."""
    return f"{int(estimate.value):,}" if estimate.value < 100 else estimate.shown()


def _band(estimate: Estimate, t: Translator) -> str | None:
    if estimate.value <= 0:
        return None
    return t("size.card.band", **_ends(estimate))
