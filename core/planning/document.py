"""A saved plan, plan.json: what was asked, what was chosen, and the numbers and data behind it.

The request is kept as it was asked, so that loading the file asks the same question again. Where the data have
changed since, `changes` names the numbers that differ from those stored.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from core.catalog import find_model
from core.catalog.accelerators import PATH as ACCELERATORS
from core.catalog.models import FOLDER as MODELS
from core.catalog.offers import PATH as OFFERS
from core.errors import BadRequest, UnknownModel, shown
from core.planning.record import recorded
from core.planning.result import Plan, Planned
from core.text import Sentence, say
from core.traffic.presets import PATH as PRESETS

FORMAT = "llm-deployment-planner/plan"
"""What the field `format` of the file says."""

VERSION = 1
"""The newest version of the format that is known here."""

ROOT = Path(__file__).parents[2]
MOST_CHANGES = 12
"""Numbers that `changes` names at most."""


@dataclass(frozen=True)
class PlanDocument:
    """What a plan.json holds; `request` is as it was asked, `chosen` the id of a plan, `stored` all of the file."""

    request: dict[str, Any]
    chosen: str | None
    stored: Mapping[str, Any]

    @property
    def plan(self) -> Mapping[str, Any] | None:
        """The names and numbers of the chosen plan as they were stored."""
        plan = self.stored.get("plan")
        return plan if isinstance(plan, dict) else None


def find_plan(planned: Planned, id_: str) -> Plan | None:
    """Return the plan with *id_*: a listed one, or any other that was worked out; None where there is none."""
    every = (*planned.plans, *planned.front, *planned.alternatives)
    return next((plan for plan in every if plan.id == id_), None)


def document_of(
    request: Mapping[str, Any], planned: Planned, chosen: str | None, created: datetime | None = None
) -> dict[str, Any]:
    """Return the content of a plan.json.

    *request* is kept exactly as it was asked, a trace included; *chosen* is the id of a plan of *planned*, None
    where there is none. *created* is the time to note, by default now.

    Raises:
        BadRequest: no plan of *planned* has the id *chosen*.
    """
    plan = None if chosen is None else find_plan(planned, chosen)
    if chosen is not None and plan is None:
        raise BadRequest("plan.no_such_plan", field="chosen", id=shown(chosen))
    return {
        "format": FORMAT,
        "version": VERSION,
        "created": (created or datetime.now(UTC)).isoformat(timespec="seconds"),
        "program": {"name": "llm-deployment-planner", "version": program_version()},
        "data": data_version(planned, request),
        "request": dict(request),
        "chosen": chosen,
        "plan": None if plan is None else recorded(plan),
        "plans": [recorded(one) for one in planned.plans],
        "notes": [str(sentence) for sentence in planned.notes],
        "deployments_evaluated": planned.deployments,
    }


def read_plan_document(content: bytes | str) -> PlanDocument:
    """Return what *content*, a plan.json, holds. Its request is checked when it is asked again.

    Raises:
        BadRequest: no JSON, another format, a newer version, or parts that are missing.
    """
    try:
        stored = json.loads(content)
    except (ValueError, RecursionError):
        raise BadRequest("plan.file_not_json", field="file") from None
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        given = stored.get("format") if isinstance(stored, dict) else stored
        raise BadRequest("plan.file_format", field="format", value=shown(given), format=FORMAT)
    version = stored.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BadRequest("plan.file_version", field="version", value=shown(version), newest=VERSION)
    if version > VERSION:
        raise BadRequest("plan.file_newer", field="version", value=version, newest=VERSION)
    request, chosen = stored.get("request"), stored.get("chosen")
    if not isinstance(request, dict):
        raise BadRequest("plan.file_request", field="request", value=shown(request))
    if chosen is not None and not isinstance(chosen, str):
        raise BadRequest("plan.file_chosen", field="chosen", value=shown(chosen))
    return PlanDocument(request, chosen, stored)


def changes(document: PlanDocument, planned: Planned) -> tuple[Sentence, ...]:
    """Return what differs between the stored plan of *document* and *planned*, the same question asked again.

    Nothing where all numbers are equal. Else one sentence for each number of the chosen plan, or one that says
    that there is no such plan any more; before them which data are others than when it was saved.
    """
    stored = document.plan
    if document.chosen is None or stored is None:
        return ()
    plan = find_plan(planned, document.chosen)
    found: list[Sentence] = []
    if plan is None:
        found.append(say("plan.gone", id=document.chosen))
    else:
        for place, now in _leaves(recorded(plan)):
            before = _at(stored, place)
            if not _same(before, now):
                found.append(say("plan.changed", name=".".join(place), before=_told(before), now=_told(now)))
    if not found:
        return ()
    told = found[:MOST_CHANGES]
    if len(found) > MOST_CHANGES:
        told.append(say("plan.more_changed", count=len(found) - MOST_CHANGES))
    return (*_causes(document, planned), *told)


def _causes(document: PlanDocument, planned: Planned) -> list[Sentence]:
    """Return which files, or which program, are others than those that *document* names."""
    stored = document.stored
    before = stored.get("data")
    files = before.get("files") if isinstance(before, dict) else None
    now = data_version(planned, document.request)["files"]
    named = files if isinstance(files, dict) else {}
    causes = [name for name in now if named.get(name) != now[name]]
    program = stored.get("program")
    version = program.get("version") if isinstance(program, dict) else None
    found = [say("plan.data_changed", files=", ".join(causes))] if causes else []
    if version != program_version():
        found.append(say("plan.program_changed", before=_told(version), now=program_version()))
    return found


def _leaves(node: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the leaves of *node*, objects and lists within each other, with the names that lead to them."""
    if not isinstance(node, dict | list):
        yield place, node
        return
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
        yield from _leaves(inner, (*place, str(key)))


def _at(node: Any, place: tuple[str, ...]) -> Any:
    """Return what *place* leads to in *node*, None where there is nothing."""
    for name in place:
        if isinstance(node, Mapping):
            node = node.get(name)
        elif isinstance(node, list) and name.isdigit() and int(name) < len(node):
            node = node[int(name)]
        else:
            return None
    return node


def _same(before: Any, now: Any) -> bool:
    """Return whether two leaves are equal, but for what the last bits of a processor make of a number."""
    numbers = isinstance(before, int | float) and isinstance(now, int | float)
    return bool(abs(before - now) <= 1e-9 * max(abs(before), abs(now))) if numbers else bool(before == now)


def _told(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else shown(value)[:80].strip("'")


@cache
def program_version() -> str:
    """Return the version of this program."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(content["project"]["version"])


def data_version(planned: Planned, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the files of hardware_db that *planned* rests on, each with the SHA-256 of its content, and of all.

    Presets count where *request* names one.
    """
    paths = [ACCELERATORS, OFFERS, *([PRESETS] if request.get("preset") else [])]
    for model in planned.question.models:
        try:
            id_ = find_model(model.name).id
        except UnknownModel:
            continue
        paths.append(MODELS / f"{id_.replace('/', '__', 1)}.json")
    return files_version(paths)


def files_version(paths: Iterable[Path]) -> dict[str, Any]:
    """Return the files at *paths*, each with the SHA-256 of its content, and of all."""
    files = {str(path.relative_to(ROOT).as_posix()): _digest(path) for path in dict.fromkeys(paths)}
    whole = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    return {"sha256": whole, "files": files}


@cache
def _digest(path: Path) -> str:
    """Return the SHA-256 of the file at *path*; kept, since its data are read once while the program runs."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
