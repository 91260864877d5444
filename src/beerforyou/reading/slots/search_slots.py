"""What a search asks besides places and types: how many, the closest, with a website; and what no catalogue knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from beerforyou.reading.words.lexicon import Mark
from beerforyou.reading.words.utterance import Utterance

MOST_ASKED = 100  # breweries: a greater number is a year, a postal code or a house's
_REACH = 3  # words between a number and what it counts: "5 cervejarias novas", "três outras opções"
_COUNTED = ("brewery", "more", "option", "new", "several", "place", "nearest")
_ASKS_FOR = ("find", "recommend", "more", "show_again", "only", "want", "exists")


class Wanted(msgspec.Struct, frozen=True):
    """`limit` as in Search. `words`: positions of the words that say any of it."""

    limit: int | None = None
    nearest: bool = False
    has: tuple[Literal["website", "phone"], ...] = ()
    words: frozenset[int] = frozenset()


def wanted_in(m: Utterance, types: Sequence[int], taken: set[int]) -> Wanted:
    """`types`: words for types of breweries; `taken`: those of places, names, periods and distances."""
    nearest = m.all("nearest")
    had = [mark for mark in m.all("has") if not _is_missing(m, mark)]
    has = list(dict.fromkeys(mark.value for mark in had))
    words = {i for mark in (*nearest, *had) for i in range(mark.start, mark.end)}
    limit, said = _limit(m, types, taken)
    if limit is None and nearest and not _is_plural(m, types):
        limit = 1
    return Wanted(limit, bool(nearest), tuple(has), frozenset(words | said))  # type: ignore[arg-type]  # as the table has them


class Home(msgspec.Struct, frozen=True):
    """The client's own city or state, in which or outside of which is searched, and the words that say it."""

    within: Literal["", "city", "state"] = ""
    outside: Literal["", "city", "state"] = ""
    words: frozenset[int] = frozenset()


def home_in(m: Utterance) -> Home:
    """ "na minha cidade", "not in my state"."""
    for mark in m.all("axis"):
        part: Literal["", "city", "state"] = mark.value if mark.value in ("city", "state") else ""  # type: ignore[assignment]
        whose = mark.start - 1
        if not part or not m.has_at(whose, "possessive"):
            continue
        if denial := _denial(m, whose):
            return Home(
                outside=part, words=frozenset(range(denial.start - m.has_at(denial.start - 1, "but"), mark.end))
            )
        if m.has_at(whose - 1, "in_place", "here"):
            return Home(within=part, words=frozenset(range(whose - 1, mark.end)))
    return Home()


def _denial(m: Utterance, whose: int) -> Mark | None:
    """The nearest before it, with nothing but small words between."""
    near = (each for each in reversed(m.all("leave_out")) if 0 <= whose - each.end <= _REACH)
    denial = next(near, None)
    return denial if denial and all(m.is_function(i) for i in range(denial.end, whose)) else None


def _is_missing(m: Utterance, mark: Mark) -> bool:
    """ "without a website": nobody can search for what is not there."""
    return any(m.has_at(i, "without", "not") for i in range(max(mark.start - 2, 0), mark.start))


def wishes_in(m: Utterance, taken: set[int]) -> dict[int, str]:
    """By position: the kind of what is asked and not known, by its longest phrase. `taken` are words that say something else."""
    marks = [(mark, mark.value) for mark in m.all("wish")] + [(mark, "style") for mark in m.all("style")]
    kinds: dict[int, str] = {}
    for mark, kind in marks:
        for i in range(mark.start, mark.end):
            if i not in taken:
                kinds.setdefault(i, kind)
    return kinds


def _limit(m: Utterance, types: Sequence[int], taken: set[int]) -> tuple[int | None, set[int]]:
    if counted := _counts(m, types):
        return 0, counted
    for i, number in _numbers(m):
        if i not in taken and 0 < number <= MOST_ASKED and _is_asked_for(m, i, types):
            return number, {i}
    for mark in m.all("one"):
        if (
            mark.start not in taken
            and not m.has("exists", "named", "where", "tell_about")
            and _counts_one(m, mark.end, types)
        ):
            return 1, set(range(mark.start, mark.end))
    return None, set()


def _counts(m: Utterance, types: Sequence[int]) -> set[int]:
    """ "quantas cervejarias", "how many brewpubs": the words that ask for a number of breweries."""
    for mark in m.all("how_many"):
        following = range(mark.end, mark.end + _REACH)
        if any(m.has_at(i, "brewery", "in_all") or i in types for i in following):
            return set(range(mark.start, mark.end)) | {
                i for each in m.all("in_all") for i in range(each.start, each.end)
            }
    return set()


def _numbers(m: Utterance) -> list[tuple[int, int]]:
    said = [(i, int(word)) for i, word in enumerate(m.plain) if word.isdigit() and len(word) < 4]
    said += [(mark.start, int(mark.value)) for mark in m.all("number") if not m.has_at(mark.start, "one")]
    return sorted(said)


def _is_asked_for(m: Utterance, i: int, types: Sequence[int]) -> bool:
    """ "3 cervejarias", "as 3 mais perto", "mais 3", "show me ten"; not "a 3", "número 3"."""
    following = range(i + 1, min(i + 1 + _REACH, len(m)))
    if any(m.has_at(j, *_COUNTED) or j in types for j in following):
        return not m.has_at(i - 1, "option")
    before = range(max(0, i - 2), i)
    return any(m.has_at(j, *_ASKS_FOR) for j in before) and not m.has("option", "container", "unit")


def _counts_one(m: Utterance, end: int, types: Sequence[int]) -> bool:
    noun = next((i for i in range(end, end + 2) if m.has_at(i, "brewery") or i in types), None)
    return noun is not None and not m.plain[noun].endswith("s")


def _is_plural(m: Utterance, types: Sequence[int]) -> bool:
    nouns = [*types, *(mark.end - 1 for mark in m.all("brewery", "nearest"))]
    return m.has("several") or any(m.word(i).endswith("s") for i in nouns)
