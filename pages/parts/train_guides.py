"""What the planning guides say about training: values to start with, and claims beside our figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st

from core.api.training_claims import Checked, checked_claims
from core.memory.training import TrainingMemory, TrainingRun
from core.memory.training.fitting import largest_micro_batch
from core.planning.training_advice import limits
from core.planning.training_start import Advised, guide_advice
from core.speed.training import training_time
from core.text import Sentence, say
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.train_fields import FIELDS
from pages.parts.training import spelled, tokens_of

Translator = Callable[..., str]

WIDTH = 330
"""Pixels of the narrowest cell: two side by side on a desktop, one on a telephone."""

FIRST_SHARE = 0.7
"""Of the card's memory: the upper end of what a guide gives the first batch."""

ICONS = {"right": ":green-badge[{}]", "partly": ":orange-badge[{}]", "wrong": ":red-badge[{}]"}


def guides_view(memory: TrainingMemory, inputs: Inputs, t: Translator) -> None:
    """Draw the claims with our figures and a link for each, then the advice with what is right."""
    now = language.current()
    st.markdown(f"**{t('train_page.guides.claims')}**")
    with st.grid(2, min_column_width=WIDTH):
        for claim in checked_claims():
            _cell(_claim(claim, t, now))
    st.markdown(f"**{t('train_page.guides.start')}**")
    with st.grid(2, min_column_width=WIDTH):
        for advice in guide_advice():
            _cell(_advice(advice, memory, inputs, t, now))
    st.caption(t("train_page.guides.intro"))


def _cell(lines: list[str]) -> None:
    with st.container(border=True, height="stretch"):
        st.markdown("\n\n".join(lines))


def _badge(verdict: str, t: Translator) -> str:
    return ICONS[verdict].format(t(f"train_page.guides.verdict.{verdict}"))


def _claim(one: Checked, t: Translator, now: str) -> list[str]:
    figure, layout = plain(one.shown.render(now)), one.run.layout
    gpu = one.run.device.name if one.run.device else "–"
    ours = t("train_page.guides.ours", model=plain(one.run.model.name), gpus=layout.gpus, gpu=gpu)
    return [
        f"{_badge(one.verdict, t)} {plain(one.claim.says.render(now))}",
        f"{ours} **{figure}** [{t('train_page.guides.try')}]({link_of(one.run)})",
        plain(one.right.render(now)),
        f":small[:gray[{plain(one.claim.by.title)}]]",
    ]


def _advice(one: Advised, memory: TrainingMemory, inputs: Inputs, t: Translator, now: str) -> list[str]:
    source = t("train_page.guides.source", source=one.source)
    return [
        f"{_badge(one.verdict, t)} {plain(one.says.render(now))}",
        plain(_right(one, memory, inputs).render(now)),
        f":small[:gray[{plain(one.by.title)} · {plain(source)}]]",
    ]


def _right(one: Advised, memory: TrainingMemory, inputs: Inputs) -> Sentence:
    """Return what is right, with the figures of this run where it is about them."""
    run, key = memory.run, f"training_guides.advice.{one.id}.right"
    if one.id == "first_batch":
        batch = first_batch(run)
        return say(key if batch else f"{key}_none", batch=batch, most=limits(run).micro_batch)
    if one.id == "accumulation":
        return say(key, effective=f"{run.effective_batch:,}")
    if one.id == "lora_steps":
        return say(key, steps=f"{training_time(run, tokens_of(inputs, run)).steps:,.0f}")
    return say(key)


def first_batch(run: TrainingRun) -> int:
    """Return the most sequences of a micro-batch that take FIRST_SHARE of the card; 0 where one takes more."""
    if run.device is None:
        return 0
    smaller = replace(run.device, usable=run.device.usable * FIRST_SHARE)
    return largest_micro_batch(replace(run, device=smaller))


def link_of(run: TrainingRun) -> str:
    """Return the address of the page with the inputs of *run*, relative to the page's own."""
    values = spelled(run) | {"model": run.model.name, "framework": run.framework.name}
    said = {
        name: FIELDS[name].spell(value)
        for name, value in values.items()
        if value is not None and value != FIELDS[name].default
    }
    said |= {name: FIELDS[name].spell(values[name]) for name in ("model", "gpu", "gpus", "method")}
    return f"?{urlencode(said | {'lang': language.current()}, safe='/,')}"
