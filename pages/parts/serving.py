"""A serving deployment as the inputs of a page describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.api import deployment_of, parse
from core.architecture.document import read_document
from core.errors import BadRequest, PlannerError
from core.memory.deployment import Deployment
from core.memory.serving import ServingMemory, size_serving
from pages.parts.answered import Answered
from pages.parts.inputs import Inputs

DOCUMENT = "size:document"
"""Where the session keeps a config that was uploaded or pasted: it is too long for an address."""


EVERYWHERE = "size:everywhere"
"""Set where a change in the answer concerns inputs outside it: the whole page is then drawn again."""


@dataclass(frozen=True)
class Sized(Answered):
    """What came of the inputs: the request, and its memory or what is wrong with it.

    `stale` says that the inputs cannot be sized, and `memory` is that of the last ones that could.
    """

    request: dict[str, Any]
    memory: ServingMemory | None
    error: PlannerError | None = None


def hand_made(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config.json of the model whose sizes were given by hand: a plain decoder."""
    return {
        "_name_or_path": "my-model",
        "model_type": "llama",
        "hidden_size": inputs["hidden"],
        "num_hidden_layers": inputs["layers"],
        "num_attention_heads": inputs["heads"],
        "num_key_value_heads": inputs["kv_heads"],
        "intermediate_size": inputs["inner"],
        "vocab_size": inputs["vocabulary"],
    }


def model_of(inputs: Mapping[str, Any]) -> str | dict[str, Any]:
    """Return the chosen model: an id of the catalogue, or the fields of a config.

    Raises:
        BadModelConfig: what was uploaded or pasted is no config; BadRequest: nothing was.
    """
    if inputs["source"] == "catalogue":
        return str(inputs["model"])
    if inputs["source"] == "hand":
        return hand_made(inputs)
    content = st.session_state.get(DOCUMENT)
    if isinstance(content, PlannerError):
        raise content
    if not content:
        raise BadRequest("size.no_config", field="model")
    return read_document(content)


def request_of(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of the headless contract that the inputs describe."""
    ranks = inputs["pp"] * inputs["dp"]
    if inputs["gpus"] % ranks:
        raise BadRequest(
            "size.ranks", field="gpus", gpus=inputs["gpus"], pp=inputs["pp"], dp=inputs["dp"], ranks=ranks
        )
    request = {
        "model": model_of(inputs),
        "gpu": inputs["gpu"],
        "tp": inputs["gpus"] // ranks,
        "pp": inputs["pp"],
        "dp": inputs["dp"],
        "ep": inputs["ep"],
        "attention_dp": inputs["dp"] > 1 or None,
        "weights": inputs["weights"],
        "kv": inputs["kv"],
        "engine": inputs["engine"],
        "engine_version": inputs["version"],
        "memory_fraction": inputs["fraction"],
        "context": inputs["context"],
        "max_num_seqs": inputs["seqs"],
        "max_num_batched_tokens": inputs["batched"],
        "enforce_eager": inputs["eager"] or None,
        "flash_attention": None if inputs["flash"] is None else inputs["flash"] == "on",
        "memory_in_use_gib": inputs["in_use"] or None,
    }
    return {name: value for name, value in request.items() if value is not None}


def loaded(deployment: Deployment, inputs: Mapping[str, Any]) -> Deployment:
    """Return *deployment* with the load that the inputs describe."""
    return replace(
        deployment,
        requests=inputs["requests"],
        input_tokens=inputs["input"],
        output_tokens=inputs["output"] or 0,
        shared_prefix=inputs["shared"] / 100,
        sparse_weights=inputs["sparse"],
    )


def sized(inputs: Inputs) -> Sized:
    """Return the memory of what the inputs describe, or, where they cannot be sized, why and the last that could."""
    try:
        request = request_of(inputs)
        memory = size_serving(loaded(deployment_of(parse(request)), inputs))
    except PlannerError as error:
        last = st.session_state.get("size:last")
        return Sized(last[0], size_serving(last[1]), error) if last else Sized({}, None, error)
    st.session_state["size:last"] = request, memory.deployment
    return Sized(request, memory)


def apply(inputs: Inputs, change: Mapping[str, Any]) -> None:
    """Set the inputs to what a remedy changes, given in fields of the request."""
    names = {"memory_fraction": "fraction", "engine_version": "version", "max_num_seqs": "seqs"}
    values = {names.get(name, name): value for name, value in change.items() if name not in ("tp", "dp")}
    if "tp" in change or "pp" in change:
        now: Mapping[str, Any] = inputs
        dp, pp = change.get("dp", now["dp"]), change.get("pp", now["pp"])
        tp = change.get("tp", now["gpus"] // (now["pp"] * now["dp"]))
        values |= {"gpus": tp * pp * dp, "dp": dp}
    inputs.change(**values)
    st.session_state[EVERYWHERE] = True
