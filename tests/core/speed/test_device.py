"""Rates of devices: what the catalogue knows, what a request states, and what is missing."""

import pytest

from core.catalog import find_accelerator
from core.errors import BadRequest
from core.speed.device import device_rates, matrix_rates
from core.speed.profile import FORMATS


def rates(**tflops):
    return dict(
        zip(FORMATS, matrix_rates({name: rate * 1e12 for name, rate in tflops.items()}) / 1e12, strict=True)
    )


def test_what_a_device_has_no_units_for_runs_in_16_bit():
    a100 = rates(bf16=312, int8=624)
    assert a100 == {"wide": 312, "fp8": 312, "nvfp4": 312, "mxfp4": 312, "int8": 624, "unpacked": 312}


def test_mxfp4_meets_fp8_activations_where_fp4_units_exist():
    assert rates(bf16=2250, fp8=4500, fp4=9000)["mxfp4"] == 4500
    assert rates(bf16=989, fp8=1978)["mxfp4"] == 989


def test_a_model_in_32_bit_computes_in_32_bit():
    assert matrix_rates({"bf16": 300.0, "tf32": 150.0}, full=True)[0] == 150
    assert matrix_rates({"bf16": 300.0}, full=True)[0] == 150


def test_compute_chooses_the_format_of_the_quantised_products():
    chosen = matrix_rates({"bf16": 300.0, "fp8": 600.0}, compute="fp8")
    assert chosen.tolist() == [300, 600, 600, 600, 600, 600]
    assert set(matrix_rates({"bf16": 300.0, "fp8": 600.0}, compute="bf16")) == {300}


@pytest.mark.parametrize(
    ("tflops", "compute", "field"), [({"fp8": 1.0}, None, "gpu"), ({"bf16": 1.0}, "fp8", "compute")]
)
def test_a_rate_that_is_missing_is_asked_for(tflops, compute, field):
    with pytest.raises(BadRequest) as refusal:
        matrix_rates(tflops, compute=compute)
    assert refusal.value.field == field


def test_the_catalogue_gives_bandwidth_link_and_node():
    found = device_rates(find_accelerator("h100-sxm-80"), 1.0, gpus=8)
    assert (found.bandwidth, found.link, found.switched, found.node_gpus) == (3.35e12, 450e9, 1.0, 8.0)
    assert device_rates(find_accelerator("l40s"), 1.0, gpus=2).switched == 0.0
    assert device_rates(find_accelerator("gb200"), 1.0).node_gpus == 72


def test_the_request_comes_before_the_catalogue():
    found = device_rates(
        find_accelerator("h100-sxm-80"), 1.0, bandwidth=1e12, link=1e9, interconnect="pcie", node_gpus=4
    )
    assert (found.bandwidth, found.link, found.switched, found.node_gpus) == (1e12, 1e9, 0.0, 4.0)


def test_bandwidth_is_needed_and_a_link_where_gpus_are_joined():
    with pytest.raises(BadRequest, match="bandwidth_gbs"):
        device_rates(None, 1.0)
    with pytest.raises(BadRequest, match="link_gbs"):
        device_rates(None, 1.0, bandwidth=1e12, gpus=2)
    assert device_rates(None, 1.0, bandwidth=1e12).bandwidth == 1e12
