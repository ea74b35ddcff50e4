"""Vision and audio towers beside the decoder: transformer encoders and the projector behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.architecture.config import MAXIMUM, Config
from core.architecture.tensors import Shard, TensorGroup, matrix, vector

PUBLISHED: dict[str, dict[str, Any]] = {
    # google/gemma-3-{4b,12b,27b}-it config.json: SigLIP-so400m at 896 pixels.
    "siglip-so400m-896": {
        "model_type": "siglip_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "patch_size": 14,
        "image_size": 896,
    },
    # mistralai/Mistral-Small-3.1-24B config.json, also the defaults of transformers' PixtralVisionConfig.
    "pixtral": {
        "model_type": "pixtral",
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "patch_size": 14,
    },
    # meta-llama/Llama-4-* config.json, also the defaults of transformers' Llama4VisionConfig.
    "llama4": {
        "model_type": "llama4_vision_model",
        "hidden_size": 1408,
        "intermediate_size": 5632,
        "num_hidden_layers": 34,
        "num_attention_heads": 16,
        "patch_size": 14,
        "image_size": 336,
        "projector_input_dim": 4096,
        "vision_output_dim": 4096,
    },
}
"""Towers of checkpoints whose configs often come without them."""

GATED = ("pixtral", "qwen2_5_vl", "qwen2_5_omni_vision_encoder", "glm4v", "glm4v_moe", "llama_vision")
"""Encoder types whose MLP has a gate (three matrices)."""

SPLIT = (
    "pixtral",
    "siglip_vision_model",
    "siglip",
    "clip_vision_model",
    "qwen2_vl",
    "qwen2_5_vl",
    "qwen3_vl",
    "intern_vit_6b",
)
"""Encoder types whose layers the engines split by tensor parallelism; the others are copied to every rank."""


@dataclass(frozen=True)
class Encoder:
    """The sizes of one tower, whatever its config calls them.

    `width` is that of queries, keys and values where it is not `hidden`; `tables` are learned positions, and
    `vectors` the elements of norms and biases in one layer.
    """

    kind: str
    layers: int
    hidden: int
    inner: int
    patch_elements: int
    width: int
    vectors: int
    tables: tuple[tuple[int, int], ...] = ()
    projector: tuple[tuple[int, int], ...] = ()

    def tensors(self) -> list[TensorGroup]:
        """Return the whole tower as groups outside the decoder stack."""
        split: Shard = "column" if self.kind in SPLIT else "replicated"
        back: Shard = "row" if self.kind in SPLIT else "replicated"
        up = self.inner * (2 if self.kind in GATED else 1)
        count = self.layers
        groups = [
            matrix("vision.qkv", 3 * self.width, self.hidden, "vision", split, copies=count),
            matrix("vision.o", self.hidden, self.width, "vision", back, copies=count),
            matrix("vision.up", up, self.hidden, "vision", split, copies=count),
            matrix("vision.down", self.hidden, self.inner, "vision", back, copies=count),
            vector("vision.vectors", self.vectors, "vision", copies=count),
            matrix("vision.patch", self.hidden, self.patch_elements, "vision", "replicated"),
        ]
        for number, (rows, columns) in enumerate(self.tables):
            groups.append(matrix(f"vision.positions.{number}", rows, columns, "vision", "replicated"))
        for number, (rows, columns) in enumerate(self.projector):
            groups.append(matrix(f"projector.{number}", rows, columns, "vision", "replicated"))
        return [_outside(group) for group in groups]


def _outside(group: TensorGroup) -> TensorGroup:
    return group.at((), "first")


def towers(config: Config, text_hidden: int, published: str | None) -> list[TensorGroup]:
    """Return the tensors of all towers of *config*; *published* names a default where it states none.

    *text_hidden* is the hidden size of the decoder that the projector ends in.
    """
    groups: list[TensorGroup] = []
    vision = config.part("vision_config")
    if vision is None and published:
        vision = Config(PUBLISHED[published], prefix="vision_config.")
    if vision is not None and vision.fields:
        for part in _parts(vision):
            groups += _vision(part, text_hidden, config).tensors()
    audio = config.part("audio_config")
    if audio is not None and audio.fields:
        groups += _audio(audio, text_hidden)
    return groups


def _parts(vision: Config) -> list[Config]:
    """Return the towers of *vision*: one, or several by name in the place of the width (DeepSeek-OCR)."""
    if not isinstance(vision.raw("width"), Mapping):
        return [vision]
    several = vision.part("width")
    parts = [several.part(name) for name in several.fields] if several else []
    return [part for part in parts if part is not None]


def _vision(vision: Config, text_hidden: int, outer: Config) -> Encoder:
    kind = vision.word("model_type") or outer.word("model_type")
    # Qwen2-VL calls the tower's width embed_dim and its output hidden_size.
    hidden = _first(vision, ("embed_dim", "vt_hidden_size", "hidden_size", "width"), 1024)
    layers = _first(
        vision, ("depth", "vt_num_hidden_layers", "num_hidden_layers", "layers"), 24, maximum=10_000
    )
    if kind == "mllama_vision_model":
        layers += vision.integer("num_global_layers", 8, maximum=10_000)
    ratio = vision.number("mlp_ratio", 4.0, maximum=100.0)
    inner = _first(vision, ("vt_intermediate_size", "intermediate_size"), int(hidden * ratio))
    patch = _side(vision, "patch_size", 14, maximum=4096)
    frames = vision.integer("temporal_patch_size", 1, maximum=4096)
    return Encoder(
        kind,
        layers,
        hidden,
        inner,
        3 * frames * patch * patch,
        vision.integer("qkv_hidden_size", hidden),
        _vectors(kind, hidden, inner),
        _tables(vision, kind, hidden, patch),
        _projector(vision, kind, hidden, text_hidden, outer),
    )


def _vectors(kind: str, hidden: int, inner: int) -> int:
    """Return the elements of norms and biases in one layer."""
    if kind == "pixtral":
        return 2 * hidden
    if kind == "mllama_vision_model":  # attention has no biases
        return 4 * hidden + inner + hidden
    if kind in GATED:
        return 2 * hidden + 4 * hidden + 2 * inner + hidden
    return 4 * hidden + 4 * hidden + inner + hidden


def _tables(vision: Config, kind: str, hidden: int, patch: int) -> tuple[tuple[int, int], ...]:
    """Return the tables of learned positions."""
    side = _side(vision, "image_size", 0, maximum=2**16)
    grid = (side // patch) ** 2
    if kind == "mllama_vision_model":
        # One position a patch, and for each aspect ratio one a patch and tile, and two more a tile.
        tiles = vision.integer("max_num_tiles", 4, maximum=1000)
        ratios = len(vision.sequence("supported_aspect_ratios") or [0] * 8) + 1
        return ((grid + 1, hidden), (ratios * tiles, (grid + 1) * hidden), (2 * ratios * tiles, hidden))
    if kind in ("pixtral", "qwen2_vl", "qwen2_5_vl"):
        grid = 0
    rows = _first(vision, ("num_position_embeddings",), grid, minimum=0)
    return ((rows, hidden),) if rows else ()


def _side(config: Config, concept: str, default: int, maximum: int) -> int:
    """Return a length in pixels; of a list or an object of two, the first."""
    value = config.raw(concept)
    if isinstance(value, list) and value:
        return Config({concept: value[0]}, prefix=config.prefix).integer(concept, default, maximum=maximum)
    return config.integer(concept, default, maximum=maximum)


def _first(
    config: Config, names: tuple[str, ...], default: int, minimum: int = 1, maximum: int = MAXIMUM
) -> int:
    name = next((name for name in names if config.has(name)), None)
    return default if name is None else config.integer(name, minimum=minimum, maximum=maximum)


def _projector(
    vision: Config, kind: str, hidden: int, text_hidden: int, outer: Config
) -> tuple[tuple[int, int], ...]:
    """Return the matrices that lead from the tower's patches to the decoder's width."""
    merge = vision.integer(
        "spatial_merge_size", outer.integer("spatial_merge_size", 1, maximum=1000), maximum=1000
    )
    merged = hidden * merge * merge
    if (
        kind.startswith("siglip")
        and not outer.has("spatial_merge_size")
        and not outer.has("projector_hidden_act")
    ):
        return ((text_hidden, hidden),)
    if kind == "pixtral":
        return ((hidden, merged), (text_hidden, hidden), (text_hidden, text_hidden))
    if kind.startswith("qwen"):
        out = vision.integer("out_hidden_size", text_hidden)
        deep = len(vision.sequence("deepstack_visual_indexes") or [])
        return ((merged, merged), (out, merged)) * (1 + min(deep, 100))
    if kind in ("moonvit", "kimi_k25") or outer.word("model_type").startswith("kimi"):
        quadrupled = 4 * hidden
        return ((quadrupled, quadrupled), (text_hidden, quadrupled))
    if kind == "mllama_vision_model":
        return ((text_hidden, vision.integer("vision_output_dim", 7680) + 1),)  # with a bias
    if kind == "llama4_vision_model":
        inner = vision.integer("intermediate_size", 5632)
        out = vision.integer("vision_output_dim", 4096)
        inside = vision.integer("projector_input_dim", 4096)
        return ((inside, inner), (out, inside), (text_hidden, out))
    layers = outer.raw("vision_feature_layer")
    width = hidden * (len(layers) if isinstance(layers, list) and layers else 1)
    return ((text_hidden, width), (text_hidden, text_hidden))


def _audio(audio: Config, text_hidden: int) -> list[TensorGroup]:
    """Return a Whisper-like encoder: two convolutions, layers with a plain MLP, one projection."""
    hidden = _first(audio, ("d_model", "hidden_size"), 1280)
    layers = _first(audio, ("encoder_layers", "num_hidden_layers", "num_blocks"), 32)
    inner = _first(audio, ("encoder_ffn_dim", "intermediate_size", "linear_units"), 4 * hidden)
    bins = _first(audio, ("num_mel_bins", "input_size"), 128)
    frames = _first(audio, ("max_source_positions",), 1500)
    return [
        _outside(matrix("audio.attention", 4 * hidden, hidden, "vision", "replicated", copies=layers)),
        _outside(matrix("audio.mlp", 2 * inner, hidden, "vision", "replicated", copies=layers)),
        _outside(vector("audio.vectors", 9 * hidden + inner, "vision", copies=layers)),
        _outside(matrix("audio.convolutions", 3 * hidden, bins + hidden, "vision", "replicated")),
        _outside(matrix("audio.positions", frames, hidden, "vision", "replicated")),
        _outside(matrix("audio.projector", text_hidden, hidden, "vision", "replicated")),
    ]
