"""What the operator configures is used or named with its mistake, and its secrets stay where they are."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import re
import traceback
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from core.monitoring.addresses import TYPED
from core.monitoring.endpoints import (
    FIELDS,
    SECRETS,
    VARIABLES,
    Configuration,
    Endpoint,
    Secret,
    configuration,
    configured,
)
from core.monitoring.faults import MonitoringFault
from core.monitoring.prometheus import Prometheus
from core.monitoring.session import MOST_BYTES
from core.text import LANGUAGES
from tests.conftest import ROOT, free_port
from tests.core.monitoring.certificates import Certificates, make_certificates
from tests.core.monitoring.fault_server import REPLIES, FaultServer, fault_server

PASSWORD, TOKEN, HEADER = "pw-4c1d5e7f", "tok-9a8b7c6d", "org-1f2e3d4c"
LOGIN = "b3BzOnB3LTRjMWQ1ZTdm"  # ops:pw-4c1d5e7f, as basic authentication sends it
WITHHELD = (PASSWORD, TOKEN, HEADER, LOGIN)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with fault_server() as running:
        yield running


def from_file(folder: Path, content: str) -> Configuration:
    path = folder / "secrets.toml"
    path.write_text(content, encoding="utf-8")
    return configuration({}, path)


def test_nothing_is_configured_by_itself(tmp_path: Path) -> None:
    assert configuration({}, tmp_path / "secrets.toml") == Configuration((), ())
    assert configuration({}, None) == Configuration((), ())
    assert Path(".streamlit/secrets.toml") == SECRETS


def test_the_environment_describes_one(certificates: Certificates) -> None:
    cert, key = certificates.client
    environ = {
        "PROMETHEUS_URL": "https://prometheus.example:9090/prometheus/",
        "PROMETHEUS_NAME": "production",
        "PROMETHEUS_USERNAME": "ops",
        "PROMETHEUS_PASSWORD": PASSWORD,
        "PROMETHEUS_HEADERS": f"X-Scope-OrgID={HEADER}, X-Other=a%2Cb",
        "PROMETHEUS_CA": certificates.ca,
        "PROMETHEUS_CERT": cert,
        "PROMETHEUS_KEY": key,
        "PROMETHEUS_DEADLINE_S": "20",
    }
    assert set(environ) | {"PROMETHEUS_TOKEN"} == set(VARIABLES.values())
    (found,) = configured(environ, None)
    assert found == Endpoint(
        "production",
        "https://prometheus.example:9090/prometheus",
        username="ops",
        password=Secret(PASSWORD),
        headers=(("X-Scope-OrgID", Secret(HEADER)), ("X-Other", Secret("a,b"))),
        ca=certificates.ca,
        cert=cert,
        key=key,
        deadline_s=20,
    )


def test_the_file_describes_several_and_the_environment_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text(
        f"""
        other = "of another part"
        [prometheus.here]
        url = "http://127.0.0.1:9090"
        [prometheus.there]
        url = "https://mimir.example/prometheus"
        token = "{TOKEN}"
        headers = {{ X-Scope-OrgID = "{HEADER}" }}
        deadline_s = 2.5
        """,
        encoding="utf-8",
    )
    found = configured({"PROMETHEUS_URL": "http://10.0.0.1:9090"}, path)
    assert [endpoint.name for endpoint in found] == ["prometheus", "here", "there"]
    assert found[2].token == Secret(TOKEN)
    assert found[2].deadline_s == 2.5
    assert found[1].deadline_s == 10


BAD = {
    "no url": ("token = 'x'", "url", "missing"),
    "unknown field": ("url = 'http://a'\npasword = 'x'", "pasword", "not known"),
    "bad url": ("url = 'http://a:0'", "url", "port"),
    "metadata": ("url = 'http://169.254.169.254'", "url", "metadata"),
    "login in the url": (f"url = 'http://ops:{PASSWORD}@a'", "url", "own fields"),
    "number": ("url = 7", "url", "one line"),
    "empty": ("url = ' '", "url", "one line"),
    "token with other letters": (f"url = 'http://a'\ntoken = '{TOKEN}ü'", "token", "one line"),
    "two lines": (f"url = 'http://a'\ntoken = '''{TOKEN}\nx'''", "token", "one line"),
    "no password": ("url = 'http://a'\nusername = 'ops'", "password", "belong together"),
    "no username": (f"url = 'http://a'\npassword = '{PASSWORD}'", "username", "belong together"),
    "two ways": (
        f"url = 'http://a'\nusername = 'ops'\npassword = '{PASSWORD}'\ntoken = '{TOKEN}'",
        "username",
        "Keep one",
    ),
    "colon": (f"url = 'http://a'\nusername = 'o:ps'\npassword = '{PASSWORD}'", "username", "colon"),
    "headers no table": (f"url = 'http://a'\nheaders = ['{HEADER}']", "headers", "names with one line"),
    "header injection": (
        f'url = "http://a"\nheaders = {{ X = "{HEADER}\\r\\nY: 1" }}',
        "headers",
        "one line",
    ),
    "header name": (f"url = 'http://a'\nheaders = {{ 'X Y' = '{HEADER}' }}", "headers", "one line"),
    "header number": ("url = 'http://a'\nheaders = { X = 1 }", "headers", "one line"),
    "host": ("url = 'http://a'\nheaders = { Host = 'b' }", "headers.Host", "Remove it"),
    "two authorizations": (
        f"url = 'http://a'\ntoken = '{TOKEN}'\nheaders = {{ Authorization = '{HEADER}' }}",
        "headers.Authorization",
        "Remove it",
    ),
    "no file": ("url = 'http://a'\nca = '/nonexistent/ca.pem'", "ca", "cannot be read"),
    "folder": ("url = 'http://a'\nca = '/'", "ca", "cannot be read"),
    "key alone": ("url = 'http://a'\nkey = '/dev/null'", "key", "without cert"),
    "no certificate": ("url = 'http://a'\nca = '{empty}'", "ca", "without a certificate"),
    "no client certificate": ("url = 'http://a'\ncert = '{empty}'", "cert", "does not open"),
    "key of another": ("url = 'http://a'\ncert = '{client}'\nkey = '{server_key}'", "key", "belong together"),
    "locked key": ("url = 'http://a'\ncert = '{client}'\nkey = '{locked}'", "key", "no password"),
    "deadline": ("url = 'http://a'\ndeadline_s = 0", "deadline_s", "0.1 to 300"),
    "deadline nan": ("url = 'http://a'\ndeadline_s = nan", "deadline_s", "0.1 to 300"),
    "deadline text": ("url = 'http://a'\ndeadline_s = 'soon'", "deadline_s", "0.1 to 300"),
    "deadline bool": ("url = 'http://a'\ndeadline_s = true", "deadline_s", "0.1 to 300"),
}


@pytest.mark.parametrize(("content", "field", "words"), BAD.values(), ids=BAD.keys())
def test_a_mistake_is_named_and_the_others_work(
    tmp_path: Path, certificates: Certificates, content: str, field: str, words: str
) -> None:
    (tmp_path / "empty").write_text("", encoding="utf-8")
    for name, path in {
        "empty": str(tmp_path / "empty"),
        "client": certificates.client[0],
        "server_key": certificates.server[1],
        "locked": certificates.locked_key,
    }.items():
        content = content.replace(f"{{{name}}}", path)
    found = from_file(tmp_path, f"[prometheus.bad]\n{content}\n[prometheus.good]\nurl = 'http://b'")
    assert [endpoint.name for endpoint in found.endpoints] == ["good"]
    (fault,) = found.faults
    assert (fault.fault, fault.field) == ("bad_configuration", f"prometheus.bad.{field}")
    assert f"prometheus.bad.{field}" in fault.message
    assert words in fault.message
    shown = [repr(fault), str(fault), str(fault.as_dict()), *map(fault.sentence.render, LANGUAGES)]
    assert not [secret for secret in WITHHELD for text in shown if secret in text]


def test_a_file_that_cannot_be_parsed(tmp_path: Path) -> None:
    found = from_file(tmp_path, f"[prometheus.a]\nurl = 'http://a'\ntoken = {TOKEN}")
    assert not found.endpoints
    assert "line 3" in found.faults[0].message
    assert TOKEN not in found.faults[0].message
    assert "tables by name" in from_file(tmp_path, "prometheus = 'http://a'").faults[0].message
    assert "tables by name" in from_file(tmp_path, "[prometheus]\nurl = 'http://a'").faults[0].message
    (tmp_path / "secrets.toml").write_bytes(b"\xff\xfe")
    assert "cannot be read" in configuration({}, tmp_path / "secrets.toml").faults[0].message


def test_a_broken_file_leaves_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text("[", encoding="utf-8")
    found = configuration({"PROMETHEUS_URL": "http://a"}, path)
    assert (len(found.endpoints), len(found.faults)) == (1, 1)


def test_a_name_is_given_once(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text("[prometheus.prometheus]\nurl = 'http://b'", encoding="utf-8")
    found = configuration({"PROMETHEUS_URL": "http://a"}, path)
    assert [endpoint.url for endpoint in found.endpoints] == ["http://a"]
    assert "given twice" in found.faults[0].message


def test_options_without_url_are_a_mistake() -> None:
    found = configuration({"PROMETHEUS_TOKEN": TOKEN}, None)
    assert found.faults[0].field == "PROMETHEUS_URL"
    assert "PROMETHEUS_URL is missing" in found.faults[0].message


def test_a_mistake_of_the_environment_is_named_by_its_variable() -> None:
    found = configuration({"PROMETHEUS_URL": "http://a", "PROMETHEUS_DEADLINE_S": "x"}, None)
    assert found.faults[0].field == "PROMETHEUS_DEADLINE_S"


def logins(url: str) -> list[Endpoint]:
    headers = (("X-Scope-OrgID", Secret(HEADER)),)
    return [
        Endpoint("basic", url, username="ops", password=Secret(PASSWORD), headers=headers, deadline_s=0.5),
        Endpoint("bearer", url, token=Secret(TOKEN), headers=headers, deadline_s=0.5),
    ]


def test_what_is_configured_is_sent(server: FaultServer) -> None:
    basic, bearer = logins(f"{server.url}/ok")
    Prometheus(basic).instant("up")
    assert server.seen[-1][2]["authorization"] == f"Basic {LOGIN}"
    assert server.seen[-1][2]["x-scope-orgid"] == HEADER
    Prometheus(bearer).about()
    assert server.seen[-1][2]["authorization"] == f"Bearer {TOKEN}"
    assert server.seen[-1][2]["x-scope-orgid"] == HEADER


def test_a_password_may_have_any_letter(server: FaultServer) -> None:
    environ = {
        "PROMETHEUS_URL": f"{server.url}/ok",
        "PROMETHEUS_USERNAME": "jürgen",
        "PROMETHEUS_PASSWORD": "密码",
    }
    (endpoint,) = configured(environ, None)
    Prometheus(endpoint).instant("up")
    sent = server.seen[-1][2]["authorization"].removeprefix("Basic ")
    assert b64decode(sent).decode() == "jürgen:密码"
    assert sent in endpoint.secrets


def test_the_environment_of_the_process_sends_nothing_else(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login ops password {PASSWORD}", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    Prometheus(Endpoint("plain", f"{server.url}/ok")).instant("up")
    assert "authorization" not in server.seen[-1][2]
    assert "cookie" not in server.seen[-1][2]


def places(endpoint: Endpoint) -> list[str]:
    """Return every text into which an endpoint and its client may get without being asked to reveal."""
    client = Prometheus(endpoint)
    return [
        repr(endpoint),
        str(endpoint),
        f"{endpoint}",
        repr(endpoint.password),
        repr(dataclasses.asdict(endpoint)),
        json.dumps(dataclasses.asdict(endpoint), default=str),
        repr(copy.deepcopy(endpoint)),
        repr(client),
        repr(client._connect),
        repr(client._session),
        endpoint.identity,
    ]


@pytest.mark.parametrize("which", [0, 1], ids=["basic", "bearer"])
def test_no_print_holds_a_secret(server: FaultServer, which: int) -> None:
    endpoint = logins(server.url)[which]
    assert not [secret for secret in WITHHELD for text in places(endpoint) if secret in text]


@pytest.mark.parametrize("which", [0, 1], ids=["basic", "bearer"])
def test_a_pickle_is_refused(server: FaultServer, which: int) -> None:
    endpoint = logins(server.url)[which]
    for held in (endpoint, Prometheus(endpoint), Prometheus(endpoint)._session):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(held)
    assert pickle.loads(pickle.dumps(Endpoint("plain", server.url))).url == server.url  # noqa: S301 - our own


@pytest.mark.parametrize("which", [0, 1], ids=["basic", "bearer"])
@pytest.mark.parametrize(
    "case", [*REPLIES, "echo", "hang", "drip", "cut", "no_http", "huge", "refused", "tls"]
)
def test_no_fault_log_or_traceback_holds_a_secret(server: FaultServer, case: str, which: int) -> None:
    url = {
        "refused": f"http://127.0.0.1:{free_port()}",
        "tls": f"https://127.0.0.1:{server.port}",
    }.get(case, f"{server.url}/{case}")
    endpoint = logins(url)[which]
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    shown: list[str] = []
    try:
        shown.append(repr(Prometheus(endpoint).instant("up")))
    except MonitoringFault as fault:
        logging.getLogger("test").exception("a query failed")
        rows = traceback.TracebackException.from_exception(fault, capture_locals=False)
        shown += [repr(fault), str(fault), str(fault.as_dict()), "".join(rows.format())]
        shown += [pickle.dumps(fault).decode("latin-1"), str(fault.title)]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    shown.append(lines.getvalue())
    assert not [secret for secret in WITHHELD for text in shown if secret in text]


def test_the_store_cannot_print_what_we_sent_it(server: FaultServer) -> None:
    with pytest.raises(MonitoringFault) as caught:
        Prometheus(logins(f"{server.url}/echo")[0]).instant("up")
    assert server.seen[-1][2]["authorization"] == f"Basic {LOGIN}"
    assert "…" in caught.value.message


def test_an_identity_tells_endpoints_apart() -> None:
    url = "http://a"
    known = [
        Endpoint("a", url),
        Endpoint("b", url),
        Endpoint("a", "http://b"),
        Endpoint("a", url, token=Secret("1")),
        Endpoint("a", url, token=Secret("2")),
    ]
    assert len({endpoint.identity for endpoint in known}) == len(known)
    assert Endpoint("a", url).identity == known[0].identity
    assert len(set(known)) == len(known)


def test_what_the_readme_says_is_read(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Connect your Prometheus")[1].split("\n## ")[0]
    (example,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    found = from_file(tmp_path, example.replace("/etc/ssl/company.pem", requests.certs.where()))
    assert found.faults == ()
    assert [endpoint.name for endpoint in found.endpoints] == ["production", "lab"]
    assert set(re.findall(r"`(PROMETHEUS_\w+)`", section)) == set(VARIABLES.values())
    assert {f"`{name}`" in section for name in (*FIELDS, TYPED)} == {True}
    assert f"{MOST_BYTES >> 20} MB" in section
