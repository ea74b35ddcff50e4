"""What the client asks: limits, aligned times, escaped labels, few at a time."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import numpy as np
import promql_parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.monitoring.endpoints import Endpoint
from core.monitoring.faults import MonitoringFault
from core.monitoring.prometheus import (
    MOST_POINTS,
    MOST_POINTS_IN_ALL,
    OPERATORS,
    STEPS_S,
    USUAL_POINTS,
    Matcher,
    Prometheus,
    StoreInfo,
    quoted,
    selector,
    step_for,
)
from core.monitoring.session import MOST_PARALLEL
from tests.core.monitoring.fault_server import REPLIES, FaultServer, Reply, fault_server, success


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with fault_server() as running:
        yield running


def asked(server: FaultServer) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(server.seen[-1][3].decode()).items()}


def client(server: FaultServer, case: str = "ok", deadline_s: float = 5.0) -> Prometheus:
    return Prometheus(Endpoint("test", f"{server.url}/{case}", deadline_s=deadline_s))


def test_a_query_is_in_the_body_with_its_time_limit(server: FaultServer) -> None:
    client(server).instant("up" * 20_000, at=1_700_000_000.5)
    method, path, _, _ = server.seen[-1]
    assert (method, path) == ("POST", "/ok/api/v1/query")
    assert asked(server) == {"query": "up" * 20_000, "time": "1700000000.5", "timeout": "4500ms"}


def test_an_empty_answer_has_the_time_that_was_asked_for(server: FaultServer) -> None:
    assert client(server, "empty").instant("up", at=7.0).times.tolist() == [7.0]
    assert client(server, "empty").instant("up").times[0] == pytest.approx(time.time(), abs=5)


def test_a_range_is_aligned_to_its_step(server: FaultServer) -> None:
    REPLIES["none"] = success([], "matrix")
    answer = client(server, "none").range("up", 1_700_000_007.9, 1_700_003_607.9)
    assert server.seen[-1][1] == "/none/api/v1/query_range"
    assert asked(server) | {"timeout": ""} == {
        "query": "up",
        "start": "1700000000",
        "end": "1700003600",
        "step": "15",
        "timeout": "",
    } | {"start": str(1_700_000_007 // 15 * 15), "end": str(1_700_003_607 // 15 * 15)}
    assert answer.times[0] == 1_700_000_007 // 15 * 15
    assert set(np.diff(answer.times)) == {15.0}
    assert len(answer.times) <= USUAL_POINTS


@settings(deadline=None)
@given(
    st.floats(0, 400 * 86_400), st.none() | st.floats(0.01, 1e6), st.integers(0, 100_000), st.floats(0, 1e6)
)
def test_no_range_has_too_many_points(span: float, step: float | None, series: int, start: float) -> None:
    seconds = step_for(span, step, series)
    points = (start + span) // seconds - start // seconds + 1
    assert points <= MOST_POINTS
    assert points * max(series, 1) <= MOST_POINTS_IN_ALL
    if step is None:
        assert points <= USUAL_POINTS
        assert seconds in STEPS_S or seconds % 86_400 == 0
    assert isinstance(seconds, int)


def test_a_step_is_kept_where_it_can_be() -> None:
    assert step_for(3600, 1) == 1
    assert step_for(86_400, 1) == 10
    assert step_for(3600, 15, series=1000) == 30
    assert step_for(21_600) == 120


def test_more_series_than_a_chart_shows_are_refused_before_they_are_asked_for(server: FaultServer) -> None:
    seen = len(server.seen)
    with pytest.raises(MonitoringFault) as caught:
        client(server).range("up", 0, 3600, series=MOST_POINTS_IN_ALL)
    assert caught.value.fault == "too_much_data"
    assert len(server.seen) == seen


def test_names(server: FaultServer) -> None:
    REPLIES["names"] = (200, {}, b'{"status":"success","data":["up","a:b"]}')
    assert client(server, "names").names() == {"up", "a:b"}
    assert server.seen[-1][1].startswith("/names/api/v1/label/__name__/values")
    with pytest.raises(MonitoringFault):
        client(server, "ok").names()


def build(**known: str) -> Reply:
    text = ",".join(f'"{name}":"{value}"' for name, value in known.items())
    return 200, {}, f'{{"status":"success","data":{{{text}}}}}'.encode()


@pytest.mark.parametrize(
    ("reply", "kind", "version"),
    [
        (build(version="2.42.0+ds", revision="x"), "prometheus", "2.42.0+ds"),
        (build(version="3.5.0"), "prometheus", "3.5.0"),
        (build(version="0.39.2"), "thanos", "0.39.2"),
        (build(application="Grafana Mimir", version="2.17.0"), "mimir", "2.17.0"),
        (build(application="Cortex", version="1.19.0"), "unknown", "1.19.0"),
        ((200, {"X-Server-Hostname": "vm-1"}, build(version="2.24.0")[2]), "victoriametrics", ""),
        ((200, {}, b'{"status":"success","data":{}}'), "unknown", ""),
        ((404, {}, b"no"), "unknown", ""),
        ((200, {}, b"<html>"), "unknown", ""),
    ],
)
def test_which_store_it_is(server: FaultServer, reply: Reply, kind: str, version: str) -> None:
    REPLIES["build"] = reply
    ours = client(server, "build")
    assert ours.about() == StoreInfo(kind, version)
    seen = len(server.seen)
    assert ours.about().hidden_s == (30 if kind == "victoriametrics" else 0)
    assert len(server.seen) == seen


def test_which_store_it_is_cannot_be_known_of_one_that_is_down(server: FaultServer) -> None:
    with pytest.raises(MonitoringFault) as caught:
        client(server, "login").about()
    assert caught.value.fault == "auth"


def test_the_clock_of_a_store_that_tells_none(server: FaultServer) -> None:
    for case in ("empty", "all_nan"):
        with pytest.raises(MonitoringFault) as caught:
            client(server, case).now()
        assert caught.value.fault == "not_prometheus"


def test_one_connection_serves_many_queries(server: FaultServer) -> None:
    ours = client(server)
    before = server.connections
    for _ in range(10):
        ours.instant("up")
    assert server.connections == before + 1


def test_few_queries_at_a_time_whoever_asks(server: FaultServer) -> None:
    clients = [client(server, "pause") for _ in range(3)]
    server.most_running = 0
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda i: clients[i % 3].instant("up"), range(12)))
    assert all(answer.values[0, 0] == 42 for answer in answers)
    assert server.most_running == MOST_PARALLEL


def test_who_waits_in_vain_is_told(server: FaultServer) -> None:
    ours = client(server, "hang", 1.5)
    waiting = [
        threading.Thread(target=pytest.raises, args=(MonitoringFault, ours.instant, "up"))
        for _ in range(MOST_PARALLEL)
    ]
    for thread in waiting:
        thread.start()
    while server.running < MOST_PARALLEL:
        time.sleep(0.01)
    with pytest.raises(MonitoringFault) as caught:
        client(server, "ok", 0.2).instant("up")
    for thread in waiting:
        thread.join()
    assert (caught.value.fault, "still running" in caught.value.message) == ("timeout", True)
    assert client(server).instant("up").values[0, 0] == 42


def test_threads_do_not_take_each_others_answers(server: FaultServer) -> None:
    for number in range(8):
        REPLIES[f"n{number}"] = success([{"metric": {}, "value": [1, str(number)]}])
    ours = [client(server, f"n{number}") for number in range(8)]
    order = [number for number in range(8) for _ in range(25)]
    random.Random(1).shuffle(order)  # noqa: S311 - the same order each time
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: ours[number].instant("up").values[0, 0], order))
    assert found == order


LABELS = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,10}", fullmatch=True)
# Half of a surrogate pair cannot be sent.
VALUES = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(LABELS, VALUES)
def test_a_selector_means_exactly_its_matchers(label: str, value: str) -> None:
    for operator in ("=", "!="):
        parsed = promql_parser.parse(f"up{selector({label: Matcher(value, operator)})}")
        (matcher,) = parsed.matchers.matchers
        assert (matcher.name, matcher.value) == (label, value)


@settings(deadline=None)
@given(st.dictionaries(LABELS, VALUES, max_size=5))
def test_a_selector_of_several_labels(wanted: dict[str, str]) -> None:
    parsed = promql_parser.parse(f"up{selector(wanted)}")
    assert {matcher.name: matcher.value for matcher in parsed.matchers.matchers} == wanted


INJECTIONS = [
    'x"} or up{job=~".*',
    "x'} or up",
    'x\\"} or up',
    "x\\",
    "x\n} or up",
    "`} or up",
    'x",job=~".*',
    "x} #",
    "\\x22} or up",
    "\\u0022",
    "$(reboot)",
    "${a}",
]


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_an_injection_stays_a_value(value: str, operator: str) -> None:
    wanted = value if "~" not in operator else re.escape(value)
    parsed = promql_parser.parse(f"up{selector({'pod': Matcher(wanted, operator)})}")
    (matcher,) = parsed.matchers.matchers
    assert matcher.value == wanted
    names = {"=": "Equal", "!=": "NotEqual", "=~": "Re", "!~": "NotRe"}
    assert str(matcher.op).rsplit(".", 1)[-1] == names[operator]


@pytest.mark.parametrize("label", ["", "a-b", "1a", 'a"', "a=", "é", "a b", "a\n"])
def test_a_label_is_a_name(label: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        selector({label: "x"})


def test_an_operator_is_known() -> None:
    with pytest.raises(ValueError, match="no operator"):
        Matcher("x", "=~~")
    assert selector({}) == ""
    assert quoted("a") == '"a"'
