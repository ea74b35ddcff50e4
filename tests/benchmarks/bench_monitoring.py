"""How long a refresh of the monitor takes: 64, 1,000 and 10,000 GPUs with their engines in a VictoriaMetrics.

Writes an hour of samples, 30 s apart, through the import of the store, then does three times what a refresh of
the page does, its six curves included. Printed are the seconds of the fastest, of the processor (ours, and the
store's, which runs on the same machine: where others keep it busy, half of their sum is what two free cores would
take), the questions, and the memory of this process. Other sizes may be given as arguments.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import orjson
import psutil

from core.monitoring.asking import GPU_LABELS
from core.monitoring.collect import collect
from core.monitoring.endpoints import Endpoint
from core.monitoring.exporters import detect
from core.monitoring.findings import findings
from core.monitoring.prometheus import Prometheus
from core.monitoring.reader import AT_ONCE
from core.monitoring.snapshot import Snapshot
from core.monitoring.thresholds import PRESETS

SIZES = (64, 1_000, 10_000)
GPUS_A_NODE = 8
STEP_S = 30
SPAN_S = 3600
MIB = 2**20
OF_MODELS = ("kv_usage", "ttft", "requests", "queue", "output_tokens")
BOUNDS = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0)
GAUGES = {
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": 0.8,
    "DCGM_FI_PROF_SM_ACTIVE": 0.7,
    "DCGM_FI_DEV_GPU_TEMP": 62.0,
    "DCGM_FI_DEV_POWER_USAGE": 560.0,
    "DCGM_FI_DEV_FB_USED": 75_000.0,
    "DCGM_FI_DEV_FB_FREE": 6_000.0,
    "DCGM_FI_DEV_XID_ERRORS": 0.0,
    "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL": 0.0,
}


def series(gpus: int, times: list[float]) -> Iterator[tuple[dict[str, str], list[float]]]:
    """Yield labels and values of every series: one node of eight is idle, each GPU in 500 is hot."""
    draw = np.random.default_rng(1)
    count = len(times)
    for number in range(gpus):
        node, gpu = f"node-{number // GPUS_A_NODE:04d}", str(number % GPUS_A_NODE)
        labels = {
            "job": "dcgm",
            "instance": f"{node}:9400",
            "Hostname": node,
            "gpu": gpu,
            "UUID": f"GPU-{number:08x}",
            "modelName": "NVIDIA H100 80GB HBM3",
        }
        idle = (number // GPUS_A_NODE) % 64 == 1
        for name, usual in GAUGES.items():
            value = 0.0 if idle and "PROF" in name else usual
            value += 30.0 if name.endswith("GPU_TEMP") and number % 500 == 7 else 0.0
            noise = draw.normal(0.0, 0.01 * value, count) if value else np.zeros(count)
            yield {"__name__": name, **labels}, np.round(value + noise, 3).tolist()
        if gpu == "0":
            yield from replica(node, times, idle=idle)
    for target in range(-(-gpus // GPUS_A_NODE)):
        yield {"__name__": "up", "job": "dcgm", "instance": f"node-{target:04d}:9400"}, [1.0] * count
        yield {"__name__": "up", "job": "vllm", "instance": f"node-{target:04d}:8000"}, [1.0] * count


def replica(node: str, times: list[float], *, idle: bool) -> Iterator[tuple[dict[str, str], list[float]]]:
    """Yield the series of the vLLM replica of *node*."""
    labels = {"job": "vllm", "instance": f"{node}:8000", "model_name": "m", "engine": "0"}
    rate = 0.0 if idle else 10.0
    grown = [rate * (at - times[0]) for at in times]
    for name, value in (("running", 200.0), ("waiting", 0.0)):
        yield {"__name__": f"vllm:num_requests_{name}", **labels}, [0.0 if idle else value] * len(times)
    yield {"__name__": "vllm:kv_cache_usage_perc", **labels}, [0.0 if idle else 0.7] * len(times)
    yield {"__name__": "vllm:num_preemptions_total", **labels}, [0.0] * len(times)
    yield {"__name__": "vllm:generation_tokens_total", **labels}, [500 * value for value in grown]
    yield {"__name__": "vllm:request_success_total", "finished_reason": "stop", **labels}, grown
    yield (
        {"__name__": "vllm:cache_config_info", "gpu_memory_utilization": "0.92", **labels},
        [1.0] * len(times),
    )
    for name, scale in (
        ("time_to_first_token", 1.0),
        ("inter_token_latency", 0.1),
        ("e2e_request_latency", 10),
    ):
        for bound in (*BOUNDS, float("inf")):
            share = min(1.0, bound / 0.4)
            le = "+Inf" if bound == float("inf") else f"{bound * scale:g}"
            metric = f"vllm:{name}_seconds_bucket"
            yield {"__name__": metric, "le": le, **labels}, [share * value for value in grown]
        yield {"__name__": f"vllm:{name}_seconds_count", **labels}, grown


def load(url: str, gpus: int, now: float) -> int:
    """Write the samples of *gpus* GPUs up to *now* into the store at *url*; return how many series they are."""
    times = [now - SPAN_S + STEP_S * index for index in range(SPAN_S // STEP_S + 1)]
    stamps = [int(at * 1000) for at in times]
    lines: list[bytes] = []
    written = 0
    for labels, values in series(gpus, times):
        lines.append(orjson.dumps({"metric": labels, "values": values, "timestamps": stamps}))
        written += 1
        if len(lines) == 2000:
            _post(url, lines)
            lines = []
    _post(url, lines)
    return written


def _post(url: str, lines: list[bytes]) -> None:
    request = urllib.request.Request(f"{url}/api/v1/import", b"\n".join(lines), method="POST")
    with urllib.request.urlopen(request, timeout=120):
        pass


@contextmanager
def store() -> Iterator[tuple[str, psutil.Process]]:
    """Run a VictoriaMetrics of our own; give its address and process."""
    program = shutil.which("victoria-metrics")
    if program is None:
        raise SystemExit("this needs VictoriaMetrics: apt-get install victoria-metrics")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [program, f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{port}"]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url)
            yield url, psutil.Process(running.pid)
        finally:
            running.terminate()
            running.wait(20)


def _wait(url: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("VictoriaMetrics did not start")


def measured(url: str, now: float, kept: psutil.Process) -> Mapping[str, float]:
    """Return the seconds of the fastest of three refreshes, those of the processor, and what was found."""
    client = Prometheus(Endpoint(name="benchmark", url=url, demo=True, deadline_s=60))
    detected = detect(client.names())
    limits = PRESETS["serving"]
    taken: list[float] = []
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(3):
        began, own, other = time.perf_counter(), time.process_time(), _processor(kept)
        snapshot = collect(client, detected, limits, at=now)
        found = findings(snapshot, limits)
        asked = charts(client, snapshot)
        taken.append(time.perf_counter() - began)
        ours.append(time.process_time() - own)
        theirs.append(_processor(kept) - other)
        for fault in snapshot.faults:
            print("  ", fault)
    client.close()
    return {
        "seconds": min(taken),
        "seconds of our processor": min(ours),
        "seconds of the store's": min(theirs),
        "questions": snapshot.queries + asked,
        "GPUs": snapshot.totals.gpus,
        "replicas": len(snapshot.replicas),
        "findings": len(found),
    }


def charts(client: Prometheus, snapshot: Snapshot) -> int:
    """Ask for the curves of the fleet that the page shows at first: an hour of six indicators; return how many."""
    found = [snapshot.detected.expression(name, by=("model_name",)) for name in OF_MODELS]
    each = snapshot.detected.expression("gpu_utilisation", by=GPU_LABELS)
    questions = [one for one in (f"avg({each})", *found) if one]
    step = SPAN_S / 60 if snapshot.aggregated else None
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [
            pool.submit(client.range, one, snapshot.at - SPAN_S, snapshot.at, step, 8) for one in questions
        ]
        for one in asked:
            one.result()
    return len(questions)


def _processor(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def main(sizes: tuple[int, ...] = SIZES) -> None:
    """Print one line for each size."""
    for gpus in sizes:
        with store() as (url, kept):
            now = float(int(time.time()) // STEP_S * STEP_S - 2 * STEP_S)
            written = load(url, gpus, now)
            time.sleep(2)
            figures = measured(url, now, kept)
            memory = psutil.Process().memory_info().rss / MIB
            told = ", ".join(
                f"{value:,.2f} {name}" if name.startswith("seconds") else f"{value:,} {name}"
                for name, value in figures.items()
            )
            print(f"{gpus:,} GPUs ({written:,} series): {told}; process {memory:,.0f} MiB", flush=True)


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
