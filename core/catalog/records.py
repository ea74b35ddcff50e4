"""What the catalogue hands out: frozen records, each with its provenance.

The files of hardware_db speak the units of their sources (marketing GB, MiB of nvidia-smi, GiB of torch,
GB/s, dense TFLOPS). A record keeps those columns as they are and gives the core base units as properties:
bytes, bytes per second, FLOP per second.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.quantities import GB, GIB, MIB

Confidence = Literal["high", "medium", "low"]

# Payload rate of one PCI Express lane in one direction, GB/s, after 128b/130b coding (gen 2: 8b/10b; gen 6: FLIT mode).
_PCIE_LANE_GBS = {2: 0.5, 3: 0.985, 4: 1.969, 5: 3.938, 6: 7.563}

# What `link` begins with, and the fabric that this means.
_FABRICS = (
    ("NVLink", "nvlink"),
    ("InfinityFabric", "xgmi"),
    ("ICI", "ici"),
    ("HCCS", "hccs"),
    ("NeuronLink", "neuronlink"),
    ("XeLink", "xelink"),
    ("PCIe", "pcie"),
    ("unified", "none"),
    ("-", "none"),
)

# Share of the memory that an engine sees where nobody published it. With the driver's total: the context of
# the driver itself is missing (RTX 3090 0.984, RTX 4090 0.985, L4 0.980, A100 0.990, H200 0.996). With the
# marketing size alone: ECC of a GDDR card takes 1/16 and the driver the rest (L4 22.1 of 24, T4 14.7 of 16).
_USABLE_OF_DRIVER = {"HBM": 0.99, "GDDR": 0.98}
_USABLE_OF_MARKETING = {"HBM": 0.985, "GDDR with ECC": 0.925, "GDDR": 0.98, "shared": 0.94}


class Record(BaseModel):
    """What all records share: they cannot change, and know no fields but their own."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class Provenance(Record):
    """Where a record comes from (`source`), when it was true (`as_of`), how far to trust it."""

    source: str = Field(min_length=1)
    as_of: date
    confidence: Confidence

    @classmethod
    def taken_from(cls, fields: dict[str, Any], source: str = "source") -> Provenance:
        """Take the columns *source*, as_of and confidence out of *fields*, a row of a file, and return them."""
        return cls.model_validate(
            {
                "source": fields.pop(source, ""),
                "as_of": fields.pop("as_of", None),
                "confidence": fields.pop("confidence", None),
            }
        )


class Accelerator(Record):
    """One device as the runtime shows it; a row of hardware_db/accelerators.csv.

    Rates are dense (no structured sparsity), for GeForce with fp32 accumulation. None: not supported, or
    not published. `memory_gb` is the vendor's "GB", which for device memory means 2**30 bytes.
    """

    id: str
    vendor: str
    name: str
    aliases: tuple[str, ...] = ()
    form_factor: str
    arch: str
    compute_capability: str | None = None
    launch_year: int
    memory_gb: float
    memory_type: str
    ecc: bool
    smi_total_mib: int | None = None
    device_total_gib: float | None = None
    mem_bw_gbs: float
    fp32_tflops: float | None = None
    tf32_tflops: float | None = None
    fp16_tflops: float | None = None
    bf16_tflops: float | None = None
    fp8_tflops: float | None = None
    fp4_tflops: float | None = None
    int8_tops: float | None = None
    dtypes: tuple[str, ...]
    link: str
    link_bidir_gbs: float | None = None
    link_domain_gpus: int
    pcie_gen: int | None = None
    pcie_lanes: int = 16
    tdp_w: float | None = None
    notes: str = ""
    provenance: Provenance

    @property
    def cuda_capability(self) -> float | None:
        """NVIDIA's compute capability as a number; None for other vendors, whose names mean something else."""
        text = self.compute_capability or ""
        return float(text) if text.replace(".", "", 1).isdigit() else None

    @property
    def marketing_bytes(self) -> int:
        """Memory on the box, in bytes."""
        return round(self.memory_gb * GIB)

    @property
    def driver_bytes(self) -> int | None:
        """The total that nvidia-smi or its like prints, in bytes; None where nobody published it."""
        return None if self.smi_total_mib is None else self.smi_total_mib * MIB

    @property
    def usable_memory_is_derived(self) -> bool:
        """Whether `usable_bytes` follows from the driver's or the marketing size, not from a reading."""
        return self.device_total_gib is None

    @property
    def usable_bytes(self) -> int:
        """What an engine sees in all (torch `total_memory`), in bytes; the capacity to plan with."""
        if self.device_total_gib is not None:
            return round(self.device_total_gib * GIB)
        family = next((kind for kind in ("HBM", "GDDR") if self.memory_type.startswith(kind)), "shared")
        if self.smi_total_mib is not None and family in _USABLE_OF_DRIVER:
            return round(self.smi_total_mib * MIB * _USABLE_OF_DRIVER[family])
        kind = "GDDR with ECC" if family == "GDDR" and self.ecc else family
        return round(self.memory_gb * GIB * _USABLE_OF_MARKETING[kind])

    @property
    def bandwidth_bytes_per_s(self) -> float:
        """Peak rate of the device memory, bytes per second."""
        return self.mem_bw_gbs * GB

    @cached_property
    def peak_flops(self) -> Mapping[str, float]:
        """Dense peak by number format (fp32 tf32 fp16 bf16 fp8 fp4 int8), FLOP/s; only known formats."""
        table = {
            "fp32": self.fp32_tflops,
            "tf32": self.tf32_tflops,
            "fp16": self.fp16_tflops,
            "bf16": self.bf16_tflops,
            "fp8": self.fp8_tflops,
            "fp4": self.fp4_tflops,
            "int8": self.int8_tops,
        }
        return MappingProxyType({name: rate * 1e12 for name, rate in table.items() if rate is not None})

    @property
    def interconnect(self) -> str:
        """The fabric between devices: nvlink, xgmi, ici, hccs, neuronlink, xelink, roce, pcie or none."""
        for beginning, fabric in _FABRICS:
            if self.link.startswith(beginning):
                return fabric
        return "roce" if "RoCE" in self.link else "none"

    @property
    def pcie_bytes_per_s(self) -> float | None:
        """Rate of the PCI Express slot in one direction, bytes per second."""
        if self.pcie_gen is None:
            return None
        return _PCIE_LANE_GBS[self.pcie_gen] * self.pcie_lanes * GB

    @property
    def link_bytes_per_s(self) -> float | None:
        """Rate between devices of one domain, one direction per device, bytes per second.

        Half of the bidirectional figure that vendors print; the PCI Express slot where there is no other
        link; None where devices cannot be joined.
        """
        if self.link_bidir_gbs is not None:
            return self.link_bidir_gbs / 2 * GB
        return self.pcie_bytes_per_s if self.interconnect == "pcie" else None

    def supports(self, dtype: str) -> bool:
        """Whether the matrix units compute in *dtype* ("bf16", "fp8", ...)."""
        return dtype.lower() in self.dtypes


class ModelRecord(Record):
    """A model of the catalogue: its id, its config.json and where that was copied from.

    `config` is the plain content of config.json, shared by all callers: read it, never change it.
    """

    id: str
    config: dict[str, Any]
    provenance: Provenance
    note: str = ""
    license: str | None = None
    released: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}$")
