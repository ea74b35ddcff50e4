"""Numbers of a report as people read them."""

from __future__ import annotations

import math
from typing import SupportsFloat

from core.cost.assumptions import Number
from core.quantities import format_digits, format_usd


def usd(amount: Number | None) -> str:
    """Return US dollars; a dash where nobody knows, and infinity as its sign.

    >>> usd(1234.5), usd(None), usd(math.inf)
    ('$1,234', '–', '∞')
    """
    value = plain(amount)
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "∞" if value > 0 else "–"
    return f"-{format_usd(-value)}" if value < 0 else format_usd(value)


def number(amount: Number | None, digits: int = 4) -> str:
    """Return *amount* with *digits* significant ones, whole numbers in full.

    >>> number(0.079123), number(36.0), number(190_000.0), number(None)
    ('0.07912', '36', '190,000', '–')
    """
    value = plain(amount)
    if value is None or not math.isfinite(value):
        return "–" if value is None or not value > 0 else "∞"
    if value == int(value) and abs(value) < 1e12:
        return f"{value:,.0f}"
    told = format_digits(abs(value), digits)
    told = told.rstrip("0").rstrip(".") if "." in told else told
    return f"-{told}" if value < 0 else told


def percent(share: float) -> str:
    """Return *share* in percent.

    >>> percent(0.255)
    '26 %'
    """
    return f"{100.0 * share:.0f} %"


def plain(amount: SupportsFloat | Number | None) -> float | None:
    """Return *amount* as a Python number; None where it is not a number at all.

    >>> plain(1), plain(math.nan)
    (1.0, None)
    """
    value = math.nan if amount is None else float(amount)
    return None if math.isnan(value) else value


def finite(amount: SupportsFloat | Number | None) -> float | None:
    """Return *amount* as JSON and workbooks can carry it: None where it is not finite.

    >>> finite(2), finite(math.inf)
    (2.0, None)
    """
    value = plain(amount)
    return value if value is not None and math.isfinite(value) else None
