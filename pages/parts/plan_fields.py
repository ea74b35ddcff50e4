"""The inputs of a plan: their names in an address, defaults and limits."""

from __future__ import annotations

from core.architecture.formats import weight_formats
from core.catalog import accelerators, offers
from core.errors import PlannerError
from core.planning.question import CHECKPOINT, ENGINES, OBJECTIVES
from core.store.records import checked_id
from core.traffic import presets
from core.traffic.traffic import SECONDS
from pages.parts.address import Field, pairs, several
from pages.parts.fields import MODEL, gpu_id, model_id, one_of

SOURCES = ("catalogue", "config")
UNITS = tuple(SECONDS)
PERCENTILES = ("p50", "p95", "p99")
VIEWS = ("plans", "compare", "day", "changes", "deploy", "materials", "rejected", "share")
KV = ("bf16", "fp8")
RANKS = ("1", "2", "4", "8", "16", "32")
WEIGHTS = (CHECKPOINT, *(name for name, row in weight_formats().items() if not row.is_gguf))
MOST_COMPARED = 3
MOST_BESIDE = 3
"""Saved plans that are compared at once."""

CLOUDS = tuple(sorted({offer.cloud for offer in offers().values()}))
REGIONS = tuple(sorted({offer.region for offer in offers().values()}))
VENDORS = tuple(dict.fromkeys(record.vendor for record in accelerators().values()))


def work_id(given: str) -> str | None:
    """Return the id of saved work that *given* may be, None where it cannot be one."""
    try:
        return checked_id(given)
    except PlannerError:
        return None


FIELDS = {
    "source": Field("catalogue", known=one_of(*SOURCES)),
    "view": Field("plans", known=one_of(*VIEWS)),
    "models": Field(MODEL, known=several(model_id)),
    "preset": Field(None, known=one_of(*presets())),
    "rate": Field(450_000.0, float, 1e-6, 1e12),
    "unit": Field("day", known=one_of(*UNITS)),
    "peak": Field(2.0, float, 1.0, 24.0),
    "input": Field(800, int, 1, 10**7),
    "input_p95": Field(None, int, 1, 10**8),
    "output": Field(400, int, 1, 10**7),
    "output_p95": Field(None, int, 1, 10**8),
    "hits": Field(0, int, 0, 100),
    "ttft": Field(500, int, 0, 10**7),
    "share": Field("p99", known=one_of(*PERCENTILES)),
    "tpot": Field(None, float, 0.1, 10**6),
    "e2e": Field(None, float, 0.001, 10**5),
    "headroom": Field(20, int, 0, 90),
    "spare": Field(False, bool),
    "rank": Field("cost", known=one_of(*OBJECTIVES)),
    "vendors": Field(None, known=several(one_of(*VENDORS))),
    "gpus": Field(None, known=several(gpu_id)),
    "clouds": Field(None, known=several(one_of(*CLOUDS))),
    "regions": Field(None, known=several(one_of(*REGIONS))),
    "owned": Field(None, known=pairs(gpu_id)),
    "budget": Field(None, float, 0.01, 1e12),
    "replica": Field(16, int, 1, 1024),
    "most": Field(None, int, 1, 10**6),
    "weights": Field(None, known=several(one_of(*WEIGHTS))),
    "kv": Field(None, known=several(one_of(*KV))),
    "engines": Field(None, known=several(one_of(*ENGINES))),
    "tp": Field(None, known=several(one_of(*RANKS))),
    "context": Field(None, int, 1, 10**8),
    "pricing": Field("on_demand", known=one_of("on_demand", "spot")),
    "prices": Field(None, known=pairs(gpu_id)),
    "chosen": Field(None),
    "compared": Field(None),
    "beside": Field(None, known=several(work_id)),
    "layouts": Field(False, bool),
}
"""The inputs of the Plan page, under the names that its address has for them."""

STATED = (
    *(
        "source",
        "models",
        "rate",
        "unit",
        "peak",
        "input",
        "output",
        "hits",
        "ttft",
        "share",
        "headroom",
        "rank",
    ),
    *("replica", "pricing"),
)
"""What a shared link spells out even where it is the default of today."""
