"""A deployment is a value: a model on a device with an engine, formats, a layout and a load."""

from __future__ import annotations

from dataclasses import dataclass

from core.architecture import CacheLayout, Model
from core.architecture.formats import WeightFormat
from core.catalog import Accelerator
from core.errors import BadRequest
from core.memory.engines import Engine
from core.memory.layout import SINGLE_GPU, Layout

KV_BYTES: dict[str, float] = {
    "fp32": 4.0,
    "f32": 4.0,
    "bf16": 2.0,
    "fp16": 2.0,
    "f16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "q8_0": 34 / 32,
    "q5_1": 24 / 32,
    "q5_0": 22 / 32,
    "q4_1": 20 / 32,
    "q4_0": 18 / 32,
    "iq4_nl": 18 / 32,
}
"""Bytes of one cached element. Source: ggml-common.h (blocks of 32 with their scales)."""


@dataclass(frozen=True)
class KvFormat:
    """Number formats of cached keys and values; llama.cpp may choose them apart."""

    keys: str
    values: str

    @property
    def name(self) -> str:
        """The contract's spelling."""
        return self.keys if self.keys == self.values else f"{self.keys}/{self.values}"

    def entry_bytes(self, layout: CacheLayout) -> float:
        """Return the bytes of one entry of *layout*, undivided."""
        if layout.bytes_per_element is not None:
            return layout.elements * layout.bytes_per_element
        return layout.keys * KV_BYTES[self.keys] + layout.values * KV_BYTES[self.values]


def kv_format(name: str) -> KvFormat:
    """Return the KV format *name*, "bf16" or "q8_0/f16".

    Raises:
        BadRequest: there is none of that name.
    """
    keys, _, values = name.lower().partition("/")
    values = values or keys
    for part in (keys, values):
        if part not in KV_BYTES:
            raise BadRequest("request.choice", field="kv", value=name, choices=", ".join(KV_BYTES))
    return KvFormat(keys, values)


def engine_kv(engine: Engine, weights: WeightFormat, model: Model) -> KvFormat:
    """Return the cache format that *engine* takes by default: that of 16-bit weights, else of the model's config."""
    if engine.name == "llama.cpp":
        return kv_format("f16")
    return kv_format(weights.id if weights.id in ("fp32", "fp16", "bf16") else model.dtype)


@dataclass(frozen=True)
class Device:
    """The memory of one GPU, in bytes: what the engine sees (`usable`), and what driver and vendor call it."""

    name: str
    usable: float
    driver: float | None = None
    marketing: float | None = None
    capability: float | None = None
    id: str | None = None
    derived: bool = False
    vendor: str | None = None

    @classmethod
    def of(cls, record: Accelerator, usable: float | None = None) -> Device:
        """Return the memory of the catalogue's *record*; *usable* bytes replace what it says an engine sees."""
        return cls(
            record.name,
            float(record.usable_bytes) if usable is None else usable,
            record.driver_bytes,
            record.marketing_bytes,
            record.cuda_capability,
            record.id,
            usable is None and record.usable_memory_is_derived,
            record.vendor,
        )

    @property
    def is_large(self) -> bool:
        """Whether vLLM's larger default limits apply (cards of the 80 GB class)."""
        return self.usable >= 70 * 2**30


@dataclass(frozen=True)
class Deployment:
    """Everything that the memory of a serving process depends on.

    `context` is the longest request that the engine admits (max_model_len; llama.cpp: n_ctx in all),
    `requests` the concurrent requests that the user wants, each of `input_tokens` + `output_tokens` on average,
    of which `shared_prefix` (0 to 1) of the input is common to all and cached once.
    """

    model: Model
    device: Device | None
    engine: Engine
    weights: WeightFormat
    kv: KvFormat
    layout: Layout = SINGLE_GPU
    context: int = 8192
    memory_fraction: float | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    enforce_eager: bool = False
    flash_attention: bool | None = None
    memory_in_use: float = 0.0
    requests: int = 1
    input_tokens: int | None = None
    output_tokens: int = 0
    shared_prefix: float = 0.0
    sparse_weights: bool = False

    @property
    def element_bytes(self) -> float:
        """Bytes of one activation element: the dtype of what is not quantised."""
        return self.weights.wide if self.weights.wide >= 2 else 2.0

    @property
    def sequences(self) -> int:
        """Sequences that the engine's scheduler admits at once."""
        if self.max_num_seqs:
            return self.max_num_seqs
        span = self.engine.span("max_num_seqs")
        large = self.device is None or self.device.is_large
        return int(span.get("large", span["value"]) if large else span["value"])

    @property
    def batched_tokens(self) -> int:
        """Tokens of the largest forward pass."""
        if self.max_num_batched_tokens:
            return self.max_num_batched_tokens
        span = self.engine.span("max_num_batched_tokens")
        large = self.device is None or self.device.is_large
        value = span.get("large", span["value"]) if large else span["value"]
        if value != "context":
            return int(value)
        # Beyond a limit the engine prefills in chunks of its own accord.
        if self.context > int(span.get("limit", self.context)):
            return int(span["beyond"])
        return max(2048, self.context)

    @property
    def fraction(self) -> float:
        """The engine's memory fraction, its default where the user states none."""
        if self.memory_fraction is not None:
            return self.memory_fraction
        span = self.engine.span("memory_fraction")
        ranks = self.layout.tp * self.layout.pp
        for limit in (16, 8, 4):
            if ranks >= limit and f"tp{limit}" in span:
                return float(span[f"tp{limit}"])
        return float(span["value"])
