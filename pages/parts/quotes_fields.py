"""The inputs of the Quotes page: their names in an address, defaults and limits."""

from __future__ import annotations

from core.catalog import offers
from core.planning.fair import places
from pages.parts.address import Field
from pages.parts.fields import model_id, one_of
from pages.parts.plan_fields import FIELDS as PLAN
from pages.parts.plan_fields import PERCENTILES, UNITS

VIEWS = ("time", "load", "mix", "decides", "units", "chances", "fit", "files")

WORKLOAD = ("model", "rate", "unit", "peak", "input", "output", "hits", "ttft", "share", "tpot", "headroom")
"""Inputs that mean what they mean on the Plan page."""

SHARES = ("utilisation", "growth", "residual", "discount_rate", "maintenance")
"""Assumptions that are shares; a page writes them in per cent."""

ASSUMED = {
    "horizon_months": (1.0, 120.0),
    "utilisation": (1.0, 100.0),
    "growth": (0.0, 300.0),
    "discount_rate": (0.0, 50.0),
    "depreciation_years": (1.0, 15.0),
    "residual": (0.0, 100.0),
    "usd_kwh": (0.0, 5.0),
    "pue": (1.0, 3.0),
    "colo_usd_kw_month": (0.0, 5000.0),
    "maintenance": (0.0, 100.0),
    "staff_fte": (0.0, 100.0),
    "staff_usd": (0.0, 1e6),
    "spare_nodes": (0.0, 100.0),
    "network_usd": (0.0, 1e6),
}
"""Assumptions that a person may change, and the least and most of each."""

FIELDS = {
    "view": Field("time", known=one_of(*VIEWS)),
    "model": Field("Qwen/Qwen3-14B", known=model_id),
    "rate": Field(1_500_000.0, float, 1e-6, 1e12),
    "unit": Field("day", known=one_of(*UNITS)),
    **{name: PLAN[name] for name in ("peak", "input", "output", "hits", "tpot", "headroom")},
    "ttft": Field(2000, int, 0, 10**7),
    "share": Field("p95", known=one_of(*PERCENTILES)),
    "place": Field(None, known=one_of(*places())),
    **{name: Field(None, float, least, most) for name, (least, most) in ASSUMED.items()},
    "base": Field(None, int, 1, 10**4),
    "rest": Field(None, int, 1, 10**4),
    "kept": Field(None, int, 0, 10**5),
    "api_in": Field(None, float, 0.0, 1e5),
    "api_out": Field(None, float, 0.0, 1e5),
    "first": Field(None, int, 1, 10**4),
    "second": Field(None, int, 1, 10**4),
    "of": Field(None, int, 1, 10**4),
}
"""The inputs of the Quotes page, under the names that its address has for them."""

STATED = ("model", "rate", "unit", "peak", "input", "output", "hits", "ttft", "share", "headroom")
"""What a shared link spells out even where it is the default of today."""

CLOUDS = tuple(sorted({offer.cloud for offer in offers().values()}))
