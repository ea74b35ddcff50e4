"""Why an accelerator has no plan: the limit that its most promising candidate meets, with both numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.planning.costs import Costs
from core.planning.prospects import Prospects
from core.planning.question import Question
from core.planning.result import HOURS_PER_MONTH, Rejection
from core.planning.service import Curves
from core.planning.sizing import Served
from core.planning.words import layout_words, seconds_words
from core.quantities import GIB
from core.text import Sentence, say

STAGES = ("filter", "price", "engine", "format", "layout", "memory", "latency", "count", "budget")
"""How far an accelerator can come, nearest to a plan last."""


@dataclass(frozen=True)
class Attempt:
    """What came of one model: candidates with their curves, those worked out, what they cost, and which are `within`.

    Candidates on replicas larger than allowed have curves too: they say what allowing them would bring.
    """

    prospects: Prospects
    found: Curves
    served: Served
    costs: Costs
    within: Any

    @property
    def deployments(self) -> int:
        """Deployments evaluated: every candidate at every concurrency."""
        return int(self.found.rate.size)


def rejections_of(question: Question, attempts: list[Attempt]) -> list[Rejection]:
    """Return for every accelerator in question why it has no plan; of several models, the one that came furthest."""
    best: dict[str, Rejection] = {}
    for attempt in attempts:
        for rejection in _of_model(question, attempt):
            known = best.get(rejection.record.id)
            if known is None or STAGES.index(rejection.stage) > STAGES.index(known.stage):
                best[rejection.record.id] = rejection
    return list(best.values())


def _of_model(question: Question, attempt: Attempt) -> Iterator[Rejection]:
    prospects, served = attempt.prospects, attempt.served
    planned = set(served.sized.device[attempt.within].tolist())
    worked = set(served.sized.device.tolist())
    allowed = prospects.gpus <= question.limits.gpus_per_replica
    starts = set(prospects.device[allowed].tolist())
    for device, record in enumerate(prospects.field.records):
        if device in planned:
            continue
        if device in worked:
            yield Rejection(record, *_too_many(question, attempt, device))
        elif device in starts:
            rows = np.flatnonzero(allowed & (prospects.device == device))
            yield Rejection(record, "latency", _too_slow(question, attempt, rows))
        else:
            yield Rejection(record, *_too_small(question, prospects, device))


def words_of(prospects: Prospects, row: int) -> str:
    """Return the replica of candidate *row* in words: TP8, or 1 GPU."""
    variant = prospects.field.variants[int(prospects.variant[row])]
    return layout_words(variant.layout) or "TP1"


def _too_many(question: Question, attempt: Attempt, device: int) -> tuple[str, Sentence]:
    """Return the stage and reason of an accelerator whose plans need more GPUs or money than there is."""
    limits, sized = question.limits, attempt.served.sized
    rows = np.flatnonzero(sized.device == device)
    gpus = ((sized.replicas + limits.spare) * sized.gpus_per_replica)[rows]
    fewest = rows[int(np.argmin(gpus))]
    record = sized.prospects.field.records[device]
    most = min(limits.owned.get(record.id, np.inf), np.inf if limits.gpus is None else limits.gpus)
    replicas = int(sized.replicas[fewest]) + limits.spare
    each = words_of(sized.prospects, int(sized.row[fewest]))
    if gpus.min() > most:
        values = {"replicas": replicas, "each": each, "gpus": int(gpus.min()), "most": int(most)}
        return "count", say("planning.owned" if limits.owned else "planning.gpus", **values)
    usd = attempt.costs.usd_per_hour[rows]
    cheapest = rows[int(np.argmin(usd))]
    if not np.isfinite(usd.min()):
        return "price", say("planning.no_instance", each=each)
    return "budget", say(
        "planning.budget",
        replicas=int(sized.replicas[cheapest]) + limits.spare,
        each=words_of(sized.prospects, int(sized.row[cheapest])),
        usd=float(usd.min()) * HOURS_PER_MONTH,
        budget=limits.budget,
    )


def _too_slow(question: Question, attempt: Attempt, rows: Any) -> Sentence:
    """Return which target the best of *rows* misses by how much, even when it serves a request now and then."""
    targets = question.targets
    named = [(name, getattr(targets, name)) for name in ("ttft", "tpot", "request")]
    asked = [(name, limit) for name, limit in named if limit is not None]
    values = np.array([attempt.found.quantity(name)[rows, 0] for name, _ in asked])
    over = values / np.array([[limit] for _, limit in asked])
    row = int(np.argmin(over.max(axis=0)))
    worst = int(np.argmax(over[:, row]))
    name, limit = asked[worst]
    variant = attempt.prospects.field.variants[int(attempt.prospects.variant[rows[row]])]
    return say(
        f"planning.slow_{name}",
        share=round(targets.share * 100),
        value=seconds_words(float(values[worst, row])),
        limit=seconds_words(float(limit)),
        each=words_of(attempt.prospects, int(rows[row])),
        format=variant.weights.label,
    )


def _too_small(question: Question, prospects: Prospects, device: int) -> tuple[str, Sentence]:
    """Return the stage and reason of an accelerator on which no replica of the allowed size starts."""
    field = prospects.field
    refused = field.refused[:, device]
    runs = np.flatnonzero(refused < 0)
    if not len(runs):
        stage = {"engine": 0, "format": 1}
        return max((field.refusals[place] for place in refused), key=lambda one: stage[one[0]])
    small = runs[field.gpus[runs] <= question.limits.gpus_per_replica]
    linked = small[field.joined[small, device]]
    if not len(small):
        fewest = int(field.gpus[runs].min())
        return "layout", say("planning.replica", gpus=fewest, most=question.limits.gpus_per_replica)
    if not len(linked):
        return "layout", say("planning.not_linked", gpus=int(field.gpus[small].min()))
    room = prospects.capacity
    best = linked[int(np.argmax(room.longest[linked, device]))]
    variant, usable = field.variants[best], field.devices[device].usable
    reason = say(
        "planning.no_room" if room.longest[best, device] > 0 else "planning.too_large",
        gpus=variant.layout.gpus,
        format=variant.weights.label,
        weights=float(room.weights[best, device]) / GIB,
        usable=usable / GIB,
        context=prospects.context,
        held=float(room.longest[best, device]),
    )
    wider = np.flatnonzero((prospects.device == device) & (prospects.gpus > question.limits.gpus_per_replica))
    if len(wider):
        reason = say("planning.would_hold", reason=reason, gpus=int(prospects.gpus[wider].min()))
    return "memory", reason
