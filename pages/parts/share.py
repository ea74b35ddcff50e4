"""Taking the page away: a link that reproduces it, the request and its answer, the parts as a table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime

import orjson
import streamlit as st

from core.api import size_answer
from core.memory.serving import ServingMemory
from core.quantities import GIB
from pages.parts import language
from pages.parts.fields import STATED
from pages.parts.inputs import Inputs
from pages.parts.serving import Sized


def share(inputs: Inputs, sized: Sized, memory: ServingMemory, t: Callable[..., str]) -> None:
    """Draw the link and the files."""
    st.markdown(f"**{t('size.link')}**")
    st.code(inputs.link(STATED, lang=language.current()), language=None, wrap_lines=True)
    st.caption(t("size.not_in_link" if inputs["source"] == "config" else "size.link_note"))
    name = file_name(memory)
    with st.container(horizontal=True):
        st.download_button(
            t("size.download_json"),
            lambda: as_json(sized),
            f"{name}.json",
            "application/json",
            icon=":material/data_object:",
            on_click="ignore",
            key="size_json",
        )
        st.download_button(
            t("size.download_csv"),
            lambda: as_csv(memory),
            f"{name}.csv",
            "text/csv",
            icon=":material/table:",
            on_click="ignore",
            key="size_csv",
        )


def file_name(memory: ServingMemory) -> str:
    """Return a name that says model, GPUs and date."""
    deployment = memory.deployment
    device = deployment.device
    gpu = (device.id or device.name) if device else "gpu"
    words = (
        deployment.model.name.rpartition("/")[2],
        f"{deployment.layout.gpus}x-{gpu}",
        f"{datetime.now(UTC):%Y-%m-%d}",
    )
    return "_".join(re.sub(r"[^A-Za-z0-9.-]+", "-", word) for word in words)


def as_json(sized: Sized) -> bytes:
    """Return the request and its answer as the headless contract has them, and the load beside them."""
    if sized.memory is None:
        return b"{}"
    deployment = sized.memory.deployment
    load = {
        "requests": deployment.requests,
        "input_tokens": deployment.input_tokens,
        "output_tokens": deployment.output_tokens,
        "shared_prefix": deployment.shared_prefix,
        "sparse_weights": deployment.sparse_weights,
    }
    content = {"request": sized.request, "load": load, "answer": size_answer(deployment)}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)


def as_csv(memory: ServingMemory) -> str:
    """Return the parts as a table: name, GiB, formula, source."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["part", "gib", "formula", "source"])
    for part in memory.parts:
        writer.writerow([part.name, round(part.bytes / GIB, 4), part.formula.render(), part.source])
    return table.getvalue()
