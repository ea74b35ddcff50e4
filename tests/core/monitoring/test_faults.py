"""Whatever a store does, or what stands before it, has its own fault and sentence, within the deadline."""

from __future__ import annotations

import pickle
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.monitoring.endpoints import Endpoint
from core.monitoring.faults import FAULTS, MonitoringFault
from core.monitoring.prometheus import Prometheus
from core.text import LANGUAGES, sentences
from tests.conftest import free_port
from tests.core.monitoring.certificates import make_certificates
from tests.core.monitoring.fault_server import FaultServer, fault_server

DEADLINE_S = 0.8
SLACK_S = 1.0
"""How much later than the deadline a busy machine may be."""


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with fault_server() as running:
        yield running


def client(url: str, deadline_s: float = DEADLINE_S) -> Prometheus:
    return Prometheus(Endpoint("test", url, deadline_s=deadline_s))


def fault_of(url: str, deadline_s: float = DEADLINE_S) -> MonitoringFault:
    began = time.monotonic()
    with pytest.raises(MonitoringFault) as caught:
        client(url, deadline_s).instant("up")
    assert time.monotonic() - began < deadline_s + SLACK_S
    return caught.value


# What the server does, the fault, and words of its sentence.
FAULTY = [
    ("login", "auth", "status 401"),
    ("forbidden", "auth", "status 403"),
    ("missing", "not_found", "below /missing"),
    ("bad_query", "bad_query", "parse error: unexpected limit"),
    ("same_labels", "bad_query", "same labelset"),
    ("two_matches", "bad_query", "duplicate series"),
    ("too_long", "bad_query", "status 414"),
    ("too_many_samples", "too_much_data", "too many samples"),
    ("resolution", "too_much_data", "11,000"),
    ("vm_points", "too_much_data", "too many points"),
    ("vm_quotes", "bad_query", "unknown function"),
    ("rate", "overloaded", "status 429"),
    ("busy", "overloaded", "status 503"),
    ("gateway", "overloaded", "status 502"),
    ("broken", "overloaded", "index out of range"),
    ("gave_up", "timeout", "gave the query up"),
    ("gateway_slow", "timeout", "gave the query up"),
    ("hang", "timeout", "within 0.8 s"),
    ("drip", "timeout", "within 0.8 s"),
    ("drip_headers", "timeout", "within 0.8 s"),
    ("cut", "unreachable", "broke the connection off"),
    ("no_http", "unreachable", "broke the connection off"),
    ("page", "not_prometheus", "login page"),
    ("other_json", "not_prometheus", "not that of the Prometheus API"),
    ("list_json", "not_prometheus", "login page"),
    ("no_result", "not_prometheus", "not that of the Prometheus API"),
    ("odd_rows", "not_prometheus", "not that of the Prometheus API"),
    ("odd_values", "not_prometheus", "not that of the Prometheus API"),
    ("odd_metric", "not_prometheus", "not that of the Prometheus API"),
    ("error_200", "bad_query", "boom"),
    ("truncated", "not_prometheus", "ends in the middle"),
    ("deep", "not_prometheus", "ends in the middle"),
    ("not_gzip", "not_prometheus", "ends in the middle"),
    ("redirect", "redirected", "sends on to 169.254.169.254,"),
    ("redirect_odd", "redirected", "sends on to 127.0.0.1,"),
]


@pytest.mark.parametrize(("case", "fault", "words"), FAULTY, ids=[row[0] for row in FAULTY])
def test_each_fault_has_its_state_and_sentence(
    server: FaultServer, case: str, fault: str, words: str
) -> None:
    found = fault_of(f"{server.url}/{case}")
    assert (found.fault, words in found.message) == (fault, True), found.message


@pytest.mark.parametrize("case", ["huge", "bomb"])
def test_a_body_without_end_is_not_read_to_it(server: FaultServer, case: str) -> None:
    found = fault_of(f"{server.url}/{case}", deadline_s=5)
    assert found.fault == "too_much_data"
    assert "64 MB" in found.message


def test_the_body_of_a_redirect_is_not_read(server: FaultServer) -> None:
    assert fault_of(f"{server.url}/huge_redirect", deadline_s=5).fault == "too_much_data"


def test_nobody_listens() -> None:
    found = fault_of(f"http://127.0.0.1:{free_port()}")
    assert found.fault == "unreachable"
    assert "Nothing accepts a connection" in found.message


def test_a_name_that_nobody_knows() -> None:
    found = fault_of("http://prometheus.invalid:9090", deadline_s=5)
    assert found.fault == "unreachable"
    assert "name prometheus.invalid is unknown" in found.message


def test_a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Event()

    def wait(*_: object, **__: object) -> list[object]:
        gone.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    found = fault_of("http://prometheus.example:9090")
    gone.set()
    assert (found.fault, "looked up in time" in found.message) == ("timeout", True)


def test_a_connection_that_nobody_takes() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        found = fault_of(f"http://127.0.0.1:{port}")
        for one in waiting:
            one.close()
    assert found.fault == "timeout"


def test_no_tls_behind_https(server: FaultServer) -> None:
    found = fault_of(f"https://127.0.0.1:{server.port}")
    assert found.fault == "unreachable"
    assert "No trusted connection" in found.message


def test_a_handshake_that_hangs() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        found = fault_of(f"https://127.0.0.1:{silent.getsockname()[1]}")
    assert found.fault == "timeout"


@pytest.mark.parametrize("case", ["drip", "drip_headers", "hang"])
def test_slowness_behind_tls(tmp_path: Path, case: str) -> None:
    certificates = make_certificates(tmp_path)
    with fault_server(certificates.server) as server:
        url = f"https://127.0.0.1:{server.port}"
        assert Prometheus(Endpoint("x", f"{url}/ok", ca=certificates.ca)).instant("up").values[0, 0] == 42
        began = time.monotonic()
        with pytest.raises(MonitoringFault) as caught:
            Prometheus(Endpoint("x", f"{url}/{case}", ca=certificates.ca, deadline_s=DEADLINE_S)).instant(
                "up"
            )
        assert time.monotonic() - began < DEADLINE_S + SLACK_S
    assert "within 0.8 s" in caught.value.message


def test_one_address_that_swallows_packets_leaves_the_others_their_time(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody answers at the first address, which documents use and no network has."""
    rows = [(0, 0, 0, "", (address, server.port)) for address in ("192.0.2.1", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
    assert client(f"http://two.example:{server.port}/ok").instant("up").values[0, 0] == 42


def test_files_of_certificates_that_are_gone(server: FaultServer) -> None:
    gone = Endpoint("test", f"https://127.0.0.1:{server.port}", ca="/nonexistent/ca.pem")
    with pytest.raises(MonitoringFault) as caught:
        Prometheus(gone).instant("up")
    assert (caught.value.fault, "ca, cert and key" in caught.value.message) == ("unreachable", True)


# What the server answers, the state, the values, and words of a note.
ODD = [
    ("ok", "complete", [42.0], ""),
    ("empty", "empty", [], "no series"),
    ("scalar", "complete", [3.25], ""),
    ("string", "empty", [np.nan], "finite"),
    ("not_finite", "complete", [np.nan, np.nan, np.nan, 1e-7], ""),
    ("all_nan", "empty", [np.nan, np.nan], "No series has a finite value"),
    ("histogram", "complete", [1.0], "1 series are native histograms"),
    ("duplicates", "complete", [1.0, 2.0], "1 series carry the same labels"),
    ("warned", "partial", [1.0], "incomplete: store n-2: connection refused"),
    ("vm_partial", "partial", [1.0], "incomplete"),
    ("annotated", "complete", [1.0], ""),
    ("odd_labels", "complete", [1.0], ""),
]


@pytest.mark.parametrize(("case", "state", "values", "words"), ODD, ids=[row[0] for row in ODD])
def test_each_odd_answer_has_its_state_and_note(
    server: FaultServer, case: str, state: str, values: list[float], words: str
) -> None:
    answer = client(f"{server.url}/{case}").instant("up")
    assert answer.state == state
    np.testing.assert_array_equal(answer.values[:, 0], values)
    notes = " ".join(note.render() for note in answer.notes)
    assert words in notes
    assert bool(notes) == bool(words)


def test_the_words_of_the_store_are_kept(server: FaultServer) -> None:
    assert client(f"{server.url}/warned").instant("up").warnings == ("store n-2: connection refused",)
    annotated = client(f"{server.url}/annotated").instant("up")
    assert (annotated.infos, annotated.warnings) == (("PromQL info: no counter",), ("PromQL warning: mixed",))


def test_labels_stay_text(server: FaultServer) -> None:
    labels = client(f"{server.url}/odd_labels").instant("up").labels
    assert labels == ({"values": '[["', "number": "7", "text": '"values":[[1,"2"]]'},)


def test_a_label_that_is_not_there_is_empty(server: FaultServer) -> None:
    answer = client(f"{server.url}/renamed").instant("up")
    assert answer.column("hostname") == ("n-1", "n-2")
    assert answer.column("Hostname") == ("", "")


def test_a_clock_that_differs_is_told(server: FaultServer) -> None:
    ahead = client(f"{server.url}/skew")
    assert ahead.now() == pytest.approx(time.time() + 90, abs=1)
    assert ahead.skew_s == pytest.approx(90, abs=1)


def test_after_a_fault_the_same_client_goes_on(server: FaultServer) -> None:
    ours = client(f"{server.url}/ok")
    other = client(f"{server.url}/drip")
    with pytest.raises(MonitoringFault):
        other.instant("up")
    assert ours.instant("up").values[0, 0] == 42


def test_every_fault_has_a_heading_and_every_sentence_a_remedy() -> None:
    for language in LANGUAGES:
        assert {f"monitoring.fault.title.{fault}" for fault in FAULTS} <= sentences(language).keys()


def test_a_fault_can_be_handed_on(server: FaultServer) -> None:
    found = fault_of(f"{server.url}/missing")
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own
    assert (again.fault, again.message, again.kind) == (found.fault, found.message, "monitoring_fault")
    assert found.as_dict()["fault"] == "not_found"
    assert str(found.title) == "No Prometheus below this address"


def test_no_traceback_shows_the_words_of_the_layers_below(server: FaultServer) -> None:
    for case in ("cut", "hang"):
        found = fault_of(f"{server.url}/{case}")
        assert found.__suppress_context__
