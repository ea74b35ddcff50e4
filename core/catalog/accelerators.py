"""The accelerators of hardware_db/accelerators.csv, by id, product name or alias."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.catalog.records import Accelerator, Provenance
from core.errors import UnknownAccelerator

PATH = Path(__file__).parents[2] / "hardware_db" / "accelerators.csv"

_LISTS = {"aliases", "dtypes"}

# Words that vendors, drivers and exporters put around a product name and that tell no two devices apart.
_VENDOR_WORDS = {
    *("nvidia", "amd", "intel", "google", "cloud", "aws", "amazon", "huawei", "apple"),
    *("geforce", "instinct", "tesla", "radeon", "corporation", "inc", "r", "tm"),
    *("graphics", "gpu", "accelerator", "generation"),
}


@cache
def accelerators() -> Mapping[str, Accelerator]:
    """Return every accelerator by id, in the order of the file."""
    with PATH.open(encoding="utf-8", newline="") as rows:
        records = [_record(row) for row in csv.DictReader(rows)]
    return MappingProxyType({record.id: record for record in records})


def find_accelerator(name: str) -> Accelerator:
    """Return the accelerator whose id, product name or alias is *name*.

    Case, spaces, dashes, underscores and the vendor's name do not matter, nor does the order of words:
    `NVIDIA H100 80GB HBM3`, `h100_sxm_80` and `H100 SXM5 80GB` are one device. Raises `UnknownAccelerator`
    with the nearest names.
    """
    found = known_accelerator(name)
    if found is None:
        nearest = ", ".join(nearest_accelerators(name))
        raise UnknownAccelerator("error.unknown_accelerator", field="gpu", name=name, nearest=nearest)
    return found


def known_accelerator(name: str) -> Accelerator | None:
    """Return the accelerator that `find_accelerator` finds, None where it finds none: quick for many names."""
    joined, words = _index()
    found = joined.get(_joined(name)) or words.get(_words(name))
    return None if found is None else accelerators()[found]


def names_of(accelerator: Accelerator) -> tuple[str, ...]:
    """Return the names under which *accelerator* is found: its id, product name and aliases."""
    return (accelerator.id, accelerator.name, *accelerator.aliases)


def _record(row: dict[str, str]) -> Accelerator:
    fields: dict[str, Any] = {key: value for key, value in row.items() if value != ""}
    for key in _LISTS & fields.keys():
        fields[key] = tuple(fields[key].split("|"))
    fields["provenance"] = Provenance.taken_from(fields, "sources")
    return Accelerator.model_validate(fields)


def _tokens(name: str) -> list[str]:
    tokens = re.findall(r"[a-z0-9.]+", name.lower())
    return [token for token in tokens if token not in _VENDOR_WORDS] or tokens


def _joined(name: str) -> str:
    return "".join(_tokens(name))


def _words(name: str) -> tuple[str, ...]:
    """Return the words of *name* in a fixed order, sizes without unit and sockets without generation."""
    return tuple(sorted(re.sub(r"^(\d+)gi?b?$|^(sxm|oam)\d$", r"\1\2", token) for token in _tokens(name)))


@cache
def _index() -> tuple[dict[str, str], dict[tuple[str, ...], str]]:
    """Return the ids by joined name, and by words; words that two devices share find neither."""
    joined: dict[str, str] = {}
    words: dict[tuple[str, ...], set[str]] = {}
    for id_, name in _names():
        joined.setdefault(_joined(name), id_)
        words.setdefault(_words(name), set()).add(id_)
    return joined, {key: next(iter(ids)) for key, ids in words.items() if len(ids) == 1}


def _names() -> Iterator[tuple[str, str]]:
    for record in accelerators().values():
        for name in names_of(record):
            yield record.id, name


def nearest_accelerators(name: str) -> list[str]:
    """Return up to three ids whose names resemble *name* most, never none; it takes milliseconds."""
    joined = _index()[0]
    wanted = _joined(name)
    inside = [joined[key] for key in joined if len(wanted) > 1 and (wanted in key or key in wanted)]
    close = [joined[key] for key in get_close_matches(wanted, joined, n=12, cutoff=0.0)]
    return list(dict.fromkeys(close[:2] + inside + close))[:3]
