"""Weight formats: how many bytes a tensor takes, and which tensors a format covers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.architecture.model import Model
from core.architecture.modules import NOTHING, Modules
from core.architecture.tensors import TensorGroup, matrix
from core.errors import BadRequest

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

WIDE = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "f32": 4.0, "f16": 2.0}
"""Bytes of an element in the formats that quantise nothing."""

SPARSITY_2_4 = 0.5 + 2 / 16
"""Bytes kept of a 16-bit matrix pruned 2:4: half of the values and two index bits for each one kept.

Source: NVIDIA Ampere architecture whitepaper, sparse tensor cores.
"""


@dataclass(frozen=True)
class Encoding:
    """How the numbers of one matrix are stored; see formats.yaml for the fields."""

    bits: float
    group: int = 0
    group_bytes: float = 0.0
    block: tuple[int, int] = (0, 0)
    block_bytes: float = 0.0
    row_bytes: float = 0.0
    column_bytes: float = 0.0
    tensor_bytes: float = 0.0

    def bytes(self, rows: float, columns: float) -> float:
        """Return the bytes of one *rows* x *columns* matrix with all its scales."""
        size = rows * columns * self.bits / 8 + self.tensor_bytes
        if self.group:
            size += rows * columns / self.group * self.group_bytes
        if self.block[0]:
            size += math.ceil(rows / self.block[0]) * math.ceil(columns / self.block[1]) * self.block_bytes
        return size + rows * self.row_bytes + columns * self.column_bytes


@dataclass(frozen=True, eq=False)
class WeightFormat:
    """A rule that gives each tensor group its encoding.

    `covers` maps roles to encodings; `mix` maps GGUF tensor names to encodings; every other matrix and every
    vector keeps `wide`, the bytes of an element. `keep` are modules that a checkpoint's config lists as not
    converted, `mixed` those that it lists in an encoding of their own.
    """

    id: str
    label: str
    covers: Mapping[str, Encoding]
    wide: float = 2.0
    vector_bytes: float | None = None
    router_bytes: float | None = None
    untied_head: bool = False
    gguf: Mapping[str, Any] = field(default_factory=dict)
    keep: Modules = NOTHING
    mixed: tuple[tuple[Modules, Encoding], ...] = ()

    @property
    def is_gguf(self) -> bool:
        """Whether it is a file format of llama.cpp, which quantises embedding and head too."""
        return bool(self.gguf)

    def encoding(self, group: TensorGroup, layer: int | None = None) -> Encoding | None:
        """Return the encoding of *group* in *layer*, or None where it stays wide."""
        if not group.is_matrix or self.keep.covers(group, layer):
            return None
        for modules, encoding in self.mixed:
            if modules.covers(group, layer):
                return encoding
        if self.gguf:
            return None if group.role in ("router", "norm", "state", "vision") else self.covers.get("matrix")
        return self.covers.get(group.role)

    @property
    def varies_by_layer(self) -> bool:
        """Whether one group may have several encodings: GGUF mixes, and checkpoints that skip some layers."""
        return bool(self.gguf or self.keep or self.mixed)

    def element_bytes(self, group: TensorGroup) -> float:
        """Return the bytes of one element that is not quantised."""
        if group.is_matrix and group.role != "router":
            return self.wide
        special = self.router_bytes if group.role == "router" else self.vector_bytes
        return self.wide if special is None else special

    def tensor_bytes(
        self,
        group: TensorGroup,
        rows: float,
        columns: float,
        *,
        layer: int | None = None,
        layers: int = 0,
        tied: bool = False,
    ) -> float:
        """Return the bytes of one tensor of *group*, of which a rank holds *rows* x *columns*.

        *layer* of *layers* and *tied* matter only to the mixed GGUF types, which give some tensors more bits.
        """
        if not group.is_matrix:
            return rows * self.element_bytes(group)
        encoding = self._mixed(group, layer, layers, tied) if self.gguf else self.encoding(group, layer)
        if encoding is None:
            return rows * columns * self.element_bytes(group)
        return encoding.bytes(rows, columns)

    def _mixed(self, group: TensorGroup, layer: int | None, layers: int, tied: bool) -> Encoding | None:
        """Choose the type that llama.cpp's mix gives to *group* in *layer*."""
        base = self.encoding(group)
        if base is None:
            return None
        part = next((part for part, rule in _GGUF_PARTS.items() if re.fullmatch(rule, group.name)), None)
        if part == "embedding" and tied:
            part = "head"  # without a head of its own, the embedding is the output tensor
        name = self.gguf.get(part) if part else None
        if name is None or (
            part in ("down", "value") and self.gguf.get("more_bits") and not _more_bits(layer, layers)
        ):
            return base
        return encodings()[name]


_GGUF_PARTS = {
    "value": r"attention\.v",
    "down": r".*\.down",
    "output": r"attention\.o",
    "head": r"head",
    "embedding": r"embedding",
}


def _more_bits(layer: int | None, layers: int) -> bool:
    """Return whether llama.cpp gives *layer* the better type (llama-quant.cpp, use_more_bits)."""
    if layer is None or layers <= 0:
        return False
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


@cache
def _data() -> dict[str, Any]:
    text = Path(__file__).with_name("formats.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, Loader=_LOADER)
    return data


@cache
def encodings() -> dict[str, Encoding]:
    """Return all encodings by name."""
    return {
        name: Encoding(**{**row, "block": tuple(row.get("block", (0, 0)))})
        for name, row in _data()["encodings"].items()
    }


@cache
def weight_formats() -> dict[str, WeightFormat]:
    """Return all weight formats by id, as the headless contract spells them."""
    table = encodings()
    formats = {}
    for name, row in _data()["formats"].items():
        covers = dict.fromkeys(row["covers"], table[row.get("encoding", name)])
        if "experts" in row:
            covers["expert"] = table[row["experts"]]
        wide = WIDE[row.get("wide", "bf16")]
        formats[name] = WeightFormat(
            name, row["label"], covers, wide, untied_head=row.get("untied_head", False)
        )
    for name, row in _data()["gguf"].items():
        if name in formats and name not in ("f32", "f16"):
            continue  # bf16 and fp16 as files hold what they hold as checkpoints
        base = table[row["base"]]
        # ggml keeps vectors and routers in fp32 whatever the file type.
        formats[name] = WeightFormat(
            name,
            f"GGUF {name.upper()}",
            {"matrix": base},
            base.bits / 8 if base.bits >= 16 else 2.0,
            4.0,
            4.0,
            gguf=row,
        )
    return formats


def gguf_bf16() -> WeightFormat:
    """Return BF16 as a GGUF file: vectors and routers in fp32."""
    base = encodings()["bf16"]
    return WeightFormat("bf16", "GGUF BF16", {"matrix": base}, 2.0, 4.0, 4.0, gguf={"base": "bf16"})


def weight_format(name: str) -> WeightFormat:
    """Return the weight format *name*.

    Raises:
        BadRequest: there is none of that name.
    """
    formats = weight_formats()
    found = formats.get(name.lower())
    if found is None:
        raise BadRequest("request.choice", field="weights", value=name, choices=", ".join(formats))
    return found


def stored_groups(model: Model, weights: WeightFormat) -> tuple[TensorGroup, ...]:
    """Return the groups of *model* as a checkpoint in *weights* holds them.

    Formats that leave the head wide store it apart from a tied embedding, so that a second copy appears.
    """
    if not (model.tied and weights.untied_head):
        return model.groups
    head = matrix("head", model.vocabulary, model.hidden, "head", "vocabulary", stage="last")
    return (*model.groups, head)


def checkpoint_bytes(
    model: Model, weights: WeightFormat, groups: Sequence[TensorGroup] | None = None
) -> float:
    """Return the bytes of all *groups* (default: what the checkpoint stores) in *weights*.

    A checkpoint stores multi-token prediction layers too; a GGUF file holds the decoder alone.
    """
    total = 0.0
    if groups is None:
        groups = model.text_groups if weights.is_gguf else (*stored_groups(model, weights), *model.mtp_groups)
    for group in groups:
        rows = group.shape[0]
        columns = group.shape[1] if group.is_matrix else 1
        if weights.varies_by_layer and group.layers:
            total += group.copies * sum(
                weights.tensor_bytes(group, rows, columns, layer=layer, layers=model.layers)
                for layer in group.layers
            )
        else:
            total += group.occurrences * weights.tensor_bytes(group, rows, columns, tied=model.tied)
    return total
