"""Advice that is not computed: of the planning guides, and of the makers of GPUs and engines, with its source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from core.monitoring.advice.remedy import Remedy
from core.text import say

_PATH = Path(__file__).parents[3] / "hardware_db" / "monitoring" / "remedies.yaml"


@cache
def _table() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return (sentence, source) of each piece of advice by rule."""
    content = yaml.safe_load(_PATH.read_text(encoding="utf-8"))
    return {
        rule: tuple((row["say"], row["source"]) for row in rows) for rule, rows in content["remedies"].items()
    }


def known(rule: str) -> tuple[Remedy, ...]:
    """Return what is generally advised about findings of *rule*; () where nothing is."""
    return tuple(
        Remedy(say(f"monitoring.remedy.{key}"), say("monitoring.advice.source", source=source))
        for key, source in _table().get(rule, ())
    )
