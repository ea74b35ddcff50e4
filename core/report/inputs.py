"""What a report rests on, as HTML: prices, workloads, the plan, assumptions, data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.cost.compare import Row
from core.report.content import Assumed, Report
from core.report.figures import number, usd
from core.report.markup import Html, element, joined, table
from core.text import text

PLAN = (
    ("model", "model"),
    ("gpu", "gpu_name"),
    ("engine", "engine"),
    ("weights", "weights"),
    ("kv", "kv"),
    ("layout", "layout"),
    ("gpus", "gpus"),
    ("load", "requests_per_s"),
    ("stable", "stable_requests_per_s"),
    ("tpot", "tpot_s"),
    ("usd_month", "usd_per_month"),
)
"""What is told of a chosen plan, and its name in the record of it."""


def prices(report: Report, language: str) -> Html:
    """Return what was quoted, by whom, when, and how long ago that is."""
    names = ("quote", "kind", "gpu", "gpus", "price", "region", "as_of", "age", "source", "notes")
    rows = [_price(report, row, language) for row in report.rows]
    return table([text(f"report.column.{name}", language) for name in names], rows, range(len(names)))


def workloads(report: Report, language: str) -> Html:
    """Return what the GPUs of each quote serve; nothing where no workload was given."""
    names = ("quote", "input_tokens", "output_tokens", "stable", "rate")
    rows = [
        (
            row.quote.name,
            number(load.input_tokens),
            number(load.output_tokens),
            number(load.stable),
            text("report.assumed_rate", language) if load.rate is None else number(load.rate),
        )
        for row, load in zip(report.rows, report.workloads, strict=True)
        if load is not None
    ]
    return table([text(f"report.column.{name}", language) for name in names], rows) if rows else Html()


def plan(report: Report, language: str) -> Html:
    """Return the names and numbers of the chosen plan; nothing where none was chosen."""
    if report.plan is None:
        return Html()
    rows = list(_told(report.plan, language))
    return table([text(f"report.column.{name}", language) for name in ("quantity", "value")], rows)


def assumptions(report: Report, language: str) -> Html:
    """Return every assumption with its range and who says so."""
    names = ("assumption", "value", "low", "typical", "high", "as_of", "confidence", "source")
    rows = [_assumed(one, language) for one in report.assumed]
    head = [text(f"report.column.{name}", language) for name in names]
    return joined(
        [element("p", text("report.ranges", language), class_="muted"), table(head, rows, (0, 5, 6, 7))]
    )


def data(report: Report, language: str) -> Html:
    """Return the files behind the numbers."""
    names = [text(f"report.column.{name}", language) for name in ("file", "digest")]
    rows = [(name, element("code", digest)) for name, digest in report.data["files"].items()]
    version = element("p", text("report.version", language), " ", element("code", report.data["sha256"]))
    return joined([version, table(names, rows, (0, 1))])


def kind_of(row: Row, language: str) -> str:
    """Return how *row* is paid, in words."""
    return text(f"report.kind.{row.quote.kind}", language)


def price_of(row: Row, language: str) -> str:
    """Return the price of *row* as it was quoted: "2.5 USD per GPU and hour, tax 19 %"."""
    quote = row.quote
    tax = text("report.tax", language, tax=100.0 * quote.tax) if quote.tax else ""
    return text(
        "report.quoted",
        language,
        price=number(quote.price, 6),
        currency=quote.currency,
        per=text(f"report.per.{quote.per}", language),
        period=text(f"report.period.{quote.period}", language),
        tax=tax,
    )


def _price(report: Report, row: Row, language: str) -> tuple[object, ...]:
    quote, age = row.quote, report.age(row)
    told = age.sentence.render(language)
    badge = element("span", told, class_="badge") if age.is_old or age.days is None else told
    size = f"{quote.nodes} x {quote.gpus_per_node}"
    day = "–" if quote.as_of is None else quote.as_of.isoformat()
    offered = (quote.region or "–", day, badge, quote.source or "–", quote.notes or "–")
    return (quote.name, kind_of(row, language), row.device.name, size, price_of(row, language), *offered)


def _assumed(one: Assumed, language: str) -> tuple[object, ...]:
    told = one.label.render(language)
    if one.range is None:
        return told, number(one.value), "–", "–", "–", "–", "–", text("report.yours", language)
    figure = one.range.figure
    if figure is None:
        return told, number(one.value), number(one.range.low), "–", number(one.range.high), "–", "–", "–"
    proof = figure.provenance
    ends = (number(one.range.low), number(figure.typical), number(one.range.high))
    confidence = text(f"report.confidence.{proof.confidence}", language)
    return told, number(one.value), *ends, proof.as_of.isoformat(), confidence, proof.source


def _told(plan: Mapping[str, Any], language: str) -> Iterator[tuple[str, str]]:
    for name, key in PLAN:
        value = plan.get(key)
        if value is None:
            continue
        if key == "engine":
            value = f"{value} {plan.get('engine_version') or ''}".strip()
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = usd(float(value)) if key == "usd_per_month" else number(float(value))
        yield text(f"report.plan.{name}", language), str(value)
