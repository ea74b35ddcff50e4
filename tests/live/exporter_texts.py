"""What exporters write, in a handful of series each, *t* seconds after the start."""

from __future__ import annotations

from collections.abc import Mapping

from tests.live.one_exporter import Scene

UUID = "GPU-11111111-2222-3333-4444-555555555555"
BARE = UUID.removeprefix("GPU-")
BLANK = 9223372036854775794


def histogram(name: str, labels: str, edges: Mapping[str, float], t: float) -> str:
    """Write a histogram that gets edges[le] observations per second up to each edge."""
    lines = [f'{name}_bucket{{{labels},le="{le}"}} {rate * t}' for le, rate in edges.items()]
    total = list(edges.values())[-1]
    return "\n".join([*lines, f"{name}_count{{{labels}}} {total * t}", f"{name}_sum{{{labels}}} {total * t}"])


def dcgm(t: float) -> str:
    own = f'gpu="0",UUID="{UUID}",modelName="NVIDIA H100",Hostname="gpu-1"'
    pod = f'{own},exported_namespace="llm",exported_pod="vllm-0"'
    mig = f'{own},GPU_I_ID="3",GPU_I_PROFILE="1g.10gb"'
    other = 'gpu="1",UUID="GPU-2",modelName="NVIDIA H100",Hostname="gpu-1"'
    return f"""
DCGM_FI_PROF_GR_ENGINE_ACTIVE{{{pod}}} 0.8
DCGM_FI_PROF_GR_ENGINE_ACTIVE{{{mig}}} 0.3
DCGM_FI_DEV_GPU_UTIL{{{pod}}} 100
DCGM_FI_DEV_GPU_UTIL{{{other}}} 40
DCGM_FI_PROF_SM_ACTIVE{{{pod}}} 0.6
DCGM_FI_PROF_PIPE_TENSOR_ACTIVE{{{pod}}} 0.2
DCGM_FI_PROF_DRAM_ACTIVE{{{pod}}} 0.7
DCGM_FI_DEV_FB_USED{{{pod}}} 70000
DCGM_FI_DEV_FB_FREE{{{pod}}} 10000
DCGM_FI_DEV_FB_USED{{{other}}} {BLANK}
DCGM_FI_DEV_FB_FREE{{{other}}} {BLANK}
DCGM_FI_DEV_GPU_TEMP{{{pod}}} 61
DCGM_FI_DEV_POWER_USAGE{{{pod}}} 500
DCGM_FI_DEV_THERMAL_VIOLATION{{{pod}}} {0.25e9 * t}
DCGM_FI_DEV_XID_ERRORS{{{pod},err_code="79",err_msg="off the bus"}} 79
DCGM_FI_DEV_XID_ERRORS{{{other},err_code="0",err_msg="No Error"}} 0
DCGM_FI_DEV_ECC_DBE_VOL_TOTAL{{{pod}}} 2
DCGM_FI_DEV_ROW_REMAP_FAILURE{{{pod}}} 1
"""


def dcgm_new(t: float) -> str:
    """DCGM 4.6 with percents, bare pod labels and hostname; the second GPU is idle, at one percent."""
    own = f'gpu="0",UUID="{UUID}",modelName="NVIDIA H100",hostname="gpu-2",namespace="llm",pod="sglang-0"'
    idle = 'gpu="1",UUID="GPU-2",hostname="gpu-2",namespace="mon",pod="nvidia-dcgm-exporter-x7"'
    return f"""
DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO{{{own}}} 85
DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO{{{idle}}} 1
DCGM_FI_PROF_SM_UTIL_RATIO{{{own}}} 62
DCGM_FI_PROF_TENSOR_UTIL_RATIO{{{own}}} 0.2
DCGM_FI_PROF_DRAM_UTIL_RATIO{{{own}}} 70
DCGM_FI_DEV_FB_USED_RATIO{{{own}}} 0.91
DCGM_FI_DEV_GPU_TEMP_CELSIUS{{{own}}} 61
DCGM_FI_DEV_BOARD_POWER_WATTS{{{own}}} 500
DCGM_FI_DEV_CLOCKS_EVENT_REASONS{{{own}}} 68
DCGM_FI_DEV_CLOCKS_EVENT_REASONS{{{idle}}} 4
DCGM_FI_DEV_XID_ERROR{{{own},err_code="94"}} 94
DCGM_FI_DEV_ROW_REMAP_FAILED{{{own}}} 0
"""


def nvidia_smi(t: float) -> str:
    return f"""
nvidia_smi_gpu_info{{uuid="{BARE}",index="4",name="NVIDIA A100"}} 1
nvidia_smi_utilization_gpu_ratio{{uuid="{BARE}"}} 0.66
nvidia_smi_memory_used_bytes{{uuid="{BARE}"}} 6e10
nvidia_smi_memory_free_bytes{{uuid="{BARE}"}} 2e10
nvidia_smi_memory_total_bytes{{uuid="{BARE}"}} 8.1e10
nvidia_smi_power_draw_watts{{uuid="{BARE}"}} 300
nvidia_smi_temperature_gpu{{uuid="{BARE}"}} 70
nvidia_smi_clocks_event_reasons_hw_thermal_slowdown{{uuid="{BARE}"}} 1
nvidia_smi_ecc_errors_uncorrected_volatile_total{{uuid="{BARE}"}} 3
nvidia_smi_xid_last_timestamp_seconds{{uuid="{BARE}",xid="94"}} 4e9
nvidia_smi_xid_last_timestamp_seconds{{uuid="{BARE}",xid="48"}} 4e9
nvidia_smi_xid_last_timestamp_seconds{{uuid="{BARE}",xid="79"}} 1e9
nvidia_smi_xid_last_timestamp_seconds{{uuid="{BARE}",xid="13"}} 4e9
"""


def amd(t: float) -> str:
    own = 'gpu_id="2",serial_number="SN1",card_model="MI300X",hostname="amd-1"'
    return f"""
gpu_gfx_activity{{{own}}} 75
gpu_prof_sm_active{{{own}}} 50
gpu_prof_tensor_active_percent{{{own}}} 30
gpu_umc_activity{{{own}}} 40
gpu_used_vram{{{own}}} 150000
gpu_total_vram{{{own}}} 200000
gpu_junction_temperature{{{own}}} 77
gpu_package_power{{{own}}} 650
gpu_ecc_uncorrect_total{{{own}}} 0
"""


def amd_prefixed(t: float) -> str:
    return amd(t).replace("\ngpu_", "\namd_gpu_").replace("gpu_package", "gpu_average_package")


def amd_smi(t: float) -> str:
    return """
amd_gpu_Usage{gpu_Usage="1"} 45
amd_gpu_memory_busy{gpu_memory_busy="1"} 20
amd_gpu_current_temperature{gpu_current_temperature="1"} 65000
amd_gpu_power_avg{gpu_power_avg="1"} 3e8
"""


# Of the KV cache: what vLLM writes as labels.
_CACHE = 'gpu_memory_utilization="0.92",num_gpu_blocks="100",block_size="16"'


def vllm(prefix: str, *, old: bool = False) -> Scene:
    """Two data-parallel ranks; *old* as 0.6 wrote it, without the label engine."""

    def text(t: float) -> str:
        ranks = ["0"] if old else ["0", "1"]
        lines = []
        for rank in ranks:
            own = 'model_name="org/model"' + ("" if old else f',engine="{rank}"')
            kv = "gpu_cache_usage_perc" if old else "kv_cache_usage_perc"
            itl = "time_per_output_token_seconds" if old else "inter_token_latency_seconds"
            lines += [
                f"{prefix}{kv}{{{own}}} 0.{5 + int(rank)}",
                f"{prefix}num_requests_running{{{own}}} 100",
                f"{prefix}num_requests_waiting{{{own}}} {3 + int(rank)}",
                f"{prefix}num_preemptions_total{{{own}}} {0.5 * t}",
                f'{prefix}request_success_total{{{own},finished_reason="stop"}} {9 * t}',
                f'{prefix}request_success_total{{{own},finished_reason="abort"}} {1 * t}',
                f"{prefix}generation_tokens_total{{{own}}} {2000 * t}",
                f"{prefix}cache_config_info{{{own},{_CACHE}}} 1",
                f"{prefix}prompt_tokens_total{{{own}}} {8000 * t}",
                f"{prefix}{'gpu_' if old else ''}prefix_cache_queries_total{{{own}}} {8000 * t}",
                f"{prefix}{'gpu_' if old else ''}prefix_cache_hits_total{{{own}}} {2000 * t}",
                histogram(f"{prefix}time_to_first_token_seconds", own, {"0.5": 5, "1.0": 10, "+Inf": 10}, t),
                histogram(f"{prefix}{itl}", own, {"0.05": 50, "0.1": 100, "+Inf": 100}, t),
                histogram(
                    f"{prefix}e2e_request_latency_seconds", own, {"10.0": 5, "20.0": 10, "+Inf": 10}, t
                ),
            ]
        lines.append(f"process_start_time_seconds {1e9}")
        return "\n".join(lines) + "\n"

    version = "old" if old else "new"
    name = {"vllm:": "vllm", "ray_vllm_": "vllm_on_ray", "vllm_": "vllm_otel"}[prefix]
    return Scene(
        f"{name}_{version}", text, {"instance": "10.0.0.7:8000", "pod": "vllm-0", "namespace": "llm"}
    )


def sglang(t: float) -> str:
    lines = []
    for tp in ("0", "1"):
        own = f'model_name="m",engine_type="unified",tp_rank="{tp}",pp_rank="0",moe_ep_rank="0"'
        lines += [
            f"sglang:token_usage{{{own}}} 0.4",
            f"sglang:num_running_reqs{{{own}}} 20",
            f"sglang:num_queue_reqs{{{own}}} 2",
        ]
    own = 'model_name="m",engine_type="unified"'
    lines += [
        f"sglang:num_retracted_requests_total{{{own}}} {t}",
        f"sglang:num_requests_total{{{own}}} {4 * t}",
        f"sglang:num_aborted_requests_total{{{own}}} {0.4 * t}",
        f"sglang:generation_tokens_total{{{own}}} {100 * t}",
        f"sglang:prompt_tokens_total{{{own}}} {400 * t}",
        f"sglang:cached_tokens_total{{{own}}} {100 * t}",
        f"sglang:max_total_num_tokens{{{own}}} 50000",
        histogram("sglang:time_to_first_token_seconds", own, {"0.4": 1, "0.6": 2, "+Inf": 2}, t),
        histogram("sglang:inter_token_latency_seconds", own, {"0.05": 1, "0.1": 2, "+Inf": 2}, t),
        histogram("sglang:e2e_request_latency_seconds", own, {"1": 1, "2": 2, "+Inf": 2}, t),
    ]
    return "\n".join(lines) + "\n"


def trtllm(t: float) -> str:
    own = 'model_name="m",engine_type="pytorch"'
    return f"""
trtllm_kv_cache_utilization{{{own}}} 0.3
trtllm_num_requests_waiting{{{own}}} 1
trtllm_num_requests_running{{{own}}} 12
trtllm_num_scheduled_requests{{{own}}} 8
trtllm_max_batch_size_runtime{{{own}}} 16
trtllm_request_success_total{{{own},finished_reason="stop"}} {6 * t}
trtllm_request_success_total{{{own},finished_reason="length"}} {3 * t}
trtllm_request_error_total{{{own},http_code="500"}} {1 * t}
trtllm_generation_tokens_total{{{own}}} {100 * t}
{histogram("trtllm_time_to_first_token_seconds", own, {"0.5": 1, "1.0": 2, "+Inf": 2}, t)}
{histogram("trtllm_time_per_output_token_seconds", own, {"0.05": 1, "0.1": 2, "+Inf": 2}, t)}
{histogram("trtllm_e2e_request_latency_seconds", own, {"10": 1, "20": 2, "+Inf": 2}, t)}
"""


def tgi(t: float) -> str:
    return f"""
tgi_queue_size 5
tgi_batch_current_size 24
tgi_request_count {3 * t}
tgi_request_generated_tokens_sum {90 * t}
{histogram("tgi_request_duration", 'a="b"', {"1": 1, "2": 2, "+Inf": 2}, t)}
{histogram("tgi_request_mean_time_per_token_duration", 'a="b"', {"0.05": 1, "0.1": 2, "+Inf": 2}, t)}
"""


def triton(t: float) -> str:
    own = 'model="ensemble",version="1"'
    return f"""
nv_inference_pending_request_count{{{own}}} 4
nv_inference_request_success{{{own}}} {8 * t}
nv_inference_request_failure{{{own},reason="REJECTED"}} {1 * t}
nv_inference_request_failure{{{own},reason="OTHER"}} {1 * t}
nv_inference_request_duration_us{{{own}}} {16e6 * t}
nv_inference_count{{{own}}} {64 * t}
nv_inference_exec_count{{{own}}} {8 * t}
nv_gpu_utilization{{gpu_uuid="{UUID}"}} 0.5
nv_gpu_memory_used_bytes{{gpu_uuid="{UUID}"}} 4e10
nv_gpu_memory_total_bytes{{gpu_uuid="{UUID}"}} 8e10
nv_gpu_power_usage{{gpu_uuid="{UUID}"}} 250
"""


def triton_options(t: float) -> str:
    own = 'model="ensemble",version="1"'
    return f"""
nv_inference_request_success{{{own}}} {8 * t}
nv_inference_request_summary_us{{{own},quantile="0.99"}} 3e6
nv_inference_request_summary_us{{{own},quantile="0.5"}} 1e6
{histogram("nv_inference_first_response_histogram_ms", own, {"500": 1, "1000": 2, "+Inf": 2}, t)}
"""


def lmdeploy(t: float) -> str:
    own = 'model_name="m",engine="0"'
    return f"""
lmdeploy:gpu_cache_usage_perc{{{own}}} 0.8
lmdeploy:num_requests_waiting{{{own}}} 0
lmdeploy:num_requests_running{{{own}}} 32
lmdeploy:request_success_total{{{own}}} {2 * t}
lmdeploy:generation_tokens_total{{{own}}} {400 * t}
{histogram("lmdeploy:time_to_first_token_seconds", own, {"0.5": 1, "1.0": 2, "+Inf": 2}, t)}
{histogram("lmdeploy:iter_token_latency", own, {"0.05": 1, "0.1": 2, "+Inf": 2}, t)}
{histogram("lmdeploy:e2e_request_latency_seconds", own, {"10": 1, "20": 2, "+Inf": 2}, t)}
"""


def llama_cpp(t: float) -> str:
    return f"""
llamacpp:requests_processing 3
llamacpp:requests_deferred 1
llamacpp:kv_cache_usage_ratio 0.2
llamacpp:tokens_predicted_total {50 * t}
llamacpp:tokens_predicted_seconds_total {2 * t}
"""


def ray_serve(t: float) -> str:
    own = 'deployment="llm"'
    return f"""
ray_serve_replica_processing_queries{{{own},replica="a"}} 4
ray_serve_replica_processing_queries{{{own},replica="b"}} 5
ray_serve_replica_queued_queries{{{own},replica="a"}} 1
ray_serve_deployment_request_counter{{{own},replica="a",route="/"}} {9 * t}
ray_serve_deployment_error_counter{{{own},replica="a",route="/",exception="E"}} {1 * t}
{histogram("ray_serve_deployment_processing_latency_ms", own, {"1000": 1, "2000": 2, "+Inf": 2}, t)}
"""


def dynamo(t: float) -> str:
    own = 'model="m"'
    return f"""
dynamo_component_kvstats_gpu_cache_usage_percent{{{own}}} 0.7
dynamo_frontend_inflight_requests{{{own}}} 30
dynamo_frontend_queued_requests{{{own}}} 10
dynamo_frontend_requests_total{{{own},status="success"}} {19 * t}
dynamo_frontend_requests_total{{{own},status="error"}} {1 * t}
{histogram("dynamo_frontend_time_to_first_token_seconds", own, {"0.5": 1, "1.0": 2, "+Inf": 2}, t)}
{histogram("dynamo_frontend_inter_token_latency_seconds", own, {"0.05": 1, "0.1": 2, "+Inf": 2}, t)}
{histogram("dynamo_frontend_request_duration_seconds", own, {"10": 1, "20": 2, "+Inf": 2}, t)}
"""


def node(t: float) -> str:
    return f"""
node_memory_MemTotal_bytes 1e12
node_memory_MemAvailable_bytes 2.5e11
node_cpu_seconds_total{{cpu="0",mode="idle"}} {0.25 * t}
node_cpu_seconds_total{{cpu="1",mode="idle"}} {0.75 * t}
node_cpu_seconds_total{{cpu="0",mode="user"}} {0.75 * t}
node_cpu_seconds_total{{cpu="1",mode="user"}} {0.25 * t}
"""


def kube(t: float) -> str:
    return """
kube_node_status_allocatable{node="gpu-1",resource="nvidia_com_gpu",unit="integer"} 8
kube_node_status_allocatable{node="gpu-1",resource="cpu",unit="core"} 96
kube_pod_container_resource_requests{node="gpu-1",namespace="llm",pod="a",container="c",resource="nvidia_com_gpu"} 2
kube_pod_container_resource_requests{node="gpu-1",namespace="llm",pod="b",container="c",resource="nvidia_com_gpu"} 4
kube_pod_container_resource_requests{node="gpu-1",namespace="llm",pod="x",container="c",resource="nvidia_com_gpu"} 1
kube_pod_status_phase{namespace="llm",pod="a",phase="Running"} 1
kube_pod_status_phase{namespace="llm",pod="b",phase="Running"} 1
kube_pod_status_phase{namespace="llm",pod="x",phase="Running"} 0
kube_pod_status_phase{namespace="llm",pod="x",phase="Failed"} 1
"""
