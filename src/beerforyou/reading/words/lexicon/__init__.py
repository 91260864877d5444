"""What words say: one table of meanings per language, and the marks that they leave on a message.

A phrase may have several meanings, and words inside a phrase keep their own; rules decide what counts. The tables
are the files beside this one, one a language; typing mistakes in their words are repaired by `spelling.py`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import zip_longest
from typing import Any

import msgspec

from beerforyou.catalogue.brewery_types import TYPE_WORDS
from beerforyou.catalogue.names import plain

Language = str  # the name of its file


class Mark(msgspec.Struct, frozen=True):
    """Words `start` to `end` (exclusive) say `tag`; `value` is there for numbers, months, styles and the like."""

    tag: str
    start: int
    end: int
    value: str = ""


class Lexicon:
    """`function`: words that tell the language and little else. `telling`: those and every word with a meaning.
    `meaningful`: those and every word inside a phrase that names no place. `whole`: every known word that stands alone, common ones without a
    meaning and accents included. `beside`: words that may stand in messages of a kind, and say nothing there. `single`: every known
    word. `meanings`: (tag, value) by phrase."""

    def __init__(self, language: Language) -> None:
        read = table(language)
        self._short = short_forms(language)
        self.function = frozenset(self._phrases(read["function"]["words"]))
        self.meanings: dict[str, tuple[tuple[str, str], ...]] = {}
        self._add("courtesy", read["function"]["courtesy"])
        for tag, text in read["meanings"].items():
            self._add(tag, text)
        for tag, values in read["values"].items():
            for value, text in values.items():
                self._add(tag, text, value)
        self.telling = self.function | {phrase for phrase in self.meanings if " " not in phrase}
        inside = {word for phrase in self.meanings for word in phrase.split()}
        telling = {phrase for phrase, said in self.meanings.items() if not said[0][0].startswith("place_")}
        self.beside = {kind: frozenset(self._phrases(text)) for kind, text in read["beside"].items()}
        self.meaningful = self.telling.union(word for phrase in telling for word in phrase.split())
        self.whole = self.telling.union(self._phrases(read["function"]["common"]), *self.beside.values())
        self.whole |= frozenset(_accented(read))  # "más" speaks for Spanish, "mas" for Portuguese too
        self.single = self.whole | inside

    def _phrases(self, text: str) -> Iterator[str]:
        for phrase in phrases(text):
            yield " ".join([self._short.get(word, word) for word in phrase.split()])

    def _add(self, tag: str, text: str, value: str = "") -> None:
        for phrase in self._phrases(text):
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


def _accented(read: dict[str, Any]) -> Iterator[str]:
    texts = (
        *read["function"].values(),
        *read["meanings"].values(),
        *(t for v in read["values"].values() for t in v.values()),
    )
    return (word for text in texts for word in text.lower().replace(",", " ").split() if not word.isascii())


def _begin(phrase: str) -> tuple[int, str, str]:
    words = phrase.split()
    return len(words), words[0], words[1]


@cache
def meanings(language: Language) -> Meanings:
    return Meanings(language)


def phrases(text: str) -> Iterator[str]:
    """The plain forms of a table's entry: phrases with commas between them; none of an empty one."""
    for part in filter(str.strip, text.split(",")):
        yield " ".join(plain(part).split()) or part.strip()


def long_form(word: str, language: Language) -> str:
    """The word that a chat spelling stands for ("vc", "thx"), or the word itself: what is short in another language
    is so here when this one has no such word.
    """
    return _all_short(language).get(word, word)


def short_of(word: str, languages: Iterable[Language]) -> str:
    """Of the first of these languages in which it is short."""
    return next((long for language in languages if (long := long_form(word, language)) != word), word)


@cache
def _all_short(language: Language) -> dict[str, str]:
    own = lexicon(language).single
    others = {s: long for other in LANGUAGES for s, long in short_forms(other).items() if s not in own}
    return others | short_forms(language)


@cache
def short_forms(language: Language) -> dict[str, str]:
    return {
        short.strip() if short.strip() == "+" else plain(short): plain(long)
        for long, shorts in table(language)["short"].items()
        for short in shorts.split(",")
    }


@cache
def table(language: Language) -> dict[str, Any]:
    return tomllib.loads(resources.files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))


LANGUAGES: tuple[Language, ...] = tuple(
    sorted(
        (f.name.removesuffix(".toml") for f in resources.files(__name__).iterdir() if f.name.endswith(".toml")),
        key=lambda language: (table(language)["rank"], language),
    )
)


@cache
def lexicon(language: Language) -> Lexicon:
    return Lexicon(language)


@cache
def small_words(role: str, *languages: Language) -> frozenset[str]:
    """The words that play this role in a sentence, or around a time: articles, prepositions, "and". Of all languages, where
    none is named.
    """
    said = (phrases((table(each)["small"] | table(each)["time"])[role]) for each in languages or LANGUAGES)
    return frozenset(word for words in said for word in words if word)


def words_of(tag: str) -> Iterator[tuple[str, str]]:
    """Single words of every language under a tag that has values, each with its value."""
    for language in LANGUAGES:
        for value, text in table(language)["values"][tag].items():
            yield from ((phrase, value) for phrase in phrases(text) if " " not in phrase)


def capital_names(language: Language) -> bool:
    """Is a capital a sign of a name even on a word such as "German"?"""
    return bool(table(language)["small"]["names_of_people"])


@cache
def type_words() -> frozenset[str]:
    return frozenset(word for phrase in TYPE_WORDS for word in plain(phrase).split())


@cache
def vocabulary(language: Language) -> frozenset[str]:
    """Every word that is known in messages of this language: its own, and those of the others that have a meaning. (An
    everyday word of another language is likelier a name: "Pueblo" in English.)
    """
    return lexicon(language).single.union(type_words(), *(lexicon(other).meaningful for other in LANGUAGES))
