"""The bytes of a remote write are those that the protocol asks for."""

from __future__ import annotations

import itertools
import math
import struct

import numpy as np
import pytest

from core.monitoring.demo import history
from core.monitoring.demo.samples import Samples, targets
from core.monitoring.demo.scenario import HOUR, MINUTE, Scenario

Decoded = dict[tuple[tuple[str, str], ...], list[tuple[int, float]]]


def number(data: bytes, place: int) -> tuple[int, int]:
    """Read a varint at *place*: it, and the place after it."""
    value = shift = 0
    while True:
        value |= (data[place] & 0x7F) << shift
        shift += 7
        place += 1
        if data[place - 1] < 0x80:
            return value, place


def fields(data: bytes) -> list[tuple[int, bytes | int]]:
    """Read a protobuf message of varints, doubles and nested messages."""
    found: list[tuple[int, bytes | int]] = []
    place = 0
    while place < len(data):
        key, place = number(data, place)
        if key & 7 == 0:
            value, place = number(data, place)
            found.append((key >> 3, value))
            continue
        length, place = (8, place) if key & 7 == 1 else number(data, place)
        found.append((key >> 3, data[place : place + length]))
        place += length
    return found


def plain(body: bytes) -> bytes:
    """Undo snappy for one literal."""
    length, place = number(body, 0)
    assert body[place] == 0xFC
    assert int.from_bytes(body[place + 1 : place + 5], "little") == length - 1
    assert len(body) == place + 5 + length
    return body[place + 5 :]


def decoded(body: bytes) -> Decoded:
    """Read a remote-write request: samples, as milliseconds and value, by labels."""
    series: Decoded = {}
    for _, one in fields(plain(body)):
        parts = fields(bytes(one))
        labels = [fields(bytes(part)) for kind, part in parts if kind == 1]
        named = tuple((bytes(name[1]).decode(), bytes(value[1]).decode()) for name, value in labels)
        assert list(named) == sorted(named)
        assert named not in series
        samples = [dict(fields(bytes(part))) for kind, part in parts if kind == 2]
        series[named] = [(int(sample[2]), struct.unpack("<d", bytes(sample[1]))[0]) for sample in samples]
    return series


SCENARIO = Scenario(began=1.8e9 + 0.125, history_s=HOUR)
TIMES = np.arange(SCENARIO.began - 40 * MINUTE, SCENARIO.began + 1, MINUTE)


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "TIMES", 15)
        return list(history.requests(Samples(SCENARIO), TIMES))


@pytest.fixture(scope="module")
def written(bodies: list[bytes]) -> list[Decoded]:
    return [decoded(body) for body in bodies]


def test_times_are_dense_at_the_end() -> None:
    times = history.sampled(SCENARIO.origin, SCENARIO.began, 15.0)
    assert times[0] == SCENARIO.origin
    assert times[-1] == SCENARIO.began
    steps = np.diff(times)
    assert set(steps[:39]) == {60.0}
    assert set(steps[-80:]) == {15.0}
    assert set(steps) == {15.0, 60.0}


def test_what_is_written_is_what_there_is(written: list[Decoded]) -> None:
    samples = Samples(SCENARIO)
    values = np.concatenate([samples.values(TIMES), samples.up(TIMES)])
    names = [{"__name__": one.name} | one.labels | one.target.labels for one in samples.series]
    names += [{"__name__": "up"} | target.labels for target in targets(SCENARIO)]
    stamps = np.rint(TIMES * 1000).astype(int).tolist()
    stale = 0
    for labels, row in zip(names, values, strict=True):
        key = tuple(sorted(labels.items()))
        found = [sample for part in written for sample in part.get(key, [])]
        there = {at: value for at, value in zip(stamps, row.tolist(), strict=True) if not math.isnan(value)}
        assert {at: value for at, value in found if not math.isnan(value)} == there
        marks = [value for _, value in found if math.isnan(value)]
        assert all(struct.pack("<d", mark) == struct.pack("<Q", int(history.STALE)) for mark in marks)
        stale += len(marks)
    # Series of the replica that died and of the one that restarted, and the Xid that took over.
    assert stale > 300


def test_requests_go_forward_in_small_steps(written: list[Decoded]) -> None:
    """A store refuses samples that are over an hour older than its newest one."""
    spans = []
    for part in written:
        stamps = [at for samples in part.values() for at, _ in samples]
        spans.append((min(stamps), max(stamps)))
    assert len(spans) == 3
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))
    assert history.TIMES * history.COARSE_S <= HOUR / 2


def test_a_store_that_cannot_be_reached_is_an_error() -> None:
    with pytest.raises(OSError, match="refused"):
        history.write("http://127.0.0.1:1/api/v1/write", iter([b"x"]))
