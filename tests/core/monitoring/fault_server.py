"""A server on loopback that answers as broken stores and what stands before them do: the path says how."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], bytes]


def success(result: list[Any], kind: str = "vector", **more: Any) -> Reply:
    document = {"status": "success", "data": {"resultType": kind, "result": result}, **more}
    return 200, {}, json.dumps(document, separators=(",", ":")).encode()


def error(status: int, kind: str, words: str) -> Reply:
    return status, {}, json.dumps({"status": "error", "errorType": kind, "error": words}).encode()


def sample(value: str, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [1_700_000_000, value]}


def series(values: list[tuple[float, str]], **labels: str) -> dict[str, Any]:
    return {"metric": labels, "values": [list(pair) for pair in values]}


REPLIES: dict[str, Reply] = {
    "ok": success([sample("42", gpu="0")]),
    "login": (401, {"WWW-Authenticate": "Basic"}, b"Unauthorized"),
    "forbidden": (403, {}, b"no"),
    "missing": (404, {}, b"<html>404</html>"),
    "bad_query": error(400, "bad_data", 'invalid parameter "query": 1:4: parse error: unexpected limit'),
    "too_many_samples": error(
        422, "execution", "query processing would load too many samples into memory in query execution"
    ),
    "resolution": error(400, "bad_data", "exceeded maximum resolution of 11,000 points per timeseries."),
    "vm_points": error(
        422, "422", 'error when executing query="timeout": too many points for the given step'
    ),
    "vm_quotes": error(422, "422", 'error when executing query="a_timeout_limit": unknown function'),
    "same_labels": error(422, "execution", "vector cannot contain metrics with the same labelset"),
    "two_matches": error(
        422, "execution", "found duplicate series for the match group {a} on the right side"
    ),
    "rate": (429, {"Retry-After": "1"}, b"too many outstanding requests"),
    "busy": (503, {}, b"Service Unavailable"),
    "gave_up": error(503, "timeout", "query timed out in expression evaluation"),
    "broken": error(500, "internal", "index out of range"),
    "gateway": (502, {}, b"<html>bad gateway</html>"),
    "gateway_slow": (504, {}, b"<html>gateway timeout</html>"),
    "too_long": (414, {}, b""),
    "page": (200, {"Content-Type": "text/html"}, b"<html>please log in</html>"),
    "other_json": (200, {}, b'{"hello": "world"}'),
    "list_json": (200, {}, b"[1, 2]"),
    "no_result": (200, {}, b'{"status": "success", "data": {"resultType": "vector"}}'),
    "odd_rows": success([1, 2]),
    "odd_values": success([{"metric": {}, "value": 7}]),
    "odd_metric": success([{"metric": [], "value": [1, "1"]}]),
    "error_200": error(200, "execution", "boom"),
    "truncated": (200, {}, success([sample("42", gpu="0")])[2][:40]),
    "deep": (200, {}, b'{"a":' * 50_000),
    "not_gzip": (200, {"Content-Encoding": "gzip"}, b"\x1f\x8bno gzip at all"),
    "bomb": (200, {"Content-Encoding": "gzip"}, gzip.compress(b" " * (100 << 20))),
    "empty": success([]),
    "scalar": success([1_700_000_000.5, "3.25"], "scalar"),
    "string": success([1_700_000_000, "text"], "string"),
    "not_finite": success([sample(text, gpu=text) for text in ("NaN", "+Inf", "-Inf", "1e-7")]),
    "all_nan": success([sample("NaN", gpu="0"), sample("+Inf", gpu="1")]),
    "histogram": success([{"metric": {}, "histogram": [1, {"count": "1"}]}, sample("1", gpu="0")]),
    "duplicates": success([sample("1", gpu="0"), sample("2", gpu="0")]),
    "renamed": success([sample("1", hostname="n-1"), sample("2", hostname="n-2")]),
    "warned": success([sample("1", gpu="0")], warnings=["store n-2: connection refused"]),
    "annotated": success(
        [sample("1", gpu="0")], infos=["PromQL info: no counter"], warnings=["PromQL warning: mixed"]
    ),
    "vm_partial": success([sample("1", gpu="0")], isPartial=True),
    "odd_labels": success(
        [{"metric": {"values": '[["', "number": 7, "text": '"values":[[1,"2"]]'}, "value": [1, "1"]}]
    ),
    "redirect": (302, {"Location": "http://169.254.169.254/latest?token=abc"}, b""),
    "redirect_odd": (307, {"Location": "http://[::1"}, b""),
}


class FaultServer:
    """Where it listens, and the requests that it saw: (method, path, headers in lower case, body)."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections = 0
        self.running = 0
        self.most_running = 0


@contextmanager
def fault_server(certificate: tuple[str, str] | None = None) -> Iterator[FaultServer]:
    """Run the server; the first step of a path is one of `REPLIES` or of the slow ones below.

    With the files of *certificate* and its key it speaks TLS.
    """
    ending = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            known.connections += 1
            super().setup()

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            known.seen.append((self.command, self.path, headers, body))
            case = self.path.split("/")[1]
            known.running += 1
            known.most_running = max(known.most_running, known.running)
            try:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    slow.get(case, Handler.plain)(self)
            finally:
                known.running -= 1

        def plain(self) -> None:
            status, headers, body = self.reply()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def reply(self) -> Reply:
            case = self.path.split("/")[1]
            if case == "echo":
                return error(400, "bad_data", " ".join(known.seen[-1][2].values()))
            if case == "skew":
                return success([time.time() + 90, str(time.time() + 90)], "scalar")
            return REPLIES[case]

        def hang(self) -> None:
            ending.wait(10)

        def pause(self) -> None:
            ending.wait(0.15)
            self.plain_of("ok")

        def plain_of(self, case: str) -> None:
            self.path = f"/{case}"
            self.plain()

        def drip(self) -> None:
            """A byte of the body every 50 ms, so that the socket is never silent for long."""
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            while not ending.wait(0.05):
                self.wfile.write(b" ")

        def drip_headers(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not ending.wait(0.05):
                self.wfile.write(b"x")

        def huge_redirect(self) -> None:
            self.huge(302)

        def huge(self, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Location", "/ok")
            self.send_header("Content-Length", str(200 << 20))
            self.end_headers()
            for _ in range(200):
                self.wfile.write(b" " * (1 << 20))

        def cut(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"status":')
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

        def no_http(self) -> None:
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    slow: dict[str, Callable[[Handler], None]] = {
        name: getattr(Handler, name)
        for name in ("hang", "pause", "drip", "drip_headers", "huge", "huge_redirect", "cut", "no_http")
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    known = FaultServer(server.server_port)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield known
    finally:
        ending.set()
        server.shutdown()
        server.server_close()
