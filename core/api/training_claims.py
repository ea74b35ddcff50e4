"""What the planning guides claim about the memory of training, each beside what the product computes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from core.api.requests import parse_as
from core.api.training_request import TrainRequest, training_of
from core.catalog.records import Record
from core.memory.training import TrainingRun, size_training
from core.memory.training.fitting import largest_micro_batch
from core.planning.recommendations import Guide, guides
from core.planning.training_start import Verdict, guide_data
from core.quantities import GIB, format_digits
from core.speed.training import seconds_per_token
from core.text import Sentence, say

Figure = Literal["states", "saved", "largest"]


class Claimed(Record):
    """The figure of a guide, from low to high where it is rounded or given as a range."""

    low: float
    high: float


class Claim(Record):
    """A claim of a guide: what it is about, as a request of the `train` verb, and the figure it gives.

    `figure`: states (GiB of weights, gradients and optimizer of all GPUs), saved (share of the process that the
    request saves over `against`), largest (sequences of a micro-batch that fit). `partly`: it holds for something else.
    """

    id: str
    guide: str
    figure: Figure
    claimed: Claimed
    request: dict[str, Any]
    against: dict[str, Any] | None = None
    partly: bool = False

    @property
    def by(self) -> Guide:
        """The guide that claims it."""
        return guides()[self.guide]

    @property
    def says(self) -> Sentence:
        """What the guide says."""
        return say(f"training_guides.claim.{self.id}.says")


@dataclass(frozen=True)
class Checked:
    """A claim, the run that it is about, our figure, and whether the claim holds for that run."""

    claim: Claim
    run: TrainingRun
    value: float
    holds: bool
    time: float

    @property
    def verdict(self) -> Verdict:
        """Whether the claim is right, in part or wrong."""
        return "right" if self.holds else "partly" if self.claim.partly else "wrong"

    @property
    def shown(self) -> Sentence:
        """Our figure in words."""
        amount = format_digits(100 * self.value if self.claim.figure == "saved" else self.value, 2)
        if self.claim.figure == "largest":
            amount = f"{self.value:,.0f}"
        return say(f"training_guides.figure.{self.claim.figure}", amount=amount)

    @property
    def right(self) -> Sentence:
        """What is right, and why."""
        return say(f"training_guides.claim.{self.claim.id}.right", percent=100 * (self.time - 1))


@cache
def claims() -> tuple[Claim, ...]:
    """Return the claims of hardware_db/training_guides.yaml."""
    return tuple(Claim.model_validate(row) for row in guide_data()["claims"])


@lru_cache(maxsize=1)
def checked_claims() -> tuple[Checked, ...]:
    """Return every claim beside what the product computes for the same run."""
    return tuple(_checked(claim) for claim in claims())


def _run(request: dict[str, Any]) -> TrainingRun:
    stated = {name: value for name, value in request.items() if value is not None}
    return training_of(parse_as(TrainRequest, stated))


def _checked(claim: Claim) -> Checked:
    run = _run(claim.request)
    time = 1.0
    if claim.figure == "saved":
        before = _run(claim.request | (claim.against or {}))
        value = 1 - size_training(run).process / size_training(before).process
        time = seconds_per_token(run) / seconds_per_token(before)
    elif claim.figure == "states":
        parts = size_training(run).phases["step"]
        value = run.layout.gpus * sum(parts[name] for name in ("weights", "gradients", "optimizer")) / GIB
    else:
        value = float(largest_micro_batch(run))
    return Checked(claim, run, value, claim.claimed.low <= value <= claim.claimed.high, time)
