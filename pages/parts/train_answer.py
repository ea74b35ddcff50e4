"""The batch of a training run as sliders, and what follows from it: numbers first, then where they come from."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.charts.training_bar import training_bar, training_bar_alt
from core.memory.training import TrainingMemory, TrainingRun
from core.memory.training.reasons import training_reasons
from core.planning.training_advice import limits
from core.planning.training_parts import (
    duration,
    money,
    peak_words,
    room,
    state_of,
    verdict_words,
    whole_band,
)
from core.quantities import GIB, format_count, format_gib, format_length, format_usd
from core.speed.training import training_time
from pages.parts import language
from pages.parts.answered import tell_error
from pages.parts.breakdown import plain
from pages.parts.card import cards_of
from pages.parts.headline import WIDTH
from pages.parts.inputs import Inputs
from pages.parts.plot import plot
from pages.parts.train_fields import VIEWS
from pages.parts.train_levers import advice_box
from pages.parts.train_sidebar import name_of
from pages.parts.train_views import SHOW
from pages.parts.training import EVERYWHERE, Trained, tokens_of, trained

Translator = Callable[..., str]
_card = cards_of("train_page")

GPUS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 4096)
SEQUENCES = tuple(sorted({*(step * 2**power for power in range(8, 17) for step in (2, 3)), 2**18, 2**20}))
MICRO = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
ACCUMULATION = (1, 2, 4, 8, 16, 32, 64, 128, 256)
BOXES = {
    "fits": (st.success, ":material/check_circle:", "green"),
    "tight": (st.warning, ":material/warning:", "orange"),
    "doubtful": (st.error, ":material/block:", "red"),
    "refuses": (st.error, ":material/block:", "red"),
    "unknown": (st.info, ":material/help:", "gray"),
}


def train_answer(inputs: Inputs, t: Translator) -> None:
    """Draw the sliders, the answer for them, and below it the view that was chosen."""
    if st.session_state.pop(EVERYWHERE, False):
        st.rerun()
    inputs.settle()
    result = trained(inputs)
    with st.grid(4, min_column_width=170, gap=("xxsmall", "medium")):
        inputs.steps("gpus", t("train_page.gpus"), GPUS, "{:,}".format, help=t("train_page.help.gpus"))
        inputs.steps(
            "sequence", t("train_page.sequence"), SEQUENCES, format_length, help=t("train_page.help.sequence")
        )
        inputs.steps("micro", t("train_page.micro"), MICRO, help=t("train_page.help.micro"))
        inputs.steps(
            "accumulation", t("train_page.accumulation"), ACCUMULATION, help=t("train_page.help.accumulation")
        )
    # What comes and goes has a place that stays: Streamlit would build all that follows anew, and lose its zoom.
    with st.container():
        _tell_error(result, t)
    memory = result.memory
    if memory is None:
        if not result.waiting:
            st.info(t("size.empty"), icon=":material/tune:")
        return
    with st.container(key="train_figures"):
        _figures(inputs, result, memory, t)
    if result.stale:
        st.html("<style>.st-key-train_figures { opacity: 0.45; }</style>")


def _tell_error(result: Trained, t: Translator) -> None:
    last = None
    if result.memory is not None:
        run = result.memory.run
        last = t("train_page.stale", model=run.model.name, gpus=f"{run.layout.gpus:,}")
    named = name_of(result.error.field, t) if result.error else ""
    tell_error(result, "train_page.cannot", last, lambda key, **_: t(key, field=named))


def _figures(inputs: Inputs, result: Trained, memory: TrainingMemory, t: Translator) -> None:
    cards, banner = st.container(), st.container()
    # The bar is sent before the cards above it: it takes longest to draw, and the cards are there in time.
    with st.container(border=True):
        st.caption(_described(memory, t))
        now = language.current()
        plot(training_bar(memory, now), "train_bar", training_bar_alt(memory, now))
        _notes(memory)
    with cards:
        _cards(memory, inputs, t)
    with banner:
        if not result.stale:
            box, icon, _ = BOXES[state_of(memory)]
            box(verdict_words(memory).render(now), icon=icon)
    with st.container():
        if not result.stale:
            advice_box(memory, inputs, t)
    inputs.segments(
        "view",
        t("size.view"),
        VIEWS,
        lambda view: t(f"train_page.views.{view}"),
        label_visibility="collapsed",
    )
    SHOW[str(inputs["view"])](inputs, result, memory, t)


def _described(memory: TrainingMemory, t: Translator) -> str:
    """Return the run in a line: on a telephone the inputs are out of sight."""
    run = memory.run
    size = t("size.parameters", parameters=format_count(run.model.parameters))
    return t(
        "train_page.described",
        model=plain(run.model.name),
        size=size,
        method=t(f"train_page.methods.{run.method}"),
        gpus=f"{run.layout.gpus:,}",
        gpu=run.device.name if run.device else "–",
        framework=t(f"train_page.frameworks.{str(run.framework.name).replace('-', '_')}"),
    )


def _cards(memory: TrainingMemory, inputs: Inputs, t: Translator) -> None:
    """Draw the answers that come first, each with its band where it has one."""
    run, whole, state = memory.run, whole_band(memory), state_of(memory)
    low, high = whole.range(GIB)
    gpus = t(
        "train_page.card.gpu" if run.layout.gpus == 1 else "train_page.card.gpus", gpus=f"{run.layout.gpus:,}"
    )
    tokens = run.effective_batch * run.sequence
    with st.grid(5, min_column_width=WIDTH):
        _card("verdict", t, t(f"train_page.verdict.{state}"), gpus, color=BOXES[state][2])
        if run.device:
            marketing = run.device.marketing
            sold = t("size.card.sold", marketing=f"{marketing / GIB:g}") if marketing else None
            _card("memory", t, format_gib(run.device.usable), sold)
        _card("process", t, f"{whole.shown(GIB)} GiB", t("size.card.band", low=low, high=high))
        if run.device:
            free = run.device.usable - memory.process
            _card("spare" if free >= 0 else "lacking", t, room(abs(free), whole), None)
        step = t("train_page.card.tokens", tokens=format_length(tokens))
        _card("batch", t, f"{run.effective_batch:,}", step)
        share = 100 * memory.trainable / max(1, run.model.parameters)
        below = t("train_page.card.share", share=f"{share:.3g}")
        _card("trained", t, format_count(memory.trainable), below)
        if run.device:
            _limits(run, t)
        _time(run, tokens_of(inputs, run), t)


def _limits(run: TrainingRun, t: Translator) -> None:
    most = limits(run)
    now = t("train_page.card.now", now=f"{run.micro_batch:,}")
    _card("largest", t, f"{most.micro_batch:,}" if most.micro_batch else "–", now)
    now = t("train_page.card.now", now=format_length(run.sequence))
    _card("longest", t, format_length(most.sequence) if most.sequence else "–", now)


def _time(run: TrainingRun, tokens: float, t: Translator) -> None:
    time = training_time(run, tokens)
    seen = t("train_page.card.epochs", tokens=format_count(tokens))
    _card("time", t, duration(time.seconds).render(language.current()), seen)
    if time.usd is None or time.price is None:
        _card("cost", t, "–", t("train_page.card.no_price"))
    else:
        price = format_usd(time.price.usd_per_gpu_hour)
        _card("cost", t, money(time.usd), t("train_page.card.price", price=price))


def _notes(memory: TrainingMemory) -> None:
    """Draw where the peak is, what was assumed and what to watch, as a list in small print."""
    # The first two are the verdict and the peak, which the page says with the digits of the band.
    told = (peak_words(memory), *training_reasons(memory)[2:])
    sentences = [sentence.render(language.current()) for sentence in told]
    st.caption("\n".join(f"- {sentence}" for sentence in sentences))
