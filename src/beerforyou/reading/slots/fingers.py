"""Fingers: the words that point at what was shown ("a segunda", "#3", "as duas primeiras", "the closest one", "both").

Whether the message says nothing else, and whom it points at, is for `intents/picks.py` to know.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from beerforyou.reading.words.lexicon import Mark
from beerforyou.reading.words.utterance import Utterance

Kind = Literal["nth", "number", "end", "firsts", "lasts", "middle", "nearest", "farthest", "all", "range"]

_POINTING = ("from_end", "ordinal", "middle", "nearest", "farthest", "all_of", "first_many", "last_many", "number")
_BY_TAG: tuple[tuple[str, Kind], ...] = (
    ("from_end", "end"), ("ordinal", "nth"), ("middle", "middle"), ("nearest", "nearest"), ("farthest", "farthest"),
    ("all_of", "all"),
)  # fmt: skip
# beside a number that is nothing but a number
_ALONE = ("yes", "ack", "thanks", "and", "option", "corrects", "courtesy")
_MOST_POSITIONS = 2  # digits


class Item(NamedTuple):
    """One finger: words `start` to `end` (exclusive) point, by a number where the kind has one."""

    kind: Kind
    start: int
    end: int
    value: int = 0


def fingers_in(m: Utterance, every_number: bool = False) -> list[Item]:
    """In the order of the message. "Todas as duas primeiras" is no more than the first two. With `every_number` each number
    is one of the list, as in "compare 1 to 3"."""
    found: list[Item] = []
    end = 0
    for i in _fingertips(m):
        if i < end or m.has_at(i, "name"):
            continue
        if item := _many(m, i) or _marked(m, i) or _numbered(m, i, every_number):
            found.append(item)
            end = item.end
    narrow = [item for item in found if item.kind != "all" or item.value]
    return narrow or found


def _fingertips(m: Utterance) -> list[int]:
    """The words that a finger may begin with."""
    points = m.has(*_POINTING)
    return [i for i, word in enumerate(m.plain) if word.isdigit() or (points and m.starts(i, *_POINTING))]


def _many(m: Utterance, i: int) -> Item | None:
    """ "as duas primeiras", "first 2", "últimas três"; without a number it is not said how many."""
    kinds: tuple[tuple[Kind, str, str], ...] = (("firsts", "first_many", "ordinal"), ("lasts", "last_many", "from_end"))
    for kind, many, single in kinds:
        if (count := _count(m, i)) and (mark := _first(m, i + 1, many)):
            return Item(kind, i, mark, count)
        plural = _first(m, i, many)
        end = plural or (_first(m, i, single) if _is_edge(m, i, single) else 0)
        if end and (count := _count(m, end)) and m.word(end - 1) != m.word(end) and not m.has_at(end + 1, many):
            return Item(kind, i, end + 1, count)
        if plural:
            return Item(kind, i, plural)
    return None


def _is_edge(m: Utterance, i: int, tag: str) -> bool:
    """ "first", "last" before a number; "a primeira, 3": not over a comma."""
    mark = next((mark for mark in m.starting(i, tag) if mark.value == "1"), None)
    return (
        mark is not None
        and mark.end < len(m)
        and m.words[mark.end].gap == " "
        and not m.is_beside(mark.end, "stand_in")
    )


def _first(m: Utterance, i: int, tag: str) -> int:
    """Where the longest mark of that tag ends that begins at word `i`; 0 for none."""
    return max((mark.end for mark in m.starting(i, tag)), default=0)


def _count(m: Utterance, i: int) -> int:
    word = m.word(i)
    if word.isdigit():
        return int(word) if len(word) <= _MOST_POSITIONS else 0
    return next((int(mark.value) for mark in m.starting(i, "number") if mark.end == i + 1), 0)


def _marked(m: Utterance, i: int) -> Item | None:
    for tag, kind in _BY_TAG:
        marks = m.starting(i, tag)
        if marks:
            mark = max(marks, key=lambda mark: mark.end)
            if kind == "all" and (m.has_at(mark.end, "first_many", "last_many") or _many(m, mark.end - 1)):
                continue
            if kind in ("nearest", "farthest") and not _is_the_one(m, mark):
                continue
            end = mark.end + (kind in ("nth", "end") and m.word(mark.end) == "1")  # "2nd 1": the second one
            return Item(kind, i, end, int(mark.value or 0))
    return None


def _is_the_one(m: Utterance, mark: Mark) -> bool:
    """ "A mais perto", "the closest", and not "uma mais perto": something nearer is another search."""
    single = mark.end - mark.start == 1 and mark.start == 0
    return single or m.is_beside(mark.start - 1, "superlative") or m.has("which")


def _numbered(m: Utterance, i: int, every_number: bool) -> Item | None:
    """A number of the list: "#3", "a 2", "número dois", or nothing but numbers. "As 3" and "the 3" are how many."""
    value = _count(m, i)
    if not value or m.is_beside(i - 1, "how_many_more", "the_many"):
        return None
    if every_number and m.word(i).isdigit():
        return Item("number", i, i + 1, value)
    if m.word(i).isdigit() and m.is_beside(i + 1, "up_to") and m.words[i + 1].gap == " " and _count(m, i + 2):
        return Item("range", i, i + 3)
    if i + 1 < len(m) and m.word(i + 1).isdigit() and set(m.words[i + 1].gap.strip()) & set("-–—"):
        return Item("range", i, i + 2)
    if value == 1 and not m.word(i).isdigit() and not m.ends(i, "option"):
        return None  # "the one in Austin"
    led = (
        m.ends(i, "option")
        or (m.is_beside(i - 1, "the_one") and (m.words[i].gap == " " or not m.words[i].gap))
        or m.starts(i + 1, "option")
        or m.ends(i, "tell_about", "tell_more")
    )
    return Item("number", i, i + 1, value) if led or (m.word(i).isdigit() and is_bare(m)) else None


def is_bare(m: Utterance) -> bool:
    """ "3", "1 e 3", "sim, 2": numbers, and a yes at most."""
    return all(word.isdigit() or m.has_at(i, *_ALONE) for i, word in enumerate(m.plain))


def words_of(items: Iterable[Item]) -> set[int]:
    return {i for item in items for i in range(item.start, item.end)}
