"""A bill: its hours, its energy, and that arrays say what numbers say."""

from dataclasses import replace

import numpy as np
import pytest

from core.cost.assumptions import Assumptions, ranges
from core.cost.bill import LINES, bill
from core.cost.device import Device, device_of
from core.cost.quote import Quote
from core.text import LANGUAGES, sentences
from tests.core.cost.quotes import ALL, HOURLY, OWNED, SPOT

TYPICAL = Assumptions()


@pytest.mark.parametrize("quote", ALL, ids=lambda quote: quote.name)
@pytest.mark.parametrize("name", [*ranges(), "financing_months", "price"])
def test_arrays_say_what_numbers_say(quote: Quote, name: str) -> None:
    one = ranges().get(name)
    values = (0.0, 12.0, 48.0) if one is None else one.values
    together = bill(quote, replace(TYPICAL, **{name: np.array(values)}))
    for place, value in enumerate(values):
        alone = bill(quote, replace(TYPICAL, **{name: value}))
        for measure in ("yearly", "usd_per_gpu_hour", "usd_per_used_gpu_hour"):
            found = np.broadcast_to(getattr(together, measure), (3,))[place]
            assert found == pytest.approx(getattr(alone, measure))
        assert np.broadcast_to(together.kwh.sum(axis=-1), (3,))[place] == pytest.approx(alone.kwh.sum())


def test_two_axes_broadcast() -> None:
    grid = replace(TYPICAL, usd_kwh=np.array([[0.1], [0.2]]), utilisation=np.array([0.2, 0.5, 1.0]))
    assert bill(OWNED, grid).total.shape == (2, 3, 37)


@pytest.mark.parametrize("quote", ALL, ids=lambda quote: quote.name)
def test_lines_add_up_and_have_titles(quote: Quote) -> None:
    found = bill(quote, TYPICAL)
    assert found.lines.keys() <= set(LINES)
    assert found.total.sum() == pytest.approx(sum(flow.sum() for flow in found.lines.values()))
    assert (found.spending >= 0).all()
    for language in LANGUAGES:
        assert {f"cost.line.{name}" for name in LINES} <= sentences(language).keys()


def test_load_grows_until_the_gpus_are_never_idle() -> None:
    busy = bill(OWNED, replace(TYPICAL, utilisation=0.5, growth=1.0)).used_hours / (8 * 730)
    assert busy[1] == pytest.approx(0.5)
    assert busy[7] == pytest.approx(0.5 * 2**0.5)
    assert busy[13:].tolist() == pytest.approx([1.0] * 24)


def test_energy_of_what_is_switched_off_is_not_counted() -> None:
    night = bill(replace(HOURLY, hours_per_day=12.0), replace(TYPICAL, utilisation=0.0))
    assert night.kwh.sum() == pytest.approx(bill(HOURLY, replace(TYPICAL, utilisation=0.0)).kwh.sum() / 2)
    assert bill(SPOT, TYPICAL).kwh.sum() == pytest.approx(bill(HOURLY, TYPICAL).kwh.sum() * 1.08)


def test_co2_is_energy_by_the_grid() -> None:
    found = bill(HOURLY, replace(TYPICAL, grid_g_kwh=56.0))
    assert found.co2_kg.sum() == pytest.approx(found.kwh.sum() * 0.056)


def test_parts_of_months_count() -> None:
    found = bill(HOURLY, replace(TYPICAL, horizon_months=2.5))
    assert found.total.tolist() == pytest.approx([0, 40179.2, 40179.2, 20089.6])
    assert found.yearly == pytest.approx(40179.2 * 12)


def test_hours_without_work_have_no_price() -> None:
    assert bill(HOURLY, replace(TYPICAL, utilisation=0.0)).usd_per_used_gpu_hour == np.inf


def test_what_the_catalogue_knows_of_a_gpu() -> None:
    h100 = device_of("NVIDIA H100 80GB HBM3")
    assert (h100.watts, h100.bandwidth, h100.flops) == (700, 3.35e12, 989.4e12)
    assert device_of("t4").flops == 65e12  # fp16, which has no bf16
    assert device_of("nobody's") == Device("nobody's")
