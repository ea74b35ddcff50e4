"""What an observation is about: a GPU, a node, a replica of an engine, or the whole fleet."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from core.text import Sentence, say

_BETWEEN = "~"


class Level(StrEnum):
    """How much of a cluster a subject is."""

    GPU = "gpu"
    NODE = "node"
    ENGINE = "engine"
    FLEET = "fleet"


@dataclass(frozen=True)
class Subject:
    """One thing that is watched; the fields that do not apply to its level are empty."""

    level: Level
    node: str = ""
    gpu: str = ""
    mig: str = ""
    instance: str = ""
    model: str = ""
    namespace: str = ""
    pod: str = ""

    @property
    def id(self) -> str:
        """The same text for the same thing at every refresh, fit for a URL.

        >>> Subject(Level.GPU, node="gpu node/1", gpu="3").id
        'gpu~gpu%20node%2F1~3'
        """
        parts = {
            Level.GPU: (self.node, self.gpu, *((self.mig,) if self.mig else ())),
            Level.NODE: (self.node,),
            Level.ENGINE: (self.instance, self.model) if self.model else (self.instance,),
            Level.FLEET: (),
        }[self.level]
        return _BETWEEN.join([self.level.value, *(_escaped(part) for part in parts)])

    @property
    def title(self) -> Sentence:
        """What a person calls it."""
        return say(
            f"monitoring.subject.{'gpu_slice' if self.mig else self.level.value}",
            node=self.node,
            gpu=self.gpu,
            mig=self.mig,
            instance=self.instance,
            model=self.model,
        )

    @property
    def of_node(self) -> Subject:
        """The node that this GPU or replica belongs to."""
        return Subject(Level.NODE, node=self.node)


FLEET = Subject(Level.FLEET)


def subject_of(level: Level, labels: Mapping[str, str]) -> Subject:
    """Return the subject that a series with the canonical *labels* is about."""
    node = labels.get("node") or host_of(labels.get("instance", ""))
    if level is Level.FLEET:
        return FLEET
    if level is Level.NODE:
        return Subject(level, node=node)
    owner = {"namespace": labels.get("namespace", ""), "pod": labels.get("pod", "")}
    if level is Level.GPU:
        return Subject(
            level,
            node=node,
            gpu=labels.get("gpu") or labels.get("uuid", ""),
            mig=labels.get("mig", ""),
            **owner,
        )
    return Subject(
        level, node=node, instance=labels.get("instance", ""), model=labels.get("model_name", ""), **owner
    )


def parsed(subject_id: str) -> Subject | None:
    """Return the subject of which *subject_id* is the `id`, None where it is none.

    >>> parsed("gpu~gpu%20node%2F1~3") == Subject(Level.GPU, node="gpu node/1", gpu="3"), parsed("x~y")
    (True, None)
    """
    if subject_id == FLEET.id:
        return FLEET
    kind, *parts = subject_id.split(_BETWEEN)
    values = [unquote(part) for part in parts]
    names = {
        "gpu": ("node", "gpu", "mig"),
        "node": ("node",),
        "engine": ("instance", "model"),
    }.get(kind, ())
    if not names or not 1 <= len(values) <= len(names):
        return None
    given = dict(zip(names, values, strict=False))
    if kind == "engine":
        given["node"] = host_of(given["instance"])
    return Subject(Level(kind), **given)


def host_of(instance: str) -> str:
    """Return the host of a scrape target such as ``10.0.0.3:8000`` or ``[fd00::3]:8000``.

    >>> host_of("gpu-node-3:8000"), host_of("[fd00::3]:8000"), host_of("fd00::3"), host_of("alone")
    ('gpu-node-3', 'fd00::3', 'fd00::3', 'alone')
    """
    if instance.startswith("["):
        return instance[1:].partition("]")[0]
    return instance if instance.count(":") > 1 else instance.partition(":")[0]


def natural_key(name: str) -> tuple[int | str, ...]:
    """Return a key that sorts names as people count them: node 10 behind node 9.

    >>> sorted(["gpu-10", "gpu-9", "b", "10", "9"], key=natural_key)
    ['9', '10', 'b', 'gpu-9', 'gpu-10']
    """
    # Text and digits take turns, text first: entries of one place are then of one kind.
    return tuple(int(part) if at % 2 else part for at, part in enumerate(re.split(r"([0-9]+)", name)))


def says_where(host: str) -> bool:
    """Return whether *host* tells machines apart: a loopback address is the same on all of them.

    >>> says_where("gpu-node-3"), says_where("127.0.0.1"), says_where("localhost"), says_where("")
    (True, False, False, False)
    """
    if not host or host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def _escaped(part: str) -> str:
    return quote(part, safe=":").replace(_BETWEEN, "%7E")
