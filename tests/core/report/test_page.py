"""The HTML file stands alone, says everything, and cannot be broken into."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from core.report import html_report
from core.report.markup import Html, element, html
from tests.core.report.reports import LOADS, QUOTES, SCRIPT, made

VOID = {"meta"}
SAFE = {"class", "scope", "charset", "name", "content", "http-equiv", "lang", "viewbox", "role", "aria-label"}
SAFE |= {"points", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "text-anchor"}


class Seen(HTMLParser):
    """Elements, attributes and text of a page; every element that is opened is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1] == "style"):
            self.words.append(data)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_user_wrote_is_text(language: str) -> None:
    breakers = (
        SCRIPT,
        '" onload="x',
        "</td></table><img src=x onerror=alert(1)>",
        "&lt;b&gt; {0}",
        "]]>",
        "\x00",
    )
    quotes = [
        replace(
            QUOTES[index % 2], name=f"{index} {one}", source=one, notes=one, region=one, gpu=one, currency=one
        )
        for index, one in enumerate(breakers)
    ]
    page = html_report(made(quotes, loads=[None] * len(quotes), draws=50, title=SCRIPT), language)
    seen = Seen(page)
    assert not {"script", "img", "iframe", "link", "object", "a", "form"} & set(seen.names)
    assert seen.attributes <= SAFE
    assert SCRIPT in seen.words
    assert "&lt;b&gt; {0}" in "".join(seen.words)
    assert "\x00" not in page


def test_nothing_is_fetched() -> None:
    page = html_report(made(draws=50))
    assert not re.search(r"https?:|url\(|@import|src=|href=", page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_says_all(language: str) -> None:
    seen = Seen(html_report(made(draws=200), language))
    sections = seen.names.count("h2")
    assert sections == 12
    assert seen.names.count("svg") == 2
    assert seen.names.count("polyline") == len(QUOTES)
    assert seen.names.count("rect") == len(QUOTES)
    words = " ".join(seen.words)
    for told in ("2026-11-22 12:30", "Vendor A", "2026-05-01", "hardware_db/offers.csv", "8 x H100"):
        assert told in words
    assert "{" not in words


def test_a_lone_quote_needs_no_draws_and_no_workload() -> None:
    seen = Seen(html_report(made(QUOTES[1:2], loads=[None])))
    assert seen.names.count("h2") == 9
    assert "$6.88" in seen.words


def test_an_old_price_has_a_badge() -> None:
    page = html_report(made(QUOTES[:2], loads=LOADS[:2]))
    assert '<span class="badge">205 days: ask again</span>' in page
    assert ">21 days<" in page


def test_a_plan_is_told() -> None:
    plan = {
        "model": "Qwen <b>",
        "gpu_name": "H100",
        "engine": "vllm",
        "engine_version": "0.11",
        "tpot_s": 0.0123,
    }
    words = Seen(html_report(replace(made(), plan=plan))).words
    assert {"Qwen <b>", "vllm 0.11", "0.0123"} <= set(words)


def test_many_quotes_stay_small() -> None:
    report = made(
        [replace(one, name=f"{at}") for at, one in enumerate(QUOTES * 4)], loads=LOADS * 4, draws=50
    )
    assert len(html_report(report).encode()) < 150_000


def test_markup_is_escaped_once() -> None:
    assert html(html("<")) == "&lt;"
    assert element("p", Html("<b>x</b>"), "<i>", class_='"') == '<p class="&quot;"><b>x</b>&lt;i&gt;</p>'
