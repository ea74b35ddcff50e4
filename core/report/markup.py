"""HTML that cannot be broken into: whatever is not markup already is escaped."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from html import escape

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]|[\ud800-\udfff]")


class Html(str):
    """Text that is markup already; only this module and what it returns make it."""

    __slots__ = ()


def html(value: object) -> Html:
    """Return *value* as markup: markup as it is, anything else as escaped text.

    >>> html("<b>"), html(Html("<b>"))
    ('&lt;b&gt;', '<b>')
    """
    if isinstance(value, Html):
        return value
    return Html(escape(_CONTROL.sub("", str(value)), quote=True))


def element(name: str, *children: object, **attributes: object) -> Html:
    """Return the element *name* with *children* in it. `class_` is class; of names `_` is read as `-`.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html(value)}"' for key, value in attributes.items()
    )
    return Html(f"<{name}{told}>{joined(children)}</{name}>")


def joined(children: Iterable[object]) -> Html:
    """Return *children* one after the other."""
    return Html("".join(html(child) for child in children))


def table(head: Iterable[object], rows: Iterable[Iterable[object]], words: Collection[int] = (0,)) -> Html:
    """Return a table whose columns are numbers, set to the right, but for those of *words*."""
    sides = dict.fromkeys(words, "text")
    names = [element("th", one, scope="col", class_=sides.get(at, "number")) for at, one in enumerate(head)]
    lines = [
        element("tr", *(element("td", one, class_=sides.get(at, "number")) for at, one in enumerate(row)))
        for row in rows
    ]
    whole = element("table", element("thead", element("tr", *names)), element("tbody", *lines))
    return element("div", whole, class_="wide")
