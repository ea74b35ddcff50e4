"""The targets of the live tests of exporters, and what must be read from each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.live.exporter_texts import (
    UUID,
    amd,
    amd_prefixed,
    amd_smi,
    dcgm,
    dcgm_new,
    dynamo,
    kube,
    llama_cpp,
    lmdeploy,
    node,
    nvidia_smi,
    ray_serve,
    sglang,
    tgi,
    triton,
    triton_options,
    trtllm,
    vllm,
)
from tests.live.one_exporter import Scene


@dataclass(frozen=True)
class Expected:
    """One reading: the indicator, its value, labels that it must carry, and how it is asked."""

    indicator: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    ask: Mapping[str, object] = field(default_factory=dict)


_GPU = {
    "node": "gpu-1",
    "gpu": "0",
    "uuid": UUID,
    "model": "NVIDIA H100",
    "namespace": "llm",
    "pod": "vllm-0",
}
_NEW = {"node": "gpu-2", "gpu": "0", "uuid": UUID, "namespace": "llm", "pod": "sglang-0"}
_SMI = {"node": "10.0.0.9", "gpu": "4", "uuid": UUID, "model": "NVIDIA A100"}
_AMD = {"node": "amd-1", "gpu": "2", "uuid": "SN1", "model": "MI300X"}
_VLLM = {"instance": "10.0.0.7:8000", "node": "10.0.0.7", "model_name": "org/model", "pod": "vllm-0"}
_CAPACITY = {"capacity": 200}
_UP = {"node": "10.0.0.9", "instance": "10.0.0.9:9835"}


def _engine(model: str) -> dict[str, str]:
    return {"instance": "10.0.0.8:8000", "node": "10.0.0.8", "host": "10.0.0.8", "model_name": model}


def _vllm_expected(*, old: bool = False) -> list[Expected]:
    ranks = 1 if old else 2
    return [
        Expected("kv_usage", 0.5 if old else 0.6, _VLLM),
        Expected("queue", 3 if old else 7, _VLLM),
        Expected("running", 100 * ranks, _VLLM),
        Expected("preemptions", 0.5 * ranks, _VLLM),
        Expected("requests", 10 * ranks, _VLLM),
        Expected("error_rate", 0.1, _VLLM),
        Expected("output_tokens", 2000 * ranks, _VLLM),
        Expected("ttft", 0.75, _VLLM, {"quantile": 0.75}),
        Expected("itl", 0.075, _VLLM, {"quantile": 0.75}),
        Expected("e2e", 15, _VLLM, {"quantile": 0.75}),
        Expected("batch_efficiency", 0.5, _VLLM, _CAPACITY),
        Expected("memory_expected", 1, {**_VLLM, "memory_expected": "0.92"}),
        Expected("prompt_tokens", 8000 * ranks, _VLLM),
        Expected("prefix_hits", 0.25, _VLLM),
        Expected("kv_blocks", 1, {**_VLLM, "kv_blocks": "100"}),
        Expected("kv_block_tokens", 1, {**_VLLM, "kv_block_tokens": "16"}),
        Expected("replica_up", 1, _VLLM),
    ]


SCENES: dict[str, tuple[Scene, list[Expected]]] = {}


def _add(scene: Scene, expected: list[Expected]) -> None:
    SCENES[scene.id] = (scene, expected)


_add(
    Scene(
        "dcgm", dcgm, {"instance": "10.0.0.1:9400", "pod": "dcgm-exporter-abc", "namespace": "gpu-operator"}
    ),
    [
        Expected("gpu_utilisation", 0.8, _GPU),
        Expected("gpu_utilisation", 0.3, {"gpu": "0", "mig": "3", "mig_profile": "1g.10gb"}),
        # Falls back for this GPU alone; the pod of the exporter is none of the GPU.
        Expected("gpu_utilisation", 0.4, {"gpu": "1", "host": "10.0.0.1", "pod": "", "namespace": ""}),
        Expected("compute_utilisation", 0.6, _GPU),
        Expected("tensor_utilisation", 0.2, _GPU),
        Expected("dram_activity", 0.7, _GPU),
        # The blank of the other GPU is dropped.
        Expected("memory_occupancy", 0.875, _GPU),
        Expected("memory_used_bytes", 70000 * 2**20, _GPU),
        Expected("gpu_temperature", 61, _GPU),
        Expected("gpu_power", 500, _GPU),
        Expected("throttling", 0.25, _GPU),
        Expected("xid", 79, _GPU, {"window": "1h"}),
        Expected("ecc_errors", 2, _GPU),
        Expected("row_remap_failed", 1, _GPU),
        Expected("gpu_exporter_up", 1, {"node": "gpu-1", "instance": "10.0.0.1:9400"}),
    ],
)
_add(
    Scene("dcgm_new", dcgm_new, {"instance": "10.0.0.2:9400"}),
    [
        Expected("gpu_utilisation", 0.85, _NEW),
        Expected("gpu_utilisation", 0.01, {"gpu": "1", "pod": "", "namespace": ""}),
        Expected("compute_utilisation", 0.62, _NEW),
        Expected("tensor_utilisation", 0.2, _NEW),
        Expected("dram_activity", 0.7, _NEW),
        Expected("memory_occupancy", 0.91, _NEW),
        Expected("gpu_temperature", 61, _NEW),
        Expected("gpu_power", 500, _NEW),
        Expected("throttling", 1, _NEW),
        Expected("throttling", 0, {"gpu": "1"}),
        Expected("xid", 94, _NEW, {"window": "1h"}),
        Expected("row_remap_failed", 0, _NEW),
    ],
)
_add(
    Scene("nvidia_smi", nvidia_smi, {"instance": "10.0.0.9:9835"}),
    [
        Expected("gpu_utilisation", 0.66, _SMI),
        Expected("memory_occupancy", 0.75, _SMI),
        Expected("memory_used_bytes", 6e10, _SMI),
        Expected("gpu_temperature", 70, _SMI),
        Expected("gpu_power", 300, _SMI),
        Expected("throttling", 1, _SMI),
        # 94 is a warning and 13 says nothing; 79 was long ago; 48 is critical.
        Expected("xid", 48, _SMI, {"window": "1h"}),
        Expected("ecc_errors", 3, _SMI),
        Expected("gpu_exporter_up", 1, _UP),
    ],
)
_AMD_EXPECTED = [
    Expected("gpu_utilisation", 0.75, _AMD),
    Expected("compute_utilisation", 0.5, _AMD),
    Expected("tensor_utilisation", 0.3, _AMD),
    Expected("dram_activity", 0.4, _AMD),
    Expected("memory_occupancy", 0.75, _AMD),
    Expected("memory_used_bytes", 150000 * 2**20, _AMD),
    Expected("gpu_temperature", 77, _AMD),
    Expected("gpu_power", 650, _AMD),
    Expected("ecc_errors", 0, _AMD),
]
_add(Scene("amd", amd, {"instance": "10.0.0.3:5000"}), _AMD_EXPECTED)
_add(Scene("amd_prefixed", amd_prefixed, {"instance": "10.0.0.3:5000"}), _AMD_EXPECTED)
_add(
    Scene("amd_smi", amd_smi, {"instance": "10.0.0.4:2021"}),
    [
        Expected("gpu_utilisation", 0.45, {"node": "10.0.0.4", "gpu": "1"}),
        Expected("dram_activity", 0.2, {"node": "10.0.0.4", "gpu": "1"}),
        Expected("gpu_temperature", 65, {"node": "10.0.0.4", "gpu": "1"}),
        Expected("gpu_power", 300, {"node": "10.0.0.4", "gpu": "1"}),
    ],
)
for _prefix in ("vllm:", "ray_vllm_", "vllm_"):
    _made = vllm(_prefix)
    _add(_made, _vllm_expected())
_add(vllm("vllm:", old=True), _vllm_expected(old=True))
_LABELS = {"instance": "10.0.0.8:8000"}
_NO_MODEL = {name: value for name, value in _engine("").items() if value}
_add(
    Scene("sglang", sglang, _LABELS),
    [
        Expected("kv_usage", 0.4, _engine("m")),
        Expected("queue", 2, _engine("m")),
        Expected("running", 20, _engine("m")),
        Expected("preemptions", 1, _engine("m")),
        Expected("requests", 4, _engine("m")),
        Expected("error_rate", 0.1, _engine("m")),
        Expected("output_tokens", 100, _engine("m")),
        Expected("prompt_tokens", 400, _engine("m")),
        Expected("prefix_hits", 0.25, _engine("m")),
        Expected("kv_capacity", 50000, _engine("m")),
        Expected("ttft", 0.5, _engine("m"), {"quantile": 0.75}),
        Expected("itl", 0.075, _engine("m"), {"quantile": 0.75}),
        Expected("e2e", 1.5, _engine("m"), {"quantile": 0.75}),
        Expected("batch_efficiency", 0.1, _engine("m"), _CAPACITY),
    ],
)
_add(
    Scene("trtllm", trtllm, _LABELS),
    [
        Expected("kv_usage", 0.3, _engine("m")),
        Expected("queue", 1, _engine("m")),
        Expected("running", 12, _engine("m")),
        Expected("batch_efficiency", 0.5, _engine("m")),
        Expected("requests", 10, _engine("m")),
        Expected("error_rate", 0.1, _engine("m")),
        Expected("output_tokens", 100, _engine("m")),
        Expected("ttft", 0.75, _engine("m"), {"quantile": 0.75}),
        Expected("itl", 0.075, _engine("m"), {"quantile": 0.75}),
        Expected("e2e", 15, _engine("m"), {"quantile": 0.75}),
    ],
)
_add(
    Scene("tgi", tgi, _LABELS),
    [
        Expected("queue", 5, _NO_MODEL),
        Expected("running", 24, _NO_MODEL),
        Expected("requests", 3, _NO_MODEL),
        Expected("output_tokens", 90, _NO_MODEL),
        Expected("itl", 0.075, _NO_MODEL, {"quantile": 0.75}),
        Expected("e2e", 1.5, _NO_MODEL, {"quantile": 0.75}),
        Expected("batch_efficiency", 0.12, _NO_MODEL, _CAPACITY),
    ],
)
_add(
    Scene("triton", triton, _LABELS),
    [
        Expected("queue", 4, _engine("ensemble")),
        Expected("requests", 10, _engine("ensemble")),
        Expected("error_rate", 0.2, _engine("ensemble")),
        Expected("e2e", 2, _engine("ensemble")),
        Expected("batch_efficiency", 0.5, _engine("ensemble"), {"capacity": 16}),
        Expected("gpu_utilisation", 0.5, {"node": "10.0.0.8", "uuid": UUID}),
        Expected("memory_occupancy", 0.5, {"node": "10.0.0.8", "uuid": UUID}),
        Expected("memory_used_bytes", 4e10, {"node": "10.0.0.8", "uuid": UUID}),
        Expected("gpu_power", 250, {"node": "10.0.0.8", "uuid": UUID}),
    ],
)
_add(
    Scene("triton_options", triton_options, _LABELS),
    [
        Expected("e2e", 3, _engine("ensemble"), {"quantile": 0.99}),
        Expected("ttft", 0.75, _engine("ensemble"), {"quantile": 0.75}),
    ],
)
_add(
    Scene("lmdeploy", lmdeploy, _LABELS),
    [
        Expected("kv_usage", 0.8, _engine("m")),
        Expected("queue", 0, _engine("m")),
        Expected("running", 32, _engine("m")),
        Expected("requests", 2, _engine("m")),
        Expected("output_tokens", 400, _engine("m")),
        Expected("ttft", 0.75, _engine("m"), {"quantile": 0.75}),
        Expected("itl", 0.075, _engine("m"), {"quantile": 0.75}),
        Expected("e2e", 15, _engine("m"), {"quantile": 0.75}),
        Expected("batch_efficiency", 0.16, _engine("m"), _CAPACITY),
    ],
)
_add(
    Scene("llama_cpp", llama_cpp, _LABELS),
    [
        Expected("kv_usage", 0.2, _NO_MODEL),
        Expected("queue", 1, _NO_MODEL),
        Expected("running", 3, _NO_MODEL),
        Expected("itl", 0.04, _NO_MODEL),
        Expected("output_tokens", 50, _NO_MODEL),
        Expected("batch_efficiency", 0.75, _NO_MODEL, {"capacity": 4}),
    ],
)
_add(
    Scene("ray_serve", ray_serve, _LABELS),
    [
        Expected("queue", 1, _engine("llm")),
        Expected("running", 9, _engine("llm")),
        Expected("requests", 10, _engine("llm")),
        Expected("error_rate", 0.1, _engine("llm")),
        Expected("e2e", 1.5, _engine("llm"), {"quantile": 0.75}),
    ],
)
_add(
    Scene("dynamo", dynamo, _LABELS),
    [
        Expected("kv_usage", 0.7, _engine("m")),
        Expected("queue", 10, _engine("m")),
        Expected("running", 20, _engine("m")),
        Expected("requests", 20, _engine("m")),
        Expected("error_rate", 0.05, _engine("m")),
        Expected("ttft", 0.75, _engine("m"), {"quantile": 0.75}),
        Expected("itl", 0.075, _engine("m"), {"quantile": 0.75}),
        Expected("e2e", 15, _engine("m"), {"quantile": 0.75}),
    ],
)
_add(
    Scene("node", node, {"instance": "10.0.0.5:9100"}),
    [
        Expected("host_cpu", 0.5, {"node": "10.0.0.5", "host": "10.0.0.5"}),
        Expected("host_memory", 0.75, {"node": "10.0.0.5"}),
    ],
)
_add(
    Scene("kube", kube, {"instance": "10.0.0.6:8080"}),
    [
        Expected("gpus_allocatable", 8, {"node": "gpu-1"}),
        # The pod that failed holds no GPU.
        Expected("gpus_requested", 6, {"node": "gpu-1"}),
    ],
)
