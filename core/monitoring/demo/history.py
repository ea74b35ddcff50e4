"""The hours before: all samples of a scenario, written to a store by Prometheus' remote-write protocol.

That takes two seconds for six hours, where building blocks with promtool takes twelve; VictoriaMetrics takes the same
bytes. The protocol is protobuf in snappy, of which a few lines are needed: all samples have one length, so that they
are encoded as one array, and snappy allows text that is not compressed.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from core.monitoring.demo.noise import Array
from core.monitoring.demo.samples import Samples, targets

COARSE_S = 60.0
"""Seconds between samples of the history, as long as it is not recent."""
TIMES = 30
"""How many times one request holds. A store refuses what is over an hour older than its newest sample."""
RECENT_S = 1200.0
"""How much of the history is as dense as live scraping: a monitor that counts samples must not be misled."""
STALE = np.uint64(0x7FF0000000000002)
"""The NaN that tells Prometheus that a series has ended: model/value of its source."""

_SAMPLE = 18
# Field 2 of TimeSeries, 16 bytes; field 1 of Sample, a double; field 2, a varint of 6 bytes until the year 2109.
_FRAME = np.array([0x12, 16, 0x09, *[0] * 8, 0x10, *[0] * 6], np.uint8)


def varint(number: int) -> bytes:
    """Return *number* in protobuf's variable length.

    >>> varint(300).hex()
    'ac02'
    """
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def field(number: int, content: bytes) -> bytes:
    """Return *content* as the length-delimited protobuf field *number*, below 16."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def encoded_labels(labels: dict[str, str]) -> bytes:
    """Return *labels* as fields of a TimeSeries, in the order that the protocol asks for."""
    pairs = sorted(labels.items())
    return b"".join(field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in pairs)


def encoded_samples(times: Array, values: Array) -> NDArray[np.uint8]:
    """Return samples as fields of TimeSeries: shape (n_series, n_times, 18) of *values* (n_series, n_times)."""
    frames = np.broadcast_to(_FRAME, (*values.shape, _SAMPLE)).copy()
    frames[:, :, 3:11] = np.ascontiguousarray(values, "<f8").view(np.uint8).reshape(*values.shape, 8)
    stamps = np.rint(times * 1000.0).astype(np.uint64)
    for place in range(6):
        part = (stamps >> np.uint64(7 * place)) & np.uint64(0x7F)
        frames[:, :, 12 + place] = part | np.uint64(0x80 if place < 5 else 0)
    return frames


def uncompressed(content: bytes) -> bytes:
    """Return *content* in snappy's block format as one literal."""
    return varint(len(content)) + b"\xfc" + (len(content) - 1).to_bytes(4, "little") + content


def sampled(start: float, end: float, scrape_s: float) -> Array:
    """Return the times of a history, unix seconds: every minute, at last every *scrape_s*, up to *end*."""
    recent = max(start, end - RECENT_S)
    late = np.arange(end, recent - 1e-3, -min(scrape_s, COARSE_S))[::-1]
    return np.concatenate([np.arange(start, recent, COARSE_S), late])


def requests(samples: Samples, times: Array) -> Iterator[bytes]:
    """Yield the bodies of remote-write requests with all samples at *times*, unix seconds, in order."""
    series = [
        encoded_labels({"__name__": one.name} | one.labels | one.target.labels) for one in samples.series
    ]
    series += [encoded_labels({"__name__": "up"} | target.labels) for target in targets(samples.scenario)]
    there = np.zeros(len(series), bool)
    for part in np.split(times, range(TIMES, len(times), TIMES)):
        values = np.concatenate([samples.values(part), samples.up(part)])
        exists = ~np.isnan(values)
        before = np.concatenate([there[:, None], exists[:, :-1]], axis=1)
        ends = ~exists & before
        values[ends] = STALE.view(np.float64)
        written, there = exists | ends, exists[:, -1]
        frames = encoded_samples(part, values)
        yield uncompressed(
            b"".join(
                field(1, labels + (frame if all_there else frame[chosen]).tobytes())
                for labels, frame, chosen, all_there in zip(
                    series, frames, written, written.all(axis=1), strict=True
                )
                if all_there or chosen.any()
            )
        )


def write(url: str, bodies: Iterator[bytes], timeout_s: float = 30.0) -> int:
    """Send *bodies* to the remote-write address *url*, and return how many bytes that were.

    Raises:
        OSError: it cannot be reached or does not answer in *timeout_s*, or refuses; with what it said.
    """
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=timeout_s)
    headers = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    sent = 0
    try:
        for body in bodies:
            connection.request("POST", place.path, body, headers)
            answer = connection.getresponse()
            told = answer.read(500)
            if answer.status >= 300:
                raise OSError(f"{answer.status}: {told.decode(errors='replace').strip()}")
            sent += len(body)
    except http.client.HTTPException as error:
        raise OSError(f"no answer: {error!r}") from error
    finally:
        connection.close()
    return sent
