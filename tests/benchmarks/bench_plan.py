"""How long the search takes on one core: deployments a second, whole plans cold and warm, and their memory.

Rates and warm plans are in seconds of the processor, which others on the machine do not lengthen.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
MODELS = (
    "deepseek-ai/DeepSeek-V3",
    "meta-llama/Llama-3.1-8B-Instruct",
    "meta-llama/Llama-3.1-70B-Instruct",
)
RUNS = 5
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def timed(name: str, wide: bool) -> dict[str, float]:
    """Return seconds of a first and of later plans for model *name* in this process, and deployments evaluated."""
    began = time.perf_counter()
    from core.api.deployments import model_of
    from core.planning.question import Choices, Question, Targets
    from core.planning.search import plan
    from core.traffic import Traffic, lognormal

    imported = time.perf_counter()
    choices = Choices(weights=("checkpoint", "fp8", "awq-int4"), kv=(None, "fp8")) if wide else Choices()
    traffic = Traffic(450_000 / 86_400, lognormal(800, 2000), lognormal(400, 1000), peak=2.0)
    question = Question((model_of(name),), traffic, Targets(ttft=2.0, tpot=0.1), choices=choices)
    found = plan(question)
    first = time.perf_counter()
    warm = []
    for _ in range(RUNS):
        start = time.process_time()
        plan(question)
        warm.append(time.process_time() - start)
    return {
        "import": imported - began,
        "cold": first - imported,
        "warm": statistics.median(warm),
        "deployments": found.deployments,
        "plans": len(found.alternatives),
    }


def rate(name: str) -> dict[str, float]:
    """Return deployments a second, and how many, where only candidates of a large space are evaluated."""
    from core.api.deployments import model_of
    from core.catalog import accelerators
    from core.planning.prospects import prospects_of
    from core.planning.question import Choices, Question
    from core.planning.service import curves
    from core.traffic import Traffic, lognormal

    choices = Choices(weights=("checkpoint", "fp8", "awq-int4"), kv=(None, "fp8"))
    traffic = Traffic(450_000 / 86_400, lognormal(800, 2000), lognormal(400, 1000), peak=2.0)
    question = Question((model_of(name),), traffic, choices=choices)
    prospects = prospects_of(question, question.models[0], tuple(accelerators()))
    seconds = []
    for _ in range(RUNS):
        began = time.process_time()
        found = curves(prospects.field.stock, prospects.candidates, traffic, 0.99, within=2.0)
        seconds.append(time.process_time() - began)
    return {
        "deployments": found.rate.size,
        "candidates": len(found.rate),
        "per_second": found.rate.size / statistics.median(seconds),
    }


def apart(call: str) -> tuple[dict[str, float], float]:
    """Return what *call* of this file gives in a fresh process with one thread, and its peak memory in MB."""
    path = str(Path(__file__).parent)
    code = f"import json, sys; sys.path.insert(0, {path!r}); import bench_plan; print(json.dumps(bench_plan.{call}))"
    environment = os.environ | dict.fromkeys(THREADS, "1") | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return json.loads(output), usage.ru_maxrss * 1024 / 1e6


def main() -> None:
    """Print rates, seconds and memory."""
    print("evaluation alone, large space (3 engines, 3 weight and 2 cache formats), one core")
    for name in MODELS:
        found, peak = apart(f"rate({name!r})")
        print(
            f"{name:36} {found['per_second'] / 1e6:5.2f} million deployments/s "
            f"({found['deployments']:,.0f} of {found['candidates']:,.0f} candidates), peak {peak:.0f} MB"
        )
    for title, wide in (("default choices", False), ("large space", True)):
        print(f"whole-catalogue plan, {title}, one core")
        for name in MODELS:
            found, peak = apart(f"timed({name!r}, {wide})")
            times = f"cold {found['cold']:.2f} s (and imports {found['import']:.2f} s), warm {found['warm']:.2f} s"
            counts = f"{found['deployments']:,.0f} deployments, {found['plans']:.0f} plans"
            print(f"{name:36} {times}, {counts}, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
