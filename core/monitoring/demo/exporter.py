"""The exporters of the demo cluster: one HTTP server on loopback that answers for each target by its path.

    python -m core.monitoring.demo.exporter BEGAN HISTORY_S SEED [healthy | FAULT=ONSET_S …]

listens on a free port of 127.0.0.1 and prints it. It runs as a process of its own, so that scrapes do not wait for
the pages; `cluster` starts and ends it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from core.monitoring.demo.families import VLLM
from core.monitoring.demo.samples import Samples, Target, targets
from core.monitoring.demo.scenario import Scenario

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def escaped(value: str) -> str:
    """Return *value* as Prometheus' text format writes it between quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def labelled(labels: dict[str, str]) -> str:
    """Return *labels* as the text format writes them, with braces; nothing where there are none."""
    pairs = ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


class Exporter:
    """The text of each target at any time."""

    def __init__(self, scenario: Scenario) -> None:
        self.samples = Samples(scenario)
        self.targets = {target.path: target for target in targets(scenario)}
        # For each path: the place of a series in `Samples.values`, what stands before its value, its heading.
        self._lines: dict[str, list[tuple[int, str, str]]] = {path: [] for path in self.targets}
        for place, series in enumerate(self.samples.series):
            family = series.family
            heading = f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n"
            line = f"{series.name}{labelled(series.labels)} "
            self._lines[series.target.path].append((place, line, heading))
        self._lock = threading.Lock()

    def text(self, path: str, at: float) -> str | None:
        """Return what the target of *path* answers at *at* (unix seconds); None where its process is away."""
        target = self.targets[path]
        with self._lock:
            values = self.samples.values(np.array([at]))[:, 0]
            if target.job == VLLM and not self._up(target, at):
                return None
        parts, before = [], ""
        for place, line, heading in self._lines[path]:
            value = values[place]
            if np.isnan(value):
                continue
            if heading != before:
                parts.append(heading)
                before = heading
            parts.append(f"{line}{float(value)!r}\n")
        return "".join(parts)

    def _up(self, target: Target, at: float) -> bool:
        places = list(self.targets)
        return bool(self.samples.up(np.array([at]))[places.index(target.path), 0])


def server(exporter: Exporter, clock: Callable[[], float] = time.time) -> ThreadingHTTPServer:
    """Return a server on a free port of 127.0.0.1 that answers for the targets of *exporter*."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self) -> None:
            if self.path not in exporter.targets:
                self._reply(404, "")
                return
            text = exporter.text(self.path, clock())
            self._reply(200 if text is not None else 503, text or "")

        def _reply(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing: a line for each scrape helps nobody."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    return made


def main(began: str, history_s: str, seed: str, *options: str) -> None:
    """Serve until the process is ended."""
    scenario = Scenario(float(began), float(history_s), int(seed))
    onsets = dict(option.split("=") for option in options if "=" in option)
    scenario = scenario.with_onsets({fault: float(onset) for fault, onset in onsets.items()})
    listening = server(Exporter(scenario.healthy() if "healthy" in options else scenario))
    print(listening.server_address[1], flush=True)
    listening.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
