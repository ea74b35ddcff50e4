"""What the numbers mean that an NVIDIA driver reports as Xid: the records of hardware_db/monitoring/xid.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal

from core.catalog.records import Record
from core.monitoring.indicators import FOLDER, read_yaml
from core.text import Sentence, say


class Xid(Record):
    """One error: the name in the driver's catalogue, and which part of the GPU is concerned."""

    code: int
    name: str
    kind: Literal["memory", "contained", "link", "bus", "firmware"]

    @property
    def meaning(self) -> Sentence:
        """What it says about the GPU and what has to follow."""
        return say(f"monitoring.xid.{self.kind}")


@cache
def xids() -> Mapping[int, Xid]:
    """Return what is known by code."""
    table = read_yaml(FOLDER / "xid.yaml")["codes"]
    return MappingProxyType({code: Xid(code=code, **fields) for code, fields in table.items()})
