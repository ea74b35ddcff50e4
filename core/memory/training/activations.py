"""What a layer keeps for its backward pass, in bytes a token, counted from its tensors.

Autograd keeps the input of a matrix only where that matrix is trained or has an adapter; it keeps what the
operations between the matrices need whatever is trained: norms their input, attention queries, keys, values and
output, a gated MLP both halves of its product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from core.architecture import Model, TensorGroup
from core.memory.training.adapters import adapted_names
from core.memory.training.run import DTYPE_BYTES, TrainingLayout, TrainingRun
from core.memory.training.shapes import LayerKind, share


@dataclass(frozen=True)
class Keeping:
    """What decides which tensors a layer keeps.

    `element` bytes of an activation; `norm` and `gate` "eager" or "fused"; `trains` whether matrices are trained
    themselves. `adapted` names those with adapters: these keep `adapter_element` bytes, a copy for each adapter
    where it is in another format or behind a dropout (`copies`). `quantised_inputs` says whether quantised
    matrices keep their inputs although nothing needs them: "none", "shared" or "copies" (each its own, in fp32).
    `joined_qkv`: queries, keys and values are one matrix.
    """

    element: float
    norm: str
    gate: str
    trains: bool
    adapted: frozenset[str]
    adapter_element: float
    copies: bool
    quantised_inputs: str
    joined_qkv: bool
    attention_copies: float
    dropout: bool
    compiled: bool
    selective: str
    selective_experts: bool


def keeping(run: TrainingRun) -> Keeping:
    """Return what the layers of *run* keep."""
    framework = run.framework
    fused = "fused" if run.compiled else None
    adapters = run.adapters if run.method != "full" else None
    element = run.compute_bytes
    wide = DTYPE_BYTES[adapters.dtype] > element if adapters else False
    masks = 1.0 if adapters and adapters.dropout > 0 else 0.0
    quantised = run.quantiser == "bitsandbytes"
    return Keeping(
        element=element,
        norm=fused or framework.constant("norm"),
        gate=fused or framework.constant("gate"),
        trains=run.method == "full",
        adapted=adapted_names(run.model, adapters.targets) if adapters else frozenset(),
        adapter_element=(max(DTYPE_BYTES[adapters.dtype], element) + masks) if adapters else 0.0,
        copies=wide or masks > 0,
        quantised_inputs=str(framework.constant("quantised_inputs")) if quantised else "none",
        joined_qkv=bool(framework.constant("joined_qkv")),
        attention_copies=float(framework.constant("attention_copies")),
        dropout=run.dropout > 0,
        compiled=run.compiled,
        selective=str(framework.constant("selective")),
        selective_experts=bool(framework.constant("selective_experts")),
    )


@dataclass(frozen=True)
class Kept:
    """Bytes a token: of tensors as wide as the residual stream, and of those that tensor parallelism divides."""

    stream: float = 0.0
    inner: float = 0.0

    def __add__(self, other: Kept) -> Kept:
        return Kept(self.stream + other.stream, self.inner + other.inner)

    def per_token(self, layout: TrainingLayout) -> float:
        """Return the bytes on one rank; the residual stream is divided only by sequence parallelism."""
        return self.stream / (layout.tp if layout.sp else 1) + self.inner


_SHARED_INPUT = {
    "attention.q": "attention", "attention.k": "attention", "attention.v": "attention", "attention.gate": "attention",
    "attention.q_a": "attention", "attention.kv_a": "attention", "attention.kv": "attention",
    "attention.q_b": "query latent", "indexer.q_b": "query latent",
    "attention.kv_b": "key latent", "attention.o": "attention output", "attention.o_a": "attention output",
    "indexer.k": "attention", "indexer.weights": "attention",
    "mlp.gate": "mlp", "mlp.up": "mlp", "router": "mlp", "shared_expert.gate": "mlp", "shared_expert.up": "mlp",
    "shared_expert.choice": "mlp", "expert.gate": "expert", "expert.up": "expert",
}  # fmt: skip
"""Which input a matrix reads, where several read the same."""

_STREAM = ("attention", "mlp")
_ELEMENTWISE = ("mlp", "shared_expert", "expert")


def _inputs(kind: LayerKind, how: Keeping, layout: TrainingLayout) -> Kept:
    """Return the inputs of matrices that are trained, adapted, or quantised by what keeps them without need."""
    kept = Kept()
    seen: set[tuple[str, str]] = set()
    for group in kind.groups:
        if not group.is_matrix or group.role == "norm":
            continue
        source = _SHARED_INPUT.get(group.name, group.name)
        place = "attention" if how.joined_qkv and source == "attention" else group.name
        width = group.shape[1] * _active(group)
        divided = share(group, layout) if group.shard == "row" else 1.0
        if group.shard == "expert":
            divided = _width_share(group, layout)
        for size, why in _copies(group, how, source):
            key = (why, source if why == "shared" else place)
            if key not in seen:
                seen.add(key)
                kept += _kept(source, width * size, divided)
    return kept


def _copies(group: TensorGroup, how: Keeping, source: str) -> list[tuple[float, str]]:
    """Return the bytes an element of each copy of the input of *group*, and with what it may be shared."""
    adapted = group.name in how.adapted
    found = []
    shared = how.trains or (adapted and not how.copies) or how.quantised_inputs == "shared"
    if shared and source != "attention output":  # that is kept by attention itself
        found.append((how.element, "shared"))
    if adapted and how.copies:
        found.append((how.adapter_element, "adapter"))
    if how.quantised_inputs == "copies" and group.role in ("attention", "mlp", "expert"):
        found.append((4.0, "quantised"))
    return found


def _kept(source: str, size: float, divided: float) -> Kept:
    return Kept(stream=size) if source in _STREAM else Kept(inner=size * divided)


def _active(group: TensorGroup) -> float:
    """Return how many copies of *group* one token passes through."""
    return group.copies * group.active


def _norms(kind: LayerKind, how: Keeping, hidden: int, *, layer_norm: bool) -> Kept:
    """Return what norms keep: their input; an RMSNorm out of single operations an fp32 copy and the result too."""
    group = kind.find("norms")
    count = group.shape[0] / (hidden * (2 if layer_norm else 1)) if group else 2.0
    widths = hidden * count
    eager = how.norm == "eager" and not layer_norm
    each = (4 + (how.element if how.trains else 0.0)) if eager else how.element
    inner = 0.0
    for name, of in (("attention.q_norm", "attention.q"), ("attention.k_norm", "attention.k")):
        if kind.find(name):
            inner += kind.rows(of) * each
    masks = 2 * hidden if how.dropout else 0.0
    return Kept(stream=widths * each + masks, inner=inner)


def attention_widths(kind: LayerKind) -> tuple[int, int, int]:
    """Return the widths of queries, of keys and values together, and of the output of attention."""
    queries = kind.rows("attention.q_b") or kind.rows("attention.q")
    output = kind.columns("attention.o") or kind.columns("attention.o_a")
    if kind.find("attention.kv_b"):
        return queries, queries + output, output
    return queries, kind.rows("attention.k") + kind.rows("attention.v"), output


def _attention(kind: LayerKind, how: Keeping, layout: TrainingLayout) -> Kept:
    """Return queries, keys, values and output, and what a latent needs to be expanded into them."""
    queries, keys_values, output = attention_widths(kind)
    size = (queries * (1 + how.attention_copies) + keys_values + output) * how.element
    latent = kind.find("attention.kv_b")
    if latent:
        size += latent.shape[0] * how.element
    found = kind.find("attention.q") or kind.find("attention.q_b")
    replicated = sum(
        group.shape[0] * how.element
        for group in kind.groups
        if group.name in ("attention.q_a", "attention.kv_a")
    )
    return Kept(inner=size * (share(found, layout) if found else 1.0) + replicated)


def _feedforward(kind: LayerKind, how: Keeping, layout: TrainingLayout) -> Kept:
    """Return what activation functions and products keep: of gated MLPs the gate, its activation and the other half."""
    kept = Kept()
    for name in _ELEMENTWISE:
        up = kind.find(f"{name}.up")
        if up is None:
            continue
        gated = kind.find(f"{name}.gate") is not None
        halves = (3 if how.gate == "eager" else 2) if gated else 1
        inner = up.shape[0] * _active(up) * halves * how.element
        if up.shard == "expert":
            # Outputs of the chosen experts are kept to weigh them.
            inner += kind.rows(f"{name}.down") * _active(up) * how.element
        kept += Kept(inner=inner * _width_share(up, layout))
    router = kind.find("router")
    return kept + Kept(inner=8.0 * router.shape[0]) if router else kept


def _width_share(group: TensorGroup, layout: TrainingLayout) -> float:
    """Return the share of a layer's inner width on one rank. Experts see the tokens of one tensor-parallel rank."""
    return 1 / layout.tp if group.shard == "expert" else share(group, layout)


_KNOWN = {*_SHARED_INPUT, "mlp.down", "shared_expert.down", "expert.down", "attention.o_b"}


def _others(kind: LayerKind, how: Keeping, layout: TrainingLayout) -> Kept:
    """Return the outputs of matrices of other mixers (recurrent states), which their kernels keep."""
    rows = sum(
        group.shape[0] * _active(group) * (share(group, layout) if group.shard == "column" else 1.0)
        for group in kind.groups
        if group.is_matrix and group.name not in _KNOWN and group.role not in ("norm", "router")
    )
    return Kept(inner=rows * how.element)


@lru_cache(maxsize=8192)
def kept(model: Model, kind: LayerKind, how: Keeping, layout: TrainingLayout) -> Kept:
    """Return what a layer of *kind* keeps for its backward pass without checkpointing; attention scores apart."""
    final = next((group for group in model.groups if group.name == "final_norm"), None)
    layer_norm = bool(final and final.shape[0] == 2 * model.hidden)
    return (
        _inputs(kind, how, layout)
        + _norms(kind, how, model.hidden, layer_norm=layer_norm)
        + _attention(kind, how, layout)
        + _feedforward(kind, how, layout)
        + _others(kind, how, layout)
    )


@lru_cache(maxsize=8192)
def kept_selectively(kind: LayerKind, how: Keeping, hidden: int, layout: TrainingLayout) -> Kept:
    """Return what a layer keeps where only the results of matrices (every second) and attention are kept.

    Source: torchtitan's per-operation checkpointing (`parallelize_llama.py`: matrix products, since late 2024 every
    second one of them recomputed, attention, reduce-scatter): 8h + 2k + 2f bytes a token in 16 bit. The compiler
    recomputes one sum of the residual stream more.
    """
    queries, keys_values, output = attention_widths(kind)
    every = how.selective == "all"
    inner = (queries + keys_values * (1.0 if every else 0.5) + output) / layout.tp
    for name in _ELEMENTWISE:
        up = kind.find(f"{name}.up")
        if up is None or (up.shard == "expert" and not how.selective_experts):
            continue
        halves = 2 if every and kind.find(f"{name}.gate") else 1
        width = up.shape[0] * halves + (2 * hidden if up.shard == "expert" else 0)
        inner += width * _active(up) * _width_share(up, layout)
    stream = hidden * (1 if how.compiled else 4 if every else 2)
    return Kept(stream=stream * how.element, inner=inner * how.element)
