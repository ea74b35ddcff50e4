"""Queries that hold several indicators, and functions that need a bare selector."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from core.monitoring.promql import quoted

_TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:[smhdwy][\dsmhdwy]*)?)
      | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_GROUPING = frozenset("by without on ignoring group_left group_right".split())
_WORDS = _GROUPING | frozenset("and or unless bool offset inf nan atan2".split())


def ages(expression: str) -> str:
    """Return *expression* with the negative age of the sample, in seconds, for each selector without a window.

    Negative, so that an expression that keeps the largest of several copies keeps the youngest, and one that
    drops numbers too large to be true drops no age.

    >>> ages('max by (node) (x{a="b"} < 1e+09)')
    'max by (node) ((timestamp(x{a="b"}) - time()) < 1e+09)'
    """
    made: list[str] = []
    last = 0
    for start, end, ranged in _selectors(expression):
        selector = expression[start:end]
        made += [expression[last:start], selector if ranged else f"(timestamp({selector}) - time())"]
        last = end
    return "".join(made) + expression[last:]


def joined(parts: Mapping[str, str]) -> str:
    """Return one expression whose series carry the key of their part in the label ``indicator``.

    >>> joined({"queue": "waiting", "running": "busy"})
    'label_replace(waiting, "indicator", "queue", "", "") or label_replace(busy, "indicator", "running", "", "")'
    """
    return " or ".join(
        f'label_replace({expression}, "indicator", {quoted(name)}, "", "")'
        for name, expression in parts.items()
    )


def _selectors(expression: str) -> Iterator[tuple[int, int, bool]]:
    """Yield start and end of each vector selector with its matchers, and whether it has a window.

    With a window the end is behind its bracket, so that an offset can follow.
    """
    tokens = [token for token in _TOKEN.finditer(expression) if not token.group().isspace()]
    words = [token.group() for token in tokens] + ["", ""]
    at = 0
    while at < len(tokens):
        name, follows = tokens[at].group("name"), words[at + 1]
        if name is None and words[at] != "{":
            at += 1
        elif name and name.lower() in _GROUPING and follows == "(":
            at = _closing(words, at + 1, ")") + 1
        elif name and (name.lower() in _WORDS or follows == "(" or follows.lower() in {"by", "without"}):
            at += 1
        else:
            last = at if name and follows != "{" else _closing(words, at, "}")
            ranged = words[last + 1] == "["
            last = _closing(words, last, "]") if ranged else last
            yield tokens[at].start(), tokens[last].end(), ranged
            at = last + 1


def _closing(words: list[str], start: int, bracket: str) -> int:
    """Return where the next *bracket* is at or behind *start*: none of these nest."""
    return words.index(bracket, start)
