"""``python -m core.refresh``: read the catalogues, check them, and renew hardware_db/offers.csv.

Exit status: 0 when the file was renewed, or would be; 1 when something was refused and the file stays as it is;
2 for options that are not understood.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.catalog.offers import PATH, read_offers
from core.refresh.catalogues import BASE
from core.refresh.fetch import Limits
from core.refresh.update import Outcome, look, replace_file, written
from core.text import DEFAULT_LANGUAGE, LANGUAGES, Sentence, text


def main(arguments: list[str]) -> int:
    """Refresh the file once and return the exit status."""
    asked = _options().parse_args(arguments)
    accepted = dict(asked.accept)
    limits = Limits(silence_s=min(asked.seconds, Limits.silence_s), seconds=asked.seconds)
    outcome = look(read_offers(asked.file), accepted, asked.base, limits)
    _tell(outcome, asked.language)
    if outcome.refused and not asked.partial:
        print(text("refresh.unchanged", asked.language, file=asked.file), file=sys.stderr)
        return 1
    if not outcome.new or asked.dry_run:
        print(text("refresh.nothing_written", asked.language, file=asked.file))
        return int(bool(outcome.refused))
    try:
        replace_file(asked.file, written(asked.file, outcome, accepted, datetime.now(UTC).date()))
    except (OSError, ValueError) as error:
        print(text("refresh.not_replaced", asked.language, file=asked.file, reason=error), file=sys.stderr)
        return 1
    done = {"file": asked.file, "count": len(outcome.new), "changed": len(outcome.changed)}
    print(text("refresh.written", asked.language, **done))
    return int(bool(outcome.refused))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.refresh", description=text("refresh.about"))
    parser.add_argument("--from", dest="base", default=BASE, metavar="URL", help=text("refresh.help.base"))
    parser.add_argument("--file", type=Path, default=PATH, help=text("refresh.help.file"))
    parser.add_argument("--partial", action="store_true", help=text("refresh.help.partial"))
    parser.add_argument("--dry-run", action="store_true", help=text("refresh.help.dry_run"))
    accept: dict[str, Any] = {"action": "append", "default": [], "type": _accepted, "metavar": "ID=REASON"}
    parser.add_argument("--accept", help=text("refresh.help.accept"), **accept)
    parser.add_argument("--seconds", type=float, default=Limits.seconds, help=text("refresh.help.seconds"))
    parser.add_argument("--language", choices=LANGUAGES, default=DEFAULT_LANGUAGE)
    return parser


def _accepted(told: str) -> tuple[str, str]:
    """Return the id and the reason of an option ID=REASON; both must be there."""
    id_, _, reason = told.partition("=")
    if not id_.strip() or not reason.strip():
        raise argparse.ArgumentTypeError(text("refresh.no_reason"))
    return id_.strip(), reason.strip()


def _tell(outcome: Outcome, language: str) -> None:
    def told(sentences: tuple[Sentence, ...]) -> list[str]:
        return [sentence.render(language) for sentence in sentences]

    for line in (*told(outcome.changed), *told(outcome.kept)):
        print(line)
    for line in told(outcome.refused):
        print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
