"""A message with everything that is known of its words: meanings, the catalogue's names, and the language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.mentions import Mention
from beerforyou.reading.lexicon import LANGUAGES, Language, Mark, lexicon, vocabulary
from beerforyou.reading.lexicon.spelling import repaired
from beerforyou.reading.text import TRADE, Word, shouted

FUNCTION_WEIGHT = 3  # a function word tells the language better than a noun, which travels ("breweries em Austin")


class Message:
    """`plain` are its words with typing mistakes repaired; positions count words."""

    def __init__(self, words: Sequence[Word], catalogue: Catalogue, language: Literal["", "pt", "en"] = "") -> None:
        self.words = words
        self.catalogue = catalogue
        self.capitals_count = not shouted(words)
        written = [word.plain for word in words]
        self.mentions = catalogue.mentions(written)
        if any(word.owner for word in words):
            written = self._owners(written)
            self.mentions = catalogue.mentions(written)
        self.plain = self._repaired(written)
        if self.plain != written:
            self.mentions = catalogue.mentions(self.plain)
        self.language: Language = _language(self.plain, language)
        own = lexicon(self.language)
        self._function = own.function.union(*(lexicon(other).function - own.telling for other in LANGUAGES))
        self._keep(_marks(self.plain, self.language))

    def __len__(self) -> int:
        return len(self.words)

    def part(self, positions: Iterable[int]) -> Message:
        """A message of these words alone."""
        return Message([self.words[i] for i in positions], self.catalogue, self.language)

    def name(self, tag: str, start: int, end: int) -> None:
        """These words are a name: what they say as words no longer counts."""
        self._keep([*(mark for mark in self._marks if mark.end <= start or end <= mark.start), Mark(tag, start, end)])

    def has(self, *tags: str) -> bool:
        return any(tag in self._by_tag for tag in tags)

    def all(self, *tags: str) -> list[Mark]:
        """The marks of these tags, in the order of the message, the longest first."""
        found = [mark for tag in tags for mark in self._by_tag.get(tag, ())]
        return sorted(found, key=lambda mark: (mark.start, -mark.end))

    def at(self, i: int) -> set[str]:
        """The tags on word `i`; none outside of the message."""
        return self._at[i] if 0 <= i < len(self) else set()

    def has_at(self, i: int, *tags: str) -> bool:
        return not self.at(i).isdisjoint(tags)

    def word(self, i: int) -> str:
        """The word at `i`, empty outside of the message."""
        return self.plain[i] if 0 <= i < len(self) else ""

    def ends(self, i: int, *tags: str) -> bool:
        """Does a mark of one of these tags end just before word `i`?"""
        return any(mark.end == i for tag in tags for mark in self._by_tag.get(tag, ()))

    def starts(self, i: int, *tags: str) -> bool:
        return any(mark.start == i for tag in tags for mark in self._by_tag.get(tag, ()))

    def is_function(self, i: int) -> bool:
        return self.plain[i] in self._function

    def is_known(self, i: int) -> bool:
        return self.plain[i] in vocabulary()

    def is_strange(self, i: int) -> bool:
        """A word that neither language knows, alone or in a phrase."""
        return not self.at(i) and not self.is_known(i) and self.plain[i].isalpha()

    def is_name_like(self, i: int) -> bool:
        """Written with a capital that is no sentence's first."""
        word = self.words[i]
        return self.capitals_count and word.capital and i > 0 and not word.begins_clause

    def is_type(self, i: int) -> bool:
        """Part of a word for a type of brewery?"""
        return any(mention.start <= i < mention.end for mention in self.mentions_of("type"))

    def covered(self, *tags: str, besides: Iterable[int] = ()) -> bool:
        """Do these meanings, courtesies and function words account for every word?"""
        wanted, rest = {*tags, "courtesy"}, set(range(len(self))).difference(besides)
        return all(not wanted.isdisjoint(self._at[i]) or self.is_function(i) for i in rest)

    def written(self, start: int, end: int) -> str:
        """The words as they were written, with what stands between them."""
        parts = [self.words[start].raw]
        for word in self.words[start + 1 : end]:
            parts += [word.gap, word.raw]
        return " ".join("".join(parts).split())

    def clauses(self) -> list[range]:
        starts = [0, *(i for i in range(1, len(self)) if self.words[i].begins_clause)]
        return [range(start, end) for start, end in zip(starts, [*starts[1:], len(self)], strict=True)]

    def mentions_of(self, *kinds: str) -> list[Mention]:
        return [mention for mention in self.mentions if mention.kind in kinds]

    def _keep(self, marks: Iterable[Mark]) -> None:
        self._marks = list(marks)
        self._by_tag: dict[str, list[Mark]] = {}
        self._at: list[set[str]] = [set() for _ in self.words]
        for mark in self._marks:
            self._by_tag.setdefault(mark.tag, []).append(mark)
            for i in range(mark.start, mark.end):
                self._at[i].add(mark.tag)

    def _owners(self, written: list[str]) -> list[str]:
        """ "Stone's website" is about Stone; "Bell's" is a name and stays."""
        named = {
            i
            for mention in self.mentions
            for i in range(mention.start, mention.end - (mention.end - mention.start > 1))
        }
        return [
            word.owner
            if word.owner and (word.owner in TRADE or (i not in named and word.plain not in vocabulary()))
            else word.plain
            for i, word in enumerate(self.words)
        ]

    def _repaired(self, written: list[str]) -> list[str]:
        """Names keep their letters: those of the catalogue, and whatever has a capital inside a sentence."""
        named = {i for mention in self.mentions if not mention.short for i in range(mention.start, mention.end)}
        repairs = [word if i in named else repaired(word) for i, word in enumerate(written)]
        return [
            word if self.is_name_like(i) and repair not in TRADE else repair
            for i, (word, repair) in enumerate(zip(written, repairs, strict=True))
        ]


def _marks(words: list[str], language: Language) -> Iterator[Mark]:
    """Those of the message's language, and the other's where this one does not know all of the words."""
    own = lexicon(language)
    yield from own.marks(words)
    for other in LANGUAGES:
        if other != language:
            for mark in lexicon(other).marks(words):
                if not own.telling.issuperset(words[mark.start : mark.end]):
                    yield mark


def _language(words: list[str], before: Literal["", "pt", "en"]) -> Language:
    portuguese, english = (sum(_weight(word, language) for word in words) for language in LANGUAGES)
    if portuguese == english:
        return before or "pt"
    return "pt" if portuguese > english else "en"


def _weight(word: str, language: Language) -> int:
    own = lexicon(language)
    others = [lexicon(other) for other in LANGUAGES if other != language]
    if word in own.function and not any(word in other.function for other in others):
        return FUNCTION_WEIGHT
    return int(word in own.single and not any(word in other.single for other in others))
