"""Texts that differ only in constants share what is worked out of them: the gate's verdict, a statement, and its plan.

The gate says which literals may be parameters (gate.py). A text with the same outline (shape.py) and the same other literals
then needs no new verdict.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple, TypeVar

from beerforyou.db.fence import shape
from beerforyou.db.fence.shape import Shape

K = TypeVar("K")
V = TypeVar("V")
KNOWN = (
    2000  # of texts, outlines and verdicts each, that are remembered: a verdict costs a millisecond, a look-up nothing
)
KEPT = 1000  # characters of SQL whose plan a session may keep; honest queries have up to 400
WHOLE = re.compile(r"\d{1,9}")  # an int, whatever it is compared with
DECIMAL = re.compile(r"\d{1,9}\.\d{1,9}")
# As a literal, 'today' is the day on which the statement was prepared.
_TODAY = re.compile(r"now|today|tomorrow|yesterday", re.IGNORECASE)
_PARAMETER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\d+)")

Outline = tuple[str, tuple[str, ...]]  # of a text, with the literals that are no parameters


class Passed(NamedTuple):
    """SQL to run. The literals that begin at `open` are its parameters $2, $3 and so on; $1 is who asks (ask.py)."""

    sql: str
    open: tuple[int, ...] = ()


class Form:
    """`values` are what the parameters of `sql` say. `kept`: a session may keep its plan. `zones` as in Shape."""

    def __init__(self, sql: str, literals: tuple[str, ...] = (), *, kept: bool = False, zones: bool = False) -> None:
        self.sql, self._literals, self.kept, self.zones = sql, literals, kept, zones
        self.values = tuple(map(_said, literals))

    @cached_property
    def plain(self) -> str:
        """Without parameters."""
        if not self._literals:
            return self.sql
        return _PARAMETER.sub(lambda found: self._literals[int(found[1]) - 2] if found[1] else found[0], self.sql)

    def literal(self, number: int) -> str:
        """That a parameter stands for, as it was written, or nothing."""
        return self._literals[number - 2] if 2 <= number < len(self._literals) + 2 else ""


class Forms:
    """What the gate let through."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[int, ...]] = {}
        self._sql: dict[Outline, str] = {}

    def find(self, of: Shape) -> Form | None:
        """None: the gate has to look at it."""
        at = self._open.get(of.outline)
        sql = self._sql.get((of.outline, _others(of, at))) if at else None
        if at is None or sql is None or not all(_plain(of.literals[n][1]) for n in at):
            return None
        return _form(of, sql, at)

    def add(self, of: Shape, passed: Passed) -> Form:
        places = {begins: n for n, (begins, _) in enumerate(of.literals)}
        at = tuple(places[begins] for begins in passed.open)
        remember(self._open, of.outline, at)
        remember(self._sql, (of.outline, _others(of, at)), passed.sql)
        return _form(of, passed.sql, at)


def remember(known: dict[K, V], key: K, value: V) -> None:
    known[key] = value
    if len(known) > KNOWN:
        del known[next(iter(known))]


def _form(of: Shape, sql: str, at: tuple[int, ...]) -> Form:
    kept = len(sql) <= KEPT and not of.zones and not any(map(_TODAY.search, _others(of, at)))
    return Form(sql, tuple(of.literals[n][1] for n in at), kept=kept, zones=of.zones)


def _others(of: Shape, at: Iterable[int]) -> tuple[str, ...]:
    return tuple(text for n, (_, text) in enumerate(of.literals) if n not in at)


def _plain(literal: str) -> bool:
    """What the gate looks at in a literal; a long number is not what a short one is."""
    number = literal[0] != "'"
    if number and not WHOLE.fullmatch(literal) and not DECIMAL.fullmatch(literal):
        return False
    return not shape.strange_literal(_said(literal), literal)


def _said(literal: str) -> str:
    return literal[1:-1].replace("''", "'") if literal[0] == "'" else literal
