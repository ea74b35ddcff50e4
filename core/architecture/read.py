"""config.json -> Model."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.architecture.caches import CacheLayout
from core.architecture.config import Config
from core.architecture.families import Family, published_tower, recognise
from core.architecture.feedforward import Mlp
from core.architecture.layers import Feedforward, feedforward, feedforwards, mixture, single_blocks
from core.architecture.mixers import Mixer, mixer, mixers
from core.architecture.model import Model
from core.architecture.tensors import Stage, TensorGroup, matrix, vector
from core.architecture.towers import towers
from core.errors import BadModelConfig
from core.text import Sentence, say

TEXT_PARTS = ("text_config", "llm_config", "language_config", "thinker_config", "language_model_config")
"""Where multimodal configs keep their decoder."""


def read_model(config: Mapping[str, Any], name: str | None = None) -> Model:
    """Return the model that *config*, the content of a Hugging Face config.json, describes.

    *name* is what to call it; the config's own `_name_or_path` or type otherwise.

    Raises:
        BadModelConfig: a field is missing, malformed or contradicts another.
        UnsupportedArchitecture: the type is one that this program does not size.

    >>> model = read_model({"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
    ...     "num_attention_heads": 32, "intermediate_size": 11008, "vocab_size": 32000})
    >>> model.parameters
    6738415616
    """
    if not isinstance(config, Mapping):
        raise BadModelConfig("config.not_a_config", field="model")
    outer = Config(config)
    text, family = _decoder(outer)
    mixing, feeding = mixers(text, family), feedforwards(text, family)
    hidden = text.integer("hidden_size")
    tied = _tied(text, outer, family)
    groups = _stack(mixing, feeding, hidden, family) + _ends(text, family, hidden, tied)
    _plausible(groups, text)
    tower = published_tower(outer, family) if not config.get("vision_config") else None
    vision = towers(outer, hidden, tower)
    warnings = list(family.notes) + _warnings(outer, family, tower, vision)
    moe = mixture(text, family)
    dense = next((block.inner for block in feeding if isinstance(block, Mlp)), 0)
    heads = text.integer("num_attention_heads")
    return Model(
        name=name or str(config.get("_name_or_path") or family.name),
        family=family.name,
        architecture=_architecture(outer),
        layers=len(mixing),
        hidden=hidden,
        vocabulary=text.integer("vocab_size"),
        heads=heads,
        kv_heads=_kv_heads(mixing, heads),
        head_dim=_head_dim(text, hidden, heads),
        dense_inner=dense,
        experts=moe.experts if moe else 0,
        experts_per_token=moe.chosen if moe else 0,
        expert_inner=moe.inner if moe else 0,
        max_context=_max_context(text),
        dtype=_dtype(text, outer),
        tied=tied,
        multimodal=bool(vision),
        groups=tuple(groups + vision),
        mtp_groups=tuple(_mtp(text, mixing, feeding, family)),
        caches=tuple(_caches(mixing)),
        rope_tables=tuple(_rope_tables(text, family)),
        quantization=_quantization(outer, text),
        warnings=tuple(warnings),
    )


MOST_PARAMETERS = 10**16
"""A thousand times the largest model; more is a typing mistake, and no longer a number that JSON can carry."""


def _plausible(groups: Sequence[TensorGroup], text: Config) -> None:
    total = sum(group.parameters for group in groups)
    if total > MOST_PARAMETERS:
        largest = max(groups, key=lambda group: group.parameters)
        field = "vocab_size" if largest.role in ("embedding", "head") else "hidden_size"
        raise text.fault("too_many_parameters", field, total=float(total), limit=float(MOST_PARAMETERS))


def _decoder(outer: Config) -> tuple[Config, Family]:
    """Find the decoder's fields and their family, with the family's defaults behind them."""
    field = next((name for name in TEXT_PARTS if outer.has(name)), None)
    inner = outer.part(field) if field else None
    if inner is not None and inner.part("text_config") is not None:  # the thinker of an omni model
        inner = inner.part("text_config")
    if inner is None:
        decoder = outer
    else:
        # A multimodal config names the family twice; the decoder's own name is the more exact one, but some
        # leave it out, and then the fields may stand outside as well (Qwen2-VL before nesting).
        shared = {
            name: outer.fields[name]
            for name in OUTSIDE
            if name in outer.fields and inner.fields.get(name) is None
        }
        if not inner.word("model_type"):
            shared["model_type"] = outer.word("model_type")
        decoder = Config(
            {**inner.fields, **shared}, prefix=inner.prefix, places={name: name for name in shared}
        )
    family = recognise(decoder)
    fields, places = dict(decoder.fields), dict(decoder.places)
    for name in family.row["parts"]:
        part = decoder.part(name)
        for key, value in (part.fields if part else {}).items():
            if key != "model_type" and fields.get(key) is None and part is not None:
                fields[key], places[key] = value, part.place(key)
    text = Config(fields, family.row["defaults"], decoder.prefix, places)
    text.agree()
    return text, family


OUTSIDE = ("tie_word_embeddings", "torch_dtype", "dtype", "vocab_size", "max_position_embeddings")
"""Fields of the decoder that multimodal configs may keep beside its part."""


def _architecture(outer: Config) -> str:
    names = outer.sequence("architectures") or []
    return str(names[0]) if names else ""


def _tied(text: Config, outer: Config, family: Family) -> bool:
    stated = text.fields.get("tie_word_embeddings", outer.fields.get("tie_word_embeddings"))
    if isinstance(stated, bool):
        return stated
    return text.flag("tie_word_embeddings", bool(family.row["tied"]))


def _by_block(blocks: Sequence[Hashable | None]) -> dict[Any, tuple[int, ...]]:
    """Collect the layers of each distinct block, in order."""
    places: dict[Any, list[int]] = defaultdict(list)
    for layer, block in enumerate(blocks):
        if block is not None:
            places[block].append(layer)
    return {block: tuple(layers) for block, layers in places.items()}


def _stack(
    mixing: Sequence[Mixer | None], feeding: Sequence[Feedforward], hidden: int, family: Family
) -> list[TensorGroup]:
    """Return the tensors of all layers: blocks that are equal are stored once, with their layers."""
    groups = []
    for blocks in (mixing, feeding):
        for block, layers in _by_block(blocks).items():  # type: ignore[arg-type]
            groups += [tensor.at(layers) for tensor in block.tensors()]
    norms = int(family.row["norms"])
    for missing in (0, 1):
        layers = tuple(
            layer
            for layer, pair in enumerate(zip(mixing, feeding, strict=True))
            if sum(block is None for block in pair) == missing
        )
        count = norms if missing == 0 else (norms + 1) // 2
        if layers and count:
            size = hidden * count * (2 if family.row["norm_bias"] else 1)
            groups.append(vector("norms", size).at(layers))
    if family.row["attention"] == "compressed":
        groups += _hyper_connections(hidden, len(mixing))
    return groups


def _hyper_connections(hidden: int, layers: int) -> list[TensorGroup]:
    """Return the mixing matrices of manifold hyper-connections with four streams (DeepSeek-V4), two a layer."""
    streams = 4
    mixes = streams * streams + 2 * streams
    return [
        matrix("hyper_connections", 2 * mixes, streams * hidden, "norm", "replicated").at(
            tuple(range(layers))
        )
    ]


def _ends(text: Config, family: Family, hidden: int, tied: bool) -> list[TensorGroup]:
    """Return embedding, positions, last norm and head."""
    vocabulary = text.integer("vocab_size")
    width = text.integer("word_embed_proj_dim", hidden)
    row = family.row
    first: Stage = "first"
    groups = [
        TensorGroup("embedding", (vocabulary, width), "embedding", "vocabulary", stage=first, active=1.0)
    ]
    if row["positions"] is not None:
        rows = text.integer("max_position_embeddings") + int(row["positions"])
        groups.append(matrix("positions", rows, hidden, "embedding", "replicated", stage=first))
    if width != hidden:
        groups.append(matrix("embedding.in", hidden, width, "embedding", "replicated", stage=first))
        groups.append(matrix("embedding.out", width, hidden, "embedding", "replicated", stage="last"))
    if row["embedding_norm"]:
        groups.append(vector("embedding.norm", 2 * hidden, stage=first))
    groups.append(vector("final_norm", hidden * (2 if row["norm_bias"] else 1), stage="last"))
    if not tied:
        groups.append(matrix("head", vocabulary, width, "head", "vocabulary", stage="last"))
    if family.choice("head_bias", text):
        groups.append(vector("head_bias", vocabulary, "head", "vocabulary", stage="last"))
    return groups


def _mtp(
    text: Config, mixing: Sequence[Mixer | None], feeding: Sequence[Feedforward], family: Family
) -> list[TensorGroup]:
    """Return the multi-token prediction layers: each a last layer, a joining projection and three norms.

    Families that count `num_nextn_predict_layers` store copies of embedding and head with each of them.
    Source: DeepSeek-V3 README_WEIGHTS.md (11.5 B parameters beside the shared embedding and head, 685 B in all).
    """
    count = text.integer("mtp_layers", 0, minimum=0, maximum=1000)
    if not count:
        return []
    hidden = text.integer("hidden_size")
    blocks: list[Mixer | Feedforward] = [mixing[-1], feeding[-1]]
    for pattern in ("mtp_hybrid_override_pattern", "mtp_layers_block_type"):
        length = len(text.raw(pattern)) if isinstance(text.raw(pattern), str | list) else 0
        kinds = single_blocks(text, family, length, "mtp_") if length else None
        if kinds:
            blocks = [_single(kind, text, family) for kind in kinds]
            break
    layers = tuple(range(len(mixing), len(mixing) + count))
    tensors = [tensor for block in blocks if block for tensor in block.tensors()]
    tensors += [matrix("mtp.join", hidden, 2 * hidden, "mtp", "replicated"), vector("mtp.norms", 5 * hidden)]
    if text.spelled("mtp_layers") == "num_nextn_predict_layers":
        vocabulary = text.integer("vocab_size")
        tensors += [
            matrix("mtp.embedding", vocabulary, hidden, "embedding", "vocabulary"),
            matrix("mtp.head", vocabulary, hidden, "head", "vocabulary"),
        ]
    return [tensor.at(layers, "last") for tensor in tensors]


def _single(kind: str, text: Config, family: Family) -> Mixer | Feedforward:
    if kind in ("attention", "mamba"):
        return mixer("full" if kind == "attention" else "linear", text, family)
    return feedforward(kind, text, family)


def _caches(mixing: Sequence[Mixer | None]) -> list[CacheLayout]:
    layouts = []
    for block, layers in _by_block(mixing).items():  # type: ignore[arg-type]
        layouts += [replace(layout, layers=layers) for layout in block.caches()]
    return layouts


def _head_dim(text: Config, hidden: int, heads: int) -> int:
    return text.integer("head_dim", max(1, hidden // heads))


def _kv_heads(mixing: Sequence[Mixer | None], heads: int) -> int:
    return max(
        (
            layout.heads
            for block in mixing
            if block
            for layout in block.caches()
            if layout.split == "kv-heads"
        ),
        default=heads,
    )


def _max_context(text: Config) -> int | None:
    if not text.has("max_position_embeddings"):
        return None
    return text.integer("max_position_embeddings", maximum=2**40)


def _dtype(text: Config, outer: Config) -> str:
    words = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
    for config in (text, outer):
        value = config.raw("torch_dtype")
        if isinstance(value, str) and value.removeprefix("torch.") in words:
            return words[value.removeprefix("torch.")]
    return "bf16"


def _quantization(outer: Config, text: Config) -> dict[str, Any]:
    for config in (outer, text):
        part = config.part("quantization_config") or config.part("compression_config")
        if part is not None and part.fields:
            return {
                **part.fields,
                **({"expert_dtype": text.raw("expert_dtype")} if text.has("expert_dtype") else {}),
            }
    return {}


def _rope_tables(text: Config, family: Family) -> list[tuple[int, int]]:
    """Return the (positions, columns) of the cosine and sine tables that an engine precomputes.

    Linear and dynamic scaling lengthen the table by their factor, YaRN lengthens the original context.
    Source: vLLM model_executor/layers/rotary_embedding (cos_sin_cache), checked on Llama-3.1-8B (32 MiB) and
    Gemma 3 (512 MiB at factor 8).
    """
    if family.row["positions"] is not None or not text.has("max_position_embeddings"):
        return []
    length = text.integer("max_position_embeddings", maximum=2**40)
    heads, hidden = text.integer("num_attention_heads"), text.integer("hidden_size")
    width = text.integer("qk_rope_head_dim", 0, minimum=0) or _head_dim(text, hidden, heads)
    width = max(2, int(width * text.number("partial_rotary_factor", 1.0, maximum=1.0)))
    scaling = text.raw("rope_scaling")
    rope = Config(scaling if isinstance(scaling, Mapping) else {}, prefix=f"{text.prefix}rope_scaling.")
    kind = rope.raw("rope_type") or rope.raw("type")
    factor = rope.number("factor", 1.0, minimum=0.01, maximum=1e6)
    stretched = length
    if kind in ("linear", "dynamic"):
        stretched = math.ceil(length * factor)
    elif kind in ("yarn", "deepseek_yarn"):
        stretched = math.ceil(rope.integer("original_max_position_embeddings", length) * factor)
    elif kind == "longrope":
        stretched = length + rope.integer("original_max_position_embeddings", 0, minimum=0)
    elif kind in ("mrope", "default") and rope.has("mrope_section"):
        stretched = 4 * length
    tables = [(stretched, width)]
    if family.name.startswith("gemma3"):
        tables.append((length, width))  # windowed layers turn at another base and are not stretched
    return tables


def _warnings(outer: Config, family: Family, tower: str | None, vision: list[TensorGroup]) -> list[Sentence]:
    notes = []
    if tower and vision:
        notes.append(
            say("config.tower_assumed", tower=tower, parameters=sum(group.parameters for group in vision))
        )
    elif family.text_part:
        notes.append(say("config.text_part", type=outer.word("model_type")))
    if family.row["attention"] == "compressed":
        notes.append(say("config.compressed_uncertain"))
    if family.row["cross"]:
        notes.append(say("config.cross_uncertain"))
    return notes
