"""What the demo cluster is and what is wrong with it, as data.

Eight nodes of eight H100, each with one vLLM replica of Qwen3-235B in 8 bit, tensor parallel over its GPUs. Seven
nodes have one fault each, the first has none. Times are seconds relative to `Scenario.began`, the moment at which
live scraping starts; the history lies before it. The figures are invented, but belong together: `signals` derives
utilisation, latency, cache and power of a node from its `Load`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

MINUTE = 60.0
HOUR = 3600.0

GPUS_PER_NODE = 8
GPU_MODEL = "NVIDIA H100 80GB HBM3"
DRIVER = "570.133.20"
MODEL = "Qwen/Qwen3-235B-A22B-FP8"
NAMESPACE = "llm"
BLOCK_TOKENS = 16

MEMORY_MIB = 81559.0
"""What nvidia-smi shows of this card, of which `RESERVED_MIB` are the driver's own: hardware_db/accelerators.csv."""
RESERVED_MIB = 551.0
ENGINE_MEMORY_GIB = 79.19
"""The memory that the engine sees, of which it takes its share."""


class Fault(StrEnum):
    """What is planted on a node."""

    IDLE = "idle"
    HOT = "hot"
    KV_PRESSURE = "kv_pressure"
    SLOW_TTFT = "slow_ttft"
    LEAK = "leak"
    XID = "xid"
    DEAD = "dead"


@dataclass(frozen=True)
class Load:
    """What the replica of a node is asked for: requests per second and mean tokens of each."""

    requests: float
    prompt_tokens: float
    output_tokens: float
    prefix_hits: float
    """Share of the prompt tokens, 0 to 1, that the prefix cache holds."""


USUAL = Load(requests=14.5, prompt_tokens=2600.0, output_tokens=500.0, prefix_hits=0.5)


@dataclass(frozen=True)
class Node:
    """One node, its replica, and its fault if it has one."""

    index: int
    load: Load
    memory_share: float
    """vLLM's gpu_memory_utilization."""
    cache_blocks: int
    """vLLM's num_gpu_blocks, of `BLOCK_TOKENS` tokens each: what the Size page computes for this share."""
    fault: Fault | None = None
    onset_s: float = 0.0
    """When the fault began, seconds relative to the start of the live cluster."""
    gpu: int | None = None
    """The GPU that has the fault; None where it is the whole node or its replica."""

    @property
    def name(self) -> str:
        """The host name: gpu-node-01 and so on."""
        return f"gpu-node-{self.index + 1:02d}"

    @property
    def pod(self) -> str:
        """The Kubernetes pod of the replica."""
        return f"qwen3-235b-{self.index}"

    @property
    def cache_tokens(self) -> int:
        """How many tokens the KV cache of the replica holds."""
        return self.cache_blocks * BLOCK_TOKENS


NODES = (
    Node(0, USUAL, 0.96, 57363),
    Node(1, USUAL, 0.92, 52951, Fault.IDLE, -4 * HOUR),
    Node(2, USUAL, 0.92, 52951, Fault.HOT, -2.5 * HOUR, gpu=5),
    Node(3, USUAL, 0.92, 52951, Fault.KV_PRESSURE, -90 * MINUTE),
    Node(4, USUAL, 0.92, 52951, Fault.SLOW_TTFT, -2 * HOUR),
    # A second process beside the engine does not give its memory back; the engine takes a smaller share for it.
    Node(5, Load(14.2, 1300.0, 500.0, 0.1), 0.72, 30892, Fault.LEAK, -6 * HOUR),
    Node(6, USUAL, 0.92, 52951, Fault.XID, -22 * MINUTE, gpu=2),
    Node(7, USUAL, 0.92, 52951, Fault.DEAD, -20 * MINUTE),
)

HEALTHY = NODES[0].name

LONG_PROMPTS = Load(requests=2.9, prompt_tokens=14000.0, output_tokens=500.0, prefix_hits=0.1)
"""What the node with slow first tokens is asked for since its onset: long prompts, mostly new to the prefix cache."""

XID = 94
XID_MESSAGE = "Contained ECC error"
"""NVIDIA's catalogue of Xid errors: an uncorrectable memory error that ends the process using the GPU."""
RESTART_S = 5 * MINUTE
"""How long the replica is away after the Xid."""


@dataclass(frozen=True)
class Planted:
    """One fault, and what a correct monitor says about it."""

    node: str
    fault: Fault
    expected: tuple[str, ...]
    """Rules of findings that must be raised for this node."""
    allowed: tuple[str, ...] = ()
    """Rules of findings that follow from the fault, and may be raised for this node too."""
    gpu: str | None = None
    """The one GPU that `expected` is about."""


_RULES: dict[Fault, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Fault.IDLE: (("gpu_idle",), ("gpu_underused", "batch_low")),
    Fault.HOT: (("gpu_hot", "throttled"), ()),
    Fault.KV_PRESSURE: (("kv_pressure",), ("ttft_slow", "itl_slow", "gpu_saturated", "queue")),
    Fault.SLOW_TTFT: (("ttft_slow",), ()),
    Fault.LEAK: (("memory_leak",), ("memory_high",)),
    Fault.XID: (("xid",), ("ecc",)),
    Fault.DEAD: (("replica_down",), ("gpu_idle", "gpu_underused", "batch_low")),
}

PLANTED: tuple[Planted, ...] = tuple(
    Planted(node.name, node.fault, *_RULES[node.fault], gpu=None if node.gpu is None else str(node.gpu))
    for node in NODES
    if node.fault is not None
)
"""All that a correct monitor flags: `expected` of each, perhaps some of `allowed`, and nothing else."""


@dataclass(frozen=True)
class Scenario:
    """One run of the demo: when it began, how much history lies before, and the seed of its noise."""

    began: float
    """Unix seconds."""
    history_s: float = 6 * HOUR
    seed: int = 1
    nodes: tuple[Node, ...] = NODES

    @property
    def origin(self) -> float:
        """Where the history begins, unix seconds: counters are zero or a constant here."""
        return self.began - self.history_s

    def with_onsets(self, onsets: Mapping[str, float]) -> Scenario:
        """Return the same cluster with other `Node.onset_s` of the faults that *onsets* names."""
        return replace(
            self,
            nodes=tuple(
                replace(node, onset_s=onsets.get(node.fault or "", node.onset_s)) for node in self.nodes
            ),
        )

    def healthy(self) -> Scenario:
        """Return the same cluster without faults."""
        return replace(
            self,
            nodes=tuple(
                replace(NODES[1], index=node.index, fault=None, onset_s=0.0, gpu=None) for node in self.nodes
            ),
        )
