"""What to buy for a plan on one's own ground: GPUs and, by stated rules, all that stands around them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from core.catalog import Accelerator, Provenance
from core.catalog.nodes import fabric_gpus, gpus_per_node, joins_nodes
from core.catalog.records import Record
from core.cost.prices import whole_instances
from core.errors import BadRequest
from core.quantities import GB, GIB
from core.text import Sentence, say

PATH = Path(__file__).parents[2] / "hardware_db" / "materials.yaml"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Sizes that memory and disks are sold in; beyond the last, multiples of it. GiB and GB.
_RAM = (16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
_DISK = (512, 960, 1920, 3840)

# Network cards by the slot that feeds them: Gb/s of the fastest common card that 16 lanes keep busy.
# Source: PCI Express rates; ConnectX-5 to ConnectX-8 (HDR 200, NDR 400, XDR 800).
_PORT_GBIT = {3: 100, 4: 200, 5: 400, 6: 800}

BTU_PER_KWH = 3412

# Modules that carry their own CPU and its memory. Source: product names, GH200 (Grace) to MI300A (APU).
_WITH_CPU = {"gh200-96", "gh200-144", "gb200", "gb300", "mi300a"}


class Rule(Record):
    """One constant of hardware_db/materials.yaml: what is planned with, and what is sensible."""

    value: float
    low: float
    high: float
    unit: str
    provenance: Provenance


@cache
def rules() -> Mapping[str, Rule]:
    """Return the constants of hardware_db/materials.yaml by name."""
    content: dict[str, dict[str, Any]] = yaml.load(PATH.read_text(encoding="utf-8"), Loader=_LOADER)
    return MappingProxyType(
        {
            name: Rule.model_validate({"provenance": Provenance.taken_from(fields), **fields})
            for name, fields in content.items()
        }
    )


@dataclass(frozen=True)
class Line:
    """One line of the bill: how much of what in all (`low` to `high`), in each node, by which rule.

    `quantity` is None where it cannot be said, or where it is part of the device; the rule says which.
    """

    name: str
    quantity: float | None
    unit: Sentence
    rule: Sentence
    source: str
    per_node: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def title(self) -> Sentence:
        """What it is called."""
        return say(f"materials.title.{self.name}")


@dataclass(frozen=True)
class Materials:
    """The bill of a plan: `nodes` of `gpus_per_node` GPUs each, `gpus` in all, and its lines."""

    record: Accelerator
    gpus_per_replica: int
    replicas: int
    checkpoint: float
    gpus: int
    nodes: int
    gpus_per_node: int
    lines: tuple[Line, ...]

    def line(self, name: str) -> Line:
        """Return the line *name*."""
        return next(line for line in self.lines if line.name == name)

    @property
    def gpu_bytes(self) -> int:
        """GPU memory of one node, bytes as sold."""
        return self.gpus_per_node * self.record.marketing_bytes


@dataclass(frozen=True)
class _Need:
    """What the rules look at."""

    record: Accelerator
    nodes: int
    gpus: int
    inside: int
    spans: bool
    checkpoint: float

    @property
    def gpu_bytes(self) -> int:
        return self.inside * self.record.marketing_bytes

    @property
    def is_computer(self) -> bool:
        return self.record.form_factor in {"SoC", "SoM", "SBC", "laptop"}

    @property
    def brings_cpu(self) -> bool:
        return self.is_computer or self.record.id in _WITH_CPU

    @property
    def is_board(self) -> bool:
        return self.record.form_factor != "PCIe" and gpus_per_node(self.record) > 1


def materials(
    record: Accelerator, gpus_per_replica: int, tp: int, replicas: int, checkpoint_bytes: float
) -> Materials:
    """Return what to buy for *replicas* of *gpus_per_replica* GPUs each, in groups of *tp*.

    *checkpoint_bytes* is the size of the weights as stored. Boards (SXM, OAM, trays) come whole; PCI Express
    cards are bought as needed.

    Raises:
        BadRequest: a tensor-parallel group is larger than a node, and than any fabric of this device.
    """
    size = gpus_per_node(record)
    nodes = whole_instances(size, fabric_gpus(record), gpus_per_replica, tp, replicas)
    if nodes is None:
        raise BadRequest("materials.too_wide", field="tp", tp=tp, gpu=record.name, most=fabric_gpus(record))
    needed = gpus_per_replica * replicas
    if record.form_factor == "PCIe":
        gpus, inside = needed, _cards(gpus_per_replica, tp, replicas, nodes)
    else:
        gpus, inside = nodes * size, size
    need = _Need(record, nodes, gpus, inside, gpus_per_replica > size, checkpoint_bytes)
    return Materials(
        record,
        gpus_per_replica,
        replicas,
        checkpoint_bytes,
        gpus,
        nodes,
        inside,
        (
            _gpus(need, needed),
            _nodes(need),
            _cores(need),
            _ram(need),
            _disk(need),
            _network(need),
            *_power(need),
            _space(need),
        ),
    )


def _cards(gpus_per_replica: int, tp: int, replicas: int, nodes: int) -> int:
    """Return the cards of the fullest node: whole replicas, or whole groups of a replica that spans nodes."""
    if nodes <= replicas:
        return math.ceil(replicas / nodes) * gpus_per_replica
    groups = math.ceil(gpus_per_replica / tp)
    return math.ceil(groups / (nodes // replicas)) * tp


def sold(size: float, sizes: tuple[int, ...]) -> int:
    """Return the least of *sizes* that holds *size*; beyond the largest, a multiple of it.

    >>> sold(100, (64, 128)), sold(300, (64, 128))
    (128, 384)
    """
    return next((one for one in sizes if size <= one), math.ceil(size / sizes[-1]) * sizes[-1])


def _unit(key: str, /, **values: Any) -> Sentence:
    return say(f"materials.unit.{key}", **values)


def _gpus(need: _Need, needed: int) -> Line:
    key = "gpus_fabric" if joins_nodes(need.record) else "gpus_board" if need.is_board else "gpus_cards"
    rule = say(f"materials.rule.{key}", needed=needed, board=need.inside, fabric=need.record.link_domain_gpus)
    unit = _unit("gpus", name=need.record.name)
    return Line("gpus", need.gpus, unit, rule, need.record.provenance.source, need.inside)


def _nodes(need: _Need) -> Line:
    key = "nodes_spread" if need.spans else "nodes"
    rule = say(f"materials.rule.{key}", most=gpus_per_node(need.record))
    return Line("nodes", need.nodes, _unit("nodes"), rule, need.record.provenance.source, 1)


def _cores(need: _Need) -> Line:
    cores = rules()["cpu_cores_per_gpu"]
    if need.brings_cpu:
        return _part_of_device("cpu_cores", _unit("cores"))
    return _each_node(
        need,
        "cpu_cores",
        [need.inside * rate for rate in (cores.value, cores.low, cores.high)],
        unit=_unit("cores"),
        rule=say("materials.rule.cpu_cores", rate=cores.value, low=cores.low, high=cores.high),
        source=cores.provenance.source,
    )


def _ram(need: _Need) -> Line:
    factor = rules()["ram_per_gpu_memory"]
    if need.brings_cpu:
        return _part_of_device("ram", _unit("gib"))
    sizes = [
        sold(max(rate * need.gpu_bytes, need.checkpoint if one else 0) / GIB, _RAM)
        for rate, one in ((factor.value, True), (factor.low, False), (factor.high, True))
    ]
    rule = say(
        "materials.rule.ram",
        factor=factor.value,
        gpu_memory=need.gpu_bytes / GIB,
        checkpoint=need.checkpoint / GIB,
    )
    return _each_node(need, "ram", sizes, unit=_unit("gib"), rule=rule, source=factor.provenance.source)


def _disk(need: _Need) -> Line:
    copies, base = rules()["disk_checkpoints"], rules()["disk_base_gb"]
    sizes = [
        sold(times * need.checkpoint / GB + rest, _DISK)
        for times, rest in (
            (copies.value, base.value),
            (copies.low, base.low),
            (copies.high, base.high),
        )
    ]
    rule = say("materials.rule.disk", copies=copies.value, checkpoint=need.checkpoint / GB, base=base.value)
    return _each_node(need, "disk", sizes, unit=_unit("gb"), rule=rule, source=copies.provenance.source)


def _network(need: _Need) -> Line:
    if need.is_computer:
        return _part_of_device("network", _unit("gbit"))
    if need.spans:
        rate = _PORT_GBIT.get(need.record.pcie_gen or 5, 400)
        fabric = joins_nodes(need.record)
        rule = say(
            "materials.rule.network_fabric" if fabric else "materials.rule.network_spread",
            rate=rate,
            gen=need.record.pcie_gen or 5,
        )
        ports = [float(need.inside)] * 3
        return _each_node(
            need,
            "network",
            ports,
            unit=_unit("ports", rate=rate),
            rule=rule,
            source="PCI Express rates; ConnectX cards",
        )
    front = rules()["front_ports"]
    rate = round(rules()["front_gbit_board" if need.is_board else "front_gbit"].value)
    return _each_node(
        need,
        "network",
        [front.value, front.low, front.high],
        unit=_unit("ports", rate=rate),
        rule=say("materials.rule.network", ports=front.value, rate=rate),
        source=front.provenance.source,
    )


def _power(need: _Need) -> tuple[Line, ...]:
    """Return power of the servers, of the building, and heat; the servers at full load."""
    overhead, pue, watts = rules()["power_overhead"], rules()["pue"], need.record.tdp_w
    if watts is None:
        unknown = say("materials.rule.no_tdp", name=need.record.name)
        return tuple(
            Line(name, None, _unit(unit), unknown, need.record.provenance.source)
            for name, unit in (("power", "kw"), ("power_building", "kw"), ("heat", "btu"))
        )
    each = [watts / 1000 * (1 + share) for share in (overhead.value, overhead.low, overhead.high)]
    building = [kw * factor for kw, factor in zip(each, (pue.value, pue.low, pue.high), strict=True)]
    power = say(
        "materials.rule.power_computer" if need.is_computer else "materials.rule.power",
        watts=watts,
        share=overhead.value,
        low=overhead.low,
        high=overhead.high,
        rated=rules()["power_rated"].value,
    )
    return (
        _each_gpu(need, "power", each, unit=_unit("kw"), rule=power, source=overhead.provenance.source),
        _each_gpu(
            need,
            "power_building",
            building,
            unit=_unit("kw"),
            rule=say("materials.rule.power_building", pue=pue.value, low=pue.low, high=pue.high),
            source=pue.provenance.source,
        ),
        _each_gpu(
            need,
            "heat",
            [kw * BTU_PER_KWH for kw in each],
            unit=_unit("btu"),
            rule=say("materials.rule.heat", btu=BTU_PER_KWH),
            source=overhead.provenance.source,
        ),
    )


def _space(need: _Need) -> Line:
    small = need.is_computer or (need.inside == 1 and need.record.form_factor != "PCIe")
    name = "small" if small or joins_nodes(need.record) else "board" if need.is_board else "cards"
    units = rules()[f"rack_units_{name}"]
    return _each_node(
        need,
        "rack_units",
        [units.value, units.low, units.high],
        unit=_unit("rack_units"),
        rule=say(f"materials.rule.rack_{name}", units=units.value, low=units.low, high=units.high),
        source=units.provenance.source,
    )


def _part_of_device(name: str, unit: Sentence) -> Line:
    return Line(name, None, unit, say("materials.rule.part_of_device"), "")


def _each_node(
    need: _Need, name: str, amounts: Sequence[float], *, unit: Sentence, rule: Sentence, source: str
) -> Line:
    """Return a line of *amounts* (value, low, high) of each node."""
    total = [amount * need.nodes for amount in amounts]
    return Line(name, total[0], unit, rule, source, amounts[0], total[1], total[2])


def _each_gpu(
    need: _Need, name: str, amounts: Sequence[float], *, unit: Sentence, rule: Sentence, source: str
) -> Line:
    """Return a line of *amounts* (value, low, high) of each GPU; nodes need not be equally full."""
    total = [amount * need.gpus for amount in amounts]
    return Line(name, total[0], unit, rule, source, amounts[0] * need.inside, total[1], total[2])
