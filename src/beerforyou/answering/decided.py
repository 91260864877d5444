"""The record of who planned, and why each tool was or was not called: what the gates said as the planner called, and no guess afterwards."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from beerforyou.reading.reading import Reading
from beerforyou.runs.why import By, Decision, Planned
from beerforyou.tools import TOOLS


class Withheld(NamedTuple):
    """A call that is not made: which gate withholds it, and its reason, in words for a model."""

    gate: str
    reason: str


NOT_ALLOWED = Withheld("scope", "not called: the caller's token does not cover it")


class Decided:
    """`turn` is the planner's, 0 before its first; `who` makes its calls. `hidden`: tools that it is not offered, since no scope covers them."""

    def __init__(self) -> None:
        self.turn = 0
        self.who: By = ""
        self.planned = Planned()
        self.hidden: frozenset[str] = frozenset()
        self._calls: Counter[tuple[int, str]] = Counter()
        self._by: dict[tuple[int, str], By] = {}
        self._withheld: dict[tuple[int, str], Withheld] = {}

    def passed(self, tool: str) -> None:
        self._calls[self.turn, tool] += 1
        self._by[self.turn, tool] = self.who

    def withheld(self, tool: str, why: Withheld) -> None:
        self._withheld.setdefault((self.turn, tool), why)

    def rows(self, reading: Reading | None, ended: str) -> list[Decision]:
        """One for each tool in each turn in which it was called or withheld, and one for each tool that never was; `ended`
        says how the run came to its end.
        """
        heard = sorted({*self._calls, *self._withheld})
        said = [self._said(turn, name, reading) for turn, name in heard]
        silent = [name for name in TOOLS if name not in {name for _, name in heard}]
        return said + [self._unsaid(name, reading, ended) for name in silent]

    def _said(self, turn: int, name: str, reading: Reading | None) -> Decision:
        if withheld := self._withheld.get((turn, name)):
            return self._decision(turn, name, reading, withheld.reason, withheld.gate)
        return self._decision(turn, name, reading, f"the {self._by[turn, name]} called it; {_reads_as(reading)}")

    def _unsaid(self, name: str, reading: Reading | None, ended: str) -> Decision:
        if name in self.hidden:
            return self._decision(self.turn, name, reading, NOT_ALLOWED.reason, NOT_ALLOWED.gate)
        return self._decision(self.turn, name, reading, self._uncalled(name, reading, ended))

    def _decision(self, turn: int, name: str, reading: Reading | None, why: str, gate: str = "") -> Decision:
        calls, expected = self._calls[turn, name], _expected(reading, name)
        return Decision(turn=turn, tool=name, calls=calls, gate=gate, expected=expected, why=why)

    def _uncalled(self, name: str, reading: Reading | None, ended: str) -> str:
        if not self.turn:
            return f"nothing was planned: {ended}; {_reads_as(reading)}"
        although = "although" if _expected(reading, name) else "and"
        return f"the {self.planned.by or 'planner'} did not call it, {although} {_reads_as(reading)}"


def _expected(reading: Reading | None, name: str) -> bool:
    return reading is not None and reading.tool == name


def _reads_as(reading: Reading | None) -> str:
    return f"the message reads as {reading.intent}" if reading else "the message was not read"
