"""Vision and audio towers beside the decoder: transformer encoders and the projector behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.architecture.config import Config
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
    """The sizes of one tower, whatever its config calls them."""

    kind: str
    layers: int
    hidden: int
    inner: int
    patch_elements: int
    positions: int
    projector: tuple[tuple[int, int], ...]

    def tensors(self) -> list[TensorGroup]:
        """Return the whole tower as groups outside the decoder stack."""
        split: Shard = "column" if self.kind in SPLIT else "replicated"
        back: Shard = "row" if self.kind in SPLIT else "replicated"
        gated = self.kind in GATED
        count = self.layers
        groups = [
            _outside(matrix("vision.qkv", 3 * self.hidden, self.hidden, "vision", split, copies=count)),
            _outside(matrix("vision.o", self.hidden, self.hidden, "vision", back, copies=count)),
            _outside(
                matrix(
                    "vision.up", self.inner * (2 if gated else 1), self.hidden, "vision", split, copies=count
                )
            ),
            _outside(matrix("vision.down", self.hidden, self.inner, "vision", back, copies=count)),
            _outside(vector("vision.vectors", self.vectors(gated), "vision", copies=count)),
            _outside(matrix("vision.patch", self.hidden, self.patch_elements, "vision", "replicated")),
        ]
        if self.positions:
            groups.append(
                _outside(matrix("vision.positions", self.positions, self.hidden, "vision", "replicated"))
            )
        for number, (rows, columns) in enumerate(self.projector):
            groups.append(_outside(matrix(f"projector.{number}", rows, columns, "vision", "replicated")))
        return groups

    def vectors(self, gated: bool) -> int:
        """Return the elements of norms and biases in one layer."""
        if self.kind == "pixtral":
            return 2 * self.hidden
        norms = (2 if gated else 4) * self.hidden
        return norms + 4 * self.hidden + self.inner * (2 if gated else 1) + self.hidden


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
        groups += _vision(vision, text_hidden, config).tensors()
    audio = config.part("audio_config")
    if audio is not None and audio.fields:
        groups += _audio(audio, text_hidden)
    return groups


def _vision(vision: Config, text_hidden: int, outer: Config) -> Encoder:
    kind = vision.word("model_type")
    # Qwen2-VL calls the tower's width embed_dim and its output hidden_size.
    hidden = _first(vision, ("embed_dim", "vt_hidden_size", "hidden_size", "width"), 1024)
    layers = _first(vision, ("depth", "vt_num_hidden_layers", "num_hidden_layers", "layers"), 24)
    if kind == "mllama_vision_model":
        layers += vision.integer("num_global_layers", 8)
    ratio = vision.number("mlp_ratio", 4.0, maximum=100.0)
    inner = _first(vision, ("vt_intermediate_size", "intermediate_size"), int(hidden * ratio))
    patch = vision.raw("patch_size")
    if isinstance(patch, list):
        patch = patch[0]
    size = patch if isinstance(patch, int) and not isinstance(patch, bool) and 0 < patch < 4096 else 14
    frames = vision.integer("temporal_patch_size", 1)
    elements = 3 * frames * size * size
    image = vision.raw("image_size")
    image = image[0] if isinstance(image, list) and image else image
    learned = kind not in ("pixtral", "qwen2_vl", "qwen2_5_vl")
    grid = (image // size) ** 2 if isinstance(image, int) and learned and 0 < image < 2**16 else 0
    positions = _first(vision, ("num_position_embeddings",), grid, minimum=0)
    return Encoder(
        kind, layers, hidden, inner, elements, positions, _projector(vision, kind, hidden, text_hidden, outer)
    )


def _first(config: Config, names: tuple[str, ...], default: int, minimum: int = 1) -> int:
    name = next((name for name in names if config.has(name)), None)
    return default if name is None else config.integer(name, minimum=minimum)


def _projector(
    vision: Config, kind: str, hidden: int, text_hidden: int, outer: Config
) -> tuple[tuple[int, int], ...]:
    """Return the matrices that lead from the tower's patches to the decoder's width."""
    merge = vision.integer("spatial_merge_size", outer.integer("spatial_merge_size", 1))
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
        return ((merged, merged), (out, merged)) * (1 + deep)
    if kind in ("moonvit", "kimi_k25") or outer.word("model_type").startswith("kimi"):
        quadrupled = 4 * hidden
        return ((quadrupled, quadrupled), (text_hidden, quadrupled))
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
