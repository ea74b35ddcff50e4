"""Requests of one's own, from a file."""

from __future__ import annotations

from collections.abc import Callable

from pages.parts.inputs import Inputs


def trace_input(inputs: Inputs, t: Callable[..., str]) -> None:
    """Draw the place for a trace."""
    del inputs, t
