"""A hundred people on one server, each changing the Size page every five seconds.

Raw websocket sessions on loopback, without a browser: what the server takes until a rerun has finished, its
CPU and its memory. The bar: 90 % below 500 ms on two cores.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.benchmarks.bench_page import server_at
from tests.conftest import serve

SESSIONS = 100
ROUNDS = 8
THINK_S = 5.0
LABEL = "Concurrent requests"


class Visitor:
    """One session: opens the page, then moves the slider now and then."""

    def __init__(self, url: str) -> None:
        self.address = url.replace("http", "ws") + "/_stcore/stream"
        self.slider = ""
        self.fragment = ""
        self.options: list[str] = []
        self.took: list[float] = []

    async def visit(self, ready: asyncio.Semaphore, begin: asyncio.Event) -> None:
        """Open the page, wait for the others, then change the slider ROUNDS times."""
        async with websockets.connect(self.address, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
            async with ready:
                await self.rerun(socket, None)
            await begin.wait()
            await asyncio.sleep(random.uniform(0, THINK_S))  # noqa: S311 - a pause
            for number in range(ROUNDS):
                value = self.options[number % 12 + 1]
                began = time.perf_counter()
                await self.rerun(socket, value)
                self.took.append(time.perf_counter() - began)
                await asyncio.sleep(random.uniform(0.5, 1.5) * THINK_S)  # noqa: S311

    async def rerun(self, socket: websockets.ClientConnection, value: str | None) -> None:
        """Ask for a run of the page, with the slider at *value*, and read until it has finished."""
        message = BackMsg()
        message.rerun_script.page_name = "size"
        if value is not None:
            state = message.rerun_script.widget_states.widgets.add()
            state.id = self.slider
            state.string_array_value.data.append(value)
            message.rerun_script.fragment_id = self.fragment
        await socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(bytes(await socket.recv()))  # type: ignore[arg-type]
            if answer.WhichOneof("type") == "script_finished":
                return
            if answer.WhichOneof("type") == "delta":
                element = answer.delta.new_element
                if element.WhichOneof("type") == "slider" and element.slider.label == LABEL:
                    self.slider, self.fragment = element.slider.id, answer.delta.fragment_id
                    self.options = list(element.slider.options)
                if element.WhichOneof("type") == "exception":
                    raise RuntimeError(element.exception.message)


async def crowd(url: str, server: psutil.Process) -> None:
    """Let SESSIONS visitors in, start them together, and print what they saw."""
    visitors = [Visitor(url) for _ in range(SESSIONS)]
    ready, begin = asyncio.Semaphore(4), asyncio.Event()
    before = server.memory_info().rss
    tasks = [asyncio.create_task(visitor.visit(ready, begin)) for visitor in visitors]
    while not all(visitor.slider for visitor in visitors):
        await asyncio.sleep(0.2)
        if any(task.done() for task in tasks):
            break
    await asyncio.sleep(1)
    loaded = server.memory_info().rss
    cpu, began = sum(server.cpu_times()[:2]), time.perf_counter()
    begin.set()
    await asyncio.gather(*tasks)
    cpu, took_s = sum(server.cpu_times()[:2]) - cpu, time.perf_counter() - began
    took = sorted(1000 * took for visitor in visitors for took in visitor.took)
    tenths = statistics.quantiles(took, n=100)
    print(
        f"{SESSIONS} sessions, {len(took)} changes in {took_s:.0f} s (load {os.getloadavg()[0]:.1f}): "
        f"median {tenths[49]:.0f} ms, 90 % below {tenths[89]:.0f} ms, 99 % below {tenths[98]:.0f} ms; "
        f"server CPU {1000 * cpu / len(took):.0f} ms a change, {cpu / took_s:.2f} cores; "
        f"memory {before / 2**20:.0f} -> {loaded / 2**20:.0f} MiB"
    )


def main() -> None:
    """Serve the dashboard and let the crowd in."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder) / "log") as url:
        asyncio.run(crowd(url, server_at(url)))


if __name__ == "__main__":
    main()
