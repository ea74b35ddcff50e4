"""The connection below the client: one deadline, one address, no redirects, and a limit to what is read."""

from __future__ import annotations

import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Never

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry
from urllib3.util.ssl_ import create_urllib3_context

from core.monitoring.addresses import Address, look_up
from core.monitoring.answers import Document
from core.monitoring.endpoints import Endpoint
from core.monitoring.faults import MonitoringFault
from core.monitoring.replies import document_of

MOST_BYTES = 64 * 2**20
"""What one answer may have, decompressed: some 1.5 million points."""

MOST_PARALLEL = 4
"""Queries at once to one address; VictoriaMetrics and small stores queue what is more."""

_CHUNK = 1 << 18


@dataclass(frozen=True)
class _Journey:
    """The request that a thread is on: for whom, and until when by the monotonic clock."""

    endpoint: Endpoint
    end: float

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, never 0, which a socket takes for "do not wait"."""
        return max(self.end - time.monotonic(), 1e-3)

    @property
    def over(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.end

    def late(self) -> MonitoringFault:
        """Return the fault of a deadline that has passed."""
        endpoint = self.endpoint
        return MonitoringFault(
            "timeout", "timeout.answer", host=endpoint.address.host, seconds=endpoint.deadline_s
        )


_journey: ContextVar[_Journey] = ContextVar("journey")


class _TimedSocket(socket.socket):
    """A socket whose every step ends at the deadline of the request, so that a slow drip ends there too."""

    def sendall(self, *arguments: Any) -> None:
        """Send all by the deadline."""
        self.settimeout(_time_left())
        super().sendall(*arguments)

    def recv_into(self, *arguments: Any) -> int:
        """Read at most until the deadline."""
        self.settimeout(_time_left())
        return super().recv_into(*arguments)


class _TimedTLSSocket(ssl.SSLSocket):
    """As `_TimedSocket`, encrypted."""

    def send(self, *arguments: Any) -> int:
        """Send a part by the deadline."""
        self.settimeout(_time_left())
        return super().send(*arguments)

    def recv_into(self, *arguments: Any) -> int:
        """Read at most until the deadline."""
        self.settimeout(_time_left())
        return super().recv_into(*arguments)


def _time_left() -> float:
    journey = _journey.get()
    if journey.over:
        raise TimeoutError
    return journey.left_s


def _connect() -> socket.socket:
    """Look the name up once, and connect to one of its addresses, each of which was judged.

    Raises:
        MonitoringFault: `unreachable`, `timeout` or `blocked`.
    """
    journey = _journey.get()
    endpoint, address = journey.endpoint, journey.endpoint.address
    peers = look_up(address, endpoint.reach, journey.left_s)
    late = False
    for number, peer in enumerate(peers):
        sock = _TimedSocket(socket.AF_INET6 if ":" in peer else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # One address that swallows packets leaves the others their share of the time.
            sock.settimeout(journey.left_s / (len(peers) - number))
            sock.connect((peer, address.port))
            endpoint.reach.check_connected(address, sock.getpeername()[0], sock.getsockname()[0])
            # The handshake of TLS has what is left of the time, not what was left before connecting.
            sock.settimeout(journey.left_s)
            return sock
        except MonitoringFault:
            sock.close()
            raise
        except OSError as error:
            sock.close()
            late = isinstance(error, TimeoutError)
    if late:
        raise MonitoringFault("timeout", "timeout.connect", host=address.host, port=address.port)
    raise MonitoringFault("unreachable", "unreachable.refused", host=address.host, port=address.port)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect()


class _TLSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect()

    def connect(self) -> None:
        """Connect, and say what is wrong with a certificate."""
        try:
            super().connect()
        except (ssl.SSLError, urllib3.exceptions.SSLError) as error:
            raise _tls_fault(error) from None


def _tls_fault(error: Exception) -> MonitoringFault:
    inner: Any = error
    while inner.args and isinstance(inner.args[0], Exception):
        inner = inner.args[0]
    reason = getattr(inner, "verify_message", "") or getattr(inner, "reason", "") or "TLS"
    host = _journey.get().endpoint.address.host
    return MonitoringFault("unreachable", "unreachable.tls", host=host, reason=str(reason)[:120])


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _Adapter(HTTPAdapter):
    """Makes connections that keep to the deadline and the address; retries nothing."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of our own connections."""
        context = create_urllib3_context()
        context.sslsocket_class = _TimedTLSSocket
        super().init_poolmanager(*arguments, ssl_context=context, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


class _Gate:
    """Lets few requests at a time through to one address, whichever clients they come from."""

    def __init__(self) -> None:
        self.places = threading.BoundedSemaphore(MOST_PARALLEL)


_gates: weakref.WeakValueDictionary[str, _Gate] = weakref.WeakValueDictionary()
_gates_change = threading.Lock()


def _gate_of(address: Address) -> _Gate:
    place = f"{address.host}:{address.port}"
    with _gates_change:
        gate = _gates.get(place)
        if gate is None:
            gate = _gates[place] = _Gate()
        return gate


class GuardedSession(requests.Session):
    """A session for one endpoint, for many threads.

    It follows no redirect, reads no proxy or password from the environment, keeps no cookie, sends the
    parameters of a POST in its body, and keeps `deadline_s` from the look-up of the name to the last byte.
    `take` returns the body that the thread read last, with what PrometheusConnect drops.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._gate = _gate_of(endpoint.address)
        self._adapter: BaseAdapter = _Adapter(
            max_retries=Retry(0, read=False), pool_connections=1, pool_maxsize=MOST_PARALLEL
        )
        self._thread = threading.local()
        self.trust_env = False
        self.verify = endpoint.ca or True
        self.cert = (endpoint.cert, endpoint.key) if endpoint.cert and endpoint.key else endpoint.cert
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers.update({"User-Agent": "llm-deployment-planner", "Accept-Encoding": "gzip"})
        for prefix in ("http://", "https://"):
            self.mount(prefix, self._adapter)

    def mount(self, prefix: str, adapter: BaseAdapter) -> None:
        """Keep our own adapter: PrometheusConnect mounts one that retries and follows its own rules."""
        super().mount(prefix, getattr(self, "_adapter", adapter))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Know of no redirect: to prepare one that is not followed, requests would read all of the body."""

    def __getstate__(self) -> Never:
        raise TypeError("A session that knows secrets is not pickled.")

    def take(self) -> Document:
        """Return what this thread read last, and keep it no longer."""
        found: Document = self._thread.__dict__.pop("document")
        return found

    def request(self, method: str, url: str | bytes, *_: Any, **options: Any) -> requests.Response:
        """Ask once; return the answer, read to its end.

        Raises:
            MonitoringFault: anything but a success that a Prometheus answers.
        """
        endpoint = self._endpoint
        journey = _Journey(endpoint, time.monotonic() + endpoint.deadline_s)
        if method.upper() == "POST" and options.get("params"):
            options["data"], options["params"] = options["params"], None
        options |= {"allow_redirects": False, "stream": True, "timeout": endpoint.deadline_s}
        with self._place(journey), _faults(journey):
            token = _journey.set(journey)
            try:
                response = super().request(method, url, **options)
                with response:
                    body = _body(response, journey)
            finally:
                _journey.reset(token)
        document = document_of(response.status_code, response.headers, body, endpoint)
        self._thread.document = document
        # PrometheusConnect returns this, and drops all else that the document has: `take` gives it whole.
        response.json = lambda **_: {"data": {"result": []}}  # type: ignore[method-assign]
        return response

    @contextmanager
    def _place(self, journey: _Journey) -> Iterator[None]:
        """Wait for one of the places, but no longer than the deadline."""
        if not self._gate.places.acquire(timeout=journey.left_s):
            raise MonitoringFault(
                "timeout", "timeout.queue", host=self._endpoint.address.host, most=MOST_PARALLEL
            )
        try:
            yield
        finally:
            self._gate.places.release()


def _body(response: requests.Response, journey: _Journey) -> bytearray:
    """Return the body, decompressed; stop where it is too long or too late."""
    body = bytearray()
    read: Callable[..., bytes] = response.raw.read
    while part := read(_CHUNK, decode_content=True):
        body += part
        if len(body) > MOST_BYTES:
            raise MonitoringFault("too_much_data", "too_much_data.bytes", most=MOST_BYTES // 2**20)
        if journey.over:
            raise journey.late()
    return body


@contextmanager
def _faults(journey: _Journey) -> Iterator[None]:
    """Turn what goes wrong below into a fault; their own words may hold an address or a header."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        host = journey.endpoint.address.host
        if journey.over or isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
            raise journey.late() from None
        if isinstance(error, urllib3.exceptions.DecodeError):
            raise MonitoringFault("not_prometheus", "not_prometheus.truncated", host=host) from None
        if not isinstance(error, (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError)):
            # What is left are files: of the certificate authority, the certificate and its key.
            raise MonitoringFault("unreachable", "unreachable.certificate", host=host) from None
        raise MonitoringFault("unreachable", "unreachable.broke_off", host=host) from None
