"""One spelling for names: what two people write differently becomes the same words here.

Only whole words are ever replaced or dropped, so that no name loses letters from its middle, and none is left empty.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

LONGEST_NAME = 120  # the longest of Open Brewery DB has 66 characters

_LETTERS = str.maketrans({
    "ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
})  # fmt: skip
_APOSTROPHES = re.compile(r"['’‘`´ʼ]")
_INITIALS = re.compile(r"(?<!\w)(\w)\.(?=\w(?!\w))|(?<!\w)(\w)\.\s(?=\w\.)")  # "D. G. Yuengling", "U.S.A"
_WORD = re.compile(r"[^\W_]+")

_SAME_WORD = {
    "e": "and", "y": "and", "und": "and", "et": "and", "og": "and", "och": "and",
    "sankt": "saint", "sint": "saint", "ste": "sainte",
    "mt": "mount", "ft": "fort",
}  # fmt: skip

LEGAL = frozenset({
    "co", "company", "cos", "llc", "inc", "incorporated", "ltd", "ltda", "limited", "corp", "corporation", "pty", "plc",
    "gmbh", "kg", "ohg", "ag", "ug", "bv", "nv", "bvba", "sprl", "srl", "lda", "sa", "cooperative",
})  # fmt: skip
BREWERY_WORDS = frozenset({
    "brewing", "brewery", "breweries", "brewpub", "brewpubs", "microbrewery", "nanobrewery", "microbrouwerij",
    "microbrasserie", "cervejaria", "cervejarias", "microcervejaria", "cerveceria", "cervecera", "brouwerij",
    "bierbrouwerij", "huisbrouwerij", "brauerei", "privatbrauerei", "brasserie", "birrificio", "birra", "browar",
    "pivovar", "bryggeri", "bryggeriet", "panimo",
})  # fmt: skip
_SUFFIXES = LEGAL | BREWERY_WORDS | {"beer"}
_BEFORE_SUFFIX = frozenset({"and", "craft", "brew"})  # dropped only together with the suffix they lead to
_PREFIXES = BREWERY_WORDS - {"brewing"} | {"the"}
ARTICLES = frozenset({"the", "a", "and", "de", "la", "le", "het", "die", "der", "das", "o", "al"})

_BRANCH = re.compile(r"(?<!\s)\s*(?:[-–—]\s|\(|@|:\s).*")  # not begun anew at each space of many


def plain(text: str) -> str:
    """Lower-case words without accents or punctuation, one space between them; every word stays what it is."""
    text = _APOSTROPHES.sub("", text)  # first: taken apart into letters and accents, some of them become spaces
    text = text.lower() if text.isascii() else _letters(_letters(text))
    if "." in text:
        text = _INITIALS.sub(r"\1\2", text)
    if "&" in text or "+" in text:
        text = text.replace("&", " and ").replace("+", " and ")
    return " ".join(_WORD.findall(text))


def _letters(text: str) -> str:
    text = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in text if not unicodedata.combining(c)).translate(_LETTERS)


def fold_words(words: list[str]) -> list[str]:
    """`plain` words with their equals made one ("st" and "saint", "e" and "and"), word for word."""
    return [_street_or_saint(words, i) if word == "st" else _SAME_WORD.get(word, word) for i, word in enumerate(words)]


def _street_or_saint(words: list[str], at: int) -> str:
    following = words[at + 1] if at + 1 < len(words) else ""
    after_a_name = at > 0 and (not following or following in _SUFFIXES)
    return "street" if after_a_name else "saint"


def fold(text: str) -> str:
    """The form under which names are compared: equal for "Saint Louis" and "ST. LOUIS"."""
    return _remembered(text) if len(text) <= LONGEST_NAME else _fold(text)


def _fold(text: str) -> str:
    return " ".join(fold_words(plain(text).split()))


_remembered = lru_cache(8192)(_fold)  # 4 MB at most, by LONGEST_NAME


def brewery_key(name: str) -> str:
    """The part of a brewery's name that tells it from others: "Stone Brewing Co." and "Stone Brewery" are "stone"."""
    return _key(fold(name).split())


def brand_key(name: str) -> str:
    """The key of a chain: what stands before the branch in "Oddstory Brewing Co: Central" or "Roosters (#2)"."""
    return brewery_key(_BRANCH.sub("", name, count=1)) or brewery_key(name)


class BreweryName(msgspec.Struct, frozen=True):
    """A brewery's name in every form it is compared by. `trade`: without its legal form, "stone brewing"."""

    whole: str
    trade: str
    key: str
    brand: str

    @classmethod
    def of(cls, name: str) -> BreweryName:
        words = fold(name).split()
        key = _key(words)
        return cls(" ".join(words), _trade(words), key, brand_key(name) if _BRANCH.search(name) else key)


def _key(words: list[str]) -> str:
    start, end = 0, len(words)
    while end > 1 and (words[end - 1] in _SUFFIXES or (end < len(words) and words[end - 1] in _BEFORE_SUFFIX)):
        end -= 1
    while start < end - 1 and words[start] in _PREFIXES:
        start += 1
    kept = words[start:end]
    return " ".join(words if ARTICLES.issuperset(kept) else kept)


def _trade(words: list[str]) -> str:
    end = len(words)
    while end > 1 and words[end - 1] in LEGAL:
        end -= 1
    return " ".join(words[:end])
