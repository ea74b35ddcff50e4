"""What the planning guides recommend to buy, beside what the rules of `materials` give, row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from core.catalog import accelerators
from core.catalog.nodes import joins_nodes
from core.catalog.records import Record
from core.planning.materials import Materials
from core.quantities import GB, GIB
from core.text import Sentence, say

PATH = Path(__file__).parents[2] / "hardware_db" / "guide_recommendations.yaml"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Guide(Record):
    """A planning guide: the title as published, and its day where the copy has one."""

    title: str
    published: date | None = None
    note: str = ""


class Recommendation(Record):
    """What a guide recommends to buy; None: it does not say.

    `gpus`, `cores`, `threads`, `ram_gb` and `disk_gb` (as sold) are those of each of the `nodes`.
    """

    id: str
    guide: str
    accelerator: str
    gpus: int | None = None
    nodes: int = 1
    cores: int | None = None
    threads: int | None = None
    ram_gb: int | None = None
    disk_gb: int | None = None
    network_gbit: int | None = None
    note: str = ""

    @property
    def source(self) -> Guide:
        """The guide that says so."""
        return guides()[self.guide]

    @property
    def title(self) -> Sentence:
        """What kind of machine it is."""
        return say(f"materials.machine.{self.id.replace('-', '_')}")


@dataclass(frozen=True)
class Difference:
    """One row: what a guide says for one node, what the rule gives, and why they differ.

    `by` is the recommendation that says so; it and `guide` are None where none of so large a machine does.
    """

    name: str
    by: Recommendation | None
    guide: float | None
    ours: float | None
    unit: Sentence
    why: Sentence

    @property
    def title(self) -> Sentence:
        """What the row is about."""
        return say(f"materials.title.{self.name}")


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(PATH.read_text(encoding="utf-8"), Loader=_LOADER)
    return content


@cache
def guides() -> Mapping[str, Guide]:
    """Return the guides by id."""
    return MappingProxyType({id_: Guide.model_validate(row) for id_, row in _content()["guides"].items()})


@cache
def recommendations() -> tuple[Recommendation, ...]:
    """Return all recommendations: machines by their number of GPUs, then the others."""
    return tuple(Recommendation.model_validate(row) for row in _content()["machines"] + _content()["others"])


def headroom() -> float:
    """Return the share of the hardware that a guide keeps free for peaks."""
    return float(_content()["headroom"]["value"])


def recommendation_for(gpus: int) -> Recommendation:
    """Return what the guides recommend for *gpus* GPUs in all: the smallest with as many, else the largest."""
    machines = _machines()
    return next((one for one in machines if one.nodes * (one.gpus or 0) >= gpus), machines[-1])


def compare(bill: Materials) -> tuple[Difference, ...]:
    """Return a node of *bill* beside what the guides say of a machine with as many GPUs, row by row.

    Where the guide of that machine is silent, the next larger machine that a guide describes speaks.
    """
    return (
        _gpus(bill),
        _row(bill, "cpu_cores", "cores", _cores_why),
        _row(bill, "ram", "ram_gb", _ram_why),
        _row(bill, "disk", "disk_gb", _disk_why),
        _row(bill, "network", "network_gbit", _network_why),
    )


def _machines() -> tuple[Recommendation, ...]:
    return recommendations()[: len(_content()["machines"])]


def _row(
    bill: Materials, name: str, field: str, why: Callable[[Materials, Recommendation], Sentence]
) -> Difference:
    line = bill.line(name)
    unit = say("materials.unit.gbit") if name == "network" else line.unit
    ours = _gbit(bill) if name == "network" else line.per_node
    by = _speaker(bill.gpus_per_node, field)
    said = None if by is None else getattr(by, field)
    if line.per_node is None:
        return Difference(name, by, said, ours, unit, line.rule)
    return Difference(name, by, said, ours, unit, why(bill, by) if by else say("materials.why.silent"))


def _speaker(gpus: int, field: str) -> Recommendation | None:
    """Return the smallest recommendation of at least *gpus* GPUs a node, or of nodes without number, with *field*."""
    others = recommendations()[len(_machines()) :]
    large = [one for one in _machines() if (one.gpus or 0) >= gpus]
    uncounted = [one for one in others if one.gpus is None]
    return next((one for one in large + uncounted if getattr(one, field) is not None), None)


def _gbit(bill: Materials) -> float | None:
    """Return the rate of one port of the network line, Gb/s."""
    rate = bill.line("network").unit.values.get("rate")
    return None if rate is None else float(rate)


def _gpus(bill: Materials) -> Difference:
    by = recommendation_for(bill.gpus_per_node)
    why = say(
        "materials.why.gpus",
        machine=by.title,
        count=by.gpus,
        device=accelerators()[by.accelerator].name,
        replicas=bill.replicas,
        per_replica=bill.gpus_per_replica,
        nodes=bill.nodes,
    )
    return Difference("gpus", by, by.gpus, bill.gpus_per_node, bill.line("gpus").unit, why)


def _cores_why(bill: Materials, guide: Recommendation) -> Sentence:
    each = (guide.cores or 0) / (guide.gpus or 1)
    ours = (bill.line("cpu_cores").per_node or 0) / bill.gpus_per_node
    if each >= ours:
        return say("materials.why.cores_enough", each=each, ours=ours)
    return say("materials.why.cores_few", each=each, ours=ours)


def _ram_why(bill: Materials, guide: Recommendation) -> Sentence:
    said = guide.ram_gb or 0
    here = {
        "said": said,
        "gpus": bill.gpus_per_node,
        "memory": bill.record.memory_gb,
        "gpu_memory": bill.gpu_bytes / GIB,
        "checkpoint": bill.checkpoint / GIB,
    }
    if said * GIB < bill.checkpoint:
        return say("materials.why.ram_below_checkpoint", **here)
    if said * GIB < bill.gpu_bytes:
        return say("materials.why.ram_below_gpus", **here)
    if said < (bill.line("ram").per_node or 0):
        return say("materials.why.ram_below_rule", **here)
    return say("materials.why.ram_enough", **here)


def _disk_why(bill: Materials, guide: Recommendation) -> Sentence:
    said = guide.disk_gb or 0
    here = {
        "said": said,
        "checkpoint": bill.checkpoint / GB,
        "ours": bill.line("disk").per_node or 0,
        "copies": int(said * GB // bill.checkpoint) if bill.checkpoint else 0,
    }
    if said * GB < bill.checkpoint:
        return say("materials.why.disk_too_small", **here)
    if said * GB < 2 * bill.checkpoint:
        return say("materials.why.disk_once", **here)
    if said < here["ours"]:
        return say("materials.why.disk_close", **here)
    return say(
        "materials.why.disk_ample" if said >= 2 * here["ours"] else "materials.why.disk_enough", **here
    )


def _network_why(bill: Materials, guide: Recommendation) -> Sentence:
    said, ours = guide.network_gbit or 0, _gbit(bill) or 0.0
    if bill.gpus_per_replica <= bill.gpus_per_node:
        return say("materials.why.network_inside", said=said)
    if joins_nodes(bill.record):
        return say("materials.why.network_fabric", said=said)
    key = "network_slot" if ours > said else "network_same"
    return say(f"materials.why.{key}", said=said, ours=ours)
