"""What words say: one table of meanings per language, and the marks that they leave on a message.

A phrase may have several meanings, and words inside a phrase keep their own; rules decide what counts. The tables
are `pt.toml` and `en.toml`; typing mistakes in their words are repaired by `spelling.py`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec

from beerforyou.catalogue.brewery_types import TYPE_WORDS
from beerforyou.catalogue.names import plain

Language = Literal["pt", "en"]
LANGUAGES: tuple[Language, ...] = ("pt", "en")


class Mark(msgspec.Struct, frozen=True):
    """Words `start` to `end` (exclusive) say `tag`; `value` is there for numbers, months, styles and the like."""

    tag: str
    start: int
    end: int
    value: str = ""


class Lexicon:
    """`function`: words that tell the language and little else. `telling`: those and every word with a meaning.
    `single`: every known word, common ones without a meaning here included."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.function = frozenset(phrases(table["function"]["words"]))
        self._meanings: dict[str, tuple[tuple[str, str], ...]] = {}
        self._longest: dict[str, int] = {}
        self._add("courtesy", table["function"]["courtesy"])
        for tag, text in table["meanings"].items():
            self._add(tag, text)
        for tag, values in table["values"].items():
            for value, text in values.items():
                self._add(tag, text, value)
        self.telling = self.function | {phrase for phrase in self._meanings if " " not in phrase}
        inside = {word for phrase in self._meanings for word in phrase.split()}
        self.single = self.telling.union(inside, phrases(table["function"]["common"]))

    def _add(self, tag: str, text: str, value: str = "") -> None:
        for phrase in phrases(text):
            said = self._meanings.get(phrase, ())
            self._meanings[phrase] = said if (tag, value) in said else (*said, (tag, value))
            first, length = phrase.partition(" ")[0], phrase.count(" ") + 1
            self._longest[first] = max(self._longest.get(first, 0), length)

    def marks(self, words: Sequence[str]) -> Iterator[Mark]:
        """Every phrase in the words, overlapping ones too."""
        for start, word in enumerate(words):
            for length in range(min(self._longest.get(word, 0), len(words) - start), 0, -1):
                for tag, value in self._meanings.get(" ".join(words[start : start + length]), ()):
                    yield Mark(tag, start, start + length, value)


def phrases(text: str) -> Iterator[str]:
    """The plain forms of a table's entry: phrases with commas between them."""
    for part in text.split(","):
        yield " ".join(long_form(word) for word in plain(part).split()) or part.strip()


def long_form(word: str) -> str:
    """The word that a chat spelling stands for ("vc", "thx"), or the word itself."""
    return _short().get(word, word)


@cache
def _short() -> dict[str, str]:
    """The languages' chat spellings are different words, so one table serves both."""
    return {
        short.strip() if short.strip() == "+" else plain(short): plain(long)
        for language in LANGUAGES
        for long, shorts in table(language)["short"].items()
        for short in shorts.split(",")
    }


@cache
def table(language: Language) -> dict[str, Any]:
    return tomllib.loads(resources.files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))


@cache
def lexicon(language: Language) -> Lexicon:
    return Lexicon(table(language))


@cache
def type_words() -> frozenset[str]:
    return frozenset(word for phrase in TYPE_WORDS for word in plain(phrase).split())


@cache
def vocabulary() -> frozenset[str]:
    """Every word that is known in some language, types of breweries included."""
    return type_words().union(*(lexicon(language).single for language in LANGUAGES))
