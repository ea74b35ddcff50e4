"""Sets of exporters as a store would show them: the metric names, and raw samples of a node with its engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.monitoring.exporters import Detected, detect

DCGM_LABELS = (
    'gpu="0",UUID="GPU-1",Hostname="n1",modelName="NVIDIA H100 80GB HBM3",instance="n1:9400",job="dcgm"'
)
VLLM_LABELS = 'model_name="m",engine="0",instance="n1:8000",job="vllm"'


@dataclass(frozen=True)
class Set:
    """Exporters of one cluster: names of its metrics; series of a busy GPU and a busy, healthy replica."""

    id: str
    gpu: Mapping[str, str]
    engine: Mapping[str, str]
    more: tuple[str, ...] = ()

    @property
    def detected(self) -> Detected:
        names = {series.partition("{")[0] for series in (*self.gpu, *self.engine)}
        return detect(names | set(self.more) | {"up", "process_start_time_seconds"})


def dcgm(util: str, used: str, free: str, temperature: str, labels: str = DCGM_LABELS) -> dict[str, str]:
    return {
        f"{util}{{{labels}}}": "80x120" if "RATIO" not in util else "0.8x120",
        f"{used}{{{labels}}}": "78573x120",
        f"{free}{{{labels}}}": "2430x120",
        f"{temperature}{{{labels}}}": "60x120",
        'up{instance="n1:9400",job="dcgm"}': "1x120",
    }


def vllm(prefix: str, labels: str = VLLM_LABELS) -> dict[str, str]:
    """A replica that answers 20 requests in 30 s, none of which has failed yet, in 60 ms each."""
    ttft = f"{prefix}time_to_first_token_seconds"
    return {
        f"{prefix}num_requests_running{{{labels}}}": "40x120",
        f"{prefix}num_requests_waiting{{{labels}}}": "0x120",
        f"{prefix}kv_cache_usage_perc{{{labels}}}": "0.6x120",
        # Starts anew after half an hour.
        f'{prefix}request_success_total{{{labels},finished_reason="stop"}}': "0+20x60 0+20x60",
        f'{ttft}_bucket{{{labels},le="0.1"}}': "0+20x60 0+20x60",
        f'{ttft}_bucket{{{labels},le="+Inf"}}': "0+20x60 0+20x60",
        f"{ttft}_count{{{labels}}}": "0+20x60 0+20x60",
        'up{instance="n1:8000",job="vllm"}': "1x120",
    }


AMD_LABELS = 'gpu_id="0",serial_number="s1",hostname="n1",card_model="MI300X",instance="n1:5000",job="amd"'
SGLANG_LABELS = 'model_name="m",instance="n1:30000",job="sglang"'

SETS = (
    Set(
        "dcgm-old-vllm",
        dcgm("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_GPU_TEMP"),
        vllm("vllm:"),
    ),
    Set(
        "dcgm-4.6-vllm",
        dcgm(
            "DCGM_FI_DEV_GPU_UTIL_RATIO",
            "DCGM_FI_DEV_FB_USED",
            "DCGM_FI_DEV_FB_FREE",
            "DCGM_FI_DEV_GPU_TEMP_CELSIUS",
            DCGM_LABELS.replace("Hostname", "hostname"),
        ),
        vllm("vllm:"),
    ),
    Set(
        "dcgm-ray-vllm",
        dcgm("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_GPU_TEMP"),
        vllm("ray_vllm_"),
    ),
    Set(
        "nvidia_smi-sglang",
        {
            'nvidia_smi_utilization_gpu_ratio{uuid="1",instance="n1:9835",job="smi"}': "0.8x120",
            'nvidia_smi_memory_used_bytes{uuid="1",instance="n1:9835",job="smi"}': "78573000000x120",
            'nvidia_smi_memory_free_bytes{uuid="1",instance="n1:9835",job="smi"}': "2430000000x120",
            'nvidia_smi_memory_total_bytes{uuid="1",instance="n1:9835",job="smi"}': "81003000000x120",
            'nvidia_smi_temperature_gpu{uuid="1",instance="n1:9835",job="smi"}': "60x120",
            'nvidia_smi_index{uuid="1",instance="n1:9835",job="smi"}': "0x120",
            'nvidia_smi_gpu_info{uuid="1",name="NVIDIA L40S",index="0",instance="n1:9835",job="smi"}': "1x120",
            'up{instance="n1:9835",job="smi"}': "1x120",
        },
        {
            f"sglang:num_running_reqs{{{SGLANG_LABELS}}}": "40x120",
            f"sglang:num_queue_reqs{{{SGLANG_LABELS}}}": "0x120",
            f"sglang:token_usage{{{SGLANG_LABELS}}}": "0.6x120",
            f"sglang:num_requests_total{{{SGLANG_LABELS}}}": "0+20x60 0+20x60",
            f'sglang:time_to_first_token_seconds_bucket{{{SGLANG_LABELS},le="0.1"}}': "0+20x60 0+20x60",
            f'sglang:time_to_first_token_seconds_bucket{{{SGLANG_LABELS},le="+Inf"}}': "0+20x60 0+20x60",
            f"sglang:time_to_first_token_seconds_count{{{SGLANG_LABELS}}}": "0+20x60 0+20x60",
            'up{instance="n1:30000",job="sglang"}': "1x120",
        },
        ("sglang:num_aborted_requests_total",),
    ),
    Set(
        "amd-vllm",
        {
            f"gpu_gfx_activity{{{AMD_LABELS}}}": "80x120",
            f"gpu_used_vram{{{AMD_LABELS}}}": "190698x120",
            f"gpu_total_vram{{{AMD_LABELS}}}": "196592x120",
            f"gpu_junction_temperature{{{AMD_LABELS}}}": "60x120",
            'up{instance="n1:5000",job="amd"}': "1x120",
        },
        vllm("vllm:"),
    ),
)
