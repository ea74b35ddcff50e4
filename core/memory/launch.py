"""The command that starts a deployment on its engine."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from core.memory.deployment import Deployment

_QUANTIZATION = {
    "fp8": "fp8",
    "fp8-block": "fp8",
    "int8": "compressed-tensors",
    "gptq-int8": "gptq_marlin",
    "gptq-int4": "gptq_marlin",
    "awq-int4": "awq_marlin",
    "nf4": "bitsandbytes",
    "nf4-double": "bitsandbytes",
    "nvfp4": "modelopt_fp4",
    "mxfp4": "mxfp4",
}
_DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
_KV = {"fp8": "fp8", "bf16": "auto", "fp16": "auto", "fp32": "auto"}


def launch_command(deployment: Deployment, checkpoint_as_is: bool = True) -> str:
    """Return a shell command, one option a line, that starts *deployment*.

    *checkpoint_as_is* says that the weights are those of the checkpoint, so that no quantisation is asked for.
    Transformers has no server: its answer is a short Python program.
    """
    build: dict[str, Callable[[Deployment, bool], list[str]]] = {
        "vllm": _vllm,
        "sglang": _sglang,
        "llama.cpp": _llama_cpp,
        "tensorrt-llm": _tensorrt_llm,
    }
    if deployment.engine.name == "transformers":
        return _transformers(deployment)
    return " \\\n  ".join(build[deployment.engine.name](deployment, checkpoint_as_is))


def _name(deployment: Deployment) -> str:
    return shlex.quote(deployment.model.name)


def _vllm(deployment: Deployment, as_is: bool) -> list[str]:
    layout = deployment.layout
    lines = [
        f"vllm serve {_name(deployment)}",
        f"--max-model-len {deployment.context}",
        f"--gpu-memory-utilization {deployment.fraction:g}",
    ]
    lines += _ranks(deployment, ("--tensor-parallel-size", "--pipeline-parallel-size"))
    if layout.attention_dp and layout.dp > 1:
        lines.append(f"--data-parallel-size {layout.dp}")
    if layout.ep > 1:
        lines.append("--enable-expert-parallel")
    lines += _number_format(deployment, as_is)
    if _KV.get(deployment.kv.keys, "auto") != "auto":
        lines.append(f"--kv-cache-dtype {_KV[deployment.kv.keys]}")
    if deployment.max_num_seqs:
        lines.append(f"--max-num-seqs {deployment.max_num_seqs}")
    if deployment.max_num_batched_tokens:
        lines.append(f"--max-num-batched-tokens {deployment.max_num_batched_tokens}")
    if deployment.enforce_eager:
        lines.append("--enforce-eager")
    return lines


def _sglang(deployment: Deployment, as_is: bool) -> list[str]:
    layout = deployment.layout
    # SGLang counts the data-parallel ranks inside its tensor-parallel size.
    tp = layout.tp * (layout.dp if layout.attention_dp else 1)
    lines = [
        f"python -m sglang.launch_server --model-path {_name(deployment)}",
        f"--context-length {deployment.context}",
        f"--mem-fraction-static {deployment.fraction:g}",
    ]
    lines += [f"--tp-size {tp}"] if tp > 1 else []
    lines += [f"--pp-size {layout.pp}"] if layout.pp > 1 else []
    if layout.attention_dp and layout.dp > 1:
        lines += [f"--dp-size {layout.dp}", "--enable-dp-attention"]
    if layout.ep > 1:
        lines.append(f"--ep-size {layout.ep}")
    lines += _number_format(deployment, as_is)
    if deployment.kv.keys == "fp8":
        lines.append("--kv-cache-dtype fp8_e4m3")
    if deployment.max_num_seqs:
        lines.append(f"--max-running-requests {deployment.max_num_seqs}")
    if deployment.max_num_batched_tokens:
        lines.append(f"--chunked-prefill-size {deployment.max_num_batched_tokens}")
    if deployment.enforce_eager:
        lines.append("--disable-cuda-graph")
    return lines


def _number_format(deployment: Deployment, as_is: bool) -> list[str]:
    """Return the option for weights that are not quantised, or for a quantisation that the checkpoint lacks."""
    if deployment.weights.id in _DTYPES:
        return [f"--dtype {_DTYPES[deployment.weights.id]}"]
    if not as_is and deployment.weights.id in _QUANTIZATION:
        return [f"--quantization {_QUANTIZATION[deployment.weights.id]}"]
    return []


def _ranks(deployment: Deployment, names: tuple[str, str]) -> list[str]:
    sizes = (deployment.layout.tp, deployment.layout.pp)
    return [f"{name} {size}" for name, size in zip(names, sizes, strict=True) if size > 1]


def _llama_cpp(deployment: Deployment, as_is: bool) -> list[str]:
    del as_is  # a GGUF file is its own format
    file = f"{deployment.model.name.rsplit('/', 1)[-1]}-{deployment.weights.id.upper()}.gguf"
    lines = [
        f"llama-server --model {shlex.quote(file)}",
        f"--ctx-size {deployment.context}",
        "--n-gpu-layers 999",
        f"--parallel {deployment.sequences}",
    ]
    if deployment.layout.gpus > 1:
        lines.append(f"--split-mode {'row' if deployment.layout.tp > 1 else 'layer'}")
    if deployment.kv.keys not in ("f16", "fp16"):
        lines.append(f"--cache-type-k {deployment.kv.keys}")
    if deployment.kv.values not in ("f16", "fp16"):
        lines.append(f"--cache-type-v {deployment.kv.values}")
    if deployment.max_num_batched_tokens:
        lines.append(f"--ubatch-size {deployment.max_num_batched_tokens}")
    if deployment.flash_attention is not None:
        lines.append(f"--flash-attn {'on' if deployment.flash_attention else 'off'}")
    return lines


def _tensorrt_llm(deployment: Deployment, as_is: bool) -> list[str]:
    del as_is  # the checkpoint decides
    lines = [
        f"trtllm-serve {_name(deployment)}",
        f"--max_seq_len {deployment.context}",
        f"--kv_cache_free_gpu_memory_fraction {deployment.fraction:g}",
        f"--max_batch_size {deployment.sequences}",
        f"--max_num_tokens {deployment.batched_tokens}",
    ]
    lines += _ranks(deployment, ("--tp_size", "--pp_size"))
    if deployment.layout.ep > 1:
        lines.append(f"--ep_size {deployment.layout.ep}")
    return lines


def _transformers(deployment: Deployment) -> str:
    dtype = _DTYPES.get(deployment.weights.id, "auto")
    return "\n".join(
        (
            "from transformers import AutoModelForCausalLM, AutoTokenizer",
            "",
            f"name = {deployment.model.name!r}",
            "tokenizer = AutoTokenizer.from_pretrained(name)",
            f"model = AutoModelForCausalLM.from_pretrained(name, dtype={dtype!r}, device_map='auto')",
            "inputs = tokenizer('Hello', return_tensors='pt').to(model.device)",
            "print(tokenizer.decode(model.generate(**inputs, max_new_tokens=64)[0]))",
        )
    )
