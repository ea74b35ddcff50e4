"""The text of a config.json, uploaded or pasted, as its fields."""

from __future__ import annotations

import json
from typing import Any

from core.errors import BadModelConfig

LIMIT = 2 * 10**6
"""Bytes. Published config.json files have 1 to 30 kB; the longest lists of unquantised modules some 100 kB."""


def read_document(content: str | bytes) -> dict[str, Any]:
    """Return the fields of the config.json with this *content*.

    Raises:
        BadModelConfig: too large, no JSON, or JSON that is no object.

    >>> read_document('{"hidden_size": 4096}')
    {'hidden_size': 4096}
    """
    if len(content) > LIMIT:
        raise BadModelConfig(
            "config.too_large",
            field="model",
            size=f"{len(content) / 10**6:,.1f} MB",
            limit=f"{LIMIT / 10**6:g} MB",
        )
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise _not_json(error.msg, error.lineno, error.colno) from None
    except UnicodeDecodeError:
        raise _not_json("not UTF-8 text", 1, 1) from None
    except (RecursionError, ValueError) as error:  # nested too deep, or a number of thousands of digits
        raise _not_json(str(error).partition(";")[0][:80], 1, 1) from None
    if not isinstance(fields, dict):
        raise BadModelConfig("config.not_a_config", field="model")
    return fields


def _not_json(reason: str, line: int, column: int) -> BadModelConfig:
    return BadModelConfig("config.not_json", field="model", reason=reason, line=line, column=column)
