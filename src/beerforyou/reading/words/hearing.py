"""What is heard in the words of a message before anything is made of it: the language, misspelt words put right, the phrases
that mean something, and the catalogue's names. A part of a message is heard with its whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

import msgspec
from msgspec.structs import replace

from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.mentions import Mention
from beerforyou.reading.words.lexicon import (
    LANGUAGES,
    Language,
    Lexicon,
    Mark,
    lexicon,
    meanings,
    phrases,
    short_of,
    table,
    vocabulary,
)
from beerforyou.reading.words.lexicon.spelling import repaired
from beerforyou.reading.words.text import TRADE, Word, shouted

_LONG_MONTH = 7  # letters: "Octobre" is no name, "Marsh" may be one
TELLING_WEIGHT = 3  # of function words and replies; nouns travel ("breweries em Austin")
_REPLIES = frozenset({"yes", "no", "hello", "thanks", "bye"})


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """`spoken` are the languages that the words may be of, `plain` the words with typing mistakes repaired, `guessed` the positions
    of those repaired by likeness alone, `titled` of those with a capital that is no sentence's first, if capitals count. `marks` and `mentions` are in
    the order of the message."""

    words: Sequence[Word]
    titled: frozenset[int]
    spoken: tuple[Language, ...]
    plain: list[str]
    guessed: frozenset[int]
    language: Language
    marks: list[Mark]
    mentions: list[Mention]

    def part(self, span: range, catalogue: Catalogue) -> Heard:
        """The same of some of the words; heard anew where they are of other languages than the whole, or a name is cut."""
        first, stop = span.start, span.stop
        words, plain = self.words[first:stop], self.plain[first:stop]
        titled = _titled(words)
        mentions = [
            replace(at, start=at.start - first, end=at.end - first)
            for at in self.mentions
            if first <= at.start and at.end <= stop
        ]
        whole = not any(at.start < edge < at.end for at in self.mentions for edge in (first, stop))
        spoken = _spoken(_telling(words, [word.plain for word in words], mentions, titled), self.language)
        if not whole or spoken != self.spoken:
            return hear(words, catalogue, self.language)
        language = _language(_telling(words, plain, mentions, titled), self.language)
        marks = [
            Mark(at.tag, at.start - first, at.end - first, at.value)
            for at in self.marks
            if first <= at.start and at.end <= stop
        ]
        return Heard(
            words=words, titled=titled, spoken=spoken, plain=plain, language=language, mentions=mentions,
            marks=marks if language == self.language else meanings(language).marks(plain),
            guessed=frozenset(i - first for i in self.guessed if i in span),
        )  # fmt: skip


def hear(words: Sequence[Word], catalogue: Catalogue, before: Language | Literal[""]) -> Heard:
    """`before` is the language that the conversation was in."""
    written, titled = [word.plain for word in words], _titled(words)
    mentions = catalogue.mentions(written)
    spoken = _spoken(_telling(words, written, mentions, titled), before)
    plain = _repaired(_owners(words, written, mentions, spoken), mentions, titled, spoken)
    guessed = (i for i, word in enumerate(written) if plain[i] != word and plain[i] != short_of(word, spoken))
    if plain != written:
        mentions = catalogue.mentions(plain)
    language = _language(_telling(words, plain, mentions, titled), before)
    return Heard(
        words=words, titled=titled, spoken=spoken, plain=plain, language=language, mentions=mentions,
        marks=meanings(language).marks(plain), guessed=frozenset(guessed),
    )  # fmt: skip


def _titled(words: Sequence[Word]) -> frozenset[int]:
    if shouted(words):
        return frozenset()
    return frozenset([i for i, word in enumerate(words) if word.capital and i and not word.begins_clause])


def _telling(words: Sequence[Word], plain: list[str], mentions: list[Mention], titled: frozenset[int]) -> list[str]:
    """The words that tell a language, accents included. Not names, which may be of any: those of several words ("Los Angeles",
    "La Cumbre Brewing" but for the last of it), and what has a capital inside a sentence.
    """
    longer = [mention for mention in mentions if mention.end - mention.start > 1 and mention.kind != "type"]
    named = {i for mention in longer for i in range(mention.start, mention.end)}
    named |= {i for i in titled if len(plain[i]) > 1}  # "I" is no name
    outside = [word for i, word in enumerate(plain) if i not in named or word in TRADE] if named else plain
    return [*outside, *(word.raw.lower() for word in words if not word.raw.isascii())]


def _owners(
    words: Sequence[Word], written: list[str], mentions: list[Mention], languages: tuple[Language, ...]
) -> list[str]:
    """ "Stone's website" is about Stone; "Bell's" is a name and stays."""
    if not any(word.owner for word in words):
        return written
    first_words = {i for mention in mentions for i in range(mention.start, max(mention.end - 1, mention.start + 1))}
    return [
        word.owner if word.owner in TRADE or (word.owner and i not in first_words and not _is_known(word.plain, languages)) else word.plain
        for i, word in enumerate(words)
    ]  # fmt: skip


def _repaired(
    written: list[str], mentions: list[Mention], titled: frozenset[int], languages: tuple[Language, ...]
) -> list[str]:
    """Names keep their letters: those of the catalogue, and whatever has a capital inside a sentence."""
    named = {i for mention in mentions if not mention.short for i in range(mention.start, mention.end)}
    repairs = [word if i in named else repaired(word, languages) for i, word in enumerate(written)]
    return [
        word if i in titled and repair not in TRADE and repair not in _long_months() else repair
        for i, (word, repair) in enumerate(zip(written, repairs, strict=True))
    ]


@cache
def _long_months() -> frozenset[str]:
    """Months are written with a capital in English; a misspelt short one could be a name."""
    said = (text for language in LANGUAGES for text in table(language)["values"]["month"].values())
    return frozenset(word for text in said for word in phrases(text) if len(word) >= _LONG_MONTH)


def _is_known(word: str, languages: tuple[Language, ...]) -> bool:
    return any(word in vocabulary(language) for language in languages)


def _language(words: list[str], before: Language | Literal[""]) -> Language:
    """The one before where it knows all that any language knows of them, as in "?", "ok", "no" or a name; else the one whose
    words most of them are.
    """
    if before and all(word in lexicon(before).whole for word in words if word in _weights()):
        return before
    likeliest = _likeliest(words) or LANGUAGES
    return before if before and before in likeliest else likeliest[0]


def _spoken(words: list[str], before: Language | Literal[""]) -> tuple[Language, ...]:
    """The likeliest languages first, then those with a word that none of them knows: in "yes, a segunda" both. The one before, or
    any, where the words say nothing.
    """
    likeliest = _likeliest(words)
    known = _singles(likeliest)
    strange = [word for word in words if word not in known]
    others = [language for language in LANGUAGES if language not in likeliest]
    said = (*likeliest, *(other for other in others if not lexicon(other).telling.isdisjoint(strange)))
    return said or ((before,) if before else LANGUAGES)


def _likeliest(words: list[str]) -> tuple[Language, ...]:
    """The languages that the words speak for, and for none more; none when they say nothing."""
    weights = _weights()
    said = [weights[word] for word in words if word in weights]
    if not said:
        return ()
    scores = [sum(column) for column in zip(*said, strict=True)]
    best = max(scores)
    return tuple([language for language, score in zip(LANGUAGES, scores, strict=True) if score == best])


@cache
def _weights() -> dict[str, tuple[int, ...]]:
    """How much a word speaks for each language."""
    return {word: tuple(_weight(word, lexicon(language)) for language in LANGUAGES) for word in _singles(LANGUAGES)}


@cache
def _singles(languages: tuple[Language, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(lexicon(language).single for language in languages))


def _weight(word: str, own: Lexicon) -> int:
    if word not in own.single:
        return 0
    replies = not _REPLIES.isdisjoint(tag for tag, _ in own.meanings.get(word, ()))
    return TELLING_WEIGHT if word in own.function or replies else 1
