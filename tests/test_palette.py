"""Colours of one kind, parts of memory or states of what is measured, differ also for colour-blind eyes."""

from __future__ import annotations

import itertools
import re
import tomllib

import numpy as np
import pytest

from tests.conftest import ROOT

PARTS = ["weights", "kv", "activation", "runtime", "graph"]
TRAINED = ["weights", "gradient", "optimizer", "activation", "logits", "buffers", "runtime"]
STATES = ["low", "ok", "warning", "bad", "unknown"]
GROUPS = ["first", "second", "third", "fourth", "fifth"]
BACKGROUNDS = {"light": "#FFFFFF", "dark": "#0F172A"}
# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
EYES = {
    "all cones": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}
RGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])


def palette(theme: str) -> dict[str, str]:
    script = (ROOT / "pages/parts/plot.js").read_text(encoding="utf-8")
    block = script[script.index(f"  {theme}: {{") :].split("},")[0]
    return dict(re.findall(r'(\w+): "(#[0-9A-F]{6})"', block))


def linear(color: str) -> np.ndarray:
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    ratio = RGB_TO_XYZ @ np.clip(rgb, 0, 1) / WHITE
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def luminance(color: str) -> float:
    return float(RGB_TO_XYZ[1] @ linear(color))


@pytest.mark.parametrize("theme", BACKGROUNDS)
@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(
    "names", [PARTS, TRAINED, GROUPS, STATES], ids=["parts", "trained", "groups", "states"]
)
def test_parts_differ(names: list[str], theme: str, eyes: str) -> None:
    seen = {
        name: lab(np.array(EYES[eyes]) @ linear(color))
        for name, color in palette(theme).items()
        if name in names
    }
    distances = {
        pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in itertools.combinations(names, 2)
    }
    closest = min(distances, key=distances.__getitem__)
    assert distances[closest] > 18, closest


@pytest.mark.parametrize("theme", BACKGROUNDS)
def test_parts_and_limit_stand_out_from_the_background(theme: str) -> None:
    colors = palette(theme)
    ground = luminance(BACKGROUNDS[theme])
    for name in [*PARTS, *TRAINED, *GROUPS, "limit"]:
        dark, light = sorted((luminance(colors[name]), ground))
        assert (light + 0.05) / (dark + 0.05) >= 3, name


@pytest.mark.parametrize("theme", BACKGROUNDS)
def test_the_theme_of_streamlit_has_the_same_colours_first(theme: str) -> None:
    settings = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))["theme"][theme]
    assert settings["chartCategoricalColors"][: len(PARTS)] == [palette(theme)[name] for name in PARTS]
    assert len(settings["chartCategoricalColors"]) == 10
    assert settings["backgroundColor"] == BACKGROUNDS[theme]
