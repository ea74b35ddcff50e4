"""A new hardware_db/offers.csv from the catalogues: all rows that are good, or none."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from core.catalog import Offer
from core.catalog.offers import read_offers
from core.errors import Unreachable
from core.refresh.catalogues import BASE, PATHS, Catalogue, Listed, read_catalogue
from core.refresh.checks import FIRM, faults, medians
from core.refresh.fetch import Limits, fetch
from core.text import Sentence, say


@dataclass(frozen=True)
class Outcome:
    """What a refresh found.

    new       rows with a new price by the id of the offer
    changed   those whose price differs, in words; `kept` are rows that no catalogue lists
    refused   what is wrong, with the row or the address: nothing is written then, unless asked for
    """

    new: Mapping[str, Listed] = field(default_factory=dict)
    changed: tuple[Sentence, ...] = ()
    kept: tuple[Sentence, ...] = ()
    refused: tuple[Sentence, ...] = ()


def look(
    offers: Mapping[str, Offer],
    accepted: Mapping[str, str],
    base: str = BASE,
    limits: Limits | None = None,
) -> Outcome:
    """Return what the catalogues below *base* say of *offers*. *accepted* are ids whose faults have a reason."""
    found: dict[str, Listed] = {}
    kept: list[Sentence] = []
    refused: list[Sentence] = []
    for cloud in sorted({offer.cloud for offer in offers.values()}):
        own = [offer for offer in offers.values() if offer.cloud == cloud]
        if cloud not in PATHS:
            kept.append(say("refresh.no_source", cloud=cloud, count=len(own)))
            continue
        try:
            catalogue = _catalogue(cloud, base, limits)
        except Unreachable as fault:
            refused.append(fault.sentence)
            continue
        for offer in own:
            listed = catalogue.find(offer.instance, offer.region)
            if listed is None:
                kept.append(say("refresh.not_listed", id=offer.id))
            else:
                found[offer.id] = listed
    return _checked(offers, found, accepted, kept, refused)


def written(path: Path, outcome: Outcome, accepted: Mapping[str, str], today: date) -> str:
    """Return the content of the file at *path* with the new prices of *outcome*, dated *today*."""
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        names, rows = list(reader.fieldnames or ()), list(reader)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        id_ = f"{row['cloud']}/{row['instance']}/{row['region']}"
        if id_ in outcome.new:
            row.update(_fields(outcome.new[id_], row["cloud"], today))
            row["notes"] = accepted.get(id_, row["notes"])
        writer.writerow(row)
    return text.getvalue()


def replace_file(path: Path, content: str) -> None:
    """Put *content* in place of the file at *path*, at once, after reading it as the product does.

    Raises:
        ValueError: the product could not read it; the file stays as it is.
    """
    handle, name = tempfile.mkstemp(prefix=".offers-", suffix=".csv", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if len(read_offers(draft)) != len(read_offers(path)):
            raise ValueError("rows were lost")
        draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _catalogue(cloud: str, base: str, limits: Limits | None) -> Catalogue:
    url = f"{base.rstrip('/')}/{PATHS[cloud]}"
    return read_catalogue(fetch(url, limits), cloud, url)


def _checked(
    offers: Mapping[str, Offer],
    found: Mapping[str, Listed],
    accepted: Mapping[str, str],
    kept: list[Sentence],
    refused: list[Sentence],
) -> Outcome:
    typical = medians(offers.values(), found)
    new, changed = {}, []
    for id_, listed in found.items():
        offer = offers[id_]
        wrong = faults(offer, listed, typical.get(offer.accelerator))
        if wrong and (id_ not in accepted or any(fault.key in FIRM for fault in wrong)):
            refused += [say("refresh.row", id=id_, fault=fault) for fault in wrong]
            continue
        new[id_] = listed
        if listed.price != offer.usd_per_hour:
            changed.append(say("refresh.changed", id=id_, old=offer.usd_per_hour, new=listed.price))
    unknown = [say("refresh.unknown_id", id=id_) for id_ in accepted if id_ not in offers]
    return Outcome(new, tuple(changed), tuple(kept), (*refused, *unknown))


def _fields(listed: Listed, cloud: str, today: date) -> dict[str, str]:
    """Return the columns of a row that a catalogue decides: numbers, and where and when they were read."""
    low, middle, high = listed.band or ("", "", "")
    return {
        "usd_per_hour": _told(listed.price),
        "spot_low": _told(low),
        "spot_median": _told(middle),
        "spot_high": _told(high),
        "spot_zones": str(len(listed.spot)) if listed.band else "",
        "source": f"skypilot-org/skypilot-catalog catalogs/{PATHS[cloud]}; as_of is the day it was read",
        "as_of": today.isoformat(),
        "confidence": "medium",
    }


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else f"{round(value, 6):.10g}"
