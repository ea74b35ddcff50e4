"""Measured traces."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import BadRequest
from core.text import LANGUAGES
from core.traffic import read_trace

GOOD = "timestamp,input_tokens,output_tokens\n0,100,10\n1.5,200,20\n3,300,30\n"


def test_a_trace_has_rate_and_lengths():
    found = read_trace(GOOD)
    assert (found.rows, found.faults, found.unit, found.day) == (3, (), "s", None)
    assert found.traffic.rate == pytest.approx(1.0)
    assert found.traffic.input.values == (100, 200, 300)
    assert found.traffic.output.mean == 20


@pytest.mark.parametrize(
    ("header", "times", "unit"),
    [
        ("TIMESTAMP,ContextTokens,GeneratedTokens", ("2023-11-16 18:17:03.9799600", "2023-11-16 18:17:05.9799600"),
         "date"),
        ("arrived_at,num_prefill_tokens,num_decode_tokens", ("1.0", "3.0"), "s"),
        ("timestamp,input_length,output_length", ("1000", "3000"), "ms"),
        ("arrival_ms,prompt_tokens,completion_tokens", ("1000", "3000"), "ms"),
        ("timestamp,input_length,output_length", ("2024-01-01T00:00:00Z", "2024-01-01T00:00:02Z"), "date"),
    ],
)  # fmt: skip
def test_the_headers_of_known_traces_are_read(header, times, unit):
    found = read_trace(f"{header}\n{times[0]},100,10\n{times[1]},200,20\n")
    assert found.unit == unit
    assert found.traffic.rate == pytest.approx(1.0)
    assert found.traffic.input.mean == 150


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + GOOD,
        ("\ufeff" + GOOD).encode(),
        GOOD.encode("utf-16"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace(",", ";").replace("1.5", "1,5"),
        GOOD.replace(",", "\t"),
        "output_tokens,model,timestamp,input_tokens\n30,a,3,300\n10,b,0,100\n20,c,1.5,200\n",
        GOOD + "\n\n",
    ],
    ids=["bom", "bom bytes", "utf-16", "crlf", "semicolons", "tabs", "order", "blank lines"],
)
def test_files_are_read_as_programs_write_them(content):
    found = read_trace(content)
    assert found.traffic == read_trace(GOOD).traffic
    assert not found.faults


def test_bad_rows_are_reported_and_good_ones_used():
    rows = ["x,1,1", "1,,1", "2,1", "-3,1,1", "4,abc,1", "5,1,0", "6,nan,1", ",1,1", "2024-01-01,1,1"]
    found = read_trace(GOOD + "\n".join(rows) + "\n")
    assert found.rows == 3
    assert [fault.line for fault in found.faults] == list(range(5, 14))
    for fault in found.faults:
        assert all(fault.sentence.render(language) for language in LANGUAGES)
    assert "negative" in str(found.faults[3].sentence)
    assert "not a number, as in the rows before" in str(found.faults[8].sentence)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("1,2,3\n2,3,4\n", "Put a header before it"),
        ("timestamp,output_tokens\n1,2\n", "no column for the input tokens"),
        ("timestamp,input_tokens,output_tokens\n", "only a header"),
        ("timestamp,input_tokens,output_tokens\na,1,1\n", "Line 2: timestamp: 'a' is neither"),
        ("timestamp,input_tokens,output_tokens\n1,1,1\n1,1,1\n", "at the same time"),
        (b"\xff\x00\xfe\x80\x81", "not a text file"),
    ],
)
def test_a_trace_without_a_usable_row_is_refused_with_the_reason(content, message):
    with pytest.raises(BadRequest, match=message) as caught:
        read_trace(content)
    assert caught.value.field == "trace"
    assert all(caught.value.sentence.render(language) for language in LANGUAGES)


def test_the_busiest_window_gives_the_peak():
    even = np.arange(0, 100_000, 10.0)
    burst = np.arange(46_800, 50_400, 5.0)
    rows = "".join(f"{t},10,10\n" for t in np.concatenate([even, burst]))
    found = read_trace("timestamp,input_tokens,output_tokens\n" + rows)
    assert found.traffic.peak == pytest.approx(0.3 / found.traffic.rate, rel=0.01)
    assert found.day is not None
    assert found.day[13] == max(found.day)
    assert sum(found.day) / 24 == pytest.approx(1.0)


def test_two_hundred_thousand_rows_are_read():
    random = np.random.default_rng(1)
    times = np.cumsum(random.exponential(0.5, 200_000))
    content = "timestamp,input_tokens,output_tokens\n" + "".join(f"{t:.3f},1000,200\n" for t in times)
    found = read_trace(content)
    assert found.rows == 200_000
    assert found.traffic.rate == pytest.approx(2.0, rel=0.02)
