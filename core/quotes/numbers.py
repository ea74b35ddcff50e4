"""Numbers as people write them: 1,234.56 or 1.234,56 or 1'234, with signs, thousands and units around them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.quotes.units import Unit, plain, unit_of

_DIGITS = re.compile(
    r"[-+]?(?:\d{1,3}(?:[ '_]\d{3})+(?:[.,]\d+)?|\d[\d.,]*|[.,]\d+)(?:e[-+]?\d{1,3})?(?![\d])"
)
_MILLIONS = re.compile(r"^\s?m(?:\b|(?=[$€£]))")
_GROUPS = {",": re.compile(r"\d{1,3}(?:,\d{3})+"), ".": re.compile(r"\d{1,3}(?:\.\d{3})+")}
_PLAIN = re.compile(r"[0-9]{1,15}(?:\.(?:[0-9]{1,2}|[0-9]{4,15}))?")
_NEGATIVE = re.compile(r"-\s*[^\w\s]*\s*$")
_LONGEST = 200


@dataclass(frozen=True)
class Amount:
    """A number and what stands around it; `doubtful` where its one comma or point may be either sign."""

    value: float
    unit: Unit
    doubtful: bool = False


def amount_of(text: str, decimal: str | None = None) -> Amount | None:
    """Return the one number in *text*; None where there is none, or more than one.

    *decimal* is the sign before the fraction, None where it must be guessed: the last of two different signs, a
    comma that groups no thousands, and a single point.

    >>> amount_of("€ 1.234,56").value, amount_of("12.5k USD").value, amount_of("1,234").doubtful
    (1234.56, 12500.0, True)
    """
    if len(text) > _LONGEST:
        return None
    if _PLAIN.fullmatch(text):
        return Amount(float(text), Unit())
    folded = plain(text)
    found = _DIGITS.search(folded)
    if found is None:
        return None
    before, after = folded[: found.start()], folded[found.end() :]
    millions = _MILLIONS.match(after)
    if millions:
        after = after[millions.end() :]
    if re.search(r"\d", before + after) or _NEGATIVE.search(before) or (before[-1:], after[:1]) == ("(", ")"):
        return None
    value, doubtful = _value(found.group(), decimal)
    if value is None:
        return None
    unit = unit_of(f"{before} {after}") if before or after else Unit()
    value *= unit.scale * (1e6 if millions else 1.0)
    return Amount(value, unit, doubtful) if math.isfinite(value) else None


def decimal_of(texts: Iterable[str]) -> str | None:
    """Return the sign before the fraction that the numbers of *texts* show; None where none or both do."""
    signs = set()
    for text in texts:
        found = _DIGITS.search(plain(text)) if len(text) <= _LONGEST else None
        if found is not None:
            signs.add(_shown(found.group().lstrip("+-")))
    return (
        next((sign for sign in (",", ".") if sign in signs), None) if len(signs & {",", "."}) == 1 else None
    )


def _shown(digits: str) -> str | None:
    """Return the decimal sign that *digits* can only have, None where it shows none."""
    commas, points = digits.count(","), digits.count(".")
    if commas and points:
        return max(",.", key=digits.rfind)
    sign = "," if commas else "." if points else None
    if sign is None:
        return None
    if commas + points > 1:
        return "." if sign == "," else ","
    whole = _GROUPS[sign].fullmatch(digits) and not digits.startswith("0")
    return None if whole else sign


def _value(written: str, decimal: str | None) -> tuple[float | None, bool]:
    """Return the value of digits with separators, and whether it may be another."""
    mantissa, _, exponent = re.sub(r"[ '_]", "", written.rstrip(".,")).partition("e")
    shown = _shown(mantissa.lstrip("+-"))
    single = shown is None and bool(re.search(r"[.,]", mantissa))
    sign = shown or decimal or "."
    grouping = "." if sign == "," else ","
    body = mantissa.lstrip("+-")
    whole = body.partition(sign)[0]
    if grouping in whole and not _GROUPS[grouping].fullmatch(whole):
        return None, False
    if body.count(sign) > 1 or grouping in body.partition(sign)[2]:
        return None, False
    try:
        value = float(
            mantissa.replace(grouping, "").replace(sign, ".") + (f"e{exponent}" if exponent else "")
        )
    except ValueError:
        return None, False
    return value, single and decimal is None
