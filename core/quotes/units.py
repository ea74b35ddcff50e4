"""What words and signs beside a number say: currency, what a price is for, how long it pays, thousands, tax."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from core.quotes.columns import CURRENCIES


@dataclass(frozen=True)
class Unit:
    """What a header or a cell says of its numbers; None, 1 and () where it says nothing.

    `span` is the length of a time in days, months or years: ("month", 12) for a year's commitment is the word
    year. `unknown` are the words that mean nothing here.
    """

    currency: str | None = None
    per: str | None = None
    period: str | None = None
    kind: str | None = None
    taxed: bool | None = None
    scale: float = 1.0
    span: str | None = None
    percent: bool = False
    unknown: tuple[str, ...] = ()


WORDS: dict[str, tuple[tuple[str, object], ...]] = {}
"""What each word says: (what, which) pairs."""


def _mean(what: str, which: object, words: str) -> None:
    for word in words.split("|"):
        WORDS[word] = (*WORDS.get(word, ()), (what, which))


for _code in CURRENCIES:
    _mean("currency", _code, _code.lower())
_mean("currency", "USD", "$|us$|dollar|dollars|美元|美金|usdollar")
_mean("currency", "EUR", "€|euro|euros|欧元")
_mean("currency", "CNY", "¥|rmb|yuan|元|人民币|人民币元|圆|cnh|元整")
_mean("currency", "GBP", "£|pound|pounds|英镑")
_mean("currency", "JPY", "yen|日元|円|jp¥")
_mean("currency", "INR", "₹|rupee|rupees|rs|卢比")
_mean("currency", "KRW", "₩|won|韩元")
_mean("currency", "HKD", "hk$|港元|港币")
_mean("currency", "TWD", "nt$|新台币|台币")
_mean("currency", "SGD", "s$|新加坡元|新元")
_mean("currency", "CAD", "c$|ca$|加元")
_mean("currency", "AUD", "a$|au$|澳元")
_mean("currency", "CHF", "sfr|franken|瑞士法郎")
_mean(
    "per",
    "gpu",
    "gpu|gpus|card|cards|accelerator|accelerators|chip|chips|卡|张|张卡|gpu卡|显卡|块|加速卡|单卡",
)
_mean("per", "node", "node|nodes|server|servers|machine|machines|instance|instances|host|hosts|vm|box")
_mean("per", "node", "台|节点|机|服务器|整机|实例|单机|主机|台机器|机器|knoten")
_mean("per", "total", "total|all|cluster|lump|lumpsum|合计|总价|总额|整体|整套|总计|集群|总")
_mean("period", "hour", "hour|hours|hr|hrs|h|hourly|小时|时|stunde|钟头|hourrate")
_mean("period", "month", "month|months|mo|mth|mths|monthly|月|个月|月度|monat|monate|包月")
_mean("period", "year", "year|years|yr|yrs|annum|annual|annually|yearly|pa|年|年度|jahr|jahre|包年")
_mean("period", "once", "once|onetime|upfront|outright|capex|一次性|买断|一次")
_mean("kind", "purchase", "purchase|buy|buying|购买|采购|购置|买断|capex|outright")
_mean("kind", "spot", "spot|preemptible|竞价|抢占式|现货")
_mean("kind", "on_demand", "ondemand|按需|按量|按量付费|payg|opex")
_mean("kind", "reserved", "reserved|committed|commit|预留|包年|包月|包年包月|长租|lease|leased")
_mean("scale", 1e3, "k|thousand|thousands|tsd|千")
_mean("scale", 1e4, "万")
_mean("scale", 1e6, "mn|mio|million|millions|百万")
_mean("scale", 1e8, "亿")
_mean("taxed", True, "incl|including|inclusive|gross|brutto|含税|税后")
_mean("taxed", False, "excl|excluding|exclusive|ex|net|netto|before|不含税|未税|税前|plus")
_mean("span", "day", "day|days|天|日|d|tag|tage|工作日|个工作日|calendar")
_mean("span", "week", "week|weeks|周|星期|wk|wks|个星期")
_mean("span", "month", "month|months|mo|mth|mths|月|个月|monat|monate")
_mean("span", "year", "year|years|yr|yrs|年|jahr|jahre")
_mean("span", "hour", "hour|hours|hr|hrs|h|小时")
_mean("percent", True, "%|percent|pct")
for _both, _period in (
    ("卡时", "hour"),
    ("卡小时", "hour"),
    ("卡月", "month"),
    ("卡年", "year"),
    ("gpuh", "hour"),
):
    WORDS[_both] = (("per", "gpu"), ("period", _period))
for _both, _period in (("机时", "hour"), ("台时", "hour"), ("台月", "month"), ("台年", "year")):
    WORDS[_both] = (("per", "node"), ("period", _period))
for _noise in (
    "per|a|an|price|prices|list|unit|in|for|of|the|cost|rate|fee|rental|rent|and|on|demand|at|to|each|every|tax|vat|gst"
    "|time|one|sum|est|ca|only|amount|quoted|quote|is|by|pro|je|every|gb|p|m|w|o|x|us|as|charge|pricing"
    "|每|单价|价|价格|单|费|费用|租金|金额|报价|税|按|每个|约|为|个|计|租|额|付|gb·"
).split("|"):  # fmt: skip
    WORDS.setdefault(_noise, ())

_SIGNS = sorted(
    (word for word in WORDS if not word[0].isascii() or "$" in word or word == "%"), key=len, reverse=True
)
_TOKEN = re.compile("|".join([*map(re.escape, _SIGNS), r"[a-z]+", r"[^\W\d_a-z]", r"[$€£¥₩₹%]"]))
_COMPOUND = {"ondemand": re.compile(r"on[\s-]demand"), "onetime": re.compile(r"one[\s-]time(?: purchase)?")}


def plain(text: str) -> str:
    """Return *text* in lower case, with half-width signs, plain spaces and dashes."""
    folded = unicodedata.normalize("NFKC", text).lower().replace("−", "-").replace("–", "-").replace("’", "'")
    return " ".join(folded.replace("\u200b", "").split())


@lru_cache(maxsize=4096)
def unit_of(text: str) -> Unit:
    """Return what the words and signs of *text* say of its numbers.

    >>> unit_of("$/GPU-hr").per, unit_of("元/月").currency
    ('gpu', 'CNY')
    """
    folded = plain(text)
    for word, pattern in _COMPOUND.items():
        folded = pattern.sub(word, folded)
    said: dict[str, list[object]] = {}
    unknown: list[str] = []
    previous = ""
    for found in _TOKEN.finditer(folded.replace("p.a.", "pa")):
        token = found.group()
        meanings = WORDS.get(token)
        if meanings is None:
            unknown.append(token)
            continue
        for what, which in meanings:
            values = said.setdefault(what, [])
            if what == "per" and which == "node" and previous == "gpu":
                values[:] = [value for value in values if value != "gpu"]  # a GPU server is a server
            if which not in values:
                values.append(which)
        previous = next((str(which) for what, which in meanings if what == "per"), "")
    return _unit(said, tuple(unknown))


def _unit(said: dict[str, list[object]], unknown: tuple[str, ...]) -> Unit:
    """Return the unit of what was *said*; two that differ say nothing."""

    def only(what: str) -> str | None:
        values = said.get(what, [])
        return str(values[0]) if len(values) == 1 else None

    scale = 1.0
    for factor in said.get("scale", []):
        scale *= float(str(factor))
    taxed = said.get("taxed", [])
    return Unit(
        only("currency"),
        only("per"),
        only("period"),
        only("kind"),
        bool(taxed[0]) if len(taxed) == 1 else None,
        scale,
        only("span"),
        bool(said.get("percent")),
        unknown,
    )
