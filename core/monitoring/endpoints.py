"""Which Prometheus there is: named endpoints from the environment and from the secrets file, and typed-in ones."""

from __future__ import annotations

import hashlib
import os
import re
import ssl
import tomllib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Never
from urllib.parse import unquote

from core.monitoring.addresses import OPERATOR, Address, Reach, reach_of_typed, read_address
from core.monitoring.faults import MonitoringFault

SECRETS = Path(".streamlit/secrets.toml")
DEADLINE_S = 10.0
DEADLINES_S = (0.1, 300.0)

TEXT_FIELDS = ("url", "username", "password", "token", "ca", "cert", "key")
FIELDS = (*TEXT_FIELDS, "headers", "deadline_s")
VARIABLES = {name: f"PROMETHEUS_{name.upper()}" for name in (*FIELDS, "name")}
"""The environment variables of the one endpoint that the environment may describe."""

ENVIRONMENT = "environment"
"""How the entry is called that the environment describes; faults name the variable instead."""

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_PRINTABLE = re.compile(r"[\x20-\x7e]+", re.ASCII)
# Those of the connection itself, which would change what is asked of whom.
_RESERVED = {"host", "connection", "transfer-encoding", "content-length", "content-type", "accept-encoding"}
_KEYED = os.urandom(16)


class Secret:
    """A text that no print, log, pickle or traceback shows; `reveal` is for the connection."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: Any) -> Never:
        raise TypeError("A secret is not pickled: hand the endpoint's name on, and read it anew.")


@dataclass(frozen=True)
class Endpoint:
    """A Prometheus, or what speaks its API: where it is and how to show who asks.

    *url* is http(s)://host[:port][/prefix]. *username* with *password* is basic authentication, *token* a
    bearer token; *headers* are sent as they are (`X-Scope-OrgID`). *ca*, *cert* and *key* are files in PEM.
    *deadline_s* is how long one query may take, from the look-up of the name to the last byte. *demo*
    marks the one that the dashboard started itself, *typed* one that a person typed in.
    """

    name: str
    url: str
    username: str | None = None
    password: Secret | None = None
    token: Secret | None = None
    headers: tuple[tuple[str, Secret], ...] = ()
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    deadline_s: float = DEADLINE_S
    demo: bool = False
    typed: bool = False
    reach: Reach = field(default=OPERATOR, repr=False)

    def __post_init__(self) -> None:
        address = read_address(self.url)
        self.reach.check_host(address)
        object.__setattr__(self, "url", address.url)

    @property
    def address(self) -> Address:
        """Where it is."""
        return read_address(self.url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that must not be shown."""
        known = (self.password, self.token, *(value for _, value in self.headers))
        texts = [secret.reveal() for secret in known if secret is not None]
        if self.username is not None and self.password is not None:
            login = f"{self.username}:{self.password.reveal()}"
            texts.append(b64encode(login.encode()).decode())
        return tuple(texts)

    @property
    def identity(self) -> str:
        """A text that differs where anything of the endpoint differs, secrets too, and tells nothing of them.

        It is another one in each process; good as the key of a cache.
        """
        known = (repr(self), self.reach, self.secrets)
        return hashlib.blake2b(repr(known).encode(), key=_KEYED, digest_size=16).hexdigest()


@dataclass(frozen=True)
class Configuration:
    """The endpoints that can be used, and a fault for each that cannot."""

    endpoints: tuple[Endpoint, ...]
    faults: tuple[MonitoringFault, ...]


def configured(
    environ: Mapping[str, str] | None = None, secrets: Path | None = SECRETS
) -> tuple[Endpoint, ...]:
    """Return the endpoints that the operator configured, that of the environment first."""
    return configuration(environ, secrets).endpoints


def configuration(environ: Mapping[str, str] | None = None, secrets: Path | None = SECRETS) -> Configuration:
    """Return what the environment and the file *secrets* say; one bad entry leaves the others as they are."""
    entries, faults = _entries(os.environ if environ is None else environ, secrets)
    endpoints: dict[str, Endpoint] = {}
    for entry, name, values in entries:
        try:
            if name in endpoints:
                _bad(entry, "name", "twice", name=name)
            endpoints[name] = _endpoint(entry, name, values)
        except MonitoringFault as fault:
            faults.append(fault)
    return Configuration(tuple(endpoints.values()), tuple(faults))


def typed(url: str, environ: Mapping[str, str] | None = None, *, loopback_only: bool = False) -> Endpoint:
    """Return the endpoint of an address that a person typed in; it has no secrets.

    *loopback_only* says that the dashboard listens on this machine alone.

    Raises:
        MonitoringFault: `blocked` where the operator does not allow it, `bad_url`.
    """
    reach = reach_of_typed(os.environ if environ is None else environ, loopback_only=loopback_only)
    address = read_address(url)
    return Endpoint(f"{address.host}:{address.port}", url, typed=True, reach=reach)


Entry = tuple[str, str, dict[str, Any]]


def _entries(environ: Mapping[str, str], secrets: Path | None) -> tuple[list[Entry], list[MonitoringFault]]:
    """Return (how a fault names it, name, fields) of each entry."""
    entries: list[Entry] = []
    given = {
        name: environ[variable] for name, variable in VARIABLES.items() if environ.get(variable, "").strip()
    }
    name = given.pop("name", "prometheus")
    if given:
        entries.append((ENVIRONMENT, name, dict(given)))
    try:
        text = secrets.read_text(encoding="utf-8") if secrets is not None else ""
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError):
        return entries, [_fault(str(secrets), "", "unreadable")]
    try:
        table = tomllib.loads(text).get("prometheus", {})
    except tomllib.TOMLDecodeError as error:
        # The parser's words may quote the file.
        line = re.search(r"line (\d+)", str(error))
        return entries, [_fault(str(secrets), "", "no_toml", line=line[1] if line else "?")]
    if not isinstance(table, dict) or not all(isinstance(values, dict) for values in table.values()):
        return entries, [_fault("prometheus", "", "no_table")]
    entries += [(f"prometheus.{name}", name, values) for name, values in table.items()]
    return entries, []


def _fault(entry: str, name: str, key: str, /, **values: Any) -> MonitoringFault:
    first, dot, rest = name.partition(".")
    place = f"{entry}.{name}" if name else entry
    if entry == ENVIRONMENT:
        place = f"{VARIABLES[first]}{dot}{rest}"
    return MonitoringFault("bad_configuration", f"configuration.{key}", field=place, entry=place, **values)


def _bad(entry: str, name: str, key: str, /, **values: Any) -> Never:
    raise _fault(entry, name, key, **values)


def _endpoint(entry: str, name: str, values: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint of one entry.

    Raises:
        MonitoringFault: `bad_configuration`, with entry and field; never the value, which may be a secret.
    """
    for unknown in values.keys() - set(FIELDS):
        _bad(entry, unknown, "unknown", known=", ".join(FIELDS))
    texts = {one: _text(entry, one, values[one]) for one in TEXT_FIELDS if one in values}
    if "url" not in texts:
        _bad(entry, "url", "no_url")
    username, password, token = texts.get("username"), texts.get("password"), texts.get("token")
    if (username is None) != (password is None):
        _bad(entry, "password" if password is None else "username", "half")
    if username is not None and (token is not None or ":" in username):
        _bad(entry, "username", "two_ways" if token is not None else "colon")
    _check_files(entry, texts)
    try:
        return Endpoint(
            name,
            texts["url"],
            username=username,
            password=Secret(password) if password is not None else None,
            token=Secret(token) if token is not None else None,
            headers=_headers(entry, values.get("headers", {}), authenticated=bool(username or token)),
            ca=texts.get("ca"),
            cert=texts.get("cert"),
            key=texts.get("key"),
            deadline_s=_deadline(entry, values.get("deadline_s", DEADLINE_S)),
        )
    except MonitoringFault as fault:
        if fault.fault == "bad_configuration":
            raise
        _bad(entry, "url", "url", reason=fault.sentence)


def _check_files(entry: str, texts: Mapping[str, str]) -> None:
    """Load the files of TLS once, so that a mistake is named by its field and not by a failing connection."""
    if "key" in texts and "cert" not in texts:
        _bad(entry, "key", "key_alone")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for one in ("ca", "cert", "key"):
        if one in texts and not (Path(texts[one]).is_file() and os.access(texts[one], os.R_OK)):
            _bad(entry, one, "no_file")
    try:
        if "ca" in texts:
            context.load_verify_locations(texts["ca"])
    except (OSError, ValueError):
        _bad(entry, "ca", "no_certificate")
    try:
        if "cert" in texts:
            # A password is never asked for on the terminal; an empty one opens no encrypted key.
            context.load_cert_chain(texts["cert"], texts.get("key"), password="")
    except (OSError, ValueError):
        _bad(entry, "key" if "key" in texts else "cert", "no_key")


def _text(entry: str, name: str, value: Any) -> str:
    """Return *value* if it is one line of text; a token is a header as it is, and these are ASCII."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or not text.isprintable() or (name == "token" and not text.isascii()):
        _bad(entry, name, "no_text")
    return text


def _headers(entry: str, value: Any, *, authenticated: bool) -> tuple[tuple[str, Secret], ...]:
    """Return the headers, from a table or as `name=value,name=value` with percent signs, as OpenTelemetry has them."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        value = {name.strip(): unquote(rest.strip()) for name, _, rest in pairs}
    if not isinstance(value, Mapping):
        _bad(entry, "headers", "headers")
    found: list[tuple[str, Secret]] = []
    for name, text in value.items():
        if not _HEADER.fullmatch(name) or not isinstance(text, str) or not _PRINTABLE.fullmatch(text.strip()):
            _bad(entry, "headers", "headers")
        if name.lower() in _RESERVED or (authenticated and name.lower() == "authorization"):
            _bad(entry, f"headers.{name}", "reserved")
        found.append((name, Secret(text.strip())))
    return tuple(found)


def _deadline(entry: str, value: Any) -> float:
    low, high = DEADLINES_S
    try:
        seconds = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        seconds = float("nan")
    if not low <= seconds <= high:
        _bad(entry, "deadline_s", "deadline", low=low, high=high)
    return seconds
