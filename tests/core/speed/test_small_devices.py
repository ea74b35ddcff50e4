"""Boards and modules: what physics allows, and what people measured on them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from core.api import answer
from core.catalog import find_accelerator
from core.speed.profile import profile_of
from tests.conftest import ROOT

SEVEN, EIGHT = "meta-llama/Llama-2-7b-hf", "meta-llama/Llama-3.1-8B-Instruct"


def request(model: str, gpu: str, weights: str) -> dict[str, Any]:
    return {
        "model": model, "gpu": gpu, "weights": weights, "engine": "llama.cpp", "mode": "single",
        "input_tokens": 32, "output_tokens": 400,
    }  # fmt: skip


def rates(model: str, gpu: str, weights: str) -> tuple[float, float, float]:
    """Return the tokens/s of one stream: the least, the estimate and the most."""
    found = answer("speed", request(model, gpu, weights))
    low, high = found["band"]["tpot_s"]
    return 1 / high, 1 / found["tpot_s"], 1 / low


def bound(speed: Any, model: str, gpu: str, weights: str) -> float:
    """Return the tokens/s at which the memory would move the weights once a token at its peak rate."""
    found = speed(model, gpu=gpu, engine="llama.cpp", weights=weights).deployment
    profile = profile_of(found.model, found.weights, found.kv, found.layout)
    moved = float(profile.dense_bytes.sum() + profile.head_bytes)
    return find_accelerator(gpu).bandwidth_bytes_per_s / moved


def test_a_jetson_orin_is_faster_than_a_guide_says_and_below_its_bandwidth(speed):
    """A guide says 12 tokens/s for 7B in INT8; 204.8 GB/s move its 7.0 GB 29 times a second."""
    most = bound(speed, SEVEN, "Jetson AGX Orin", "q8_0")
    assert 25 < most < 29.5
    low, middle, high = rates(SEVEN, "Jetson AGX Orin", "q8_0")
    assert 12 < low < middle < high < most
    assert middle > 0.6 * most


@pytest.mark.parametrize(
    ("model", "weights", "measured"),
    [
        (EIGHT, "q4_k_m", 2.17),  # geerlingguy/sbc-reviews#21, Ollama's default of 4 bit
        ("meta-llama/Llama-3.2-3B", "q4_k_m", 4.88),
        ("meta-llama/Llama-3.2-3B", "q4_k_m", 4.61),
        ("meta-llama/Llama-2-13b-hf", "q4_0", 1.36),
    ],
)
def test_a_raspberry_pi_is_as_fast_as_people_measured(speed, model, weights, measured):
    low, middle, high = rates(model, "rpi5", weights)
    assert low < measured < high < bound(speed, model, "rpi5", weights)
    assert middle == pytest.approx(measured, rel=0.1)


def test_a_raspberry_pi_takes_twice_as_long_in_eight_bits():
    low, middle, high = rates(EIGHT, "Raspberry Pi 5", "q8_0")
    assert low < 1.2 < high
    assert middle == pytest.approx(1.2, rel=0.1)


@pytest.mark.parametrize("gpu", ["Jetson AGX Orin", "Raspberry Pi 5 16GB"])
def test_the_command_answers_for_small_devices(gpu):
    command = [sys.executable, "-m", "core", "speed"]
    asked = json.dumps(request(SEVEN, gpu, "q8_0"))
    told = subprocess.run(command, cwd=ROOT, input=asked, capture_output=True, text=True, check=True)
    found = json.loads(told.stdout)
    assert found["bound"] == "memory"
    assert not any("do not fit" in reason or "does not run" in reason for reason in found["reasons"])
