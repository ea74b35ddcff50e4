"""Usual workloads, each of which fills in traffic and targets."""

from __future__ import annotations

from collections.abc import Callable

from pages.parts.inputs import Inputs


def preset_choice(inputs: Inputs, t: Callable[..., str]) -> None:
    """Draw the choice of a preset."""
    del inputs, t
