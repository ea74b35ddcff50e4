"""hardware_db as typed, validated, frozen records: accelerators, model configurations, offers of clouds.

`find_accelerator` and `find_model` take the names that people, drivers and clouds use; each record says
where it comes from and how far to trust it.
"""

from core.catalog.accelerators import (
    accelerators,
    find_accelerator,
    known_accelerator,
    names_of,
    nearest_accelerators,
)
from core.catalog.models import find_model, model_ids
from core.catalog.offers import Offer, offers
from core.catalog.records import Accelerator, Confidence, ModelRecord, Provenance

__all__ = [
    "Accelerator",
    "Confidence",
    "ModelRecord",
    "Offer",
    "Provenance",
    "accelerators",
    "find_accelerator",
    "find_model",
    "known_accelerator",
    "model_ids",
    "names_of",
    "nearest_accelerators",
    "offers",
]
