"""Every row of hardware_db/accelerators.csv, and the names under which it is found."""

import subprocess
import sys
import time

import pytest

from core.catalog import Accelerator, accelerators, find_accelerator, names_of
from core.catalog.accelerators import _joined
from core.errors import UnknownAccelerator
from core.quantities import GIB

ROWS = tuple(accelerators().values())
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)

NAMES = {
    "h100-sxm-80": [
        "H100",
        "h100-sxm-80",
        "h100-sxm",
        "NVIDIA H100 80GB HBM3",
        "NVIDIA-H100-80GB-HBM3",
        "H100-80GB-SXM",
        "H100 SXM5 80GB",
        "h100_sxm_80",
        "  h100 80gb hbm3 ",
        "80GB H100 SXM",
    ],
    "h100-pcie-80": ["NVIDIA H100 PCIe", "H100-80GB-PCIe", "h100-pcie"],
    "h100-nvl": ["NVIDIA H100 NVL", "H100-NVL-94GB"],
    "h200-sxm": ["NVIDIA H200", "H200-141GB", "H200 SXM"],
    "h20": ["NVIDIA H20", "H20"],
    "gh200-96": ["NVIDIA GH200 480GB", "GH200-96GB"],
    "b200-sxm": ["NVIDIA B200", "B200-180GB"],
    "b300-sxm": ["NVIDIA B300 SXM6 AC", "B300"],
    "gb200": ["NVIDIA GB200"],
    "a100-sxm-80": ["A100", "NVIDIA A100-SXM4-80GB", "A100-80GB-SXM", "A100-80GB"],
    "a100-sxm-40": ["NVIDIA A100-SXM4-40GB", "A100-40GB-SXM"],
    "a100-pcie-80": ["NVIDIA A100 80GB PCIe", "A100-80GB-PCIe"],
    "a100-pcie-40": ["NVIDIA A100-PCIE-40GB", "A100-40GB-PCIe"],
    "a10": ["NVIDIA A10"],
    "a10g": ["NVIDIA A10G"],
    "t4": ["Tesla T4", "NVIDIA T4"],
    "l4": ["NVIDIA L4"],
    "l40s": ["NVIDIA L40S"],
    "v100-sxm2-16": ["Tesla V100-SXM2-16GB", "V100-16GB"],
    "v100-sxm2-32": ["Tesla V100-SXM2-32GB", "V100-32GB"],
    "p100-pcie-16": ["Tesla P100-PCIE-16GB"],
    "rtx-3090": ["NVIDIA GeForce RTX 3090", "3090"],
    "rtx-4090": ["NVIDIA GeForce RTX 4090", "4090", "RTX4090", "geforce-rtx-4090"],
    "rtx-5090": ["NVIDIA GeForce RTX 5090"],
    "rtx-a6000": ["NVIDIA RTX A6000", "RTX-A6000"],
    "rtx-6000-ada": ["NVIDIA RTX 6000 Ada Generation", "RTX-6000-Ada"],
    "rtx-4090-laptop": ["NVIDIA GeForce RTX 4090 Laptop GPU"],
    "rtx-2080-ti": ["NVIDIA GeForce RTX 2080 Ti", "2080ti"],
    "rtx-pro-6000-ws": ["NVIDIA RTX PRO 6000 Blackwell Workstation Edition"],
    "quadro-rtx-6000": ["Quadro RTX 6000", "Quadro-RTX-6000"],
    "p40": ["Tesla P40"],
    "gb10": ["NVIDIA GB10", "DGX Spark"],
    "strix-halo-128": ["Strix Halo", "AMD Radeon 8060S Graphics"],
    "rx-7900-xtx": ["AMD Radeon RX 7900 XTX"],
    "ascend-910b": ["Huawei Ascend 910B", "Ascend 910B2"],
    "m4-max-128": ["Apple M4 Max"],
    "rtx-pro-6000-bw": [
        "NVIDIA RTX PRO 6000 Blackwell Server Edition",
        "RTX-PRO-6000-Server",
        "RTX-PRO-6000",
    ],
    "mi300x": ["AMD Instinct MI300X", "MI300X", "AMD_Instinct_MI300X_OAM"],
    "gaudi3": ["Intel Gaudi 3", "Gaudi3"],
    "tpu-v5e": ["TPU v5e", "Google Cloud TPU v5e"],
}


@pytest.mark.parametrize(("name", "id_"), [(name, id_) for id_, names in NAMES.items() for name in names])
def test_names_of_drivers_clouds_and_people_meet_at_one_record(name: str, id_: str) -> None:
    assert find_accelerator(name).id == id_


@each_row
def test_each_name_of_a_record_finds_it(row: Accelerator) -> None:
    for name in names_of(row):
        assert find_accelerator(name) is row


def test_no_two_records_share_a_name() -> None:
    owners: dict[str, str] = {}
    for row in ROWS:
        for name in names_of(row):
            assert owners.setdefault(_joined(name), row.id) == row.id, name


def test_no_record_lists_a_name_twice() -> None:
    for row in ROWS:
        assert len(set(row.aliases)) == len(row.aliases), row.id


@pytest.mark.parametrize(
    ("wrong", "near"), [("h100-smx", "h100-sxm-80"), ("RTX 3080 Laptop GPU", "rtx-3080"), ("mi300", "mi300x")]
)
def test_a_near_miss_names_what_was_meant(wrong: str, near: str) -> None:
    with pytest.raises(UnknownAccelerator) as refused:
        find_accelerator(wrong)
    assert refused.value.field == "gpu"
    assert near in refused.value.message
    assert wrong in refused.value.message


@pytest.mark.parametrize("wrong", ["", "   ", "???", "no such thing at all"])
def test_a_name_like_nothing_is_still_refused_with_suggestions(wrong: str) -> None:
    with pytest.raises(UnknownAccelerator) as refused:
        find_accelerator(wrong)
    assert "-" in refused.value.sentence.values["nearest"]


@each_row
def test_memory_shrinks_from_the_box_to_the_engine(row: Accelerator) -> None:
    assert 4 * GIB <= row.usable_bytes <= row.marketing_bytes <= 1024 * GIB
    if row.driver_bytes is not None:
        assert row.usable_bytes <= row.driver_bytes <= row.marketing_bytes
        assert row.driver_bytes > 0.9 * row.marketing_bytes


@each_row
def test_rates_are_plausible(row: Accelerator) -> None:
    assert 10e9 <= row.bandwidth_bytes_per_s <= 30e12
    assert row.tdp_w is None or 5 <= row.tdp_w <= 2500
    assert row.link_domain_gpus >= 1
    assert 2010 <= row.launch_year <= row.provenance.as_of.year
    for rate in row.peak_flops.values():
        assert 1e11 <= rate <= 2e16


@each_row
def test_dense_peaks_stand_in_proportion(row: Accelerator) -> None:
    """Sparse figures are twice the dense ones: a narrower format gives at most about twice the wider."""
    peak = row.peak_flops
    for wide, narrow in [("tf32", "fp16"), ("tf32", "bf16"), ("fp16", "fp8"), ("bf16", "fp8")]:
        if wide in peak and narrow in peak:
            assert peak[narrow] <= 4.1 * peak[wide], (wide, narrow)
    if "fp16" in peak and "bf16" in peak:
        assert 0.5 <= peak["bf16"] / peak["fp16"] <= 4.1
    if "fp8" in peak and row.id != "trainium3":  # its MXFP8 mode is quoted at almost four times bf16
        assert peak["fp8"] <= 2.1 * max(peak.get("bf16", 0), peak.get("fp16", 0))


@each_row
def test_every_peak_is_of_a_supported_format(row: Accelerator) -> None:
    for dtype in row.peak_flops:
        assert row.supports(dtype), dtype
        assert row.supports(dtype.upper())
    assert not row.supports("fp5")


@each_row
def test_links_are_complete(row: Accelerator) -> None:
    assert row.interconnect in {
        "nvlink",
        "xgmi",
        "ici",
        "hccs",
        "neuronlink",
        "xelink",
        "roce",
        "pcie",
        "none",
    }
    if row.link_domain_gpus > 1:
        assert row.link_bidir_gbs is not None
    if row.interconnect == "pcie":
        assert row.link_domain_gpus == 1
        assert row.link_bytes_per_s == row.pcie_bytes_per_s


@each_row
def test_every_row_says_where_it_comes_from(row: Accelerator) -> None:
    assert len(row.provenance.source) > 3
    if row.provenance.source == "vendor datasheet, from memory":
        assert row.provenance.confidence == "low"


def test_known_readings() -> None:
    h100 = find_accelerator("H100")
    assert h100.driver_bytes == 81559 * 2**20
    assert h100.usable_bytes == pytest.approx(79.1 * GIB, rel=2e-3)
    assert not h100.usable_memory_is_derived
    assert h100.bandwidth_bytes_per_s == 3.35e12
    assert h100.peak_flops["bf16"] == pytest.approx(989.4e12)
    assert h100.link_bytes_per_s == 450e9
    assert (h100.interconnect, h100.link_domain_gpus) == ("nvlink", 8)
    assert find_accelerator("GB200").link_domain_gpus == 72
    assert not find_accelerator("T4").supports("bf16")
    assert "fp8" not in find_accelerator("A100").peak_flops


def _copy(row: Accelerator, **changes: object) -> Accelerator:
    return Accelerator.model_validate(row.model_dump() | changes)


@pytest.mark.parametrize(
    ("changes", "share_of_marketing"),
    [
        ({"memory_type": "HBM3", "smi_total_mib": None}, 0.985),
        ({"memory_type": "GDDR6", "ecc": True, "smi_total_mib": None}, 0.925),
        ({"memory_type": "GDDR6X", "ecc": False, "smi_total_mib": None}, 0.98),
        ({"memory_type": "GDDR6X", "ecc": False, "memory_gb": 24, "smi_total_mib": 24576}, 0.98),
        ({"memory_type": "HBM2e", "memory_gb": 80, "smi_total_mib": 81920}, 0.99),
        ({"memory_type": "LPDDR5X", "ecc": False, "smi_total_mib": None}, 0.94),
    ],
)
def test_usable_memory_that_nobody_read_is_derived_and_says_so(
    changes: dict[str, object], share_of_marketing: float
) -> None:
    row = _copy(find_accelerator("RTX 3090"), device_total_gib=None, **changes)
    assert row.usable_memory_is_derived
    assert row.usable_bytes == pytest.approx(row.marketing_bytes * share_of_marketing, abs=1)


def test_derivation_agrees_with_readings_within_two_percent() -> None:
    for name in ("T4", "L4", "A10", "RTX 3090", "RTX 4090", "A100", "H100", "H200", "V100-16GB"):
        row = find_accelerator(name)
        derived = _copy(row, device_total_gib=None, smi_total_mib=None).usable_bytes
        assert derived == pytest.approx(row.usable_bytes, rel=0.02), name


def test_records_cannot_be_changed() -> None:
    row = find_accelerator("T4")
    with pytest.raises(ValueError, match="frozen"):
        row.memory_gb = 24  # type: ignore[misc]
    with pytest.raises(TypeError):
        row.peak_flops["fp8"] = 1.0  # type: ignore[index]
    with pytest.raises(TypeError):
        accelerators()["t4"] = row  # type: ignore[index]


def test_import_pulls_in_neither_pandas_nor_streamlit() -> None:
    program = "import sys, core.catalog; print(sorted({'pandas', 'streamlit', 'numpy'} & set(sys.modules)))"
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert seen.strip() == "[]"


def test_loading_time(capsys: pytest.CaptureFixture[str]) -> None:
    accelerators.cache_clear()
    begin = time.perf_counter()
    count = len(accelerators())
    with capsys.disabled():
        print(f"\n{count} accelerators in {(time.perf_counter() - begin) * 1e3:.1f} ms")
    assert count >= 150
