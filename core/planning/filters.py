"""Accelerators that a question leaves out by name, maker, place or price, before anything is computed."""

from __future__ import annotations

from core.catalog import Accelerator, accelerators
from core.cost.prices import prices_of
from core.planning.costs import prices_for
from core.planning.question import Limits, Question
from core.planning.result import Rejection
from core.text import Sentence, say


def filtered(question: Question) -> tuple[tuple[str, ...], list[Rejection]]:
    """Return the ids of the accelerators that come into question, and why the others do not."""
    kept: list[str] = []
    rejected: list[Rejection] = []
    for record in accelerators().values():
        found = _excluded(question, record)
        if found is None:
            kept.append(record.id)
        else:
            rejected.append(Rejection(record, *found))
    return tuple(kept), rejected


def _excluded(question: Question, record: Accelerator) -> tuple[str, Sentence] | None:
    limits = question.limits
    if limits.accelerators is not None and record.id not in limits.accelerators:
        return "filter", say("planning.not_chosen")
    if limits.vendors is not None and record.vendor not in limits.vendors:
        return "filter", say("planning.vendor", vendor=record.vendor, vendors=", ".join(limits.vendors))
    if limits.owned and not limits.owned.get(record.id):
        return "filter", say("planning.not_owned")
    if not has_rates(record):
        return "filter", say("planning.no_rates")
    return _unpriced(question, record)


def _unpriced(question: Question, record: Accelerator) -> tuple[str, Sentence] | None:
    """Return why no price is known where one is needed: in a chosen place, or for a budget."""
    limits = question.limits
    placed = limits.clouds is not None or limits.regions is not None
    if not (placed or limits.budget is not None) or prices_for(question, record.id):
        return None
    if placed and prices_of(record.id, kind=question.pricing.kind):
        return "price", say("planning.no_offer", place=_place(limits))
    return "price", say("planning.no_price")


def _place(limits: Limits) -> Sentence:
    """Return in which clouds and regions GPUs may be rented."""
    key = "both" if limits.clouds and limits.regions else "cloud" if limits.clouds else "region"
    given = {"clouds": limits.clouds, "regions": limits.regions}
    return say(f"planning.in_{key}", **{name: "/".join(some) for name, some in given.items() if some})


def has_rates(record: Accelerator) -> bool:
    """Return whether the matrix rate of *record* is known."""
    return bool({"bf16", "fp16", "fp32", "tf32"} & record.peak_flops.keys())
