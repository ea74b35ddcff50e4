"""`accelerate launch --config_file`: processes, FSDP 2 and the parallel layout."""

from __future__ import annotations

from typing import Any

from core.catalog import accelerators
from core.catalog.nodes import gpus_per_node
from core.memory.training import TrainingRun
from core.planning.fragments.fragment import Fragment, as_yaml, missing, precision_name


def accelerate_yaml(run: TrainingRun) -> Fragment:
    """Return the config of Accelerate; ZeRO 1 needs DeepSpeed, and pipelines another program.

    Source: huggingface/accelerate docs (usage_guides/fsdp, concept_guides/fsdp1_vs_fsdp2, parallelism_config).
    """
    layout = run.layout
    sharded = layout.zero >= 2 and layout.shards > 1
    kind = "FSDP" if sharded else "MULTI_GPU" if layout.gpus > 1 else "NO"
    content: dict[str, Any] = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": kind,
        "mixed_precision": precision_name(run),
        "num_machines": _machines(run),
        "num_processes": layout.gpus,
    }
    if sharded:
        content["fsdp_config"] = {
            "fsdp_version": 2,
            "fsdp_reshard_after_forward": layout.zero == 3,
            "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "fsdp_activation_checkpointing": run.checkpointing == "full",
            "fsdp_offload_params": run.offload is not None,
            "fsdp_cpu_ram_efficient_loading": True,
            "fsdp_state_dict_type": "SHARDED_STATE_DICT",
        }
    if layout.tp > 1 or layout.cp > 1:
        content["parallelism_config"] = {
            "parallelism_config_dp_replicate_size": 1 if sharded else layout.dp,
            "parallelism_config_dp_shard_size": layout.dp if sharded else 1,
            "parallelism_config_tp_size": layout.tp,
            "parallelism_config_cp_size": layout.cp,
        }
    offload = () if sharded else ("offload",)
    lacks = missing(run, "zero1", "pp", "ep", "selective", "activation_offload", *offload)
    return Fragment("accelerate.yaml", "yaml", as_yaml(content), lacks)


def _machines(run: TrainingRun) -> int:
    name = run.device.id if run.device else None
    record = accelerators().get(name) if name else None
    each = gpus_per_node(record) if record else 8
    return -(-run.layout.gpus // each)
