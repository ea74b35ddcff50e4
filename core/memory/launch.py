"""How a deployment is started on its engine: one table of options, as a shell command or as a list of words."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from core.errors import BadRequest
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
_KV_FP8 = {"vllm": "fp8", "sglang": "fp8_e4m3"}

_PROGRAMS = {
    "vllm": ("vllm", "serve"),
    "sglang": ("python3", "-m", "sglang.launch_server"),
    "tensorrt-llm": ("trtllm-serve",),
    "llama.cpp": ("llama-server",),
}
_MODEL_OPTION = {"sglang": ("--model-path",), "llama.cpp": ("--model",)}


OPTIONS = "trtllm.yaml"
"""The file of what trtllm-serve has no options for."""


@dataclass(frozen=True)
class Launch:
    """The words that start an engine: its program, and its arguments, an option with its value in each.

    `file` is what must be in the file of options that the last argument names; it is empty where there is none.
    """

    program: tuple[str, ...]
    arguments: tuple[tuple[str, ...], ...]
    file: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """All arguments, one word each."""
        return tuple(chain.from_iterable(self.arguments))


def launch(deployment: Deployment, checkpoint_as_is: bool = True, folder: str = "") -> Launch:
    """Return the words that start *deployment*, unquoted.

    *checkpoint_as_is* says that the weights are those of the checkpoint, so that no quantisation is asked for.
    *folder* is where a file of options lies, by default where the program starts.

    Raises:
        BadRequest: the engine has no server (Transformers).
    """
    engine = deployment.engine.name
    if engine not in _PROGRAMS:
        raise BadRequest("manifest.no_server", field="engine", engine=deployment.engine.label)
    arguments = [(*_MODEL_OPTION.get(engine, ()), _model(deployment))]
    for names, value_of in _OPTIONS:
        value = value_of(deployment, checkpoint_as_is) if engine in names else None
        if value:
            arguments.append((names[engine],) if value is True else (names[engine], str(value)))
    file = _options_file(deployment)
    if file:
        arguments.append(("--extra_llm_api_options", f"{folder}/{OPTIONS}" if folder else OPTIONS))
    return Launch(_PROGRAMS[engine], tuple(arguments), file)


def launch_command(deployment: Deployment, checkpoint_as_is: bool = True) -> str:
    """Return a shell command, one option a line, that starts *deployment*; see `launch`.

    A file of options is written first, where there is one. Transformers has no server: its answer is a short
    Python program.
    """
    if deployment.engine.name == "transformers":
        return _transformers(deployment)
    parts = launch(deployment, checkpoint_as_is)
    first = (*parts.program, *parts.arguments[0])
    written = f"cat > {OPTIONS} <<'EOF'\n{parts.file}EOF\n" if parts.file else ""
    return written + " \\\n  ".join(shlex.join(line) for line in (first, *parts.arguments[1:]))


def _model(deployment: Deployment) -> str:
    if deployment.engine.name != "llama.cpp":
        return deployment.model.name
    return f"{deployment.model.name.rsplit('/', 1)[-1]}-{deployment.weights.id.upper()}.gguf"


def _several(number: int) -> int | None:
    return number if number > 1 else None


def _attention_ranks(deployment: Deployment) -> int:
    return deployment.layout.dp if deployment.layout.attention_dp else 1


def _tensor_parallel(deployment: Deployment) -> int | None:
    # SGLang and TensorRT-LLM count the data-parallel ranks inside their tensor-parallel size.
    inside = 1 if deployment.engine.name == "vllm" else _attention_ranks(deployment)
    return _several(deployment.layout.tp * inside)


def _options_file(deployment: Deployment) -> str:
    """Return what trtllm-serve reads from a file, since it has no options for it."""
    if deployment.engine.name != "tensorrt-llm":
        return ""
    lines = ["enable_attention_dp: true"] if _attention_ranks(deployment) > 1 else []
    if deployment.kv.keys == "fp8":
        # Early versions take the whole of a part from the file: the fraction stands there too.
        fraction = f"  free_gpu_memory_fraction: {deployment.fraction:g}"
        lines += ["kv_cache_config:", "  dtype: fp8", fraction]
    return "".join(f"{line}\n" for line in lines)


def _of_all_ranks(deployment: Deployment, limit: int | None) -> int | None:
    """Return *limit* of one rank as the engine counts it: SGLang divides by the ranks of attention."""
    inside = _attention_ranks(deployment) if deployment.engine.name == "sglang" else 1
    return limit and limit * inside


def _quantization(deployment: Deployment, as_is: bool) -> str | None:
    """Return the name of a quantisation that the checkpoint lacks; a dtype says all where there is one."""
    return None if as_is or deployment.weights.id in _DTYPES else _QUANTIZATION.get(deployment.weights.id)


def _kv_cache(deployment: Deployment) -> str | None:
    return _KV_FP8[deployment.engine.name] if deployment.kv.keys == "fp8" else None


def _unless_16_bit(kv: str) -> str | None:
    return None if kv in ("f16", "fp16") else kv


def _sequences(deployment: Deployment) -> int | None:
    """Return the limit that was chosen; engines that size buffers by it are told it in any case."""
    told = deployment.engine.name in ("tensorrt-llm", "llama.cpp")
    return _of_all_ranks(deployment, deployment.sequences if told else deployment.max_num_seqs)


def _pass_tokens(deployment: Deployment) -> int | None:
    name = deployment.engine.name
    told = name == "tensorrt-llm" or (name == "sglang" and _attention_ranks(deployment) > 1)
    return _of_all_ranks(deployment, deployment.batched_tokens if told else deployment.max_num_batched_tokens)


def _split(deployment: Deployment) -> str | None:
    if deployment.layout.gpus == 1:
        return None
    return "row" if deployment.layout.tp > 1 else "layer"


def _flash(deployment: Deployment) -> str | None:
    if deployment.flash_attention is None:
        return None
    return "on" if deployment.flash_attention else "off"


# What an option says, by the engines' own names for it. None and False: the option is left out; True: it has no
# value. Source: documentation of vLLM 0.21, SGLang 0.5, TensorRT-LLM 1.2 and llama.cpp b8000.
_OPTIONS: tuple[tuple[dict[str, str], Callable[[Deployment, bool], object]], ...] = (
    (
        {
            "vllm": "--max-model-len",
            "sglang": "--context-length",
            "tensorrt-llm": "--max_seq_len",
            "llama.cpp": "--ctx-size",
        },
        lambda it, _: it.context,
    ),
    (
        {
            "vllm": "--gpu-memory-utilization",
            "sglang": "--mem-fraction-static",
            "tensorrt-llm": "--kv_cache_free_gpu_memory_fraction",
        },
        lambda it, _: f"{it.fraction:g}",
    ),
    ({"llama.cpp": "--n-gpu-layers"}, lambda _it, _: 999),
    (
        {"vllm": "--tensor-parallel-size", "sglang": "--tp-size", "tensorrt-llm": "--tp_size"},
        lambda it, _: _tensor_parallel(it),
    ),
    (
        {"vllm": "--pipeline-parallel-size", "sglang": "--pp-size", "tensorrt-llm": "--pp_size"},
        lambda it, _: _several(it.layout.pp),
    ),
    (
        {"vllm": "--data-parallel-size", "sglang": "--dp-size"},
        lambda it, _: _several(_attention_ranks(it)),
    ),
    ({"sglang": "--enable-dp-attention"}, lambda it, _: _attention_ranks(it) > 1),
    ({"sglang": "--ep-size", "tensorrt-llm": "--ep_size"}, lambda it, _: _several(it.layout.ep)),
    ({"vllm": "--enable-expert-parallel"}, lambda it, _: it.layout.ep > 1),
    ({"vllm": "--dtype", "sglang": "--dtype"}, lambda it, _: _DTYPES.get(it.weights.id)),
    ({"vllm": "--quantization", "sglang": "--quantization"}, _quantization),
    ({"vllm": "--kv-cache-dtype", "sglang": "--kv-cache-dtype"}, lambda it, _: _kv_cache(it)),
    ({"llama.cpp": "--cache-type-k"}, lambda it, _: _unless_16_bit(it.kv.keys)),
    ({"llama.cpp": "--cache-type-v"}, lambda it, _: _unless_16_bit(it.kv.values)),
    (
        {
            "vllm": "--max-num-seqs",
            "sglang": "--max-running-requests",
            "tensorrt-llm": "--max_batch_size",
            "llama.cpp": "--parallel",
        },
        lambda it, _: _sequences(it),
    ),
    (
        {
            "vllm": "--max-num-batched-tokens",
            "sglang": "--chunked-prefill-size",
            "tensorrt-llm": "--max_num_tokens",
            "llama.cpp": "--ubatch-size",
        },
        lambda it, _: _pass_tokens(it),
    ),
    ({"vllm": "--enforce-eager", "sglang": "--disable-cuda-graph"}, lambda it, _: it.enforce_eager),
    ({"llama.cpp": "--split-mode"}, lambda it, _: _split(it)),
    ({"llama.cpp": "--flash-attn"}, lambda it, _: _flash(it)),
)


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
