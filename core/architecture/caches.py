"""What a model remembers of the tokens it has seen: the layouts of the KV cache and of recurrent states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CacheKind = Literal["full", "window", "chunk", "compressed", "state"]
"""How a cache grows with the context.

full        one entry a token, for ever
window      one entry a token, the last `window` tokens only
chunk       one entry a token of the current chunk of `window` tokens (Llama 4)
compressed  one entry for every `ratio` tokens (DeepSeek-V4)
state       a fixed size for each sequence (Mamba, gated delta nets, lightning attention)
"""

Split = Literal["kv-heads", "heads", "replicated"]
"""How tensor parallelism divides it: by KV heads (at least one each), by heads, or not at all (MLA latent)."""


@dataclass(frozen=True)
class CacheLayout:
    """The cache of one kind of layer.

    `keys` and `values` are elements per entry and layer before any division (a latent cache has keys only);
    `heads` is the number of KV heads that they hold. For a state, `keys` is the size of the recurrent state in
    elements and `values` that of the convolution window. `expanded` is the size of an entry in an engine that
    does not know the layout and stores full keys and values (MLA in early engines); 0 where there is none.
    `latent` is the part of a latent key without its positional part, which some engines store twice.
    `bytes_per_element` overrides the KV format of the engine (fp8 index keys, fp32 states). `chosen` is the number
    of tokens that attention reads where this layout is the index that chooses them (sparse attention).
    """

    name: str
    kind: CacheKind
    layers: tuple[int, ...]
    keys: int
    values: int
    heads: int = 1
    split: Split = "kv-heads"
    window: int = 0
    ratio: int = 1
    bytes_per_element: float | None = None
    expanded: tuple[int, int] = (0, 0)
    expanded_heads: int = 0
    latent: int = 0
    chosen: int = 0

    @property
    def elements(self) -> int:
        """Elements of one entry in one layer, undivided."""
        return self.keys + self.values

    def divided(self, tensor_parallel: int) -> float:
        """Return the share of an entry that one tensor-parallel rank holds.

        >>> CacheLayout("kv", "full", (0,), 512, 512, heads=4).divided(8)
        0.25
        """
        if self.split == "replicated":
            return 1.0
        return max(1, -(-self.heads // tensor_parallel)) / self.heads
