"""Bytes of optimizer states, and what a step allocates for its arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.architecture import TensorGroup
from core.errors import BadRequest
from core.memory.training.run import DTYPE_BYTES, Optimizer

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _data() -> dict[str, Any]:
    text = Path(__file__).with_name("optimizers.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, Loader=_LOADER)
    return data


def optimizer_names() -> tuple[str, ...]:
    """Return the optimizers that are known, as they are written."""
    return tuple(_data()["optimizers"])


def state_names() -> tuple[str, ...]:
    """Return the formats of optimizer states."""
    return tuple(_data()["states"])


def find_optimizer(name: str, state: str, *, fused_backward: bool = False) -> Optimizer:
    """Return the optimizer *name* in any case with states in *state*.

    Raises:
        BadRequest: there is none of that name, or no such format.
    """
    by_name = {known.lower(): known for known in optimizer_names()}
    found = by_name.get(name.strip().lower())
    if found is None:
        raise BadRequest(
            "request.choice", field="optimizer.name", value=name, choices=", ".join(optimizer_names())
        )
    if state not in state_names():
        raise BadRequest(
            "request.choice", field="optimizer.state", value=state, choices=", ".join(state_names())
        )
    return Optimizer(found, state, fused_backward)


@dataclass(frozen=True)
class StateBytes:
    """Bytes of states for one parameter: `resident` on the GPU, `temporary` more while a step runs (foreach)."""

    resident: float
    temporary: float


def state_bytes(optimizer: Optimizer, group: TensorGroup, parameter_dtype: str = "fp32") -> StateBytes:
    """Return the bytes of states for each parameter of *group*.

    States stated as fp32 follow the format of the parameter that they update where it is 16 bit and no master
    copy is kept: torch.optim makes them with `zeros_like`.
    """
    row, state = _data()["optimizers"][optimizer.name], _data()["states"][optimizer.state]
    size = float(state["bytes"])
    if optimizer.state in ("fp32", "paged"):
        size = min(size, DTYPE_BYTES[parameter_dtype] or size)
    ends = group.role in ("embedding", "head") or not group.is_matrix
    buffers = float(row.get("buffers_outside", row["buffers"]) if ends else row["buffers"])
    factored = row.get("factored") and group.is_matrix
    per = 4 * (1 / group.shape[0] + 1 / group.shape[1]) if factored else size * buffers
    temporary = size if row.get("temporary", True) and state.get("foreach", True) else 0.0
    if optimizer.state == "none":
        per, temporary = 0.0, 0.0
    return StateBytes(per * float(state.get("resident", 1.0)), temporary)


def adapter_state(optimizer: Optimizer, parameter_dtype: str) -> StateBytes:
    """Return the bytes of states for each parameter of an adapter, a matrix inside the layers."""
    return state_bytes(optimizer, _ADAPTER, parameter_dtype)


_ADAPTER = TensorGroup("adapter", (1 << 20, 1 << 20), "mlp")


def mean_state(
    optimizer: Optimizer, groups: Iterable[tuple[TensorGroup, float]], parameter_dtype: str
) -> tuple[float, float]:
    """Return (resident, temporary) bytes of the states of *groups*, each with the parameters that a rank holds."""
    resident = temporary = 0.0
    for group, count in groups:
        each = state_bytes(optimizer, group, parameter_dtype)
        resident += count * each.resident
        temporary += count * each.temporary
    return resident, temporary
