"""A demo cluster starts in time, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.monitoring.demo import cluster as demo
from core.monitoring.demo.cluster import DemoCluster, DemoUnavailable, State, missing_program
from core.monitoring.demo.machine import FOLDER
from core.monitoring.demo.scenario import MINUTE
from core.monitoring.demo.stores import PROMETHEUS, Store
from tests.conftest import ROOT, need

pytestmark = pytest.mark.prometheus


def short(**wishes: object) -> DemoCluster:
    need(PROMETHEUS.program, PROMETHEUS.package)
    return DemoCluster(**({"history_s": 0.0, "scrape_s": 1.0} | wishes))  # type: ignore[arg-type]


def left(owner: int) -> list[str]:
    """Return the processes and folders of the cluster that the process *owner* started."""
    mark = f"{FOLDER}{owner}-"
    found = [str(path) for path in Path(tempfile.gettempdir()).glob(f"{mark}*")]
    for process in psutil.process_iter(["cmdline", "status"]):
        if any(mark in part for part in process.info["cmdline"] or []):
            found.append(" ".join(process.info["cmdline"]))
    return found


def until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def test_stop_leaves_no_process_and_no_folder(capsys: pytest.CaptureFixture[str]) -> None:
    before = set(left(os.getpid()))
    cluster = short(history_s=20 * MINUTE)
    cluster.start()
    with capsys.disabled():
        print(f"\ndemo cluster with 20 min of history: ready after {cluster.seconds:.1f} s", end=" ")
    children = psutil.Process().children(recursive=True)
    folder = cluster.folder
    assert folder is not None
    assert folder.exists()
    assert len(children) >= 4
    cluster.stop()
    assert not folder.exists()
    assert set(left(os.getpid())) == before
    assert cluster.state is State.STOPPED


def test_it_can_be_started_again_and_stopped_twice() -> None:
    cluster = short()
    for _ in range(2):
        with cluster:
            assert cluster.ready
            cluster.start()
        cluster.stop()
    assert cluster.folder is None


def test_it_can_be_stopped_while_it_starts() -> None:
    cluster = short(history_s=60 * MINUTE)
    cluster.begin()
    assert until(lambda: cluster.folder is not None, 10)
    folder = cluster.folder
    began = time.monotonic()
    cluster.stop()
    assert time.monotonic() - began < 10
    assert folder is not None
    assert not folder.exists()
    assert not cluster.ready


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda sent: sent.name)
def test_nothing_outlives_the_process_that_wanted_it(sent: signal.Signals) -> None:
    need(PROMETHEUS.program, PROMETHEUS.package)
    owner = subprocess.Popen([sys.executable, "-m", "core.monitoring.demo"], cwd=ROOT, stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert b"http://127.0.0.1:" in owner.stdout.readline()
    assert len(left(owner.pid)) >= 3
    owner.send_signal(sent)
    owner.wait(20)
    owner.stdout.close()
    assert until(lambda: not left(owner.pid), 10), left(owner.pid)


def test_a_thread_that_ends_does_not_take_the_cluster_along() -> None:
    """The kernel's signal at the death of a parent is one at the death of its thread."""
    cluster = short()
    cluster.begin()
    assert until(lambda: cluster.ready, 40), cluster.sentence
    time.sleep(1)
    assert cluster._get("/-/ready") is not None
    cluster.stop()


@pytest.mark.parametrize("manager", ["apt-get", None])
def test_a_missing_program_says_what_to_install(monkeypatch: pytest.MonkeyPatch, manager: str | None) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name == manager else None)
    missing = missing_program()
    assert missing is not None
    assert ("apt-get install prometheus" if manager else "prometheus on the PATH") in missing.render("en")
    assert "Prometheus" in missing.render("zh")
    cluster = DemoCluster()
    with pytest.raises(DemoUnavailable):
        cluster.start()
    assert cluster.state is State.FAILED
    assert cluster.sentence.render() == missing.render()


def test_a_store_that_ends_at_once_is_a_sentence() -> None:
    need(PROMETHEUS.program, PROMETHEUS.package)
    wrong = Store("Prometheus", PROMETHEUS.program, "prometheus", ("--no-such-flag",), "/-/ready", "/")
    cluster = DemoCluster(store=wrong)
    with pytest.raises(DemoUnavailable, match="no-such-flag"):
        cluster.start()
    assert cluster.state is State.FAILED
    assert cluster.folder is None


def test_the_cluster_of_this_process_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_one", None)
    monkeypatch.setenv(demo.DEMO_URL, "http://127.0.0.1:9999")
    cluster = demo.demo_cluster()
    assert cluster is demo.demo_cluster()
    assert cluster.ready
    assert cluster.endpoint.demo
    assert cluster.endpoint.url.rstrip("/") == "http://127.0.0.1:9999"
    demo.stop_demo()
