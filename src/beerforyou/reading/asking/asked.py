"""What a message says of a question about purchases, and which of its words said it.

What it says nothing of stays empty: a follow-up keeps that of the question before.
"""

from __future__ import annotations

import msgspec

from beerforyou.reading.asking.evidence import NONE, Words, free_marks, words_of_marks
from beerforyou.reading.asking.filters import quoted
from beerforyou.reading.question import Aggregate, Bound, Dimension, Filter, Having, Measure, Question, Span
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lexicon import Mark

TIMES = ("day", "week", "month", "quarter", "year")


class Asked(msgspec.Struct):
    """`beside`: the spans are those beside the question before; `dropped` is what of it is left out. `pointed` are rows of
    its table: from 1, 0 for "it", -1 for the last, None for all. `words` are those of all slots.
    """

    spans: tuple[Span, ...] | None = None
    filters: tuple[Filter, ...] = ()
    measures: tuple[Measure, ...] = ()
    aggregate: Aggregate | None = None
    per: str = ""
    by: tuple[Dimension, ...] | None = None
    having: Having = ""
    having_days: int = 0
    bound: Bound | None = None
    only_order: str = ""
    direction: str = ""
    limit: int | None = None
    unit: str = ""
    beside: bool = False
    dropped: frozenset[str] = frozenset()
    pointed: tuple[int | None, ...] = ()
    words: Words = NONE

    @property
    def is_empty(self) -> bool:
        return self == Asked(words=self.words)


class Unread:
    """A message's words that no slot has used so far, and what those that did have found.

    `follows` is the question before; `grouped` are the nouns after "por", "each"; `sorts`: a measure is ("por gasto");
    `valued` are the words of filters, `bounded` the measures that a bound names.
    """

    def __init__(self, s: Slots, follows: Question | None) -> None:
        self.s, self.m, self.follows = s, s.m, follows
        self.asked = Asked()
        self.used: set[int] = set()
        self.grouped: list[Mark] = []
        self.sorts = False
        self.valued: Words = NONE
        self.bounded: tuple[Measure, ...] = ()
        named = {i for words in quoted(s.m) for i in words}
        times = zip(s.times.spans, s.times.each, strict=True)
        self.spans = [(span, words) for span, words in times if named.isdisjoint(words)]
        self._dated = (s.times.words | s.times.unknown | s.times.weekday_words) - named
        self.bare = self._is_bare()

    def free(self, tag: str, *values: str) -> list[Mark]:
        """The marks of a tag, of these values if any are given, that use neither a word of another slot nor of a time."""
        if not self.m.has(tag):
            return []
        return [mark for mark in free_marks(self.m, tag, self.taken) if not values or mark.value in values]

    def take(self, *marks: Mark | None) -> None:
        self.used |= words_of_marks(*filter(None, marks))

    @property
    def taken(self) -> set[int]:
        return self.used | self._dated

    def nouns(self, *values: str) -> list[Mark]:
        """The free nouns in the plural."""
        return [mark for mark in self.free("axis", *values) if self.m.has_at(mark.start, "plural")]

    def number_at(self, i: int) -> int:
        """The number that word `i` is, which is used then; 0 for none."""
        word = self.m.word(i)
        said = next((int(mark.value) for mark in self.m.starting(i, "number")), 0)
        value = int(word) if word.isdecimal() and len(word) < 4 else said
        self.used |= {i} if value else set()
        return value

    def _is_bare(self) -> bool:
        """ "o que comprei", "what did I buy"; written "oq" it is one word."""
        m = self.m
        one_word = m.has_at(0, "that") and m.has_at(0, "which") and m.has_at(1, "bought", "most", "least")
        return one_word or m.has("bare_what")
