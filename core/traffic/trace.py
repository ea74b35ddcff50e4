"""A measured trace: a CSV with the arrival, the input tokens and the output tokens of each request.

Columns are found by name, in any case and order: those of the Azure LLM inference traces (TIMESTAMP,
ContextTokens, GeneratedTokens), of Vidur (arrived_at, num_prefill_tokens, num_decode_tokens), of Mooncake
(timestamp, input_length, output_length) and their like. Times are seconds or ISO 8601 dates. They are milliseconds
where the column's name ends in `_ms`, and where the three columns are named as Mooncake names them.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from core.errors import BadRequest, shown
from core.text import Sentence, say
from core.traffic.day import HOURS
from core.traffic.lengths import from_values
from core.traffic.traffic import Traffic

COLUMNS = {
    "arrival": (
        "timestamp", "arrived_at", "arrival_time", "arrival", "arrival_s", "arrival_ms", "arrival_time_s",
        "arrival_time_ms", "timestamp_ms", "timestamp_s", "time", "time_s", "time_ms", "start_time", "datetime",
    ),
    "input": (
        "contexttokens", "num_prefill_tokens", "input_length", "input_tokens", "prompt_tokens", "input_len",
        "prompt_len", "prompt_length", "num_input_tokens", "request_tokens", "request tokens", "isl",
    ),
    "output": (
        "generatedtokens", "num_decode_tokens", "output_length", "output_tokens", "completion_tokens", "output_len",
        "generated_tokens", "num_output_tokens", "response_tokens", "response tokens", "osl",
    ),
}  # fmt: skip
"""Names of the three columns, in lower case; the first that a header has counts."""

MOONCAKE = ("timestamp", "input_length", "output_length")

MOST_TOKENS = 1e8
"""A longer prompt or answer is a mistake."""

_HOUR = 3600.0


@dataclass(frozen=True)
class Fault:
    """A row that is not used: its line, 1 for the header, and why."""

    line: int
    sentence: Sentence


@dataclass(frozen=True)
class Trace:
    """What a trace says: its traffic, how many rows were used, and the rows that were not.

    `unit` is how times were read: seconds, milliseconds or dates. `day` has the rate of each hour of the day as
    multiples of the mean, midnight first (for times that are not dates, the first request's hour first), where
    the trace spans a day or more, else None.
    """

    traffic: Traffic
    rows: int
    faults: tuple[Fault, ...]
    unit: str
    day: tuple[float, ...] | None = None


def read_trace(content: str | bytes, *, field: str = "trace") -> Trace:
    """Return the traffic of a CSV; rows that cannot be used are in its `faults`.

    The mean rate is rows / span, the peak factor that of the busiest hour (of the busiest tenth where the trace
    is shorter than ten hours) over the mean. Times need not be in order.

    Raises:
        BadRequest: no header, a column that is missing, or no two usable rows at different times.
    """
    rows, header = _rows(_text(content, field), field)
    places = _places(header, field)
    names = tuple(header[place] for place in places)
    thousandth = names == MOONCAKE or names[0].endswith("_ms")
    used, faults, dated = _requests(rows, places, header)
    if not used:
        raise BadRequest("traffic.no_rows", field=field, faults=len(faults), first=_first(faults))
    table = np.array(used)
    times = np.sort(table[:, 0]) * (1e-3 if thousandth and not dated else 1.0)
    span = float(times[-1] - times[0])
    if span <= 0.0:
        raise BadRequest("traffic.no_span", field=field, rows=len(used))
    rate = len(used) / span
    traffic = Traffic(rate, from_values(table[:, 1]), from_values(table[:, 2]), peak_of(times))
    unit = "date" if dated else "ms" if thousandth else "s"
    return Trace(traffic, len(used), tuple(faults), unit, day_of_times(times, dated=dated))


def peak_of(times: Any) -> float:
    """Return how many times the mean rate the busiest window has, of sorted *times* in seconds; at least 1.

    The window is an hour, or a tenth of the span where that is shorter, wherever it begins.
    """
    span = float(times[-1] - times[0])
    window = min(_HOUR, span / 10.0)
    counts = np.searchsorted(times, times + window, side="left") - np.arange(len(times))
    return max(1.0, float(counts.max()) / window * span / len(times))


def day_of_times(times: Any, *, dated: bool) -> tuple[float, ...] | None:
    """Return the rate of each hour of the day over the mean, of sorted *times* in seconds; None for less than a day.

    Hours that the trace holds more often count by their mean. *dated*: times are since midnight UTC, else since
    any moment.
    """
    begin, end = float(times[0]), float(times[-1])
    if end - begin < HOURS * _HOUR:
        return None
    start = 0.0 if dated else begin
    counts = np.bincount(((times - start) // _HOUR).astype(int) % HOURS, minlength=HOURS)
    edges = np.arange(math.floor((begin - start) / _HOUR), math.ceil((end - start) / _HOUR) + 1)
    held = np.clip(edges[1:] * _HOUR + start, begin, end) - np.clip(edges[:-1] * _HOUR + start, begin, end)
    seconds = np.bincount(edges[:-1] % HOURS, weights=held, minlength=HOURS)
    rates = counts / np.maximum(seconds, 1e-9)
    return tuple(float(rate) for rate in rates / rates.mean())


def _text(content: str | bytes, field: str) -> str:
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise BadRequest("traffic.not_text", field=field) from None


def _rows(text: str, field: str) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Return the lines below the header with their numbers, and the header's names in lower case."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = [(reader.line_num, row) for row in reader if row and (len(row) > 1 or row[0].strip())]
    except csv.Error:
        raise BadRequest("traffic.not_text", field=field) from None
    if not rows:
        raise BadRequest("traffic.empty", field=field)
    header = [name.strip().lower() for name in rows[0][1]]
    if separator == ";":  # where commas are decimal
        rows = [(line, [value.replace(",", ".") for value in row]) for line, row in rows]
    return rows[1:], header


def _places(header: list[str], field: str) -> tuple[int, int, int]:
    """Return where the arrival, the input and the output tokens are.

    Raises:
        BadRequest: no header, or a column that is missing.
    """
    if any(_number(name) is not None for name in header):
        raise BadRequest("traffic.no_header", field=field, first=shown(", ".join(header)))
    found = []
    for kind, names in COLUMNS.items():
        place = next((header.index(name) for name in names if name in header), None)
        if place is None:
            raise BadRequest(
                "traffic.no_column",
                field=field,
                column=say(f"traffic.column.{kind}"),
                names=", ".join(names[:6]),
                header=shown(", ".join(header)),
            )
        found.append(place)
    return found[0], found[1], found[2]


def _requests(
    rows: Sequence[tuple[int, list[str]]], places: tuple[int, int, int], header: list[str]
) -> tuple[list[tuple[float, float, float]], list[Fault], bool]:
    """Return (seconds, input, output) of the rows that can be used, the faults of the others, and whether dated.

    The first row whose time can be read decides whether times are numbers or dates.
    """
    used: list[tuple[float, float, float]] = []
    faults: list[Fault] = []
    dated: bool | None = None
    last = max(places)
    for line, row in rows:
        if len(row) <= last:
            faults.append(Fault(line, say("traffic.fault.short", found=len(row), wanted=last + 1)))
            continue
        time, tokens = row[places[0]], (row[places[1]], row[places[2]])
        if dated is None:
            dated = _date(time) is not None if _number(time) is None else False
            dated = dated if dated or _number(time) is not None else None
        seconds = _date(time) if dated else _number(time)
        reason = _fault(time, seconds, dated, header[places[0]])
        counts = [_number(value) for value in tokens]
        for name, value, count in zip((header[places[1]], header[places[2]]), tokens, counts, strict=True):
            reason = reason or _token_fault(name, value, count)
        if reason is not None or seconds is None or counts[0] is None or counts[1] is None:
            faults.append(Fault(line, reason or say("traffic.fault.empty", name=header[places[0]])))
            continue
        used.append((seconds, counts[0], counts[1]))
    return used, faults, bool(dated)


def _fault(value: str, seconds: float | None, dated: bool | None, name: str) -> Sentence | None:
    if not value.strip():
        return say("traffic.fault.empty", name=name)
    if seconds is None:
        key = "date" if dated else "time" if dated is None else "seconds"
        return say(f"traffic.fault.{key}", name=name, value=shown(value))
    return None if dated or seconds >= 0.0 else say("traffic.fault.negative", name=name, value=shown(value))


def _token_fault(name: str, value: str, count: float | None) -> Sentence | None:
    if not value.strip():
        return say("traffic.fault.empty", name=name)
    if count is None:
        return say("traffic.fault.number", name=name, value=shown(value))
    if count < 1.0 or count > MOST_TOKENS:
        return say("traffic.fault.tokens", name=name, value=shown(value), most=MOST_TOKENS)
    return None


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(value: str) -> float | None:
    """Return the seconds of an ISO 8601 date since 1970; UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _first(faults: Sequence[Fault]) -> Sentence:
    if not faults:
        return say("traffic.only_header")
    return say("traffic.first_fault", line=faults[0].line, fault=faults[0].sentence)
