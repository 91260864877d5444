"""What a slot found in a message, and the words that it found it in. What no slot and no intent used is left over."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Generic, NamedTuple, TypeVar

from beerforyou.reading.words.lexicon import Mark
from beerforyou.reading.words.utterance import Utterance

T = TypeVar("T")
Words = frozenset[int]
NONE: Words = frozenset()


class Found(NamedTuple, Generic[T]):
    """A slot's value, and the positions of the words that say it."""

    value: T
    words: Words = NONE


def words_of_marks(*marks: Mark) -> Words:
    return frozenset(i for mark in marks for i in range(mark.start, mark.end))


def free_marks(m: Utterance, tag: str, taken: Set[int]) -> list[Mark]:
    """The marks of a tag that use no taken word; of overlapping ones the first, and of those the longest."""
    found: list[Mark] = []
    end = 0
    for mark in m.all(tag):
        if mark.start >= end and taken.isdisjoint(range(mark.start, mark.end)):
            found.append(mark)
            end = mark.end
    return found


def before(m: Utterance, i: int, tag: str, over: int = 2) -> Mark | None:
    """The mark of that tag that ends before word `i`, function words between them apart."""
    for end in range(i, max(i - over - 1, 0), -1):
        if marks := m.ending(end, tag):
            return max(marks, key=lambda mark: mark.end - mark.start)
        if not m.is_function(end - 1):
            return None
    return None


def narrowing(m: Utterance, i: int) -> Mark | None:
    """The "só" before word `i` that narrows what is asked; "comprei apenas em outubro" says that it was at no other time."""
    only = before(m, i, "only")
    return None if only and m.has_at(only.start - 1, "bought") else only


def runs(words: Iterable[int]) -> list[range]:
    """Positions as stretches of neighbours."""
    found: list[range] = []
    for i in sorted(words):
        if found and found[-1].stop == i:
            found[-1] = range(found[-1].start, i + 1)
        else:
            found.append(range(i, i + 1))
    return found
