"""Typing mistakes in words of the lexicon: "cervejarais", "brewreies", "simmmm"."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from beerforyou.catalogue.spelling import mistakes_allowed
from beerforyou.reading.words.lexicon import LANGUAGES, Language, lexicon, short_of, type_words, vocabulary

_STRETCHED = re.compile(r"(.)\1{2,}")
_LONGEST = 40  # letters: the longest known word has 16, and "simmmm" is stretched by a few
_SHORTEST = 5  # one letter changed in a shorter word makes another word; one left out of five does not


def repaired(word: str, languages: tuple[Language, ...] = LANGUAGES) -> str:
    """The known word that an unknown one was meant to be, or the word itself; of a chat spelling the long one. `languages`
    are those that the message may be in: their words come first.
    """
    return _repaired(word, languages) if len(word) <= _LONGEST else word


@lru_cache(maxsize=8192)
def _repaired(word: str, languages: tuple[Language, ...]) -> str:
    word = short_of(word, languages)
    known = [vocabulary(language) for language in languages]
    if any(word in words for words in known) or not word.isalpha():
        return word
    if word[:-1] in type_words() and word.endswith("s"):
        return word[:-1]
    for squeezed in (_STRETCHED.sub(r"\1", word), _STRETCHED.sub(r"\1\1", word)):
        if 1 < len(squeezed) < len(word) and any(squeezed in words for words in known):
            return squeezed
    return next((found for language in languages if (found := _nearest(word, (language,)))), word)


def _nearest(word: str, languages: tuple[Language, ...]) -> str | None:
    """The first letter is taken to be right: it rarely is wrong, and the search is a tenth as long."""
    left_out = len(word) == _SHORTEST - 1
    edits = 1 if left_out else mistakes_allowed(len(word))
    lengths = range(_SHORTEST if left_out else max(_SHORTEST - 1, len(word) - edits), len(word) + edits + 1)
    candidates = [other for length in lengths for other in _by_start(languages).get((word[0], length), ())]
    if len(word) == _SHORTEST:  # "siera" is not "sidra": a name is likelier than a type
        candidates = [other for other in candidates if other not in type_words()]
    found = process.extractOne(word, candidates, scorer=OSA.distance, score_cutoff=edits) if edits else None
    return found[0] if found else None


@cache
def _by_start(languages: tuple[Language, ...]) -> dict[tuple[str, int], list[str]]:
    """Words by first letter and length, in a fixed order."""
    index: dict[tuple[str, int], list[str]] = {}
    for word in sorted(type_words().union(*(lexicon(language).telling for language in languages))):
        index.setdefault((word[:1], len(word)), []).append(word)
    return index
