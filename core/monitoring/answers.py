"""What a Prometheus answered, as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from core.collector import uncollected
from core.monitoring.faults import MonitoringFault
from core.text import Sentence, say

FloatArray = NDArray[np.float64]

BIG_BODY = 1 << 20
"""Bytes from which the collector of cycles rests while a body is read: it finds none, and takes half the time."""

PORTION = 1 << 21
"""Bytes that are turned into numbers at once."""

_OPEN, _BETWEEN, _CLOSE = b'"values":[[', b"],[", b"]]"
_NOT_PARTIAL = ("PromQL info", "PromQL warning")

MOST_CELLS = 20_000_000
"""Series times points of one answer as an array, 160 MB; a sparse answer may be small and its array not."""

MOST_SERIES = 100_000
"""Of one answer; each is a dictionary of texts, some kilobytes."""

MOST_CONTAINERS = 3_000_000
"""Lists and objects that are made of a body, 80 bytes and more each: a body of nothing else is a trap."""

MOST_TEXTS, LONGEST_TEXT = 20, 300
"""Of the store's warnings, which some write one of for every block that they could not read."""


@dataclass(frozen=True)
class Answer:
    """One row of *values* and one entry of *labels* a series.

    *times* are unix seconds, the same for all series; *values* are NaN where a series has no sample or none
    that is finite. *warnings* and *infos* are the store's own words; *partial* says that data may be missing.
    *seconds* is how long the answer took. *notes* are what we noticed about it.
    """

    labels: tuple[dict[str, str], ...]
    times: FloatArray
    values: FloatArray
    warnings: tuple[str, ...]
    partial: bool
    seconds: float
    infos: tuple[str, ...] = ()
    notes: tuple[Sentence, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def state(self) -> str:
        """`partial`, `empty` (no series, or none with a finite sample) or `complete`."""
        if self.partial:
            return "partial"
        return "complete" if np.isfinite(self.values).any() else "empty"

    @property
    def latest(self) -> FloatArray:
        """The value of each series at the last time: of an instant query, the values. (n_series,)."""
        if not self.times.size:
            return np.full(len(self.labels), np.nan)
        last: FloatArray = self.values[:, -1]
        return last

    def column(self, label: str) -> tuple[str, ...]:
        """Return *label* of each series, empty text where it has none."""
        return tuple(labels.get(label, "") for labels in self.labels)


@dataclass(frozen=True)
class Document:
    """The body of an answer: its JSON, and the samples of a matrix, which are taken out of it first."""

    content: dict[str, Any]
    times: FloatArray | None = None
    samples: FloatArray | None = None
    lengths: NDArray[np.int64] | None = None

    @property
    def data(self) -> Any:
        """What the store says under `data`."""
        return self.content.get("data")


def read_document(body: bytes | bytearray) -> Document:
    """Return the JSON object of *body*; a matrix is read into arrays without an object a point.

    Raises:
        ValueError: no JSON, or no object.
        MonitoringFault: `too_much_data` where reading it would fill the memory.
    """
    series = body.count(b'"metric":{') + body.count(b'"metric": {')
    if series > MOST_SERIES:
        raise MonitoringFault("too_much_data", "too_much_data.series_read", series=series, most=MOST_SERIES)
    if len(body) < BIG_BODY:
        return _read(body)
    with uncollected():
        return _read(body)


def _read(body: bytes | bytearray) -> Document:
    spans = _spans(body)
    if spans:
        try:
            return _read_matrix(body, spans)
        except ValueError:
            # Spaces, exponents or an order that we do not expect: the general way reads them too.
            pass
    return Document(_object(body))


def _object(body: bytes | bytearray) -> dict[str, Any]:
    """Return the JSON object of *body*.

    Raises:
        ValueError: no JSON, or no object.
        MonitoringFault: `too_much_data` where its parts are so many that they would fill the memory.
    """
    if body.count(b"[") + body.count(b"{") > MOST_CONTAINERS:
        raise MonitoringFault("too_much_data", "too_much_data.parts", most=MOST_CONTAINERS)
    content = orjson.loads(body)
    if not isinstance(content, dict):
        raise ValueError("no JSON object")
    return content


def _spans(body: bytes | bytearray) -> list[tuple[int, int]]:
    """Return where the samples of each series begin and end.

    The mark cannot occur inside a text, where every quote has a backslash before it; and samples hold
    no bracket but their own.
    """
    spans: list[tuple[int, int]] = []
    at = body.find(_OPEN)
    while at >= 0:
        begin = at + len(_OPEN)
        end = body.find(_CLOSE, begin)
        if end < 0:
            return []
        spans.append((begin, end))
        at = body.find(_OPEN, end)
    return spans


def _read_matrix(body: bytes | bytearray, spans: list[tuple[int, int]]) -> Document:
    """Return the document without its samples, and these as numbers.

    Raises:
        ValueError: the samples are not pairs of a time and a quoted number.
    """
    rest: list[bytes | bytearray] = []
    at = 0
    for begin, end in spans:
        rest.append(body[at : begin - 1])
        at = end + 1
    rest.append(body[at:])
    content = _object(b"".join(rest))
    lengths = np.fromiter((body.count(_BETWEEN, *span) + 1 for span in spans), np.int64, len(spans))
    flat = np.concatenate([_numbers(body, some) for some in _portions(spans)])
    if flat.size != 2 * int(lengths.sum()):
        raise ValueError("not pairs")
    return Document(content, flat[0::2], flat[1::2], lengths)


def _portions(spans: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Yield the spans in runs of some bytes, so that no second copy of the whole body is made."""
    first = 0
    for last in range(len(spans)):
        if spans[last][1] - spans[first][0] > PORTION or last == len(spans) - 1:
            yield spans[first : last + 1]
            first = last + 1


def _numbers(body: bytes | bytearray, spans: list[tuple[int, int]]) -> FloatArray:
    """Return times and values in turn."""
    text = b",".join(body[begin:end] for begin, end in spans)
    return np.fromstring(text.translate(None, b'[]"'), sep=",")


def series_of(document: Document) -> tuple[str, list[Any]]:
    """Return the type of the result and its series.

    Raises:
        MonitoringFault: `not_prometheus` where the answer has another shape.
    """
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("result"), list):
        raise MonitoringFault("not_prometheus", "not_prometheus.shape")
    kind, result = str(data.get("resultType", "")), data["result"]
    if kind in {"scalar", "string"}:
        return kind, [{"metric": {}, "value": result}]
    if kind not in {"vector", "matrix"} or not all(isinstance(row, dict) for row in result):
        raise MonitoringFault("not_prometheus", "not_prometheus.shape")
    return kind, result


def instant_answer(document: Document, at: float, seconds: float) -> Answer:
    """Return the answer to an instant query; *at* is its time where the answer holds no series.

    A query for raw samples (`up[5m]`) has all their times.

    Raises:
        MonitoringFault: `not_prometheus` where the answer has another shape.
    """
    kind, rows = series_of(document)
    if kind == "matrix":
        return range_answer(document, np.array([at]), seconds)
    kept = [row for row in rows if "value" in row]
    try:
        times = np.fromiter((float(row["value"][0]) for row in kept), np.float64, len(kept))
        values = np.fromiter((_number(row["value"][1]) for row in kept), np.float64, len(kept))
    except (TypeError, ValueError, LookupError):
        raise MonitoringFault("not_prometheus", "not_prometheus.shape") from None
    grid = times[:1] if kept else np.array([at])
    return _answer(document, rows, Answer(_labels(kept), grid, _finite(values)[:, None], (), False, seconds))


def range_answer(document: Document, grid: FloatArray, seconds: float) -> Answer:
    """Return the answer to a range query on the times of *grid*, which it was asked for.

    A store that answers with other times keeps its own.

    Raises:
        MonitoringFault: `not_prometheus` where the answer has another shape.
    """
    _, rows = series_of(document)
    kept = [row for row in rows if "values" in row]
    try:
        times, samples, lengths = _samples(document, kept)
    except (TypeError, ValueError, LookupError):
        raise MonitoringFault("not_prometheus", "not_prometheus.shape") from None
    if not np.isfinite(times).all():
        raise MonitoringFault("not_prometheus", "not_prometheus.shape")
    grid, place = _places(times, grid)
    if len(kept) * grid.size > MOST_CELLS:
        raise MonitoringFault("too_much_data", "too_much_data.series", series=len(kept), most=MOST_CELLS)
    values = np.full((len(kept), grid.size), np.nan)
    values[np.repeat(np.arange(len(kept)), lengths), place] = _finite(samples)
    return _answer(document, rows, Answer(_labels(kept), grid, values, (), False, seconds))


def _places(times: FloatArray, grid: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the grid and where in it each of *times* lies; a grid of their own where they do not fit."""
    step = grid[1] - grid[0] if grid.size > 1 else 1.0
    place = np.clip(np.rint((times - grid[0]) / step), 0, grid.size - 1).astype(np.int64)
    if np.allclose(grid[place], times, rtol=0, atol=1e-3):
        return grid, place
    own, inverse = np.unique(times, return_inverse=True)
    return own, inverse


def _samples(
    document: Document, kept: Sequence[Mapping[str, Any]]
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Return times and values of all series one after the other, and how many each has."""
    if document.times is not None and document.samples is not None and document.lengths is not None:
        if len(kept) == len(document.lengths):
            return document.times, document.samples, document.lengths
        raise ValueError("samples outside of series")
    lengths = np.fromiter((len(row["values"]) for row in kept), np.int64, len(kept))
    total = int(lengths.sum())
    times = np.fromiter((float(pair[0]) for row in kept for pair in row["values"]), np.float64, total)
    samples = np.fromiter((_number(pair[1]) for row in kept for pair in row["values"]), np.float64, total)
    return times, samples, lengths


def _number(text: Any) -> float:
    """Return the number that a store writes as text; a text that is none, as `string` answers have, is NaN."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _finite(values: FloatArray) -> FloatArray:
    """Return *values* with NaN in place of the infinities, which no chart and no threshold can use."""
    return np.where(np.isfinite(values), values, np.nan)


def _answer(document: Document, rows: Sequence[Mapping[str, Any]], answer: Answer) -> Answer:
    """Return *answer* with what the store and we have to say about it; *rows* are all that came."""
    warnings, infos = _texts(document.content.get("warnings")), _texts(document.content.get("infos"))
    partial = bool(document.content.get("isPartial")) or any(
        not text.startswith(_NOT_PARTIAL) for text in warnings
    )
    labels = answer.labels
    notes: list[Sentence] = []
    if partial:
        notes.append(say("monitoring.answer.partial", reason=warnings[0] if warnings else "isPartial"))
    if len(rows) > len(labels):
        notes.append(say("monitoring.answer.histograms", count=len(rows) - len(labels)))
    twice = len(labels) - len({tuple(sorted(row.items())) for row in labels})
    if twice:
        notes.append(say("monitoring.answer.duplicates", count=twice))
    if not rows:
        notes.append(say("monitoring.answer.empty"))
    elif labels and not np.isfinite(answer.values).any():
        notes.append(say("monitoring.answer.not_finite", count=len(labels)))
    return replace(answer, warnings=warnings, infos=infos, partial=partial, notes=tuple(notes))


def _labels(kept: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], ...]:
    """Return the labels of each series, as text whatever they look like."""
    metrics = [row.get("metric") for row in kept]
    if not all(isinstance(metric, dict) for metric in metrics):
        raise MonitoringFault("not_prometheus", "not_prometheus.shape")
    return tuple(
        {name: value if isinstance(value, str) else str(value) for name, value in metric.items()}
        for metric in metrics
        if metric is not None
    )


def _texts(value: Any) -> tuple[str, ...]:
    """Return the texts of a list, as many and as long as a person reads."""
    if not isinstance(value, list):
        return ()
    return tuple(" ".join(str(text).split())[:LONGEST_TEXT] for text in value[:MOST_TEXTS])
