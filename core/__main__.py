"""The headless contract on the command line: ``python -m core VERB [FILE]``.

FILE, or standard input when it is "-" or absent, holds one JSON request or a list of them; the answer goes to
standard output. Exit status: 0 when every request was answered, 1 when some was refused, 2 for unreadable input.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def _own_environment() -> str | None:
    """Return the project's interpreter where this one lacks its libraries and that one exists."""
    python = Path(__file__).resolve().parent.parent / ".venv" / "bin" / "python"
    inside = Path(sys.prefix).resolve() == python.parent.parent.resolve()
    return str(python) if python.exists() and not inside else None


def main(arguments: list[str]) -> int:
    """Answer the requests of one call and return the exit status."""
    try:
        import orjson  # noqa: PLC0415 - the hint below needs them to fail here

        from core.api import VERBS, answer, refused  # noqa: PLC0415
        from core.errors import BadRequest  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        python = _own_environment()
        if python:
            os.execv(python, [python, "-m", "core", *arguments])  # noqa: S606 - our own interpreter
        print(
            f"{missing.name} is not installed; run 'make run' once, or pip install -r requirements.txt",
            file=sys.stderr,
        )
        return 2
    if not 1 <= len(arguments) <= 2 or arguments[0] in ("-h", "--help"):
        print(f"usage: python -m core {{{','.join(VERBS)}}} [FILE]", file=sys.stderr)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    verb, source = arguments[0], arguments[1] if len(arguments) == 2 else "-"
    try:
        text = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        request = orjson.loads(text)
        answers = answer(verb, request)
    except (OSError, ValueError, BadRequest) as error:
        print(f"{source}: {error}" if not isinstance(error, BadRequest) else str(error), file=sys.stderr)
        return 2
    sys.stdout.buffer.write(orjson.dumps(answers, option=orjson.OPT_INDENT_2) + b"\n")
    return int(refused(answers))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
