"""Prices are renewed as a whole or not at all, whatever a catalogue answers."""

from __future__ import annotations

import ast
import csv
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from core.catalog import Offer, offers
from core.catalog.offers import PATH, read_offers
from core.refresh.__main__ import main
from core.refresh.catalogues import PATHS, Listed, read_catalogue
from core.refresh.checks import faults
from core.refresh.fetch import Limits, Unreachable, fetch
from core.refresh.update import look, replace_file
from tests.conftest import ROOT
from tests.core.refresh.recorded import ORACLE, catalogue, line, mirrored, send, served

QUICK = Limits(silence_s=0.3, seconds=0.6, most_bytes=200_000)
P5 = "aws/p5.48xlarge/us-east-1"
ORACLE_H100 = "oci/BM.GPU.H100.8/us-ashburn-1"
COVERED = [offer for offer in offers().values() if offer.cloud in PATHS]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(shutil.copy(PATH, tmp_path / "offers.csv"))


@pytest.fixture(autouse=True)
def _straight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach this machine without a proxy, whatever the environment says."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def refresh(file: Path, base: str, *options: str) -> int:
    return main(["--file", str(file), "--from", base, "--seconds", "5", *options])


def only(id_: str, **changes: object) -> dict[str, str]:
    """Return catalogues in which the row *id_* alone differs from the file."""
    return mirrored(offers(), lambda offer: changes if offer.id == id_ else {})


def test_a_good_answer_renews_prices_and_days(file: Path) -> None:
    with served(only(P5, price=56.0)) as (base, asked):
        assert refresh(file, base) == 0
    assert sorted(asked) == sorted(f"/{path}" for path in PATHS.values())
    renewed, today = read_offers(file), datetime.now(UTC).date()
    assert list(renewed) == list(offers())
    assert renewed[P5].usd_per_hour == 56.0
    for offer in COVERED:
        now = renewed[offer.id]
        assert now.provenance.as_of == today
        assert "the day it was read" in now.provenance.source
        assert offer.id == P5 or now.usd_per_hour == offer.usd_per_hour
        assert now.spot_low == offer.spot_low
        assert (now.accelerator, now.gpus, now.vcpus, now.notes) == (
            offer.accelerator,
            offer.gpus,
            offer.vcpus,
            offer.notes,
        )


def test_rows_that_no_catalogue_lists_stay(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(mirrored(offers()) | {"oci": ORACLE}) as (base, _):
        assert refresh(file, base) == 0
    renewed = read_offers(file)
    assert renewed[ORACLE_H100].provenance.as_of == datetime.now(UTC).date()
    assert renewed[ORACLE_H100].usd_per_hour == 80.0
    kept = "oci/VM.GPU.A10.1/us-ashburn-1"
    assert renewed[kept] == offers()[kept]
    told = capsys.readouterr().out
    assert f"{kept}: not in the catalogue" in told
    assert "gcp: no catalogue is read" in told


@pytest.mark.parametrize(
    ("id_", "changes", "reason"),
    [
        (P5, {"price": 0.0}, "not above 0"),
        (P5, {"price": -3.0}, "not above 0"),
        (P5, {"price": ""}, "not above 0"),
        (P5, {"price": "nan"}, "not above 0"),
        (P5, {"price": "inf"}, "not above 0"),
        (P5, {"price": "$50"}, "not above 0"),
        (P5, {"price": offers()[P5].usd_per_hour / 8}, "stand for that of the instance of 8"),
        (P5, {"price": offers()[P5].usd_per_hour * 8, "spot": ""}, "stand for that of the instance of 8"),
        (P5, {"price": offers()[P5].usd_per_hour * 5.5}, "more than a factor of 5"),
        (P5, {"price": 9.0, "spot": ""}, "more than a factor of 5"),
        (P5, {"gpus": 1.0}, "counts 1 GPUs, and the file 8"),
        (P5, {"spot": 70.0}, "may be swapped"),
        (P5, {"spot": 0.0}, "spot price is not above 0"),
        (P5, {"spot": "free"}, "spot price is not above 0"),
        ("azure/ND96isr_H100_v5/eastus", {"price": 1e9}, "more than a factor of 5"),
    ],
)
def test_a_bad_row_keeps_the_file(
    file: Path, capsys: pytest.CaptureFixture[str], id_: str, changes: Mapping[str, object], reason: str
) -> None:
    with served(only(id_, **changes)) as (base, _):
        assert refresh(file, base) == 1
    told = capsys.readouterr().err
    assert f"{id_}: " in told
    assert reason in told
    assert file.read_bytes() == PATH.read_bytes()


def test_partial_renews_the_others(file: Path) -> None:
    with served(only(P5, price=0.0)) as (base, _):
        assert refresh(file, base, "--partial") == 1
    renewed = read_offers(file)
    assert renewed[P5] == offers()[P5]
    assert sum(one != offers()[id_] for id_, one in renewed.items()) == len(COVERED) - 1


def test_a_reason_lets_a_row_in(file: Path) -> None:
    with served(only(P5, price=9.0, spot="")) as (base, _):
        assert refresh(file, base, "--accept", f"{P5}=clearance sale") == 0
    assert read_offers(file)[P5].notes == "clearance sale"
    assert read_offers(file)[P5].usd_per_hour == 9.0


@pytest.mark.parametrize("changes", [{"price": "nan"}, {"price": "inf"}, {"price": 0.0}, {"spot": "nan"}])
def test_no_reason_lets_nothing_be_free(file: Path, changes: Mapping[str, object]) -> None:
    with served(only(P5, **changes)) as (base, _):
        assert refresh(file, base, "--accept", f"{P5}=gift") == 1
    assert file.read_bytes() == PATH.read_bytes()


def test_only_a_row_that_exists_is_accepted_and_only_with_a_reason(file: Path) -> None:
    with served(mirrored(offers())) as (base, _):
        assert refresh(file, base, "--accept", "aws/none/none=typing error") == 1
        with pytest.raises(SystemExit) as usage:
            refresh(file, base, "--accept", P5)
    assert usage.value.code == 2
    assert file.read_bytes() == PATH.read_bytes()


def test_a_file_that_cannot_be_replaced_is_told(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(Path, "replace", refused)
    with served(only(P5, price=56.0)) as (base, _):
        assert refresh(file, base) == 1
    assert "Permission denied" in capsys.readouterr().err
    assert [one.name for one in file.parent.iterdir()] == ["offers.csv"]


def test_a_trial_writes_nothing(file: Path) -> None:
    with served(only(P5, price=56.0)) as (base, _):
        assert refresh(file, base, "--dry-run", "--language", "zh") == 0
    assert file.read_bytes() == PATH.read_bytes()


def _cut(handler: BaseHTTPRequestHandler) -> None:
    whole = catalogue(ORACLE)
    send(handler, whole[:-60], Content_Length=str(len(whole)))


def _chunked_and_cut(handler: BaseHTTPRequestHandler) -> None:
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"40\r\n" + catalogue(ORACLE)[:30])
    handler.close_connection = True


def _silent(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1.0)


def _dripping(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(20):
        handler.wfile.write(b"a")
        handler.wfile.flush()
        time.sleep(0.1)


def _elsewhere(handler: BaseHTTPRequestHandler) -> None:
    send(handler, b"", 302, Location="http://127.0.0.1:9/else.csv")


FAULTS = {
    "missing": (None, "status 404"),
    "error": (lambda handler: send(handler, b"oops", 503), "status 503"),
    "no_content": (lambda handler: send(handler, b"", 204), "status 204"),
    "cut": (_cut, "bytes"),
    "chunked": (_chunked_and_cut, "cannot be read"),
    "row": (catalogue(ORACLE)[:-60], "cut short at line"),
    "html": (b"<!doctype html><html><body>Sign in</body></html>", "not a catalogue"),
    "empty": (b"", "not a catalogue"),
    "binary": (b"\x1f\x8b\x08\xff\xfe", "not text"),
    "silent": (_silent, "silent"),
    "slow": (_dripping, "not read within"),
    "redirect": (_elsewhere, "127.0.0.1:9/else.csv"),
    "huge": (b"x" * 300_000, "larger than"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_source_is_refused(name: str) -> None:
    answer, reason = FAULTS[name]
    with served({} if answer is None else {"oci": answer}) as (base, asked):
        oracle = {id_: offer for id_, offer in offers().items() if offer.cloud == "oci"}
        outcome = look(oracle, {}, base, QUICK)
    assert asked == [f"/{PATHS['oci']}"]
    assert not outcome.new
    assert [reason in str(sentence) for sentence in outcome.refused] == [True], outcome.refused[0]


def test_one_broken_source_keeps_the_file(file: Path) -> None:
    with served(mirrored(offers()) | {"lambda": b"<html></html>"}) as (base, _):
        assert refresh(file, base) == 1
    assert file.read_bytes() == PATH.read_bytes()


def test_nobody_answers() -> None:
    with served({}) as (base, _):
        pass
    with pytest.raises(Unreachable, match="cannot be read"):
        fetch(f"{base}/v8/oci/vms.csv", QUICK)
    with pytest.raises(Unreachable, match="https://"):
        fetch("file:///etc/passwd", QUICK)


def test_what_the_product_cannot_read_is_not_put_in_place(file: Path) -> None:
    for content in (
        "",
        "cloud\n",
        file.read_text().replace(",high,", ",certain,").replace(",medium,", ",x,"),
    ):
        with pytest.raises(ValueError, match=r".|lost"):
            replace_file(file, content)
    assert file.read_bytes() == PATH.read_bytes()
    assert [one.name for one in file.parent.iterdir()] == ["offers.csv"]


def test_zones_give_the_spot_band() -> None:
    rows = "".join(line("i", spot=spot, region="r") for spot in (30.0, 10.0, 20.0))
    listed = read_catalogue(catalogue(rows).decode(), "oci", "u").find("i", "r")
    assert listed is not None
    assert (listed.gpus, listed.price, listed.band) == (8.0, 80.0, (10.0, 20.0, 30.0))
    same = read_catalogue(catalogue(line("i", spot=80.0, region="r")).decode(), "oci", "u").find("i", "r")
    assert same is not None
    assert same.band is None


def test_a_price_that_was_always_far_from_the_median_may_stay_so() -> None:
    offer = offers()[P5]
    listed = Listed(8.0, offer.usd_per_hour * 3, ())
    assert [one.key for one in faults(offer, listed, offer.usd_per_gpu_hour / 2)] == ["refresh.absurd"]
    assert not faults(offer, listed, offer.usd_per_gpu_hour / 10)


def test_text_of_a_catalogue_never_reaches_the_file(file: Path) -> None:
    def evil(offer: Offer) -> Mapping[str, object]:
        return {"accelerator": "=cmd|' /C calc'!A0"}

    with served(mirrored(offers(), evil)) as (base, _):
        assert refresh(file, base) == 0
    assert "cmd|" not in file.read_text()
    assert len(list(csv.reader(file.open()))) == len(offers()) + 1


def test_the_product_does_not_import_it() -> None:
    for path in [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "core").rglob("*.py")]:
        if path.is_relative_to(ROOT / "core" / "refresh"):
            continue
        names = [
            name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        ]
        assert not [name for name in names if "refresh" in name], path
