"""DeepSpeed's JSON: ZeRO stage, offload, precision and batch."""

from __future__ import annotations

import json
from typing import Any

from core.memory.training import TrainingRun
from core.planning.fragments.fragment import Fragment, missing
from core.planning.training_start import START


def deepspeed_json(run: TrainingRun) -> Fragment:
    """Return the config of DeepSpeed for `TrainingArguments(deepspeed=...)` or `deepspeed.initialize`.

    Source: deepspeed.ai docs, config-json (zero_optimization, bf16, tensor_parallel).
    """
    layout = run.layout
    zero: dict[str, Any] = {"stage": layout.zero}
    if layout.zero:
        zero |= {"overlap_comm": True, "contiguous_gradients": True}
    if run.offload is not None:
        zero["offload_optimizer"] = {"device": "cpu", "pin_memory": True}
    if run.offload in ("parameters", "all"):
        zero["offload_param"] = {"device": "cpu", "pin_memory": True}
    content: dict[str, Any] = {
        "train_micro_batch_size_per_gpu": run.micro_batch,
        "gradient_accumulation_steps": run.accumulation,
        "train_batch_size": run.effective_batch,
        "gradient_clipping": START["clip"],
        "bf16": {"enabled": run.precision.weights == "bf16"},
        "fp16": {"enabled": run.precision.weights == "fp16"},
        "zero_optimization": zero,
    }
    if layout.tp > 1:
        content["tensor_parallel"] = {"autotp_size": layout.tp}
    if run.checkpointing == "full+offload":
        content["activation_checkpointing"] = {"partition_activations": False, "cpu_checkpointing": True}
    # DeepSpeed keeps parameters on the CPU only in stage 3.
    stage = ("offload",) if run.offload in ("parameters", "all") and layout.zero < 3 else ()
    lacks = missing(run, "pp", "cp", "ep", "selective", *stage)
    return Fragment("deepspeed.json", "json", json.dumps(content, indent=2), lacks)
