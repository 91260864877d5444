"""A message with everything that is known of its words: meanings, the catalogue's names, and the language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.mentions import Mention
from beerforyou.reading.lexicon import LANGUAGES, Language, Mark, known, lexicon, repaired
from beerforyou.reading.text import Word, shouted, words_of

FUNCTION_WEIGHT = 3  # a function word tells the language better than a noun, which travels ("breweries em Austin")


class Message:
    def __init__(self, text: str, catalogue: Catalogue, language: Literal["", "pt", "en"] = "") -> None:
        self.catalogue = catalogue
        self.words = words_of(text)
        self.capitals_count = not shouted(self.words)
        written = [word.plain for word in self.words]
        self.mentions = catalogue.mentions(written)
        self.plain = self._repaired(written)
        if self.plain != written:
            self.mentions = catalogue.mentions(self.plain)
        self.language: Language = _language(self.plain, language)
        self.marks: list[Mark] = []
        self.keep(_marks(self.plain, self.language))

    def __len__(self) -> int:
        return len(self.words)

    def keep(self, marks: Iterable[Mark]) -> None:
        self.marks = list(marks)
        self._by_tag: dict[str, list[Mark]] = {}
        self._at: list[set[str]] = [set() for _ in self.words]
        for mark in self.marks:
            self._by_tag.setdefault(mark.tag, []).append(mark)
            for i in range(mark.start, mark.end):
                self._at[i].add(mark.tag)

    def name(self, tag: str, start: int, end: int) -> None:
        """These words are a name: what they say as words no longer counts."""
        self.keep([*(mark for mark in self.marks if mark.end <= start or end <= mark.start), Mark(tag, start, end)])

    def has(self, *tags: str) -> bool:
        return any(tag in self._by_tag for tag in tags)

    def all(self, *tags: str) -> list[Mark]:
        """The marks of these tags, in the order of the message, longest first."""
        found = [mark for tag in tags for mark in self._by_tag.get(tag, ())]
        return sorted(found, key=lambda mark: (mark.start, -mark.end))

    def at(self, i: int) -> set[str]:
        """The tags on word `i`; none outside of the message."""
        return self._at[i] if 0 <= i < len(self) else set()

    def has_at(self, i: int, *tags: str) -> bool:
        return not self.at(i).isdisjoint(tags)

    def ends(self, i: int, *tags: str) -> bool:
        """Does a mark of one of these tags end just before word `i`?"""
        return any(mark.end == i for tag in tags for mark in self._by_tag.get(tag, ()))

    def starts(self, i: int, *tags: str) -> bool:
        return any(mark.start == i for tag in tags for mark in self._by_tag.get(tag, ()))

    def is_function(self, i: int) -> bool:
        return self.plain[i] in lexicon(self.language).function

    def is_known(self, i: int) -> bool:
        return known(self.plain[i])

    def is_name_like(self, i: int) -> bool:
        """Written with a capital that is no sentence's first."""
        word = self.words[i]
        return self.capitals_count and word.capital and i > 0 and not word.begins_clause

    def covered(self, *tags: str) -> bool:
        """Do these meanings, courtesies and function words account for every word?"""
        wanted = {*tags, "courtesy"}
        return all(wanted & self._at[i] or self.is_function(i) for i in range(len(self)))

    def is_strange(self, i: int) -> bool:
        """A word that neither language knows, alone or in a phrase."""
        return not self.at(i) and not self.is_known(i) and not self.plain[i].isdigit()

    def written(self, start: int, end: int) -> str:
        """The words as they were written, with what stands between them."""
        parts = [self.words[start].raw]
        for word in self.words[start + 1 : end]:
            parts += [word.gap, word.raw]
        return " ".join("".join(parts).split())

    def clauses(self) -> Iterator[range]:
        start = 0
        for i in range(1, len(self)):
            if self.words[i].begins_clause:
                yield range(start, i)
                start = i
        yield range(start, len(self))

    def _repaired(self, written: list[str]) -> list[str]:
        named = {i for mention in self.mentions if not mention.short for i in range(mention.start, mention.end)}
        return [
            word if i in named or self.is_name_like(i) else repaired(word) for i, word in enumerate(written)
        ]  # fmt: skip

    def mentions_of(self, *kinds: str) -> list[Mention]:
        return [mention for mention in self.mentions if mention.kind in kinds]


def _marks(words: list[str], language: Language) -> Iterator[Mark]:
    """Those of the message's language, and the other's where this one knows none of the words."""
    own = lexicon(language)
    yield from own.marks(words)
    for other in LANGUAGES:
        if other != language:
            for mark in lexicon(other).marks(words):
                if not any(word in own.single for word in words[mark.start : mark.end]):
                    yield mark


def _language(words: list[str], before: Literal["", "pt", "en"]) -> Language:
    score = {language: sum(_weight(word, language) for word in words) for language in LANGUAGES}
    if score["pt"] == score["en"]:
        return before or "pt"
    return "pt" if score["pt"] > score["en"] else "en"


def _weight(word: str, language: Language) -> int:
    own = lexicon(language)
    others = [lexicon(other) for other in LANGUAGES if other != language]
    if word in own.function and not any(word in other.function for other in others):
        return FUNCTION_WEIGHT
    return int(word in own.single and not any(word in other.single for other in others))
