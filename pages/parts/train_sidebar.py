"""The inputs of the Train page: the few that everybody sets first, the others behind a click."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.catalog import accelerators
from core.errors import PlannerError
from core.memory.training import TrainingMemory
from core.memory.training.adapters import available
from core.memory.training.frameworks import framework_names
from core.memory.training.optimizers import optimizer_names, state_names
from core.quantities import format_gib
from pages.parts import language
from pages.parts.inputs import Inputs
from pages.parts.model_picker import model_picker
from pages.parts.size_sidebar import ordered_gpus
from pages.parts.train_fields import (
    BASES,
    CHECKPOINTING,
    DTYPES,
    LOSSES,
    MASTERS,
    METHODS,
    OFFLOADS,
    QUANTISERS,
    TARGET_NAMES,
    UNITS,
    ZERO,
)
from pages.parts.training import Trained, usual_targets

Translator = Callable[..., str]

PLACES = {
    "gpu": "gpu",
    "gpus": "gpus",
    "lora.rank": "rank",
    "lora.targets": "targets",
    "lora.dropout": "lora_dropout",
    "weights": "base",
    "grad_accumulation": "accumulation",
    "micro_batch": "micro",
    "optimizer.name": "optimizer",
    "optimizer.state": "state",
    "quantiser.implementation": "quantiser",
}
"""The inputs, where they are not called as the fields of the request."""

MODEL_FAULTS = ("bad_model_config", "unsupported_architecture", "unknown_model")


def train_sidebar(inputs: Inputs, trained: Trained, t: Translator) -> None:
    """Draw all inputs but the four of the answer, with what is wrong beside the model where it is about that."""
    error = None if trained.waiting else trained.error
    model_picker(inputs, t)
    if error is not None and (error.kind in MODEL_FAULTS or error.field == "model"):
        _tell(error)
    inputs.segments("method", t("train_page.method"), METHODS, lambda name: t(f"train_page.methods.{name}"))
    names = ordered_gpus()
    inputs.choice("gpu", t("size.gpu"), tuple(names), names.__getitem__, help=t("size.help.gpu"))
    card = accelerators()[str(inputs["gpu"])]
    key = "size.gpu_derived" if card.usable_memory_is_derived else "size.gpu_memory"
    st.caption(t(key, usable=format_gib(card.usable_bytes), marketing=f"{card.memory_gb:g}"))
    inputs.choice(
        "checkpointing",
        t("train_page.checkpointing"),
        CHECKPOINTING,
        lambda name: t(f"train_page.checkpoint.{name.replace('+', '_')}"),
        help=t("train_page.help.checkpointing"),
    )
    for name, body in GROUPS.items():
        if name == "adapters" and inputs["method"] == "full":
            continue
        with st.expander(
            t(f"train_page.group.{name}"), key=f"train_group_{name}", on_change="rerun"
        ) as group:
            if group.open:
                body(inputs, trained.memory, t)


def name_of(field: str | None, t: Translator) -> str:
    """Return what the page calls the *field* of a request."""
    place = PLACES.get(field or "", field or "")
    return {"gpu": t("size.gpu"), "model": t("size.model"), "": ""}.get(place) or t(f"train_page.{place}")


def _tell(error: PlannerError) -> None:
    st.error(error.sentence.render(language.current()), icon=":material/error:")


def _adapters(inputs: Inputs, memory: TrainingMemory | None, t: Translator) -> None:
    inputs.number("rank", t("train_page.rank"), help=t("train_page.help.rank"))
    model = memory.run.model if memory else None
    names = [*available(model), "mlp"] if model else list(TARGET_NAMES)
    chosen = str(inputs["targets"] or "").split(",") if inputs["targets"] else []
    # Targets of a link or of another model stay visible, so that they can be taken away.
    options = tuple(dict.fromkeys([*names, *chosen]))
    usual = ", ".join(usual_targets(model)) if model else ""
    inputs.several(
        "targets",
        t("train_page.targets"),
        options,
        placeholder=t("train_page.all_linear", targets=usual),
        help=t("train_page.help.targets"),
    )
    if inputs["method"] == "qlora":
        inputs.choice("base", t("train_page.base"), BASES, str.upper, help=t("train_page.help.base"))
        if inputs["base"] == "nf4":
            inputs.toggle("double", t("train_page.double"), help=t("train_page.help.double"))
        inputs.choice("quantiser", t("train_page.quantiser"), QUANTISERS, help=t("train_page.help.quantiser"))
    inputs.choice(
        "adapter",
        t("train_page.adapter"),
        DTYPES,
        str.upper,
        placeholder=t("train_page.usual"),
        help=t("train_page.help.adapter"),
    )
    inputs.number("lora_dropout", t("train_page.lora_dropout"), step=0.05, format="%.2f")
    inputs.toggle("embeddings", t("train_page.embeddings"), help=t("train_page.help.embeddings"))


def _optimizer(inputs: Inputs, memory: TrainingMemory | None, t: Translator) -> None:
    inputs.choice("optimizer", t("train_page.optimizer"), optimizer_names())
    inputs.choice(
        "state",
        t("train_page.state"),
        state_names(),
        lambda name: t(f"train_page.states.{name}"),
        help=t("train_page.help.state"),
    )
    inputs.toggle("in_backward", t("train_page.in_backward"), help=t("train_page.help.in_backward"))
    precision = memory.run.precision if memory else None
    for name, options in (("weights", DTYPES), ("grads", DTYPES), ("master", MASTERS)):
        now = str(getattr(precision, name)) if precision else ""
        shown = t(f"train_page.masters.{now}") if name == "master" and now else now.upper()
        inputs.choice(
            name,
            t(f"train_page.{name}"),
            options,
            (lambda value: t(f"train_page.masters.{value}")) if name == "master" else str.upper,
            placeholder=t("train_page.usual_is", value=shown) if now else t("train_page.usual"),
            help=t(f"train_page.help.{name}"),
        )


def _savings(inputs: Inputs, memory: TrainingMemory | None, t: Translator) -> None:
    now = t(f"train_page.losses.{memory.run.loss}") if memory else None
    inputs.choice(
        "loss",
        t("train_page.loss"),
        LOSSES,
        lambda name: t(f"train_page.losses.{name}"),
        placeholder=t("train_page.usual_is", value=now) if now else t("train_page.usual"),
        help=t("train_page.help.loss"),
    )
    inputs.choice(
        "offload",
        t("train_page.offload"),
        OFFLOADS,
        lambda name: t(f"train_page.offloads.{name}"),
        placeholder=t("train_page.no_offload"),
        help=t("train_page.help.offload"),
    )
    inputs.toggle("flash", t("train_page.flash"), help=t("train_page.help.flash"))
    inputs.toggle("compile", t("train_page.compile"), help=t("train_page.help.compile"))


def _parallel(inputs: Inputs, memory: TrainingMemory | None, t: Translator) -> None:
    inputs.choice(
        "zero",
        t("train_page.zero"),
        ZERO,
        lambda name: t(f"train_page.zeros.{name}"),
        help=t("train_page.help.zero"),
    )
    for name in ("tp", "pp", "cp", "ep", "vpp", "etp"):
        inputs.number(name, t(f"train_page.{name}"), help=t(f"train_page.help.{name}"))
    inputs.toggle("sp", t("train_page.sp"), help=t("train_page.help.sp"))
    if memory:
        layout = memory.run.layout
        st.caption(
            t(
                "train_page.layout",
                dp=layout.dp,
                tp=layout.tp,
                pp=layout.pp,
                cp=layout.cp,
                gpus=f"{layout.gpus:,}",
            )
        )


def _framework(inputs: Inputs, memory: TrainingMemory | None, t: Translator) -> None:
    del memory
    inputs.choice(
        "framework",
        t("train_page.framework"),
        framework_names(),
        lambda name: t(f"train_page.frameworks.{name.replace('-', '_')}"),
        help=t("train_page.help.framework"),
    )


def _length(inputs: Inputs, memory: TrainingMemory | None, t: Translator) -> None:
    del memory
    inputs.segments("unit", t("train_page.unit"), UNITS, lambda name: t(f"train_page.units.{name}"))
    inputs.number("amount", t("train_page.amount"), step=1000, help=t("train_page.help.amount"))
    inputs.number("epochs", t("train_page.epochs"))


GROUPS = {
    "adapters": _adapters,
    "optimizer": _optimizer,
    "savings": _savings,
    "parallel": _parallel,
    "framework": _framework,
    "length": _length,
}
