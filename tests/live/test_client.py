"""The client against real stores: Prometheus behind TLS and a login, and VictoriaMetrics."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import requests

from core.monitoring.endpoints import Endpoint, Secret, configuration
from core.monitoring.faults import MonitoringFault
from core.monitoring.prometheus import SKEW_S, Matcher, Prometheus, selector
from tests.conftest import free_port, need
from tests.core.monitoring.certificates import Certificates, make_certificates

pytestmark = pytest.mark.prometheus

# The bcrypt hash of "planner", which the web configuration of Prometheus wants.
PASSWORD, HASHED = "planner", "$2b$04$VRRJZLtYCrJSDCmxyahGAuQh9cWxuCz5sLBGywtQRYCPlj6OBC7Ze"

ODD_VALUES = ['a"b', "a\\b", "a\nb", "a'b", "`a`", "a}b", "ä。本", "\t", "a\rb", '"} or up', "\\x22", ""]


@contextmanager
def running(command: list[str], log: Path, ready: Callable[[], object]) -> Iterator[None]:
    """Run *command* until *ready* raises no fault, and end it afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        end = time.monotonic() + 30
        while True:
            try:
                ready()
                break
            except MonitoringFault as fault:
                if time.monotonic() > end or process.poll() is not None:
                    pytest.fail(f"{command[0]} did not start: {fault}\n{log.read_text()[-3000:]}")
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(20)


@dataclass(frozen=True)
class Guarded:
    endpoint: Endpoint
    certificates: Certificates
    command: list[str]
    log: Path


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A Prometheus with TLS, a client's certificate and basic authentication, that scrapes itself."""
    folder = tmp_path_factory.mktemp("guarded")
    certificates = make_certificates(folder)
    port = free_port()
    (folder / "web.yml").write_text(
        f"""
        tls_server_config:
          cert_file: {certificates.server[0]}
          key_file: {certificates.server[1]}
          client_auth_type: RequireAndVerifyClientCert
          client_ca_file: {certificates.ca}
        basic_auth_users: {{ops: "{HASHED}"}}
        """,
        encoding="utf-8",
    )
    (folder / "prometheus.yml").write_text(
        f"""
        global: {{scrape_interval: 1s}}
        scrape_configs:
          - job_name: itself
            scheme: https
            basic_auth: {{username: ops, password: {PASSWORD}}}
            tls_config:
              ca_file: {certificates.ca}
              cert_file: {certificates.client[0]}
              key_file: {certificates.client[1]}
            static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
        """,
        encoding="utf-8",
    )
    command = [
        need("prometheus", "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--web.config.file={folder / 'web.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--query.max-samples=50000",
    ]
    endpoint = Endpoint(
        "guarded",
        f"https://127.0.0.1:{port}",
        username="ops",
        password=Secret(PASSWORD),
        ca=certificates.ca,
        cert=certificates.client[0],
        key=certificates.client[1],
        deadline_s=5,
    )
    ours = Prometheus(endpoint)
    with running(command, folder / "log", ours.now):
        end = time.monotonic() + 20
        while not len(ours.instant("up == 1")) and time.monotonic() < end:
            time.sleep(0.2)
        yield Guarded(endpoint, certificates, command, folder / "log")


def fault_of(endpoint: Endpoint, query: str = "up") -> MonitoringFault:
    with pytest.raises(MonitoringFault) as caught:
        Prometheus(endpoint).instant(query)
    return caught.value


def test_the_whole_way(guarded: Guarded) -> None:
    ours = Prometheus(guarded.endpoint)
    assert ours.about().kind == "prometheus"
    assert ours.about().version.startswith("2.")
    assert "up" in ours.names()
    assert ours.now() == pytest.approx(time.time(), abs=2)
    assert abs(ours.skew_s) < SKEW_S
    answer = ours.instant("up")
    assert (answer.state, answer.column("job")) == ("complete", ("itself",))
    now = ours.now()
    ranged = ours.range("vector(1)", now - 3600, now)
    assert ranged.values.shape == (1, 241)
    assert (ranged.values == 1).all()


def test_the_configuration_leads_there(guarded: Guarded) -> None:
    endpoint = guarded.endpoint
    found = configuration(
        {
            "PROMETHEUS_URL": endpoint.url,
            "PROMETHEUS_USERNAME": "ops",
            "PROMETHEUS_PASSWORD": PASSWORD,
            "PROMETHEUS_CA": endpoint.ca or "",
            "PROMETHEUS_CERT": endpoint.cert or "",
            "PROMETHEUS_KEY": endpoint.key or "",
        },
        None,
    )
    assert found.faults == ()
    assert len(Prometheus(found.endpoints[0]).instant("up")) == 1


def test_a_wrong_password(guarded: Guarded) -> None:
    assert fault_of(replace(guarded.endpoint, password=Secret("wrong"))).fault == "auth"
    assert fault_of(replace(guarded.endpoint, username=None, password=None)).fault == "auth"


def test_an_authority_that_is_not_known(guarded: Guarded) -> None:
    for ca in (None, guarded.certificates.other_ca):
        found = fault_of(replace(guarded.endpoint, ca=ca))
        assert (found.fault, "certificate" in found.message) == ("unreachable", True)


def test_a_client_without_certificate(guarded: Guarded) -> None:
    found = fault_of(replace(guarded.endpoint, cert=None, key=None))
    assert found.fault == "unreachable"


def test_a_certificate_is_of_the_name_although_the_address_is_looked_up(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = guarded.endpoint.address.port
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", port))])
    named = replace(guarded.endpoint, url=f"https://prometheus.example:{port}")
    assert len(Prometheus(named).instant("up")) == 1
    found = fault_of(replace(guarded.endpoint, url=f"https://other.example:{port}"))
    assert found.fault == "unreachable"
    assert "No trusted connection" in found.message


def test_http_where_https_is_asked_for(guarded: Guarded) -> None:
    found = fault_of(replace(guarded.endpoint, url=guarded.endpoint.url.replace("https", "http")))
    assert found.fault in {"bad_query", "not_prometheus"}


def test_what_a_real_store_refuses(guarded: Guarded) -> None:
    assert fault_of(guarded.endpoint, "up{").fault == "bad_query"
    found = fault_of(guarded.endpoint, '{__name__=~"go_threads|go_goroutines"} + on (job) go_threads')
    assert (found.fault, "several series" in found.message) == ("bad_query", True)
    found = fault_of(guarded.endpoint, "count_over_time(vector(1)[1d:1s])")
    assert (found.fault, "too many samples" in found.message) == ("too_much_data", True)
    missing = replace(guarded.endpoint, url=f"{guarded.endpoint.url}/prometheus")
    assert fault_of(missing).fault == "not_found"


def test_a_query_that_takes_too_long(guarded: Guarded) -> None:
    """A median of 10,000 values, 10,000 times, takes many seconds; the store itself is told when to stop."""
    ours = Prometheus(replace(guarded.endpoint, deadline_s=1))
    now, began = ours.now(), time.monotonic()
    with pytest.raises(MonitoringFault) as caught:
        ours.range("quantile_over_time(0.5, vector(time())[10000s:1s])", now - 10_000, now, step=1)
    assert caught.value.fault == "timeout"
    assert time.monotonic() - began < 2


def test_a_native_scalar_and_a_string(guarded: Guarded) -> None:
    ours = Prometheus(guarded.endpoint)
    assert ours.instant("1 / 4").values[0, 0] == 0.25
    assert ours.instant('"text"').state == "empty"
    assert ours.instant("up[10s]").latest.tolist() == [1]
    assert ours.instant("vector(1 / 0)").state == "empty"
    assert ours.instant("up", at=1.0).state == "empty"


@pytest.mark.parametrize("value", ODD_VALUES)
def test_an_odd_value_of_a_label_stays_one(guarded: Guarded, value: str) -> None:
    """The store gives the label back as it understood it."""
    ours = Prometheus(guarded.endpoint)
    made = ours.instant(f"absent(up{selector({'pod': value, 'node': Matcher('x|y', '=~')})})")
    assert made.labels == (({"pod": value} if value else {}),)


def test_after_a_restart_the_same_client_goes_on(guarded: Guarded, tmp_path: Path) -> None:
    """Another Prometheus of the same kind, so that the others are not disturbed."""
    port = free_port()
    command = [
        *(part for part in guarded.command if not part.startswith(("--storage", "--web.listen"))),
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    ours = Prometheus(replace(guarded.endpoint, url=f"https://127.0.0.1:{port}"))
    for _ in range(2):
        with running(command, tmp_path / "log", ours.now):
            assert ours.now() > 0
        with pytest.raises(MonitoringFault) as caught:
            ours.now()
        assert caught.value.fault == "unreachable"


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("victoria")
    port = free_port()
    endpoint = Endpoint("victoria", f"http://127.0.0.1:{port}", deadline_s=5)
    command = [
        need("victoria-metrics", "victoria-metrics"),
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-search.maxUniqueTimeseries=50",
    ]
    with running(command, folder / "log", Prometheus(endpoint).now):
        yield endpoint


def import_lines(endpoint: Endpoint, lines: str) -> None:
    url = f"{endpoint.url}/api/v1/import/prometheus"
    assert requests.post(url, data=lines.encode(), timeout=10).status_code == 204
    for path in ("force_flush", "resetRollupResultCache"):
        assert requests.get(f"{endpoint.url}/internal/{path}", timeout=10).status_code == 200


def test_victoria_metrics(victoria: Endpoint) -> None:
    ours = Prometheus(victoria)
    assert ours.about().kind == "victoriametrics"
    assert ours.about().hidden_s == 30
    now = ours.now()
    assert now == pytest.approx(time.time(), abs=2)
    begin = int(now) // 60 * 60 - 1200
    rows = [
        f'gpu_power{{gpu="{gpu}"}} {gpu}.5 {(begin + 60 * i) * 1000}' for gpu in (0, 1) for i in range(10)
    ]
    import_lines(victoria, "\n".join(rows))
    assert ours.names() == {"gpu_power"}
    answer = ours.range("gpu_power", begin, begin + 540, step=60, series=2)
    np.testing.assert_array_equal(answer.values, [[0.5] * 10, [1.5] * 10])
    assert answer.column("gpu") == ("0", "1")
    assert ours.instant("gpu_power", at=begin + 60).values[:, 0].tolist() == [0.5, 1.5]
    assert ours.instant(f"gpu_power{selector({'gpu': '1'})}", at=begin + 60).column("gpu") == ("1",)


def test_victoria_metrics_refuses(victoria: Endpoint) -> None:
    assert fault_of(victoria, "gpu_power{").fault == "bad_query"
    begin = int(time.time()) - 600
    import_lines(victoria, "\n".join(f'many{{gpu="{gpu}"}} 1 {begin * 1000}' for gpu in range(80)))
    with pytest.raises(MonitoringFault) as caught:
        Prometheus(victoria).instant("many", at=begin + 1)
    assert caught.value.fault == "too_much_data"
    assert fault_of(victoria, "up" * 20_000).fault == "bad_query"
