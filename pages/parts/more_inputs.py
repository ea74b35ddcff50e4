"""The inputs that only some set, in groups that are drawn when they are opened."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.memory.deployment import KV_BYTES
from core.memory.engines import ENGINES, find_engine
from core.memory.serving import ServingMemory
from pages.parts.inputs import Inputs

Translator = Callable[..., str]

SHARED = tuple(range(0, 101, 5))
KV_FORMATS = {"llama.cpp": ("f16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl", "fp32")}
KV_OTHERS = ("bf16", "fp16", "fp8", "int8", "fp32")


def _load(inputs: Inputs, memory: ServingMemory | None, t: Translator) -> None:
    del memory
    inputs.number(
        "input", t("size.input"), placeholder=t("size.whole_context"), help=t("size.help.input"), step=256
    )
    inputs.number("output", t("size.output"), placeholder="0", help=t("size.help.output"), step=64)
    inputs.steps("shared", t("size.shared"), SHARED, "{} %".format, help=t("size.help.shared"))


def _precision(inputs: Inputs, memory: ServingMemory | None, t: Translator) -> None:
    formats = KV_FORMATS.get(str(inputs["engine"]), KV_OTHERS)
    if inputs["kv"] is not None and inputs["kv"] not in formats and inputs["kv"] in KV_BYTES:
        formats = (*formats, str(inputs["kv"]))
    placeholder = t("size.engine_default")
    if memory and inputs["kv"] is None:
        placeholder = t("size.engine_default_is", value=memory.deployment.kv.name)
    inputs.choice("kv", t("size.kv"), formats, str.upper, placeholder=placeholder, help=t("size.help.kv"))
    inputs.toggle("sparse", t("size.sparse"), help=t("size.help.sparse"))


def _parallel(inputs: Inputs, memory: ServingMemory | None, t: Translator) -> None:
    inputs.number("pp", t("size.pp"), help=t("size.help.pp"))
    inputs.number("dp", t("size.dp"), help=t("size.help.dp"))
    inputs.number("ep", t("size.ep"), help=t("size.help.ep"))
    if memory:
        layout = memory.deployment.layout
        st.caption(t("size.layout", tp=layout.tp, pp=layout.pp, dp=layout.dp, gpus=layout.gpus))


def _engine(inputs: Inputs, memory: ServingMemory | None, t: Translator) -> None:
    labels = {name: find_engine(name).label for name in ENGINES}
    inputs.choice("engine", t("size.engine"), ENGINES, labels.__getitem__, help=t("size.help.engine"))
    newest = find_engine(str(inputs["engine"])).version
    inputs.text(
        "version",
        t("size.version"),
        placeholder=t("size.newest", version=newest),
        help=t("size.help.version"),
    )
    deployment = memory.deployment if memory else None
    inputs.number(
        "fraction",
        t("size.fraction"),
        step=0.01,
        format="%.2f",
        help=t("size.help.fraction"),
        placeholder=t("size.engine_default_is", value=f"{deployment.fraction:g}") if deployment else None,
    )


def _advanced(inputs: Inputs, memory: ServingMemory | None, t: Translator) -> None:
    deployment = memory.deployment if memory else None

    def default(value: int | None) -> str | None:
        return None if value is None else t("size.engine_default_is", value=f"{value:,}")

    inputs.number(
        "seqs",
        t("size.seqs"),
        help=t("size.help.seqs"),
        placeholder=default(deployment.sequences if deployment else None),
    )
    inputs.number(
        "batched",
        t("size.batched"),
        help=t("size.help.batched"),
        step=512,
        placeholder=default(deployment.batched_tokens if deployment else None),
    )
    inputs.number("in_use", t("size.in_use"), step=0.5, format="%.1f", help=t("size.help.in_use"))
    inputs.choice(
        "flash",
        t("size.flash"),
        ("on", "off"),
        lambda value: t(f"size.switch_{value}"),
        placeholder=t("size.engine_default"),
        help=t("size.help.flash"),
    )
    inputs.toggle("eager", t("size.eager"), help=t("size.help.eager"))


EXPANDERS = {
    "load": _load,
    "precision": _precision,
    "parallel": _parallel,
    "engine": _engine,
    "advanced": _advanced,
}
