"""A body becomes arrays: fast where it is big, and right whatever its shape."""

from __future__ import annotations

import gc
import json
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.monitoring import answers
from core.monitoring.answers import Answer, Document, instant_answer, range_answer, read_document
from core.monitoring.faults import MonitoringFault
from tests.core.monitoring.fault_server import series

GRID = np.arange(1000.0, 1300.0, 60.0)


def matrix(rows: list[dict[str, Any]], separators: tuple[str, str] = (",", ":"), **more: Any) -> bytes:
    document = {"status": "success", "data": {"resultType": "matrix", "result": rows}, **more}
    return json.dumps(document, separators=separators).encode()


def ranged(body: bytes) -> Answer:
    return range_answer(read_document(body), GRID, 0.1)


def test_series_with_gaps_lie_on_one_grid() -> None:
    answer = ranged(matrix([series([(1000, "1"), (1120, "3")], gpu="0"), series([(1060, "5")], gpu="1")]))
    nan = np.nan
    np.testing.assert_array_equal(answer.times, GRID)
    np.testing.assert_array_equal(answer.values, [[1, nan, 3, nan, nan], [nan, 5, nan, nan, nan]])
    np.testing.assert_array_equal(answer.latest, [nan, nan])
    assert answer.labels == ({"gpu": "0"}, {"gpu": "1"})
    assert len(answer) == 2


def test_values_are_kept_as_they_are() -> None:
    """A counter that restarts falls back; that is for rate() of the store, not for us."""
    counter = [(1000, "100"), (1060, "160"), (1120, "5"), (1180, "65"), (1240, "1.25e+02")]
    np.testing.assert_array_equal(ranged(matrix([series(counter)])).values, [[100, 160, 5, 65, 125]])


def test_no_number_is_no_value() -> None:
    odd = [(1000, "NaN"), (1060, "+Inf"), (1120, "-Inf"), (1180, "1e-7"), (1240, "0")]
    np.testing.assert_array_equal(ranged(matrix([series(odd)])).values, [[np.nan] * 3 + [1e-7, 0]])


def test_a_store_may_keep_its_own_times() -> None:
    answer = ranged(matrix([series([(1001.5, "1"), (1061.5, "2")]), series([(1061.5, "3")])]))
    np.testing.assert_array_equal(answer.times, [1001.5, 1061.5])
    np.testing.assert_array_equal(answer.values, [[1, 2], [np.nan, 3]])


def test_no_series_is_an_empty_grid() -> None:
    answer = ranged(matrix([]))
    assert answer.values.shape == (0, len(GRID))
    assert answer.latest.shape == (0,)
    assert answer.state == "empty"


def test_raw_samples_have_their_own_times() -> None:
    answer = instant_answer(read_document(matrix([series([(3.5, "1"), (4.5, "2")])])), 9.0, 0.1)
    np.testing.assert_array_equal(answer.times, [3.5, 4.5])
    np.testing.assert_array_equal(answer.latest, [2])


def test_native_histograms_are_left_out_and_told() -> None:
    answer = ranged(matrix([{"metric": {}, "histograms": [[1000, {}]]}, series([(1000, "1")], gpu="0")]))
    assert answer.labels == ({"gpu": "0"},)
    assert "native histograms" in answer.notes[0].render()


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["compact", "spaced"])
def test_both_ways_read_the_same(separators: tuple[str, str]) -> None:
    rows = [series([(1000 + 60 * i, f"{i}.{gpu}") for i in range(5)], gpu=str(gpu)) for gpu in range(3)]
    document = read_document(matrix(rows, separators))
    assert (document.samples is None) == (separators == (", ", ": "))
    answer = range_answer(document, GRID, 0.1)
    np.testing.assert_allclose(answer.values[2], [0.2, 1.2, 2.2, 3.2, 4.2])
    assert answer.column("gpu") == ("0", "1", "2")


TEXTS = st.text(max_size=20) | st.sampled_from(
    ['"values":[[', '","values":[[1,"2"]],"', "]]", "\\", '\\"values":[[']
)
NUMBERS = st.floats(width=64) | st.integers(-(2**53), 2**53).map(float)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.dictionaries(TEXTS, TEXTS, max_size=3), st.lists(NUMBERS, min_size=1, max_size=5)),
        max_size=5,
    )
)
def test_whatever_labels_hold_the_samples_are_found(rows: list[tuple[dict[str, str], list[float]]]) -> None:
    body = matrix([series([(GRID[i], repr(x)) for i, x in enumerate(xs)], **labels) for labels, xs in rows])
    fast = range_answer(read_document(body), GRID, 0)
    slow = range_answer(Document(json.loads(body)), GRID, 0)
    assert fast.labels == slow.labels == tuple(labels for labels, _ in rows)
    np.testing.assert_array_equal(fast.values, slow.values)


@pytest.mark.parametrize(
    "values",
    [
        '[[1000,"1"],[1060]]',
        '[["x","1"]]',
        "[[1000,[1]]]",
        '[[1000,"1"],7]',
        "[[]]",
        '[[NaN,"1"]]',
    ],
)
def test_samples_of_another_shape_are_no_answer(values: str) -> None:
    text = (
        '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":' + values + "}]}}"
    )
    with pytest.raises((MonitoringFault, ValueError)):
        ranged(text.encode())


def test_a_text_that_is_no_number_is_no_value() -> None:
    np.testing.assert_array_equal(
        ranged(matrix([series([(1000, "x"), (1060, "2")])])).values[0, :2], [np.nan, 2]
    )


def test_a_sparse_answer_is_not_spread_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_CELLS", 100)
    rows = [series([(1000 + 0.5 * i, "1")], gpu=str(i)) for i in range(20)]
    with pytest.raises(MonitoringFault) as caught:
        ranged(matrix(rows))
    assert caught.value.fault == "too_much_data"


@pytest.mark.parametrize(
    "body",
    [
        matrix([]) + b" " + b'"metric":{' * (answers.MOST_SERIES + 1),
        b"[" + b"[]," * answers.MOST_CONTAINERS + b"1]",
    ],
    ids=["series", "lists"],
)
def test_a_body_that_would_fill_the_memory_is_not_read(body: bytes) -> None:
    with pytest.raises(MonitoringFault) as caught:
        read_document(body)
    assert caught.value.fault == "too_much_data"


def test_warnings_are_as_many_and_as_long_as_a_person_reads() -> None:
    answer = ranged(matrix([], warnings=["x" * 10_000] * 100, infos="no list"))
    assert len(answer.warnings) == answers.MOST_TEXTS
    assert len(answer.warnings[0]) == answers.LONGEST_TEXT
    assert answer.infos == ()


def test_the_collector_rests_only_while_big_bodies_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "BIG_BODY", 1)
    body = matrix([series([(1000, "1")])])
    assert gc.isenabled()
    threads = [threading.Thread(target=lambda: [read_document(body) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="unexpected"):
        read_document(b"{no json")
    assert gc.isenabled()
    gc.disable()
    try:
        read_document(body)
        assert not gc.isenabled()
    finally:
        gc.enable()
