"""The model configurations of hardware_db/models, by Hugging Face id.

One file a model, `<organisation>__<name>.json`: the fields of its config.json, and beside them keys that
begin with an underscore and say where it was copied from. The file names alone are the index; a file is
opened when its model is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType

from core.catalog.records import ModelRecord, Provenance
from core.errors import UnknownModel

FOLDER = Path(__file__).parents[2] / "hardware_db" / "models"


@cache
def model_ids() -> tuple[str, ...]:
    """Return the ids of all models ("deepseek-ai/DeepSeek-V3"), sorted without regard to case."""
    return tuple(sorted((_id(path) for path in FOLDER.glob("*__*.json")), key=str.lower))


def find_model(name: str) -> ModelRecord:
    """Return the model *name*: its id in any case, or the part after the organisation where that is unique.

    Raises `UnknownModel` with the nearest ids.
    """
    found = _index().get(name.strip().lower())
    if found is None:
        raise UnknownModel("error.unknown_model", field="model", name=name, nearest=", ".join(_nearest(name)))
    return _load(found)


def _id(path: Path) -> str:
    return path.stem.replace("__", "/", 1)


@cache
def _index() -> Mapping[str, str]:
    """Return the ids by lower-case id, and by lower-case bare name where one organisation alone uses it."""
    bare: dict[str, list[str]] = {}
    for id_ in model_ids():
        bare.setdefault(id_.partition("/")[2].lower(), []).append(id_)
    index = {name: ids[0] for name, ids in bare.items() if len(ids) == 1}
    index.update({id_.lower(): id_ for id_ in model_ids()})
    return MappingProxyType(index)


@cache
def _load(id_: str) -> ModelRecord:
    content = json.loads((FOLDER / f"{id_.replace('/', '__', 1)}.json").read_text(encoding="utf-8"))
    return ModelRecord(
        id=id_,
        config={key: value for key, value in content.items() if not key.startswith("_")},
        provenance=Provenance(
            source=content["_source"], as_of=content["_as_of"], confidence=content["_confidence"]
        ),
        note=content.get("_note", ""),
        license=content.get("_license"),
        released=content.get("_released"),
    )


def _nearest(name: str) -> list[str]:
    """Return up to three ids that resemble *name* most, never none."""
    index = _index()
    wanted = name.strip().lower()
    close = get_close_matches(wanted, index, n=8, cutoff=0.0)
    return list(dict.fromkeys(index[key] for key in close))[:3]
