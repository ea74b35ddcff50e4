"""Why: every part of the memory with its formula, the numbers filled in, and the source of its constants."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.charts.memory_bar import amount_of
from core.memory.headline import part_estimate
from core.memory.serving import ServingMemory
from core.quantities import GIB
from pages.parts import language


def breakdown(memory: ServingMemory, t: Callable[..., str]) -> None:
    """Draw the parts, each of which opens to where it comes from."""
    st.caption(t("size.why_intro"))
    for part in memory.parts:
        with st.expander(
            f"**{t(f'part.{part.name}')}** — {amount_of(memory, part.name, part.bytes)}",
            key=f"size_why_{part.name}",
        ):
            st.markdown(plain(part.formula.render(language.current())))
            st.caption(t("size.formula_source", source=part.source or t(f"size.source_of.{part.name}")))
            estimate = part_estimate(memory, part.name)
            if estimate.high > estimate.low:
                low, high = estimate.range(GIB)
                st.caption(t("size.part_band", low=low, high=high))


def plain(sentence: str) -> str:
    """Return *sentence* with what Markdown would read as emphasis or a formula shown as it is."""
    return "".join(f"\\{letter}" if letter in "*_$`[]<>#~" else letter for letter in sentence)
