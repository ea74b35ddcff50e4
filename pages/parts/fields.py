"""The inputs of a serving deployment: their names in an address, defaults and limits."""

from __future__ import annotations

from typing import Any

from core.catalog import find_accelerator, find_model
from core.errors import PlannerError
from core.memory.engines import ENGINES
from pages.parts.address import Field

MODEL, GPU = "deepseek-ai/DeepSeek-V3", "h200-sxm"
SOURCES = ("catalogue", "config", "hand")
VIEWS = ("curve", "why", "fleet", "launch", "share")
HAND = ("hidden", "layers", "heads", "kv_heads", "inner", "vocabulary")


def model_id(name: str) -> str | None:
    """Return the id of the catalogue's model *name*, None where there is none."""
    try:
        return find_model(name).id
    except PlannerError:
        return None


def gpu_id(name: str) -> str | None:
    """Return the id of the catalogue's accelerator *name*, None where there is none."""
    try:
        return find_accelerator(name).id
    except PlannerError:
        return None


def one_of(*names: str) -> Any:
    """Return what reads one of *names*, and nothing else."""
    return lambda given: given if given in names else None


FIELDS = {
    "source": Field("catalogue", known=one_of(*SOURCES)),
    "view": Field("curve", known=one_of(*VIEWS)),
    "model": Field(MODEL, known=model_id),
    "gpu": Field(GPU, known=gpu_id),
    "gpus": Field(8, int, 1, 1024),
    "context": Field(32768, int, 1, 10**8),
    "requests": Field(16, int, 1, 10**6),
    "weights": Field(None),
    "kv": Field(None),
    "sparse": Field(False, bool),
    "input": Field(None, int, 1, 10**8),
    "output": Field(None, int, 0, 10**8),
    "shared": Field(0, int, 0, 100),
    "pp": Field(1, int, 1, 256),
    "dp": Field(1, int, 1, 1024),
    "ep": Field(1, int, 1, 1024),
    "engine": Field("vllm", known=one_of(*ENGINES)),
    "version": Field(None),
    "fraction": Field(None, float, 0.05, 1.0),
    "seqs": Field(None, int, 1, 10**6),
    "batched": Field(None, int, 1, 10**8),
    "eager": Field(False, bool),
    "flash": Field(None, known=one_of("on", "off")),
    "in_use": Field(0.0, float, 0.0, 100_000.0),
    "hidden": Field(4096, int, 1, 10**6),
    "layers": Field(32, int, 1, 10**4),
    "heads": Field(32, int, 1, 10**4),
    "kv_heads": Field(32, int, 1, 10**4),
    "inner": Field(11008, int, 1, 10**7),
    "vocabulary": Field(32000, int, 1, 10**7),
}
"""The inputs of the Size page, under the names that its address has for them."""

STATED = ("source", "model", "gpu", "gpus", "context", "requests", "engine")
"""What a shared link spells out even where it is the default of today."""
