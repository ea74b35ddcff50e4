"""The weight format of a checkpoint, read from the `quantization_config` beside its architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.architecture.formats import Encoding, WeightFormat, weight_formats
from core.architecture.model import Model
from core.errors import BadModelConfig

IGNORE_LISTS = (
    "ignore",
    "modules_to_not_convert",
    "ignored_layers",
    "exclude_modules",
    "llm_int8_skip_modules",
)


def checkpoint_format(model: Model) -> WeightFormat:
    """Return the format that the checkpoint of *model* is stored in.

    That is its `quantization_config` where it has one, with the modules that it lists as not converted, else
    its `torch_dtype`, else bf16.

    Raises:
        BadModelConfig: a quantization that is not known.
    """
    quantization = model.quantization
    if not quantization:
        return weight_formats()[model.dtype]
    return with_ignored(_format(quantization), model)


def with_ignored(weights: WeightFormat, model: Model) -> WeightFormat:
    """Return *weights* with the modules that the checkpoint's config lists as kept in 16 bit."""
    keep = tuple(
        name
        for field in IGNORE_LISTS
        for name in (model.quantization.get(field) or ())
        if isinstance(name, str)
    )
    return replace(weights, keep=keep) if keep and not weights.is_gguf else weights


def _format(quantization: Mapping[str, Any]) -> WeightFormat:
    formats = weight_formats()
    method = str(quantization.get("quant_method") or quantization.get("quant_algo") or "").lower()
    bits = quantization.get("bits", quantization.get("w_bit"))
    if method == "fp8" and quantization.get("expert_dtype") == "fp4":
        return formats["fp8-block+mxfp4"]
    if method in ("fp8", "fbgemm_fp8"):
        return formats["fp8-block" if quantization.get("weight_block_size") else "fp8"]
    if method == "gptq" and bits in (4, 8):
        return _grouped(formats[f"gptq-int{bits}"], quantization.get("group_size"))
    if method in ("awq", "intel/auto-round", "auto-round") and bits in (4, None):
        return _grouped(formats["awq-int4"], quantization.get("group_size"))
    if method == "bitsandbytes":
        if quantization.get("load_in_8bit"):
            return formats["int8"]
        return formats["nf4-double" if quantization.get("bnb_4bit_use_double_quant") else "nf4"]
    if method == "mxfp4":
        return formats["mxfp4"]
    if method in ("compressed-tensors", "modelopt", "nvfp4", "modelopt_fp4"):
        return _from_groups(quantization, method)
    raise BadModelConfig(
        "config.quantization", field="quantization_config", name="quantization_config", method=method
    )


def _from_groups(quantization: Mapping[str, Any], method: str) -> WeightFormat:
    """Read compressed-tensors and ModelOpt: the first group of weights says what the linear layers hold."""
    formats = weight_formats()
    algorithm = str(quantization.get("quant_algo") or "").upper()
    if "FP4" in algorithm or "fp4" in method:
        return formats["nvfp4"]
    groups = quantization.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    weights = first.get("weights") if isinstance(first, Mapping) else None
    if not isinstance(weights, Mapping):
        if "FP8" in algorithm:
            return formats["fp8"]
        raise BadModelConfig(
            "config.quantization",
            field="quantization_config",
            name="quantization_config",
            method=algorithm or method,
        )
    bits, kind, size = weights.get("num_bits"), str(weights.get("type", "int")), weights.get("group_size")
    if kind == "float" and bits == 4:
        return formats["mxfp4" if size == 32 else "nvfp4"]
    if bits == 8:
        block = weights.get("strategy") == "block" or weights.get("block_structure")
        return formats["int8" if kind == "int" else "fp8-block" if block else "fp8"]
    if bits == 4:
        return _grouped(formats["int4"], size)
    raise BadModelConfig(
        "config.quantization",
        field="quantization_config",
        name="quantization_config",
        method=f"{bits} bit {kind}",
    )


def _grouped(weights: WeightFormat, size: object) -> WeightFormat:
    """Return *weights* with scales for groups of *size* elements instead of the usual number."""
    if isinstance(size, bool) or not isinstance(size, int) or size <= 0:
        return weights
    covers: dict[str, Encoding] = {
        role: replace(encoding, group=size) for role, encoding in weights.covers.items()
    }
    return replace(weights, covers=covers, label=weights.label.replace("g128", f"g{size}"))
