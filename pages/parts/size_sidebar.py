"""The inputs of the Size page: the few that everybody sets first, the others behind a click."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.architecture.formats import weight_formats
from core.catalog import accelerators
from core.errors import PlannerError
from core.memory.deployment import KV_BYTES
from core.memory.engines import ENGINES, find_engine
from core.memory.serving import ServingMemory
from core.quantities import format_gib
from pages.parts import language
from pages.parts.inputs import Inputs
from pages.parts.model_picker import model_picker
from pages.parts.serving import Sized

Translator = Callable[..., str]

SHARED = tuple(range(0, 101, 5))
VENDORS = ("NVIDIA", "AMD")
LAYOUT_FIELDS = ("gpu", "gpus", "tp", "pp", "dp", "ep")
CHECKPOINT_FORMATS = tuple(name for name, row in weight_formats().items() if not row.is_gguf)
GGUF_FORMATS = tuple(name for name, row in weight_formats().items() if row.is_gguf)
KV_FORMATS = {"llama.cpp": ("f16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl", "fp32")}
KV_OTHERS = ("bf16", "fp16", "fp8", "int8", "fp32")


@st.cache_resource
def ordered_gpus() -> dict[str, str]:
    """Return the names of all accelerators by id: the large vendors first, and of each the newest first."""

    def rank(id_: str) -> tuple[object, ...]:
        card = accelerators()[id_]
        place = VENDORS.index(card.vendor) if card.vendor in VENDORS else len(VENDORS)
        return place, card.vendor, -card.launch_year, -card.memory_gb, card.name

    return {id_: accelerators()[id_].name for id_ in sorted(accelerators(), key=rank)}


def size_sidebar(inputs: Inputs, sized: Sized, t: Translator) -> None:
    """Draw all inputs in the sidebar, with what is wrong beside those that it is about."""
    error = sized.error
    about_layout = error is not None and error.field in LAYOUT_FIELDS
    about_model = error is not None and error.kind in (
        "bad_model_config",
        "unsupported_architecture",
        "unknown_model",
    )
    model_picker(inputs, t)
    _fault(error, about_model or (error is not None and error.field == "model"), t)
    _hardware(inputs, t)
    _fault(error, about_layout, t)
    _weights(inputs, sized.memory, t)
    shown = about_model or about_layout or (error is not None and error.field == "model")
    _fault(error, error is not None and not shown, t)
    for name, body in EXPANDERS.items():
        with st.expander(t(f"size.group.{name}"), key=f"size_group_{name}", on_change="rerun") as group:
            if group.open:
                body(inputs, sized.memory, t)


def _fault(error: PlannerError | None, here: bool, t: Translator) -> None:
    if error is not None and here:
        st.error(error.sentence.render(language.current()), icon=":material/error:")


def _hardware(inputs: Inputs, t: Translator) -> None:
    names = ordered_gpus()
    inputs.choice("gpu", t("size.gpu"), tuple(names), names.__getitem__, help=t("size.help.gpu"))
    card = accelerators()[str(inputs["gpu"])]
    key = "size.gpu_derived" if card.usable_memory_is_derived else "size.gpu_memory"
    st.caption(t(key, usable=format_gib(card.usable_bytes), marketing=f"{card.memory_gb:g}"))


def _weights(inputs: Inputs, memory: ServingMemory | None, t: Translator) -> None:
    names = (
        GGUF_FORMATS + CHECKPOINT_FORMATS
        if inputs["engine"] == "llama.cpp"
        else CHECKPOINT_FORMATS + GGUF_FORMATS
    )
    as_is = inputs["weights"] is None and memory is not None
    stated = memory.deployment.weights.label if as_is and memory else None
    placeholder = t("size.as_checkpoint_is", format=stated) if stated else t("size.as_checkpoint")
    labels = {name: row.label for name, row in weight_formats().items()}
    inputs.choice(
        "weights",
        t("size.weights"),
        names,
        labels.__getitem__,
        placeholder=placeholder,
        help=t("size.help.weights"),
    )


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
