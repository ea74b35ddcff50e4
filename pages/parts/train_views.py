"""What can be shown below the answer of the Train page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import orjson
import streamlit as st

from core.api import train_answer
from core.charts.training_bar import training_phases, training_phases_alt
from core.memory.training import TrainingMemory
from core.planning.training_parts import duration, money, parts, short_time, shown_gib, whole_band
from core.quantities import GIB, format_count, format_digits
from core.speed.training import training_time
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.plot import plot
from pages.parts.train_config import config_view
from pages.parts.train_fields import STATED
from pages.parts.train_guides import guides_view
from pages.parts.train_levers import lever_list
from pages.parts.training import Trained, tokens_of

Translator = Callable[..., str]

NO_BREAK = "\u00a0"


def _phases(inputs: Inputs, result: Trained, memory: TrainingMemory, t: Translator) -> None:
    del inputs, result
    now = language.current()
    plot(training_phases(memory, now), "train_phases", training_phases_alt(memory, now))
    st.caption(t("train_page.phases_note", phase=t(f"train_page.phase.{memory.peak_phase}")))


def _why(inputs: Inputs, result: Trained, memory: TrainingMemory, t: Translator) -> None:
    """Draw the parts with their formulas, the numbers filled in."""
    del inputs, result
    st.caption(t("train_page.why_intro"))
    now, whole = language.current(), whole_band(memory)
    rows = [
        f"| **{t(f'train_page.part.{part.name}')}** | {shown_gib(part.bytes, whole).replace(' ', NO_BREAK)} | "
        f"{plain(part.formula.render(now))} |"
        for part in parts(memory)
    ]
    head = f"| {t('train_page.column.part')} | {t('train_page.column.size')} | {t('train_page.column.formula')} |"
    st.markdown("\n".join([head, "|---|--:|---|", *rows]))
    low, high = whole.range(GIB)
    st.caption(t("train_page.band_note", low=low, high=high))


def _share(inputs: Inputs, result: Trained, memory: TrainingMemory, t: Translator) -> None:
    """Draw the link, and the request with its answer as a file."""
    st.markdown(f"**{t('size.link')}**")
    st.code(inputs.link(STATED, lang=language.current()), language=None, wrap_lines=True)
    st.caption(t("size.not_in_link" if inputs["source"] == "config" else "size.link_note"))
    st.download_button(
        t("size.download_json"),
        lambda: orjson.dumps(
            {"request": result.request, "answer": train_answer(memory.run)}, option=orjson.OPT_INDENT_2
        ),
        f"{memory.run.model.name.rpartition('/')[2]}_{memory.run.method}.json",
        "application/json",
        icon=":material/data_object:",
        on_click="ignore",
        key="train_json",
    )


def _levers(inputs: Inputs, result: Trained, memory: TrainingMemory, t: Translator) -> None:
    del result
    lever_list(memory, inputs, t)


def _time(inputs: Inputs, result: Trained, memory: TrainingMemory, t: Translator) -> None:
    """Draw what a step spends its time on, and what the share of the peak is taken from."""
    del result
    run, now = memory.run, language.current()
    time = training_time(run, tokens_of(inputs, run))
    step = time.step
    rows = [
        (t("train_page.time.tokens"), format_count(time.tokens)),
        (t("train_page.time.steps"), f"{time.steps:,.0f}"),
        *(
            (t(f"train_page.time.{name}"), short_time(seconds))
            for name, seconds in (
                ("step", step.total),
                ("compute", step.compute),
                ("recomputation", step.recomputation),
                ("messages", step.messages),
                ("offload", step.offload),
                ("bubble", step.bubble),
            )
        ),
        (t("train_page.time.mfu"), f"{time.mfu:.0%}"),
        (t("train_page.time.whole"), duration(time.seconds).render(now)),
        (t("train_page.time.gpu_hours"), format_digits(time.gpu_hours, 2)),
        (t("train_page.time.cost"), money(time.usd) if time.usd is not None else "–"),
    ]
    head = f"| {t('train_page.time.quantity')} | {t('train_page.time.value')} |"
    st.markdown("\n".join([head, "|---|--:|", *(f"| {name} | {plain(value)} |" for name, value in rows)]))
    used = time.utilisation
    st.caption(
        t(
            "train_page.time.source",
            share=f"{used.value:.0%}",
            source=used.source,
            as_of=used.as_of.isoformat(),
            confidence=t(f"train_page.confidence.{used.confidence}"),
        )
    )
    if time.price is not None:
        st.caption(time.price.sentence(datetime.now(UTC).date()).render(now))
    st.caption(t("train_page.time.note"))


def _guides(inputs: Inputs, result: Trained, memory: TrainingMemory, t: Translator) -> None:
    del result
    guides_view(memory, inputs, t)


def _config(inputs: Inputs, result: Trained, memory: TrainingMemory, t: Translator) -> None:
    del result
    config_view(memory, inputs, t)


SHOW = {
    "phases": _phases,
    "levers": _levers,
    "why": _why,
    "time": _time,
    "guides": _guides,
    "config": _config,
    "share": _share,
}
"""What can be shown below the answer, by the name that the address has for it."""
