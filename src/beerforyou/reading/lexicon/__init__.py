"""What words say: one table of meanings per language, and the marks that they leave on a message.

A phrase may have several meanings, and words inside a phrase keep their own; rules decide what counts. Typing
mistakes are repaired only in words that neither language nor the catalogue knows.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

import msgspec

from beerforyou.catalogue.brewery_types import TYPE_WORDS
from beerforyou.catalogue.names import plain
from beerforyou.catalogue.spelling import Speller

Language = Literal["pt", "en"]
LANGUAGES: tuple[Language, ...] = ("pt", "en")
_STRETCHED = re.compile(r"(.)\1{2,}")


class Mark(msgspec.Struct, frozen=True):
    """Words `start` to `end` (exclusive) say `tag`; `value` is there for numbers, months, styles and the like."""

    tag: str
    start: int
    end: int
    value: str = ""


class Lexicon:
    def __init__(self, table: dict[str, Any]) -> None:
        self.function = frozenset(_phrases(table["function"]["words"]))
        self.meanings: dict[str, tuple[tuple[str, str], ...]] = {}
        self._longest: dict[str, int] = {}
        for tag, text in table["meanings"].items() | {("courtesy", table["function"]["politeness"])}:
            self._add(tag, text, "")
        for tag, values in table["values"].items():
            for value, text in values.items():
                self._add(tag, text, value)
        self.single = self.function | {phrase for phrase in self.meanings if " " not in phrase}

    def _add(self, tag: str, text: str, value: str) -> None:
        for phrase in _phrases(text):
            self.meanings[phrase] = (*self.meanings.get(phrase, ()), (tag, value))
            first, length = phrase.partition(" ")[0], phrase.count(" ") + 1
            self._longest[first] = max(self._longest.get(first, 0), length)

    def marks(self, words: Sequence[str]) -> Iterator[Mark]:
        """Every phrase in the words, overlapping ones too."""
        for start, word in enumerate(words):
            for length in range(min(self._longest.get(word, 0), len(words) - start), 0, -1):
                for tag, value in self.meanings.get(" ".join(words[start : start + length]), ()):
                    yield Mark(tag, start, start + length, value)


def _phrases(text: str) -> Iterator[str]:
    for part in text.split(","):
        yield plain(part) or part.strip()


@cache
def lexicon(language: Language) -> Lexicon:
    text = resources.files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return Lexicon(tomllib.loads(text))


_TYPE_WORDS = frozenset(plain(word) for word in TYPE_WORDS)


def known(word: str) -> bool:
    return word in _TYPE_WORDS or any(word in lexicon(language).single for language in LANGUAGES)


@cache
def _speller() -> Speller:
    words = {*_TYPE_WORDS, *lexicon("pt").single, *lexicon("en").single}
    return Speller(word for word in sorted(words) if len(word) >= 5)


@lru_cache(maxsize=4096)
def repaired(word: str) -> str:
    """The known word that an unknown one was meant to be, or the word itself."""
    if known(word) or word.isdigit():
        return word
    for squeezed in (_STRETCHED.sub(r"\1", word), _STRETCHED.sub(r"\1\1", word)):
        if squeezed != word and len(squeezed) > 1 and known(squeezed):
            return squeezed
    _, near = _speller().nearest(word)
    if len(word) == 5:  # one letter in five replaced by another is a different word: "siera" is not "sidra"
        near = tuple(other for other in near if len(other) != 5 or sorted(other) == sorted(word))
    same_start = [other for other in near if other[0] == word[0]]
    return min(same_start or near, default=word)
