"""The weight format of a checkpoint, read from the `quantization_config` beside its architecture."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from core.architecture.config import Config
from core.architecture.formats import Encoding, WeightFormat, weight_formats
from core.architecture.model import Model
from core.architecture.modules import Modules
from core.errors import BadModelConfig

IGNORE_LISTS = (
    "ignore",
    "ignored_layers",
    "modules_to_not_convert",
    "modules_to_skip",
    "exclude_modules",
    "llm_int8_skip_modules",
)
"""The names that quantisers give to the list of modules which stay as they were."""

MOST_MODULES = 5_000
"""The longest list of modules that is read; published ones have a few hundred entries."""

_WIDE_NAMES = {"w4a16_nvfp4": "nvfp4", "w8a8_fp8": "fp8", "fp8_pb_wo": "fp8-block", "fp8_block": "fp8-block"}
_AWQ = ("awq", "awq_marlin", "intel/auto-round", "auto-round")
_GPTQ = ("gptq", "gptq_marlin", "gptqmodel")
_GROUPED = ("compressed-tensors", "modelopt", "modelopt_fp4", "modelopt_mixed", "nvfp4")


@lru_cache(maxsize=128)
def checkpoint_format(model: Model) -> WeightFormat:
    """Return the format that the checkpoint of *model* is stored in.

    That is its `quantization_config` where it has one, with the modules that it lists as not converted, else
    its `torch_dtype`, else bf16. Kept for each model, so that what others keep for a format is found again.

    Raises:
        BadModelConfig: a quantization that is not known.
    """
    if not model.quantization:
        return weight_formats()[model.dtype]
    config = _config(model)
    weights = _format(config)
    # A quantiser of experts alone lists what it left in the format that was there before.
    return weights if config.has("moe_quant_algo") else with_ignored(weights, model)


@lru_cache(maxsize=128)
def with_ignored(weights: WeightFormat, model: Model) -> WeightFormat:
    """Return *weights* with the modules that the checkpoint's config lists as kept in 16 bit.

    Raises:
        BadModelConfig: a list that is none, or too long.
    """
    if weights.is_gguf or not model.quantization:
        return weights
    config = _config(model)
    patterns = [pattern for field in IGNORE_LISTS for pattern in _patterns(config, field)]
    rules = config.part("dynamic")  # GPTQModel: "-:" and an expression leaves modules out
    if rules is not None:
        patterns += ["re:" + str(rule)[2:] for rule in rules.fields if str(rule).startswith("-:")]
    return replace(weights, keep=Modules(patterns)) if patterns else weights


def _config(model: Model) -> Config:
    return Config(model.quantization, prefix="quantization_config.")


def _patterns(config: Config, field: str) -> list[str]:
    value = config.raw(field)
    if isinstance(value, str):
        return [value]
    patterns = config.sequence(field) or []
    if len(patterns) > MOST_MODULES:
        raise config.fault("too_long", field, found=len(patterns), limit=MOST_MODULES)
    return [pattern for pattern in patterns if isinstance(pattern, str)]


def _unknown(method: object) -> BadModelConfig:
    return BadModelConfig(
        "config.quantization",
        field="quantization_config",
        name="quantization_config",
        method=str(method)[:80] or "?",
    )


def _format(config: Config) -> WeightFormat:
    """Return the format of what is quantised at all."""
    formats = weight_formats()
    algorithm = config.word("quant_algo").lower()
    method = config.word("quant_method", algorithm).lower()
    bits = config.integer("bits", config.integer("w_bit", 0, minimum=0), minimum=0, maximum=64)
    size = config.integer("group_size", 0, minimum=-1)
    if method in ("fp8", "fbgemm_fp8"):
        return _fp8(config)
    if method in _GPTQ and bits in (4, 8):
        return _grouped(formats[f"gptq-int{bits}"], size)
    if method in _AWQ and bits in (0, 4):
        return _grouped(formats["awq-int4"], size)
    if method == "bitsandbytes":
        if config.flag("load_in_8bit", False):
            return formats["int8"]
        return formats["nf4-double" if config.flag("bnb_4bit_use_double_quant", False) else "nf4"]
    if method == "mxfp4":
        return formats["mxfp4"]
    if method in _GROUPED:
        return _from_groups(config, algorithm or method)
    raise _unknown(method or algorithm)


def _fp8(config: Config) -> WeightFormat:
    """Return fp8 in blocks or by channel, with experts in four bits where the config says so."""
    formats = weight_formats()
    experts = config.word("moe_quant_algo").lower()
    if config.word("expert_dtype") == "fp4" and not experts:
        return formats["fp8-block+mxfp4"]
    base = formats["fp8-block" if config.has("weight_block_size") else "fp8"]
    if not experts:
        return base
    encoding = formats[_named(experts)].covers["expert"]
    label = f"{base.label} with {experts.upper()} experts"
    return replace(base, label=label, covers={**base.covers, "expert": encoding})


def _named(algorithm: str) -> str:
    """Return the weight format that ModelOpt calls *algorithm*."""
    name = _WIDE_NAMES.get(algorithm, algorithm)
    if name not in ("fp8", "fp8-block", "nvfp4", "mxfp4", "int8"):
        raise _unknown(algorithm)
    return name


def _from_groups(config: Config, algorithm: str) -> WeightFormat:
    """Read compressed-tensors and ModelOpt: groups of modules, each with the format of its weights.

    One group of all linear layers covers what its format usually covers; groups that name their modules cover
    just these.
    """
    groups = config.part("config_groups")
    parts = [part for part in (groups.part(name) for name in groups.fields) if part] if groups else []
    if not parts:
        return weight_formats()[_named(algorithm.removeprefix("modelopt_"))]
    formats = [_group_format(part, algorithm) for part in parts]
    targets = [[name for name in _patterns(part, "targets") if _is_module(name)] for part in parts]
    base = next((found for found, names in zip(formats, targets, strict=True) if not names), None)
    mixed = tuple(
        (Modules(names), found.covers.get("mlp") or found.covers["expert"])
        for found, names in zip(formats, targets, strict=True)
        if names
    )
    if base is not None:
        return replace(base, mixed=mixed)
    named = min(formats, key=lambda found: min(encoding.bits for encoding in found.covers.values()))
    label = " + ".join(dict.fromkeys(found.label for found in formats))
    return replace(named, label=label, covers={}, mixed=mixed)


def _is_module(name: str) -> bool:
    """Return whether *name* is a module or an expression rather than a class of layers ("Linear")."""
    return name.startswith("re:") or "." in name or name == "lm_head"


def _group_format(part: Config, algorithm: str) -> WeightFormat:
    formats = weight_formats()
    weights = part.part("weights")
    if weights is None:
        return formats[_named(algorithm)]
    bits, kind = weights.integer("num_bits", 8), weights.word("type", "int")
    size = weights.integer("group_size", 0, minimum=-1)
    if kind == "float" and bits == 4:
        return formats["mxfp4" if size == 32 else "nvfp4"]
    if kind == "float" and bits == 8:
        return formats["fp8-block" if weights.has("block_structure") else "fp8"]
    if bits == 8:
        return formats["int8"]
    if bits == 4:
        return _grouped(formats["int4"], size)
    raise _unknown(f"{bits} bit {kind}")


def _grouped(weights: WeightFormat, size: int) -> WeightFormat:
    """Return *weights* with scales for groups of *size* elements instead of the usual number; -1 is a whole row."""
    if size == 0:
        return weights
    label = weights.label.replace("g128", f"g{size}" if size > 0 else "by channel")
    covers = {role: _regrouped(encoding, size) for role, encoding in weights.covers.items()}
    return replace(weights, covers=covers, label=label)


def _regrouped(encoding: Encoding, size: int) -> Encoding:
    if size > 0:
        return replace(encoding, group=size)
    return replace(encoding, group=0, row_bytes=encoding.row_bytes + encoding.group_bytes)
