"""What words say: one table of meanings per language, and the marks that they leave on a message.

A phrase may have several meanings, and words inside a phrase keep their own; rules decide what counts. The tables
are `pt.toml` and `en.toml`; typing mistakes in their words are repaired by `spelling.py`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import zip_longest
from typing import Any

import msgspec

from beerforyou.catalogue.brewery_types import TYPE_WORDS
from beerforyou.catalogue.names import plain

Language = str  # the name of its file
LANGUAGES: tuple[Language, ...] = tuple(
    sorted(
        (
            file.name.removesuffix(".toml")
            for file in resources.files(__name__).iterdir()
            if file.name.endswith(".toml")
        ),
        reverse=True,
    )
)


class Mark(msgspec.Struct, frozen=True):
    """Words `start` to `end` (exclusive) say `tag`; `value` is there for numbers, months, styles and the like."""

    tag: str
    start: int
    end: int
    value: str = ""


class Lexicon:
    """`function`: words that tell the language and little else. `telling`: those and every word with a meaning.
    `beside`: words that may stand in messages of a kind, and say nothing there. `single`: every known word, common ones without a meaning here included. `meanings`: (tag, value) by phrase."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.function = frozenset(phrases(table["function"]["words"]))
        self.meanings: dict[str, tuple[tuple[str, str], ...]] = {}
        self._add("courtesy", table["function"]["courtesy"])
        for tag, text in table["meanings"].items():
            self._add(tag, text)
        for tag, values in table["values"].items():
            for value, text in values.items():
                self._add(tag, text, value)
        self.telling = self.function | {phrase for phrase in self.meanings if " " not in phrase}
        inside = {word for phrase in self.meanings for word in phrase.split()}
        self.beside = {kind: frozenset(phrases(text)) for kind, text in table["beside"].items()}
        self.single = self.telling.union(inside, phrases(table["function"]["common"]), *self.beside.values())

    def _add(self, tag: str, text: str, value: str = "") -> None:
        for phrase in phrases(text):
            said = self.meanings.get(phrase, ())
            self.meanings[phrase] = said if (tag, value) in said else (*said, (tag, value))


class Meanings:
    """What the phrases of a message in this language mean: its own, and the others' where it does not know all of the words."""

    def __init__(self, language: Language) -> None:
        own = lexicon(language)
        self._said = dict(own.meanings)
        for other in LANGUAGES:
            for phrase, said in lexicon(other).meanings.items() if other != language else ():
                if not own.telling.issuperset(phrase.split()):
                    self._said[phrase] = (*self._said.get(phrase, ()), *said)
        self._lengths: dict[str, dict[str, list[int]]] = {}  # of longer phrases, by their first word and their second
        for length, first, second in sorted({_begin(phrase) for phrase in self._said if " " in phrase}, reverse=True):
            self._lengths.setdefault(first, {}).setdefault(second, []).append(length)

    def marks(self, words: Sequence[str]) -> list[Mark]:
        """Every phrase in the words, overlapping ones too; of those that start at a word the longest first."""
        found: list[Mark] = []
        for start, (word, following) in enumerate(zip_longest(words, words[1:], fillvalue="")):
            if word in self._lengths:
                for length in self._lengths[word].get(following, ()):
                    phrase = words[start : start + length]
                    if len(phrase) == length:
                        for tag, value in self._said.get(" ".join(phrase), ()):
                            found.append(Mark(tag, start, start + length, value))
            for tag, value in self._said.get(word, ()):
                found.append(Mark(tag, start, start + 1, value))
        return found


@cache
def beside(language: Language, *kinds: str) -> frozenset[str]:
    """The words of these kinds: the language's own, and the others' where they mean nothing in this one."""
    own = lexicon(language)
    words = frozenset[str]().union(*(own.beside[kind] for kind in kinds))
    return words.union(*(lexicon(o).beside[kind] - own.telling for o in LANGUAGES for kind in kinds))


def _begin(phrase: str) -> tuple[int, str, str]:
    words = phrase.split()
    return len(words), words[0], words[1]


@cache
def meanings(language: Language) -> Meanings:
    return Meanings(language)


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
def small_words(role: str, *languages: Language) -> frozenset[str]:
    """The words that play this role around a time: articles, prepositions, "and". Of all languages, where none is named."""
    said = (phrases(table(language)["time"][role]) for language in languages or LANGUAGES)
    return frozenset(word for words in said for word in words if word)


@cache
def type_words() -> frozenset[str]:
    return frozenset(word for phrase in TYPE_WORDS for word in plain(phrase).split())


@cache
def vocabulary() -> frozenset[str]:
    """Every word that is known in some language, types of breweries included."""
    return type_words().union(*(lexicon(language).single for language in LANGUAGES))
