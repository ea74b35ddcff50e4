"""The inputs of the Size page: the few that everybody sets first, the others behind a click."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.architecture.formats import weight_formats
from core.catalog import accelerators
from core.errors import PlannerError
from core.memory.serving import ServingMemory
from core.quantities import format_gib
from pages.parts import language
from pages.parts.inputs import Inputs
from pages.parts.model_picker import model_picker
from pages.parts.more_inputs import EXPANDERS
from pages.parts.serving import Sized

Translator = Callable[..., str]

VENDORS = ("NVIDIA", "AMD")
LAYOUT_FIELDS = ("gpu", "gpus", "tp", "pp", "dp", "ep")
CHECKPOINT_FORMATS = tuple(name for name, row in weight_formats().items() if not row.is_gguf)
GGUF_FORMATS = tuple(name for name, row in weight_formats().items() if row.is_gguf)


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
    error = None if sized.waiting else sized.error
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
