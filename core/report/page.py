"""A report as one HTML file: no scripts, nothing fetched, for light, dark and paper."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from core.planning.document import program_version
from core.report import inputs, outcome
from core.report.content import Report
from core.report.markup import Html, element, joined
from core.text import DEFAULT_LANGUAGE, text

CSS = Path(__file__).with_name("page.css")

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may load for the file: nothing but the styles in it."""


def html_report(report: Report, language: str = DEFAULT_LANGUAGE) -> str:
    """Return *report* as one HTML file with everything in it."""
    title = report.title or text("report.title", language)
    head = joined(
        [
            Html(
                '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            ),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
            element("title", title),
            Html(f"<style>{_css()}</style>"),
        ]
    )
    body = element("body", element("h1", title), *_made(report, language), *_sections(report, language))
    return f'<!doctype html>\n<html lang="{_code(language)}"><head>{head}</head>{body}</html>\n'


def _made(report: Report, language: str) -> Iterator[Html]:
    created = report.created.isoformat(sep=" ", timespec="minutes")
    line = text("report.made", language, created=created, version=program_version())
    yield element("p", line, class_="muted")
    horizon = text("report.basis", language, months=report.horizon, quotes=len(report.rows))
    yield element("p", horizon, class_="muted")


def _sections(report: Report, language: str) -> Iterator[Html]:
    """Yield the sections that have something to say: results first, then what they rest on."""
    parts = (
        ("results", outcome.results(report, language)),
        ("warnings", outcome.warnings(report, language)),
        ("cumulative", outcome.cumulative_chart(report, language)),
        ("yearly", outcome.yearly_chart(report, language)),
        ("bands", outcome.bands(report, language)),
        ("break_even", outcome.break_even(report, language)),
        ("payments", outcome.payments(report, language)),
        ("by_year", outcome.by_year(report, language)),
        ("prices", inputs.prices(report, language)),
        ("workloads", inputs.workloads(report, language)),
        ("plan", inputs.plan(report, language)),
        ("assumptions", inputs.assumptions(report, language)),
        ("data", inputs.data(report, language)),
    )
    for name, content in parts:
        if content:
            yield element("section", element("h2", text(f"report.section.{name}", language)), content)


def _code(language: str) -> str:
    return {"zh": "zh-CN"}.get(language, language)


@cache
def _css() -> str:
    return CSS.read_text(encoding="utf-8")
