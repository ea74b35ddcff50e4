"""A small spreadsheet: evaluates the formulas of a workbook as Excel and LibreOffice do, after changes too."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from typing import Any

from openpyxl import load_workbook
from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token
from openpyxl.utils import range_boundaries

LEVELS = (("=", "<", ">"), ("+", "-"), ("*", "/"), ("^",))
Thunk = Callable[[], Any]


class Spreadsheet:
    """The cells of a workbook by sheet and address; `change` one, then ask for `value` again."""

    def __init__(self, content: bytes) -> None:
        self.book = load_workbook(io.BytesIO(content))
        self.found: dict[tuple[str, str], Any] = {}

    def change(self, sheet: str, address: str, value: Any) -> None:
        self.book[sheet][address].value = value
        self.found.clear()

    def value(self, sheet: str, address: str) -> Any:
        key = (sheet, address.replace("$", ""))
        if key not in self.found:
            cell = self.book[sheet][key[1]]
            formula = cell.data_type == "f"
            self.found[key] = Reader(self, sheet, cell.value).answer() if formula else cell.value
        return self.found[key]

    def cells(self, sheet: str, area: str) -> Iterator[Any]:
        left, top, right, bottom = range_boundaries(area.replace("$", ""))
        for row in self.book[sheet].iter_rows(top, bottom, left, right):
            for cell in row:
                yield self.value(sheet, cell.coordinate)


class Reader:
    """One formula, read from left to right; branches of IF that are not taken are not worked out."""

    def __init__(self, book: Spreadsheet, sheet: str, formula: str) -> None:
        self.book, self.sheet = book, sheet
        self.tokens = [one for one in Tokenizer(formula).items if one.type != Token.WSPACE]

    def answer(self) -> Any:
        thunk = self.expression(0)
        assert not self.tokens, self.tokens
        return thunk()

    def expression(self, level: int) -> Thunk:
        if level == len(LEVELS):
            return self.operand()
        left = self.expression(level + 1)
        while self.tokens and self.tokens[0].type == Token.OP_IN and self.tokens[0].value in LEVELS[level]:
            sign = self.tokens.pop(0).value
            left = _joined(sign, left, self.expression(level + 1))
        return left

    def operand(self) -> Thunk:
        token = self.tokens.pop(0)
        if token.type == Token.OP_PRE:
            inner = self.operand()
            return lambda: -_number(inner())
        if token.type == Token.PAREN:
            inner = self.expression(0)
            assert self.tokens.pop(0).subtype == Token.CLOSE
            return inner
        if token.type == Token.FUNC:
            return self.function(token.value.rstrip("("))
        if token.subtype == Token.NUMBER:
            return lambda: float(token.value)
        if token.subtype == Token.TEXT:
            return lambda: token.value[1:-1]
        return self.reference(token.value)

    def reference(self, told: str) -> Thunk:
        sheet, _, address = told.rpartition("!")
        sheet = sheet.strip("'") or self.sheet
        if ":" in address:
            return lambda: list(self.book.cells(sheet, address))
        return lambda: self.book.value(sheet, address)

    def function(self, name: str) -> Thunk:
        arguments = []
        while not (self.tokens[0].type == Token.FUNC and self.tokens[0].subtype == Token.CLOSE):
            if self.tokens[0].type == Token.SEP:
                self.tokens.pop(0)
            arguments.append(self.expression(0))
        self.tokens.pop(0)
        if name == "IF":
            test, yes, no = arguments
            return lambda: yes() if test() else no()
        return lambda: FUNCTIONS[name](*(one() for one in arguments))


def _joined(sign: str, left: Thunk, right: Thunk) -> Thunk:
    return lambda: OPERATIONS[sign](left(), right())


def _number(value: Any) -> float:
    assert not isinstance(value, str), value
    return 0.0 if value is None else float(value)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return (one or "") == (other or "") and not isinstance(one or "", float)
    return _number(one) == _number(other)


def _sum(*values: Any) -> float:
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return math.fsum(float(one) for one in flat if isinstance(one, int | float))


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": _equal,
    "<": lambda one, other: _number(one) < _number(other),
    ">": lambda one, other: _number(one) > _number(other),
    "+": lambda one, other: _number(one) + _number(other),
    "-": lambda one, other: _number(one) - _number(other),
    "*": lambda one, other: _number(one) * _number(other),
    "/": lambda one, other: _number(one) / _number(other),
    "^": lambda one, other: _number(one) ** _number(other),
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "SUM": _sum,
    "MIN": lambda *values: min(_number(one) for one in values),
    "MAX": lambda *values: max(_number(one) for one in values),
    "AND": lambda *values: all(values),
    "OR": lambda *values: any(values),
    "INT": lambda value: float(math.floor(_number(value))),
    "MOD": lambda value, by: _number(value) % _number(by),
    "ROUNDUP": lambda value, _: float(math.ceil(_number(value))),
}
