"""Faults of a request that are told together, so that a person repairs all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from core.api.requests import MOST_FAULTS
from core.errors import BadRequest, PlannerError
from core.text import Sentence, say

Arguments = ParamSpec("Arguments")
Found = TypeVar("Found")


class Faults:
    """Collects what is refused."""

    def __init__(self) -> None:
        self.found: list[PlannerError] = []

    def attempt(
        self, function: Callable[Arguments, Found], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Found:
        """Return what *function* gives; where it refuses, keep the fault, and `tell` must come before any use."""
        try:
            return function(*arguments, **named)
        except PlannerError as error:
            self.found.append(error)
            return cast(Found, None)

    def tell(self) -> None:
        """Raise what was collected: a single fault as it is, several as one error that names each field.

        Raises:
            PlannerError: something was refused.
        """
        told = list({(error.field, str(error)): error for error in self.found}.values())[:MOST_FAULTS]
        if not told:
            return
        if len(told) == 1:
            raise told[0]
        *before, last = (_named(error) for error in told)
        sentence = last
        for first in reversed(before):
            sentence = say("plan.and", first=first, second=sentence)
        raise BadRequest("plan.faults", field=told[0].field, faults=sentence)


def _named(error: PlannerError) -> Sentence:
    if error.sentence.key == "plan.faults":  # several of a part, each named already
        return error.sentence
    return say("plan.fault", field=error.field or "request", fault=error.sentence)


def chosen(field: str, given: list[str], known: dict[str, Any] | tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of *known* that *given* names in any case, each once.

    Raises:
        BadRequest: one of them is not known; the message lists those that are.
    """
    by_name = {name.lower(): name for name in known}
    for name in given:
        if name.strip().lower() not in by_name:
            raise BadRequest("request.choice", field=field, value=name, choices=", ".join(known))
    return tuple(dict.fromkeys(by_name[name.strip().lower()] for name in given))
