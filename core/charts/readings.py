"""How a measured value is printed, on cards, in cells and along axes: by the unit of its indicator."""

from __future__ import annotations

import math

from core.quantities import GIB, format_digits, format_gib, format_seconds

NOTHING = "–"
"""What stands where nothing was measured."""

_AFTER = {"celsius": " °C", "W": " W", "1/s": "/s", "tokens/s": " tok/s", "count": ""}


def reading(value: float, unit: str, digits: int = 3) -> str:
    """Return *value* with its unit: a share in percent, seconds as ms below 10 s, bytes in GiB.

    >>> reading(0.3141, "ratio"), reading(0.62, "s"), reading(81.4, "celsius"), reading(float("nan"), "W")
    ('31 %', '620 ms', '81 °C', '–')
    """
    if math.isnan(value):
        return NOTHING
    if unit == "ratio":
        return f"{percent(value)} %"
    if unit == "s":
        return format_seconds(value, digits)
    if unit == "bytes":
        return format_gib(value)
    return f"{_number(value, unit, digits)}{_AFTER.get(unit, f' {unit}')}"


def bare(value: float, unit: str) -> str:
    """Return *value* as a cell has room for it: its number alone, in the unit of `reading`.

    >>> bare(0.3141, "ratio"), bare(0.62, "s"), bare(412.3, "W"), bare(3 * 2**30, "bytes")
    ('31', '620', '412', '3.00')
    """
    if math.isnan(value):
        return ""
    if unit == "ratio":
        return percent(value)
    if unit == "s":
        return format_digits(value * 1000, 3)
    if unit == "bytes":
        return format_digits(value / GIB, 3)
    return _number(value, unit, 3)


def percent(share: float) -> str:
    """Return *share* in percent, with a decimal where a whole number would say nothing.

    >>> percent(0.004), percent(0.996), percent(0.31), percent(0.0)
    ('0.4', '99.6', '31', '0')
    """
    scaled = share * 100
    rounded = round(scaled)
    near_an_end = rounded in (0, 100) and abs(scaled - rounded) >= 0.05
    return f"{scaled:.1f}" if near_an_end else f"{rounded:,}"


def _number(value: float, unit: str, digits: int) -> str:
    if unit in ("celsius", "W") or (unit == "count" and value == round(value)):
        return f"{round(value):,}"
    return format_digits(value, digits if abs(value) < 10**digits else math.floor(math.log10(abs(value))) + 1)
