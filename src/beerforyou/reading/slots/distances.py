"""How far: "within 10 miles", "a menos de vinte km", "half a mile", "a pé". With the words that say it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from beerforyou.reading.reading import HALF_THE_WORLD_KM
from beerforyou.reading.words.lexicon import small_words, words_of
from beerforyou.reading.words.utterance import Utterance

WALK_KM = 2.0  # "on foot": half an hour
_KM = {word: float(km) for word, km in words_of("distance")}  # written onto the number: "20km"
_MILE = 1.609344
_NUMBER = re.compile(rf"(\d{{1,5}})({'|'.join(_KM)})?")
_HALVES = small_words("half")


class Distance(msgspec.Struct, frozen=True):
    """Words `start` to `end` (exclusive) say how far."""

    start: int
    end: int
    km: float
    miles: bool = False


def distance_in(m: Utterance) -> Distance | None:
    """The first that makes sense on this planet."""
    said = (_written_on(m, i) or _with_unit(m, i) for i in _units(m))
    found = next((each for each in said if each and 0 < each.km <= HALF_THE_WORLD_KM), None)
    if found is None and (walk := m.all("on_foot")):
        return Distance(walk[0].start, walk[0].end, WALK_KM)
    return found


def _units(m: Utterance) -> Iterator[int]:
    """The words that may be a unit, or have one written onto them: "20km"."""
    said = m.has("distance")
    return (
        i
        for i, word in enumerate(m.plain)
        if (said and m.has_at(i, "distance")) or (word[0].isdigit() and not word.isdigit())
    )


def _written_on(m: Utterance, i: int) -> Distance | None:
    match = _NUMBER.fullmatch(m.plain[i])
    if not match or not match[2]:
        return None
    start, number = _decimal(m, i, match[1])
    return Distance(start, i + 1, number * _KM[match[2]], _KM[match[2]] == _MILE)


def _with_unit(m: Utterance, i: int) -> Distance | None:
    """A number and, at `i`, its unit; "half a mile" has an article between them."""
    unit = next(iter(m.starting(i, "distance")), None)
    if unit is None or i == 0:
        return None
    before = i - 1 if m.word(i - 1) not in small_words("a") else i - 2
    start, number = _number(m, before)
    if not number:
        return None
    factor = float(unit.value)
    return Distance(start, i + 1, number * factor, factor == _MILE)


def _number(m: Utterance, i: int) -> tuple[int, float]:
    """Where the number that ends at word `i` begins, and its value; 0 when there is none."""
    word = m.word(i)
    if word in _HALVES:
        return i, 0.5
    if word.isdigit() and len(word) < 6:
        return _decimal(m, i, word)
    value = _said(m, i)
    joined = i - 2 if m.has_at(i - 1, "and") else i - 1
    tens = _said(m, joined)
    if value and value < 10 and tens >= 20 and tens % 10 == 0:  # "vinte e cinco", "twenty five"
        return joined, tens + value
    return i, value


def _said(m: Utterance, i: int) -> float:
    return next((float(mark.value) for mark in m.ending(i + 1, "number") if mark.start == i), 0.0)


def _decimal(m: Utterance, i: int, digits: str) -> tuple[int, float]:
    """ "1.5", "2,5": the sign parts a number in two words; "1,000" is a thousand."""
    whole = m.word(i - 1)
    if i and whole.isdigit() and m.words[i].gap in (",", "."):
        return i - 1, float(whole + digits) if len(digits) == 3 else float(f"{whole}.{digits}")
    return i, float(digits)
