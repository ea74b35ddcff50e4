"""Why: every part of the memory with its formula, the numbers filled in, and the source of its constants."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.memory.bands import band
from core.memory.serving import Part, ServingMemory
from core.quantities import GIB, format_gib, significant
from pages.parts import language

BANDED = {"weights": "weights_gib", "activation": "activation_gib"}


def breakdown(memory: ServingMemory, t: Callable[..., str]) -> None:
    """Draw the parts, each of which opens to where it comes from."""
    st.caption(t("size.why_intro"))
    for part in memory.parts:
        with st.expander(
            f"**{t(f'part.{part.name}')}** — {_amount(memory, part)}", key=f"size_why_{part.name}"
        ):
            st.markdown(_plain(part.formula.render(language.current())))
            st.caption(t("size.formula_source", source=part.source or t(f"size.source_of.{part.name}")))
            if part.name in BANDED:
                low, high = band(memory.deployment, BANDED[part.name], part.bytes)
                st.caption(t("size.part_band", low=format_gib(low), high=format_gib(high)))


def _amount(memory: ServingMemory, part: Part) -> str:
    if part.name not in BANDED:
        return format_gib(part.bytes)
    low, high = band(memory.deployment, BANDED[part.name], part.bytes)
    return f"{significant(part.bytes / GIB, low / GIB, high / GIB):g} GiB"


def _plain(sentence: str) -> str:
    """Return *sentence* with what Markdown would read as emphasis or a formula shown as it is."""
    return "".join(f"\\{letter}" if letter in "*_$`[]<>#~" else letter for letter in sentence)
