"""Many deployments in one call: records whose fields are arrays.

Profiles, device rates and constants are small frozen records. Stacked, their fields are arrays over the last axis,
and every formula of this package then gives arrays. A search builds few records, stacks each kind once, and picks
the rows of its combinations:

    profiles, devices = stacked(profiles), stacked(devices)
    speed = closed_loop(taken(profiles, i), taken(devices, j), stacked([constants]), Load(1000.0, 300.0, batches))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Record = TypeVar("_Record", bound="DataclassInstance")


def stacked(records: Sequence[_Record]) -> _Record:
    """Return *records* of one kind as one whose fields are arrays over them.

    One record stacked alone broadcasts against many.
    """
    kind = type(records[0])
    table = {f.name: np.stack([getattr(one, f.name) for one in records], axis=-1) for f in fields(kind)}
    return kind(**table)


def taken(record: _Record, places: Any) -> _Record:
    """Return the rows of a stacked *record* at *places*, an array of indices."""
    table = {f.name: np.asarray(getattr(record, f.name))[..., places] for f in fields(record)}
    return type(record)(**table)


def with_axis(record: _Record) -> _Record:
    """Return *record* with a last axis of length one, along which lengths or concurrencies broadcast.

    Records inside it get one too, and None stays None.
    """
    table = {f.name: getattr(record, f.name) for f in fields(record)}
    for name, value in table.items():
        if is_dataclass(value) and not isinstance(value, type):
            table[name] = with_axis(value)
        elif value is not None:
            table[name] = np.asarray(value)[..., None]
    return type(record)(**table)
