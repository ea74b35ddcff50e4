"""A store that scrapes a handful of series of each exporter, so that expressions can be tried for real."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.conftest import free_port, need


@dataclass(frozen=True)
class Scene:
    """One target: its text at a time (seconds since the start), and the labels that the scrape adds."""

    id: str
    text: Callable[[float], str]
    labels: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> frozenset[str]:
        """Return the metric names that a store has of it."""
        lines = [line for line in self.text(1.0).splitlines() if line and not line.startswith("#")]
        own = {line.split("{")[0].split(" ")[0] for line in lines}
        return frozenset(own | {"up"})


@contextmanager
def serving(scenes: Mapping[str, Scene]) -> Iterator[int]:
    """Serve each scene at /<id>; yields the port."""
    start = time.time()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = scenes[self.path.strip("/")].text(time.time() - start).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class Store:
    """A running store; `ask` gives the series of an instant query as (labels, value)."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str) -> list[tuple[dict[str, str], float]]:
        body = urllib.parse.urlencode({"query": query}).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query", body, timeout=20) as answer:
                data = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}\n{error.read().decode()}") from error
        return [
            ({name: value for name, value in one["metric"].items() if value}, float(one["value"][1]))
            for one in data["data"]["result"]
        ]


@contextmanager
def store(kind: str, scenes: Mapping[str, Scene], folder: Path, ready_s: float) -> Iterator[Store]:
    """Start *kind* of store, which scrapes *scenes* every second; yields it after *ready_s* seconds of samples."""
    program = need(kind, kind)
    with serving(scenes) as targets:
        jobs = [
            {
                "job_name": scene.id,
                "metrics_path": f"/{scene.id}",
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "static_configs": [
                    {"targets": [f"127.0.0.1:{targets}"], "labels": {"scene": scene.id, **scene.labels}}
                ],
            }
            for scene in scenes.values()
        ]
        config = folder / "scrape.yml"
        config.write_text(json.dumps({"scrape_configs": jobs}), encoding="utf-8")
        port = free_port()
        listen = f"127.0.0.1:{port}"
        flags = {
            "prometheus": [
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={listen}",
            ],
            "victoria-metrics": [
                f"-promscrape.config={config}",
                f"-storageDataPath={folder / 'data'}",
                f"-httpListenAddr={listen}",
                "-search.latencyOffset=1s",
                "-search.disableCache",
            ],
        }[kind]
        log = (folder / "log").open("w")
        process = subprocess.Popen([program, *flags], stdout=log, stderr=subprocess.STDOUT)
        running = Store(f"http://{listen}")
        try:
            _wait(running, len(scenes), folder / "log", process)
            time.sleep(ready_s)
            yield running
        finally:
            process.terminate()
            process.wait(20)
            log.close()


def _wait(running: Store, count: int, log: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until each target has been scraped once."""
    end = time.time() + 60
    while time.time() < end:
        assert process.poll() is None, log.read_text()
        try:
            found = running.ask("count(up == 1)")
        except OSError:
            found = []
        if found and found[0][1] == count:
            return
        time.sleep(0.3)
    raise AssertionError(f"not all of {count} targets were scraped within 60 s:\n{log.read_text()[-3000:]}")
