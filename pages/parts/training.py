"""A training run as the inputs of the Train page describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.api import TrainRequest, training_of
from core.api.deployments import model_of as known_model
from core.api.requests import parse_as
from core.architecture import Model
from core.errors import PlannerError
from core.memory.training import TrainingMemory, TrainingRun, size_training
from core.memory.training.adapters import available
from pages.parts.address import listed
from pages.parts.answered import Answered
from pages.parts.inputs import Inputs
from pages.parts.serving import model_of
from pages.parts.train_fields import USUAL_TARGETS

EVERYWHERE = "train:everywhere"
"""Set where a change in the answer concerns inputs outside it: the whole page is then drawn again."""

_LAST = "train:last"

PLAIN_QUANTISER = "torchao"
"""Stands for a base that nobody prepares: what is not quantised stays in 16 bit."""


@dataclass(frozen=True)
class Trained(Answered):
    """What came of the inputs: the request, and its memory or what is wrong with it.

    `stale` says that the inputs cannot be answered, and `memory` is that of the last ones that could.
    """

    request: dict[str, Any]
    memory: TrainingMemory | None
    error: PlannerError | None = None


def usual_targets(model: Model) -> list[str]:
    """Return where adapters sit if nothing is said: the matrices of attention and MLP that *model* has."""
    has = available(model)
    return [name for name in USUAL_TARGETS if name in has]


def request_of(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of the headless contract that the inputs describe; defaults are left out.

    Raises:
        PlannerError: the model is not known, or its config cannot be read.
    """
    model = model_of(inputs)
    request = {
        "model": model,
        "gpu": inputs["gpu"],
        "gpus": inputs["gpus"],
        "method": inputs["method"],
        "framework": inputs["framework"],
        **_method_fields(inputs, model),
        "optimizer": {
            "name": inputs["optimizer"],
            "state": inputs["state"],
            "fused_backward": inputs["in_backward"] or None,
        },
        "precision": {name: inputs[name] for name in ("weights", "grads", "master")},
        "sequence": inputs["sequence"],
        "micro_batch": inputs["micro"],
        "grad_accumulation": inputs["accumulation"],
        "checkpointing": inputs["checkpointing"],
        "flash_attention": inputs["flash"],
        "compile": inputs["compile"] or None,
        "loss": inputs["loss"],
        "offload": inputs["offload"],
        "zero": int(inputs["zero"]) or None,
        "sp": inputs["sp"] or None,
        **{
            name: inputs[name] if inputs[name] != 1 else None
            for name in ("tp", "pp", "cp", "vpp", "ep", "etp")
        },
    }
    return _stated(request)


def _method_fields(inputs: Mapping[str, Any], model: str | dict[str, Any]) -> dict[str, Any]:
    """Return the fields of adapters and of the frozen base, which full training has not."""
    if inputs["method"] == "full":
        return {}
    lora = {
        "rank": inputs["rank"],
        "targets": listed(inputs["targets"]) or usual_targets(known_model(model)),
        "adapter_dtype": inputs["adapter"],
        "dropout": inputs["lora_dropout"] or None,
        "train_embeddings": inputs["embeddings"] or None,
    }
    if inputs["method"] == "lora":
        return {"lora": lora}
    is_nf4 = inputs["base"] == "nf4"
    return {
        "lora": lora,
        "weights": inputs["base"],
        "quantiser": {"implementation": inputs["quantiser"], "double": is_nf4 and inputs["double"]},
    }


def _stated(fields: dict[str, Any]) -> dict[str, Any]:
    """Return *fields* without those that say nothing."""
    found = {
        name: _stated(value) if name not in ("model",) and isinstance(value, dict) else value
        for name, value in fields.items()
    }
    return {name: value for name, value in found.items() if value is not None and value != {}}


def trained(inputs: Inputs) -> Trained:
    """Return the memory of what the inputs describe, or, where they cannot be answered, why and the last that could."""
    try:
        request = request_of(inputs)
        memory = size_training(training_of(parse_as(TrainRequest, request)))
    except PlannerError as error:
        last = st.session_state.get(_LAST)
        return Trained(last[0], size_training(last[1]), error) if last else Trained({}, None, error)
    st.session_state[_LAST] = request, memory.run
    return Trained(request, memory)


def spelled(run: TrainingRun) -> dict[str, Any]:
    """Return what *run* says of the inputs that a remedy may change, by their names."""
    layout, precision, adapters = run.layout, run.precision, run.adapters
    return {
        "gpu": run.device.id if run.device else None,
        "gpus": layout.gpus,
        "method": run.method,
        "sequence": run.sequence,
        "micro": run.micro_batch,
        "accumulation": run.accumulation,
        "rank": adapters.rank if adapters else None,
        "targets": ",".join(adapters.targets) if adapters else None,
        "adapter": adapters.dtype if adapters else None,
        "lora_dropout": adapters.dropout if adapters else None,
        "embeddings": adapters.train_embeddings if adapters else None,
        "base": run.base.id.removesuffix("-double") if run.base else None,
        "double": run.base.id.endswith("-double") if run.base else None,
        "quantiser": (run.quantiser or PLAIN_QUANTISER) if run.base else None,
        "optimizer": run.optimizer.name,
        "state": run.optimizer.state,
        "in_backward": run.optimizer.fused_backward,
        "weights": precision.weights,
        "grads": precision.grads,
        "master": precision.master,
        "checkpointing": run.checkpointing,
        "flash": run.attention == "fused",
        "compile": run.compiled,
        "loss": run.loss,
        "offload": run.offload,
        "zero": str(layout.zero),
        **{name: getattr(layout, name) for name in ("tp", "sp", "cp", "pp", "vpp", "ep", "etp")},
    }


def differences(before: TrainingRun, after: TrainingRun) -> dict[str, Any]:
    """Return the inputs, with their values, that turn *before* into *after*."""
    old, new = spelled(before), spelled(after)
    change = {name: value for name, value in new.items() if value != old[name]}
    if "method" in change:
        # Formats go back to what is usual for the method: the next change of method then finds its own.
        change |= dict.fromkeys(("weights", "grads", "master"))
    return change


def tokens_of(inputs: Mapping[str, Any], run: TrainingRun) -> float:
    """Return the tokens that the whole run sees."""
    each = run.sequence if inputs["unit"] == "samples" else 1
    return float(inputs["amount"] * inputs["epochs"] * each)


def apply(inputs: Inputs, change: Mapping[str, Any]) -> None:
    """Set inputs from a button in the answer, and draw the whole page again."""
    inputs.change(**change)
    st.session_state[EVERYWHERE] = True
