"""Nobody makes the server ask an address that the operator did not allow."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator

import pytest

from core.monitoring.addresses import NEVER, OPERATOR, TYPED, Reach, look_up, meanings, read_address
from core.monitoring.endpoints import Endpoint, configuration, typed
from core.monitoring.faults import MonitoringFault
from core.monitoring.prometheus import Prometheus
from tests.core.monitoring.fault_server import FaultServer, fault_server

ANY = {TYPED: "1"}
LISTED = {TYPED: "prometheus.example:9090, Mimir.example, 10.1.0.0/16, fd12::/32"}

# Typed in where any address but the server itself is allowed.
BYPASSES = {
    "loopback": "http://127.0.0.1:9090",
    "loopback, another": "http://127.8.9.10",
    "loopback, IPv6": "http://[::1]:9090",
    "this network": "http://0.0.0.0:9090",
    "unspecified, IPv6": "http://[::]:9090",
    "metadata": "http://169.254.169.254/latest",
    "metadata, containers": "http://169.254.170.2",
    "metadata, Alibaba": "http://100.100.100.200",
    "metadata, Azure": "http://168.63.129.16",
    "metadata, Oracle": "http://192.0.0.192",
    "metadata, AWS IPv6": "http://[fd00:ec2::254]",
    "metadata, AWS IPv6 spelled out": "http://[fd00:0ec2:0:0:0:0:0:0254]",
    "metadata, Google IPv6": "http://[fd20:ce::254]",
    "link-local": "http://[fe80::1]",
    "link-local with zone": "http://[fe80::1%25eth0]",
    "loopback with zone": "http://[::1%lo]",
    "decimal": "http://2130706433",
    "decimal metadata": "http://2852039166:80",
    "octal": "http://0177.0.0.1",
    "octal whole": "http://017700000001",
    "hexadecimal": "http://0x7f000001",
    "hexadecimal part": "http://0x7f.0.0.1",
    "hexadecimal end": "http://127.0.0.0x1",
    "short": "http://127.1",
    "shorter": "http://127.0.1",
    "zero": "http://0",
    "overflow": "http://127.0.0.257",
    "leading zeros": "http://127.000.000.001",
    "mapped": "http://[::ffff:127.0.0.1]",
    "mapped, hexadecimal": "http://[::ffff:a9fe:a9fe]",
    "compatible": "http://[::169.254.169.254]",
    "compatible loopback": "http://[::7f00:1]",
    "translated": "http://[::ffff:0:169.254.169.254]",
    "NAT64": "http://[64:ff9b::169.254.169.254]",
    "NAT64 loopback": "http://[64:ff9b::7f00:1]",
    "NAT64, local": "http://[64:ff9b:1::a9fe:a9fe]",
    "NAT64, local /48": "http://[64:ff9b:1:a9fe:a9:fe00::]",
    "6to4": "http://[2002:a9fe:a9fe::1]",
    "6to4 loopback": "http://[2002:7f00:1::]",
    "Teredo": "http://[2001:0:a9fe:a9fe::]",
    "Teredo client": "http://[2001:0:808:808:0:0:5601:5601]",
    "ISATAP": "http://[2001:db8::200:5efe:169.254.169.254]",
    "multicast": "http://224.0.0.1",
    "multicast, IPv6": "http://[ff02::1]",
    "broadcast": "http://255.255.255.255",
    "reserved": "http://240.0.0.1",
    "trailing dot": "http://127.0.0.1.:9090",
    "trailing dot metadata": "http://169.254.169.254.",
    "two trailing dots": "http://127.0.0.1..",
    "user": "http://user@10.0.0.1",
    "user and password": "http://user:s3same@10.0.0.1",
    "host as user": "http://prometheus.example@169.254.169.254",
    "host as user, backslash": "http://prometheus.example\\@169.254.169.254",
    "percent at": "http://prometheus.example%40169.254.169.254",
    "backslash": "http://prometheus.example\\.evil.example",
    "line end": "http://prometheus.example\r\nHost: evil",
    "line end in the path": "http://prometheus.example/a\r\nX: y",
    "newline": "http://prome\ntheus.example",
    "tab": "http://127.0\t.0.1",
    "nul": "http://prometheus.example\x00.evil",
    "space": "http://prometheus.example evil",
    "newline at the end": "http://prometheus.example\n",
    "ideographic dot": "http://127。0。0。1",
    "fullwidth dot": "http://127．0．0．1",
    "halfwidth dot": "http://127｡0｡0｡1",
    "fullwidth digits": "http://１２７.0.0.1",
    "circled digits": "http://①②⑦.0.0.1",
    "Kelvin sign": "http://\u212aubernetes.default",
    "sharp s": "http://stra\u00dfe.example",
    "soft hyphen": "http://local\u00adhost",
    "ligature": "http://\ufb01le.example",
    "slash look-alike": "http://prometheus.example\u2044evil",
    "empty": "",
    "empty host": "http://",
    "empty host with port": "http://:9090",
    "three slashes": "http:///169.254.169.254",
    "no slashes": "http:169.254.169.254",
    "no scheme": "//169.254.169.254",
    "file": "file:///etc/passwd",
    "ftp": "ftp://10.0.0.1",
    "gopher": "gopher://10.0.0.1:6379/_INFO",
    "unix": "http+unix://%2Fvar%2Frun%2Fdocker.sock",
    "script": "javascript:alert(1)",
    "port 0": "http://10.0.0.1:0",
    "port beyond": "http://10.0.0.1:65536",
    "port below": "http://10.0.0.1:-1",
    "port empty": "http://10.0.0.1:",
    "port no number": "http://10.0.0.1:80a",
    "port other digits": "http://10.0.0.1:٩٠",
    "two ports": "http://10.0.0.1:80:90",
    "very long": "http://" + "a." * 2000 + "example",
    "long name": "http://" + "a." * 130 + "example",
    "long label": "http://" + "a" * 64 + ".example",
    "percent in the host": "http://%31%32%37.0.0.1",
    "percent loopback": "http://localhos%74",
    "fragment": "http://10.0.0.1#@evil",
    "query": "http://10.0.0.1?url=evil",
    "query in the path": "http://10.0.0.1/a?b=/api",
    "upwards": "http://10.0.0.1/prometheus/../admin",
    "upwards at the end": "http://10.0.0.1/..",
    "upwards with percent": "http://10.0.0.1/%2e%2e/admin",
    "percent slash": "http://10.0.0.1/a%2f..%2fadmin",
    "parameter": "http://10.0.0.1/a;b=c",
    "bracket without end": "http://[::1",
    "bracket with more": "http://[::1].evil.example",
    "brackets around a name": "http://[localhost]",
    "brackets around IPv4": "http://[127.0.0.1]",
    "future address": "http://[v1.127.0.0.1]",
    "label begins with a dash": "http://-a.example",
    "empty label": "http://a..example",
    "wildcard": "http://*.example",
}


@pytest.mark.parametrize("url", BYPASSES.values(), ids=BYPASSES.keys())
def test_a_bypass_is_refused_before_anything_is_sent(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)
    monkeypatch.setattr(socket, "getaddrinfo", None)
    with pytest.raises(MonitoringFault) as caught:
        typed(url, ANY)
    assert caught.value.fault in {"blocked", "bad_url"}
    assert "s3same" not in caught.value.message


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16"]
)
def test_a_metadata_service_is_refused_whatever_is_configured(address: str) -> None:
    host = address.strip("[]")
    for environ in ({TYPED: host}, {TYPED: f"{host}/8" if "." in host else "::/0"}, {TYPED: "0.0.0.0/0"}):
        with pytest.raises(MonitoringFault) as caught:
            typed(f"http://{address}", environ)
        assert caught.value.fault in {"blocked", "bad_configuration"}
    with pytest.raises(MonitoringFault) as caught:
        typed(f"http://{address}", {}, loopback_only=True)
    assert caught.value.fault == "blocked"
    found = configuration({"PROMETHEUS_URL": f"http://{address}:9090"}, None)
    assert not found.endpoints
    assert "metadata" in found.faults[0].message


Resolver = dict[str, list[list[str]]]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """What names are looked up to, one list of addresses after the other."""
    answers: Resolver = {}

    def find(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        found = answers[host].pop(0)
        return [(None, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", find)
    return answers


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["169.254.169.254"],
        ["fe80::1%2"],
        ["::ffff:169.254.169.254"],
        ["64:ff9b::a9fe:a9fe"],
        ["93.184.216.34", "127.0.0.1"],
        ["93.184.216.34", "10.0.0.1", "169.254.169.254"],
        ["2606:2800::1", "::1"],
        ["no address"],
    ],
    ids=" ".join,
)
def test_a_name_with_one_bad_address_is_refused(resolver: Resolver, addresses: list[str]) -> None:
    resolver["prometheus.example"] = [addresses]
    with pytest.raises(MonitoringFault) as caught:
        Prometheus(typed("http://prometheus.example:9090", ANY)).instant("up")
    assert caught.value.fault == "blocked"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with fault_server() as running:
        yield running


def test_the_name_is_looked_up_once_a_connection(resolver: Resolver, server: FaultServer) -> None:
    """The second answer of a rebinding resolver is never asked for; a third would be a KeyError here."""
    resolver["prometheus.example"] = [["127.0.0.1"], ["169.254.169.254"]]
    ours = Prometheus(Endpoint("test", f"http://prometheus.example:{server.port}/ok"))
    assert ours.instant("up").values[0, 0] == 42
    assert resolver["prometheus.example"] == [["169.254.169.254"]]
    assert ours.instant("up").values[0, 0] == 42
    assert resolver["prometheus.example"] == [["169.254.169.254"]]
    assert server.seen[-1][2]["host"] == f"prometheus.example:{server.port}"
    ours.close()
    with pytest.raises(MonitoringFault) as caught:
        ours.instant("up")
    assert caught.value.fault == "blocked"


def test_the_machine_itself_is_refused_by_its_outer_address_too() -> None:
    address = read_address("http://10.0.0.5:9090")
    Reach().check_connected(address, "10.0.0.5", "10.0.0.7")
    with pytest.raises(MonitoringFault) as caught:
        Reach().check_connected(address, "10.0.0.5", "10.0.0.5")
    assert caught.value.fault == "blocked"


def test_the_connection_shows_that_it_ends_at_the_machine_itself(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine reaches itself by its outer address; here loopback stands for one that the rules let pass."""
    monkeypatch.setattr(Reach, "check", lambda *_: None)
    before = len(server.seen)
    with pytest.raises(MonitoringFault) as caught:
        Prometheus(Endpoint("test", f"{server.url}/ok", reach=Reach())).instant("up")
    assert "the machine of the dashboard itself" in caught.value.message
    assert len(server.seen) == before


def test_a_redirect_is_not_followed(server: FaultServer) -> None:
    before = len(server.seen)
    with pytest.raises(MonitoringFault) as caught:
        Prometheus(Endpoint("test", f"{server.url}/redirect")).instant("up")
    assert caught.value.fault == "redirected"
    assert "abc" not in caught.value.message
    assert len(server.seen) == before + 1


def test_typing_is_off_unless_the_operator_turns_it_on() -> None:
    for environ in ({}, {TYPED: "0"}, {TYPED: " "}):
        with pytest.raises(MonitoringFault) as caught:
            typed("http://prometheus.example", environ)
        assert caught.value.fault == "blocked"
        assert TYPED in caught.value.message
    with pytest.raises(MonitoringFault):
        typed("http://prometheus.example", {TYPED: "0"}, loopback_only=True)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9090", "http://[::1]:9090", "http://10.0.0.1", "https://a.example/x"]
)
def test_who_started_it_on_loopback_may_type_anything_but_metadata(url: str) -> None:
    assert typed(url, {}, loopback_only=True).typed


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:9090", "http://[fd12::1]", "http://93.184.216.34", "http://a.example"]
)
def test_the_network_may_be_typed_where_it_is_allowed(url: str) -> None:
    endpoint = typed(url, ANY)
    assert endpoint.typed
    assert not endpoint.secrets


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://prometheus.example:9090/x", True),
        ("http://PROMETHEUS.example.:9090", True),
        ("http://prometheus.example:9091", False),
        ("http://mimir.example", True),
        ("http://mimir.example:1", True),
        ("http://mimir.example.evil.example", False),
        ("http://evil-mimir.example", False),
        ("http://10.1.2.3", True),
        ("http://10.2.2.3", False),
        ("http://[fd12::1]", True),
        ("http://[::ffff:10.1.2.3]", False),
        ("http://127.0.0.1", False),
        ("http://93.184.216.34", False),
    ],
)
def test_a_list_admits_what_is_on_it(resolver: Resolver, url: str, allowed: bool) -> None:
    for name in ("prometheus.example", "mimir.example", "mimir.example.evil.example", "evil-mimir.example"):
        resolver[name] = [["93.184.216.34"]]

    def reached() -> tuple[str, ...]:
        endpoint = typed(url, LISTED)
        return look_up(endpoint.address, endpoint.reach, 1)

    if allowed:
        assert reached()
        return
    with pytest.raises(MonitoringFault) as caught:
        reached()
    assert caught.value.fault == "blocked"


def test_a_list_of_names_alone_refuses_others_without_a_look_up(resolver: Resolver) -> None:
    with pytest.raises(MonitoringFault) as caught:
        typed("http://other.example", {TYPED: "prometheus.example"})
    assert "operator's list" in caught.value.message


@pytest.mark.parametrize("entry", ["a b", "http://x", "x/y", "x:0", "10.0.0.0/33", "user@x"])
def test_a_list_with_a_mistake_is_named(entry: str) -> None:
    with pytest.raises(MonitoringFault) as caught:
        typed("http://x", {TYPED: f"ok.example,{entry}"})
    assert caught.value.fault == "bad_configuration"
    assert caught.value.field == TYPED


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("HTTP://Prometheus.Example:80/", "http://prometheus.example"),
        (" https://a.example:443/select/0:1/prometheus/ ", "https://a.example/select/0:1/prometheus"),
        ("http://[2001:DB8:0:0::1]:9090", "http://[2001:db8::1]:9090"),
        ("http://10.0.0.1:09090", "http://10.0.0.1:9090"),
        ("http://xn--bcher-kva.example", "http://xn--bcher-kva.example"),
        ("http://thanos_query.monitoring.svc.", "http://thanos_query.monitoring.svc"),
    ],
)
def test_an_address_has_one_spelling(written: str, read: str) -> None:
    assert read_address(written).url == read
    assert read_address(read).url == read


def test_the_operator_may_name_the_machine_itself() -> None:
    for host in ("127.0.0.1", "[::1]", "10.0.0.1", "localhost"):
        assert Endpoint("x", f"http://{host}:9090").reach is OPERATOR


def test_each_network_that_is_never_asked_holds_in_every_disguise() -> None:
    for network in NEVER:
        if isinstance(network, ipaddress.IPv4Network):
            first = network.network_address
            disguised = [f"::ffff:{first}", f"64:ff9b::{first}", f"::ffff:0:{first}"]
            assert all(first in meanings(ipaddress.ip_address(text)) for text in disguised)


def test_many_threads_look_up_at_once(resolver: Resolver) -> None:
    resolver["a.example"] = [["93.184.216.34"]] * 20
    found: list[tuple[str, ...]] = []
    address = read_address("http://a.example")
    threads = [
        threading.Thread(target=lambda: found.append(look_up(address, OPERATOR, 5))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [("93.184.216.34",)] * 20
