"""Groups of Prometheus rules as values, the pace at which they run, and their YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from core.monitoring.promql import duration

FEWEST_STEPS = 4
"""Least evaluations in a window: a rate needs two samples, and Prometheus 3 leaves out the one at its left end."""

SLOW = 10
"""Evaluations of the usual groups for each one of those that look back over hours."""

FULL = 0.75
"""Share of a window that must hold samples before it is judged, where a limit asks for more than fit into it."""


@dataclass(frozen=True)
class Pace:
    """How often rules run, and by how much their windows are shortened (1: as the thresholds say).

    A shortened pace is for trying the rules: with 60, what takes a quarter of an hour takes 15 seconds.
    """

    interval_s: float = 30
    shortened: float = 1

    @property
    def slow_s(self) -> float:
        """Seconds between the evaluations of what looks back over hours."""
        return SLOW * self.interval_s

    def seconds(self, seconds: float) -> float:
        """Return a window of *seconds* at this pace, in whole seconds, never fewer than `FEWEST_STEPS` runs."""
        return max(round(seconds / self.shortened), FEWEST_STEPS * self.interval_s)

    def window(self, seconds: float) -> str:
        """Return the window as PromQL writes it.

        >>> Pace().window(900), Pace().window(5400), Pace(interval_s=1, shortened=60).window(900)
        ('15m', '90m', '15s')
        """
        return duration(self.seconds(seconds))

    def hold(self, seconds: float) -> str:
        """Return how long a condition must hold (`for`)."""
        return duration(round(seconds / self.shortened))

    def samples(self, window_s: float, least: int) -> int:
        """Return how many of the *least* samples must lie in a window of *window_s*, at most those that fit.

        >>> Pace().samples(900, 20), Pace(interval_s=1, shortened=60).samples(900, 20)
        (20, 11)
        """
        return max(1, min(least, int(FULL * self.seconds(window_s) / self.interval_s)))


@dataclass(frozen=True)
class Recording:
    """A series that Prometheus computes at each evaluation and keeps under a name of ours."""

    record: str
    expr: str

    def as_dict(self) -> dict[str, Any]:
        """Return the rule as Prometheus reads it."""
        return {"record": self.record, "expr": self.expr}


@dataclass(frozen=True)
class Alert:
    """A condition, how long it must hold, and what is then said about it."""

    alert: str
    expr: str
    hold: str = "0s"
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the rule as Prometheus reads it."""
        held = {} if self.hold == "0s" else {"for": self.hold}
        return {
            "alert": self.alert,
            "expr": self.expr,
            **held,
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
        }


@dataclass(frozen=True)
class Group:
    """Rules that run one after the other, in this order, every *interval_s* seconds."""

    name: str
    interval_s: float
    rules: tuple[Recording | Alert, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the group as Prometheus reads it."""
        return {
            "name": self.name,
            "interval": duration(self.interval_s),
            "rules": [rule.as_dict() for rule in self.rules],
        }


class _Readable(yaml.SafeDumper):
    """Writes a part that occurs twice twice, and long texts as blocks."""

    def ignore_aliases(self, data: object) -> bool:
        """Return true for all parts."""
        del data
        return True


def _block(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Readable.add_representer(str, _block)


def as_yaml(content: object, comments: Iterable[str] = ()) -> str:
    """Return *content* as YAML in its own order, below *comments*."""
    head = "".join(f"# {line}\n" if line else "#\n" for comment in comments for line in comment.split("\n"))
    body: str = yaml.dump(content, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=110)
    return head + body
