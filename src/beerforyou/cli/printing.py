"""An answer on its way to a terminal: sentence by sentence as it comes, then what the whole has besides. To a file or a
pipe goes the whole, once.
"""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from typing import Any

import click

from beerforyou.cli.output import note

NARROWEST = 20  # columns; narrower ones are no terminal's
ITEM = re.compile(r"(?:[-*•]|\d{1,3}[.)])\s")  # begins a line of its own
WHOLE = (".", "!", "?", "…")  # ends a sentence that the next one may follow on the same line


class Printing:
    """Of one run, to a terminal or not. `show` takes its events, type and data."""

    def __init__(self, terminal: bool) -> None:
        self._paper = Paper() if terminal else None
        self._told: list[str] = []
        self._answered = False

    def show(self, kind: str, data: dict[str, Any]) -> None:
        match kind:
            case "tool_started":
                self._aside(f"… {data['name']}")
            case "started":
                self._void("it begins again")
            case "text" if self._paper:
                self._tell(self._paper, data["text"])
            case "answer":
                self._answer(data["text"])
            case "finished" if not self._answered:
                self._void("there is no answer")
                self._aside(f"… {data['outcome'] or data['status']}")

    def end(self) -> None:
        """Nothing more comes, whatever the reason."""
        if self._paper:
            self._paper.new_line()

    def _tell(self, paper: Paper, sentence: str) -> None:
        if self._told and paper.column:
            paper.write(" " if self._told[-1].endswith(WHOLE) and not ITEM.match(sentence) else "\n")
        paper.write(sentence)
        self._told.append(sentence)

    def _answer(self, text: str) -> None:
        self._answered = True
        if not self._paper:
            return click.echo(text)
        rest = rest_of(text, self._told)
        if rest is None:
            self._void("the answer is another one")
        self._paper.write(text if rest is None else rest)
        self.end()

    def _void(self, why: str) -> None:
        """What was told is not the answer, and stands on the screen."""
        if self._told:
            self._aside(f"… what stands above does not count: {why}")
        self._told = []

    def _aside(self, text: str) -> None:
        self.end()
        note(text)


def rest_of(text: str, told: list[str]) -> str | None:
    """What an answer has beside the sentences it was told by; None when it does not begin with them, in their order."""
    at = 0
    for sentence in told:
        after_blanks = len(text) - len(text[at:].lstrip())
        if not text.startswith(sentence, after_blanks):
            return None
        at = after_blanks + len(sentence)
    return text[at:]


class Paper:
    """The terminal as wide as it is at each line; a word that does not fit begins the next, under its own list's text."""

    def __init__(self) -> None:
        self.column = self._indent = 0

    def write(self, text: str) -> None:
        for number, line in enumerate(text.split("\n")):
            if number:
                self._put("\n")
                self.column = self._indent = 0
            self._write_line(line)
        sys.stdout.flush()

    def new_line(self) -> None:
        if self.column:
            self.write("\n")

    def _write_line(self, line: str) -> None:
        if not self.column and (lead := re.match(rf"\s*(?:{ITEM.pattern})?", line)):
            self._indent = cells(lead[0])
        width = max(NARROWEST, shutil.get_terminal_size().columns)
        for blanks, word in re.findall(r"(\s*)(\S*)", line):
            if word and self.column > self._indent and self.column + cells(blanks + word) > width:
                self._put(f"\n{' ' * self._indent}{word}")
                self.column = self._indent + cells(word)
            else:
                self._put(blanks + word)
                self.column += cells(blanks + word)

    def _put(self, text: str) -> None:
        click.echo(text, nl=False)


def cells(text: str) -> int:
    """Columns that a terminal gives it."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(bool(unicodedata.combining(char)) for char in text)
