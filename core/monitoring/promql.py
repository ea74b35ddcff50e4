"""Pieces of PromQL that every expression is built from.

Only functions that Prometheus 2.42 and VictoriaMetrics 1.79 both know. Metric names are always written out: a
selector by pattern of the name is refused by some stores, and `rate` of it fails where two names carry the same
labels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# Labels that tell two collections of the same sample apart: a pair of Prometheus servers, two scrape jobs.
DUPLICATES = (
    "job",
    "endpoint",
    "service",
    "prometheus",
    "prometheus_replica",
    "receive_replica",
    "thanos_replica",
)

# One duration: 90s, 5m, 1h.
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

# The first non-empty of several labels, which label_join has put into one; without the port of an address.
_FIRST = ";*([^;]*)(?:;.*)?"
_FIRST_HOST = ";*([^;]*?)(?::[0-9]+)?(?:;.*)?"
_HOSTS = {"node", "host"}
_JOINED = "joined"


def seconds(duration: str) -> float:
    """Return a PromQL duration in seconds.

    >>> seconds("15m"), seconds("1h30m")
    (900.0, 5400.0)

    Raises:
        ValueError: it is no duration.
    """
    parts = _DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(duration)
    return float(sum(int(number) * _UNITS[unit] for number, unit in parts))


def duration(length_s: float) -> str:
    """Return *length_s* seconds, rounded to whole ones, as a PromQL duration.

    >>> duration(900), duration(90), duration(7200), duration(0)
    ('15m', '90s', '2h', '0s')
    """
    whole = round(length_s)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def quoted(value: str) -> str:
    r"""Return *value* as a PromQL string literal.

    >>> print(quoted('a"b\\c'))
    "a\"b\\c"
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def braces(*matchers: str) -> str:
    """Return label matchers in braces; nothing where there are none.

    >>> braces('a="1"', "", 'b=~"2|3"'), braces("")
    ('{a="1",b=~"2|3"}', '')
    """
    given = ",".join(matcher.strip().strip(",") for matcher in matchers if matcher.strip())
    return f"{{{given}}}" if given else ""


def aggregated(how: str, labels: Sequence[str], inner: str) -> str:
    """Return *how* (max, sum, avg ...) of *inner* by *labels*.

    >>> aggregated("max", ["node", "gpu"], "x")
    'max by (node, gpu) (x)'
    """
    return f"{how} by ({', '.join(labels)}) ({inner})"


def either(expressions: Sequence[str], on: str = "") -> str:
    """Return the first of *expressions* that has a series, for each set of labels (or of the labels in *on*).

    >>> either(["a", "b"]), either(["a", "b"], "uuid")
    ('a or b', 'a or on (uuid) b')
    """
    return (f" or on ({on}) " if on else " or ").join(expressions)


def relabelled(expression: str, identity: Mapping[str, Sequence[str]], wanted: Sequence[str]) -> str:
    """Give the series of *expression* the canonical labels *wanted*.

    *identity* names for each canonical label those that may hold it: the first that is not empty is taken. A node
    or a host loses its port. Labels that are not named there are kept as they are.

    >>> relabelled("x", {"gpu": ["gpu"], "uuid": ["UUID"]}, ["gpu", "uuid"])
    'label_replace(x, "uuid", "$1", "UUID", "(.*)")'
    """
    for label in wanted:
        sources = identity.get(label, [label])
        if list(sources) == [label]:
            continue
        if len(sources) == 1 and label not in _HOSTS:
            expression = f'label_replace({expression}, "{label}", "$1", "{sources[0]}", "(.*)")'
            continue
        pattern = _FIRST_HOST if label in _HOSTS else _FIRST
        listed = ", ".join(f'"{source}"' for source in sources)
        source = sources[0]
        if len(sources) > 1:
            # Not into the label itself: VictoriaMetrics 1.79 spoils a value that label_replace reads and writes.
            expression = f'label_join({expression}, "{_JOINED}", ";", {listed})'
            source = _JOINED
        expression = f'label_replace({expression}, "{label}", "$1", "{source}", "{pattern}")'
    return expression
