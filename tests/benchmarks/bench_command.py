"""How long the command line takes: one request from a cold interpreter, and a thousand in one process."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ONE = {"model": "deepseek-ai/DeepSeek-V3", "gpu": "H200", "tp": 8, "context": 32768}
MODELS = (
    "deepseek-ai/DeepSeek-V3",
    "Qwen/Qwen2.5-72B-Instruct",
    "google/gemma-3-27b-it",
    "openai/gpt-oss-120b",
    "deepseek-ai/DeepSeek-V4-Flash",
)
RUNS = 7


def thousand() -> list[dict[str, object]]:
    """Return 1,000 requests that differ: models, GPUs, ranks, formats and contexts."""
    return [
        {
            "model": MODELS[number % len(MODELS)],
            "gpu": ("H100", "H200", "A100", "MI300X")[number % 4],
            "tp": (1, 2, 4, 8)[number // 5 % 4],
            "weights": (None, "bf16", "fp8", "awq-int4")[number // 20 % 4],
            "context": 1024 * (1 + number % 97),
        }
        for number in range(1000)
    ]


def run(request: object) -> tuple[float, float]:
    """Return (seconds, peak MB) of one process that answers *request*."""
    read, write = os.pipe()
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "core", "size", "-"], cwd=ROOT, stdin=subprocess.PIPE, stdout=write
    ) as process:
        os.close(write)
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode())
        process.stdin.close()
        with os.fdopen(read, "rb") as output:
            output.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - began, usage.ru_maxrss * 1024 / 1e6


def main() -> None:
    """Print the median of each."""
    for name, request in (("one request, cold", ONE), ("1,000 requests", thousand())):
        runs = [run(request) for _ in range(RUNS)]
        seconds = sorted(run[0] for run in runs)
        print(
            f"{name:18} median {statistics.median(seconds):.2f} s, slowest {seconds[-1]:.2f} s, "
            f"peak memory {max(run[1] for run in runs):.0f} MB"
        )


if __name__ == "__main__":
    main()
