"""The demo cluster as running programs: exporters, a history, and a store that scrapes them, all on loopback.

    with DemoCluster() as cluster:
        Prometheus(cluster.endpoint).instant("up")

Everything lives in a folder of its own below the system's temporary folder. Programs and folder go when `stop` is
called, and also when this process ends in any other way (`ward`). What a machine that lost its power has left,
the next start removes.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import orjson

from core.errors import PlannerError
from core.monitoring.demo import history, ward
from core.monitoring.demo.machine import FOLDER, free_port, missing_program, sweep
from core.monitoring.demo.samples import Samples, targets
from core.monitoring.demo.scenario import HOUR, Scenario
from core.monitoring.demo.stores import PROMETHEUS, Store, scrape_config
from core.monitoring.endpoints import Endpoint
from core.text import Sentence, say

ROOT = Path(__file__).parents[3]
START_S = 60.0
"""How long a start may take; on two busy cores it takes 8 to 15 s, 5 of which Prometheus waits before it scrapes."""
DEMO_URL = "MONITOR_DEMO"
"""The environment variable in which `make demo` tells the dashboard where its cluster is."""


class State(StrEnum):
    """How far a cluster is."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


class DemoUnavailable(PlannerError):
    """The demo cluster cannot be started, or ended while it started."""

    kind: ClassVar[str] = "demo_unavailable"


class DemoCluster:
    """A demo cluster: `start` it, use `endpoint`, `stop` it. A cluster can be started again after a stop.

    *history_s* seconds lie before the start, 0 for none: all faults are there from the first scrape. The store
    scrapes every *scrape_s* seconds; *onsets* are other times of faults, by name, in seconds from the start
    (`Node.onset_s`); *extra_config* goes into the store's configuration (rule_files, alerting, global).
    """

    def __init__(
        self,
        *,
        store: Store = PROMETHEUS,
        history_s: float = 6 * HOUR,
        scrape_s: float = 5.0,
        extra_config: Mapping[str, Any] | None = None,
        healthy: bool = False,
        onsets: Mapping[str, float] | None = None,
        seed: int = 1,
    ) -> None:
        self.store = store
        self.scrape_s = scrape_s
        self.state = State.STOPPED
        self.sentence: Sentence = say("monitoring.demo.stopped")
        self.folder: Path | None = None
        self._history_s, self._seed, self._healthy = history_s, seed, healthy
        self._onsets = dict(onsets or {})
        self.scenario = self._made()
        self._extra = dict(extra_config or {})
        self._port = self._exporter_port = 0
        self._wards: dict[str, subprocess.Popen[str]] = {}
        self._began = self._took = 0.0
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    @classmethod
    def running(cls, url: str) -> Self:
        """Return the cluster that another process runs with its store at *url*, which is theirs to stop."""
        cluster = cls()
        cluster._port = urllib.parse.urlsplit(url).port or 9090
        cluster.state, cluster.sentence = State.READY, say("monitoring.demo.elsewhere")
        return cluster

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the store answers."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def endpoint(self) -> Endpoint:
        """The store as an endpoint of the monitor."""
        return Endpoint("demo", self.url, demo=True)

    @property
    def ready(self) -> bool:
        """Whether it can be asked: history written, and each target scraped once."""
        return self.state is State.READY

    @property
    def seconds(self) -> float:
        """How long the start has taken so far, or took."""
        return time.monotonic() - self._began if self.state is State.STARTING else self._took

    def start(self) -> None:
        """Start everything, and return when it is ready.

        Raises:
            DemoUnavailable: a program is missing, or ends, or takes too long; nothing is left running.
        """
        with self._lock:
            if self.ready:
                return
            self._stopping.clear()
            self._began, self.state = time.monotonic(), State.STARTING
            try:
                self._start()
            except DemoUnavailable as error:
                self._end()
                self.sentence = error.sentence
                self.state = State.FAILED
                raise
            except BaseException:
                self._end()
                self.sentence, self.state = say("monitoring.demo.stopped"), State.STOPPED
                raise
            self._took = time.monotonic() - self._began
            self.sentence = say("monitoring.demo.ready", program=self.store.name, seconds=self._took)
            self.state = State.READY

    def begin(self) -> None:
        """Start in the background, unless it runs or starts already; `state` and `sentence` say how far it is."""
        if self.state in (State.STARTING, State.READY):
            return
        self._began, self.state = time.monotonic(), State.STARTING
        self.sentence = say("monitoring.demo.starting", program=self.store.name)

        def work() -> None:
            with contextlib.suppress(DemoUnavailable):
                self.start()

        threading.Thread(target=work, name="demo-cluster", daemon=True).start()

    def stop(self) -> None:
        """End all programs and remove the folder; does nothing where nothing runs."""
        self._stopping.set()
        with self._lock:
            self._end()
            self.sentence, self.state = say("monitoring.demo.stopped"), State.STOPPED

    def kill_prometheus(self) -> None:
        """Kill the store as a crash would (SIGKILL); its data and its port stay for `restart_prometheus`."""
        process = self._wards.pop("store")
        process.send_signal(signal.SIGUSR1)
        process.wait(10)
        _close(process)

    def restart_prometheus(self) -> None:
        """Start the store again after `kill_prometheus`, on the same port and data; return when it is ready."""
        self._start_store()
        self._wait_until_ready()

    def _made(self) -> Scenario:
        """Return the scenario of a cluster that starts now."""
        scenario = Scenario(time.time(), self._history_s, self._seed).with_onsets(self._onsets)
        return scenario.healthy() if self._healthy else scenario

    @property
    def _own(self) -> Path:
        """The folder of a cluster that has one."""
        if self.folder is None:
            raise DemoUnavailable("monitoring.demo.stopped")
        return self.folder

    def _start(self) -> None:
        if missing := missing_program(self.store):
            raise DemoUnavailable(missing.key, **missing.values)
        sweep()
        self.sentence = say("monitoring.demo.starting", program=self.store.name)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-"))
        self.scenario = self._made()
        self._start_exporter()
        self._port = free_port()
        self._start_store()
        self._wait_until_ready()
        if self._history_s > 0:
            self.sentence = say("monitoring.demo.writing", hours=self._history_s / HOUR)
            self._write_history()
        self.sentence = say("monitoring.demo.scraping", targets=len(targets(self.scenario)))
        self._wait_for_scrapes()

    def _run(self, name: str, command: list[str], log: str, *, talks: bool = False) -> subprocess.Popen[str]:
        """Start *command* in a ward; its output goes to the file *log*, or to us where it *talks*."""
        folder = self._own
        with (folder / log).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", ward.__file__, str(folder), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if talks else output,
                stderr=output,
                text=True,
                cwd=ROOT,
                # Ctrl-C in a terminal is for us alone.
                start_new_session=True,
            )
        self._wards[name] = process
        return process

    def _start_exporter(self) -> None:
        numbers = [repr(self.scenario.began), repr(self.scenario.history_s), str(self._seed)]
        command = [sys.executable, "-m", "core.monitoring.demo.exporter", *numbers]
        if self._healthy:
            command.append("healthy")
        command += [f"{fault}={onset!r}" for fault, onset in self._onsets.items()]
        process = self._run("exporter", command, "exporter.log", talks=True)
        line = process.stdout.readline().strip() if process.stdout else ""
        if not line.isdecimal():
            raise self._ended("exporter", "exporter.log")
        self._exporter_port = int(line)

    def _start_store(self) -> None:
        config = scrape_config(self.store, self.scenario, self._exporter_port, self.scrape_s, self._extra)
        (self._own / "scrape.yml").write_text(config, encoding="utf-8")
        program = shutil.which(self.store.program) or self.store.program
        command = self.store.command(program, f"127.0.0.1:{self._port}", self._own)
        self._run("store", command, "store.log")

    def _wait_until_ready(self) -> None:
        while self._get(self.store.ready) is None:
            self._pause()

    def _write_history(self) -> None:
        # More often than every few seconds, half an hour would be too many samples for a quick start.
        times = history.sampled(self.scenario.origin, self.scenario.began, max(self.scrape_s, 5.0))
        bodies = history.requests(Samples(self.scenario), times)
        try:
            history.write(self.url + self.store.write, bodies)
        except OSError as error:
            raise DemoUnavailable("monitoring.demo.refused", program=self.store.name, reason=error) from None
        if self.store.flush:
            self._get(self.store.flush)

    def _wait_for_scrapes(self) -> None:
        query = urllib.parse.urlencode({"query": f"count(timestamp(up) > {self.scenario.began + 0.5!r})"})
        wanted = len(targets(self.scenario))
        while True:
            answer = self._get(f"/api/v1/query?{query}")
            found = orjson.loads(answer)["data"]["result"] if answer else []
            if found and float(found[0]["value"][1]) == wanted:
                return
            self._pause()

    def _pause(self) -> None:
        """Wait a moment for the store.

        Raises:
            DemoUnavailable: it has ended, the start takes too long, or somebody wants an end to it.
        """
        if self._stopping.is_set():
            raise DemoUnavailable("monitoring.demo.stopped")
        if self._wards["store"].poll() is not None:
            raise self._ended(self.store.name, "store.log")
        if self.state is State.STARTING and self.seconds > START_S:
            raise DemoUnavailable("monitoring.demo.slow", program=self.store.name, seconds=START_S)
        time.sleep(0.05)

    def _get(self, path: str) -> bytes | None:
        try:
            with _DIRECT.open(self.url + path, timeout=5) as answer:
                body: bytes = answer.read()
                return body
        except OSError:
            return None

    def _ended(self, name: str, log: str) -> DemoUnavailable:
        lines = (self._own / log).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        reason = lines[-1][-300:] if lines else "-"
        return DemoUnavailable("monitoring.demo.ended", program=name, reason=reason)

    def _end(self) -> None:
        """Close the wards' input, on which they end their programs, and wait for them."""
        wards = list(self._wards.values())
        self._wards.clear()
        for process in wards:
            if process.stdin is not None:
                process.stdin.close()
        for process in wards:
            try:
                process.wait(3 * ward.PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close(process)
        if self.folder is not None:
            ward.remove(self.folder)
            self.folder = None


# Never through a proxy that the environment names.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _close(process: subprocess.Popen[str]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


_one: DemoCluster | None = None
_one_lock = threading.Lock()


def demo_cluster() -> DemoCluster:
    """Return the cluster of this process; the first call starts it in the background.

    After a failure only its `begin` tries again. It is stopped by `stop_demo`, and at the exit of the process.
    """
    global _one  # noqa: PLW0603 - one of each process, like the process itself
    with _one_lock:
        if _one is None:
            if url := os.environ.get(DEMO_URL):
                _one = DemoCluster.running(url)
                return _one
            _one = DemoCluster()
            _one.begin()
            atexit.register(stop_demo)
        return _one


def stop_demo() -> None:
    """Stop the cluster of this process, if there is one."""
    with _one_lock:
        if _one is not None:
            _one.stop()
