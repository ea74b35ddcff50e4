"""Time and memory of a big range query: ours, against the bare client with MetricRangeDataFrame.

A server on loopback hands out a body that was made before; each way runs in a process of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil

SIZES = ((64, 1440), (1000, 1440), (10_000, 60))
STEP_S = 60
START = 1_700_000_040
CLIENTS = ("ours", "bare")


def body(series: int, points: int) -> bytes:
    """Return what a Prometheus would answer: values of a GPU with four digits."""
    rows = []
    for number in range(series):
        labels = {
            "Hostname": f"node-{number // 8:04}",
            "UUID": f"GPU-{number:032x}",
            "gpu": str(number % 8),
            "instance": f"10.0.{number // 2048}.{number // 8 % 256}:9400",
            "job": "dcgm",
            "modelName": "NVIDIA H100 80GB HBM3",
        }
        values = [
            [START + STEP_S * i, f"{(number * 7919 + i * 104_729) % 10_000 / 100}"] for i in range(points)
        ]
        rows.append({"metric": labels, "values": values})
    document = {"status": "success", "data": {"resultType": "matrix", "result": rows}}
    return json.dumps(document, separators=(",", ":")).encode()


def serve(content: bytes) -> ThreadingHTTPServer:
    small = body(1, 2)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.answer()

        def answer(self) -> None:
            said = small if self.path.startswith("/small") else content
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def ask_ours(url: str, end: int) -> tuple[int, ...]:
    from core.monitoring.endpoints import Endpoint
    from core.monitoring.prometheus import Prometheus

    client = Prometheus(Endpoint("bench", url, deadline_s=120))
    # The server answers with all its points whatever step is asked for; the step is that of the body.
    return client.range("x", START, end, STEP_S).values.shape


def ask_bare(url: str, end: int) -> tuple[int, ...]:
    from datetime import UTC, datetime

    from prometheus_api_client import MetricRangeDataFrame, PrometheusConnect

    begin, until = (datetime.fromtimestamp(at, UTC) for at in (START, end))
    return MetricRangeDataFrame(
        PrometheusConnect(url).custom_query_range("x", begin, until, str(STEP_S))
    ).shape


def measure(client: str, url: str, end: int) -> None:
    """Print seconds of wall clock and CPU and the growth of the process at its peak, after a first small query."""
    ask = {"ours": ask_ours, "bare": ask_bare}[client]
    ask(f"{url}/small", START + STEP_S)
    process = psutil.Process()
    before = process.memory_info().rss
    began, cpu = time.perf_counter(), time.process_time()
    shape = ask(url, end)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    # Not ru_maxrss, which a process inherits from the one that started it.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 - before
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "shape": shape}))


def main() -> None:
    """Print one line a size and client."""
    print(f"{'series x points':>16} {'JSON':>7} {'client':>7} {'seconds':>8} {'CPU s':>7} {'peak MB':>8}")
    for series, points in SIZES:
        content = body(series, points)
        server = serve(content)
        url = f"http://127.0.0.1:{server.server_port}"
        for client in CLIENTS:
            command = [sys.executable, __file__, client, url, str(START + STEP_S * (points - 1))]
            found = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
            print(
                f"{f'{series:,} x {points:,}':>16} {len(content) / 1e6:5.1f}MB {client:>7} "
                f"{found['seconds']:8.2f} {found['cpu']:7.2f} {found['peak'] / 1e6:8.0f}"
            )
        server.shutdown()


if __name__ == "__main__":
    if len(sys.argv) == 4:
        measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    else:
        main()
