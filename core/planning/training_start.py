"""Values to start a training with, and what the planning guides advise beside them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml

from core.catalog.records import Record
from core.planning.recommendations import Guide, guides
from core.text import Sentence, say

PATH = Path(__file__).parents[2] / "hardware_db" / "training_guides.yaml"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Verdict = Literal["right", "partly", "wrong"]


@cache
def guide_data() -> dict[str, Any]:
    """Return the content of hardware_db/training_guides.yaml."""
    content: dict[str, Any] = yaml.load(PATH.read_text(encoding="utf-8"), Loader=_LOADER)
    return content


START = MappingProxyType({name: float(row["value"]) for name, row in guide_data()["start"].items()})
"""Values that config files begin with: clip (norm), warmup (share of the steps), learning_rate_full and _lora."""


def learning_rate(method: str) -> float:
    """Return the learning rate to begin with: adapters take a larger one than whole weights."""
    return START["learning_rate_full" if method == "full" else "learning_rate_lora"]


class Advised(Record):
    """A value or a step that a guide advises, whether it is right, and by what source."""

    id: str
    guide: str
    verdict: Verdict
    source: str

    @property
    def by(self) -> Guide:
        """The guide that advises it."""
        return guides()[self.guide]

    @property
    def says(self) -> Sentence:
        """What the guide says."""
        return say(f"training_guides.advice.{self.id}.says")


@cache
def guide_advice() -> tuple[Advised, ...]:
    """Return what the guides advise for training."""
    return tuple(Advised.model_validate(row) for row in guide_data()["advice"])
