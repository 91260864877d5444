"""Numbers in a message, in digits and in words ("30", "1.000", "vinte e cinco", "meia dúzia", "two dozen", "uns 30"), with their words."""

from __future__ import annotations

import msgspec

from beerforyou.reading.words.lexicon import small_words
from beerforyou.reading.words.utterance import Utterance

_MOST_DIGITS = 6  # more is a telephone number or a code
_THOUSANDS = 3  # digits after the dot or comma of "1.000"


class Number(msgspec.Struct, frozen=True):
    """Words `start` to `end` (exclusive) say `value`; `article`: "um", "a" may count or just lead a noun."""

    start: int
    end: int
    value: int
    article: bool = False


def numbers_in(m: Utterance) -> list[Number]:
    found: list[Number] = []
    i = 0
    while i < len(m):
        number = _number(m, i)
        if number:
            found.append(number)
        i = number.end if number else i + 1
    return found


def _number(m: Utterance, i: int) -> Number | None:
    article = m.plain[i] in small_words("a", m.language)
    said = _digits(m, i + article) or _words(m, i + article)
    if said is None:
        return Number(i, i + 1, 1, article=True) if article else None
    end, value = said
    for multiple in m.starting(end, "multiple")[:1]:
        end, value = multiple.end, value * int(multiple.value)
        end, value = _smaller(m, end, value) or (end, value)
    rough = max((mark.end - mark.start for mark in m.ending(i, "roughly")), default=0)
    return Number(i - rough, end, value)


def _digits(m: Utterance, i: int) -> tuple[int, int] | None:
    word = m.word(i)
    if not (word.isdecimal() and len(word) <= _MOST_DIGITS):
        return None
    thousands = m.word(i + 1)
    if (
        len(word) <= _THOUSANDS
        and len(thousands) == _THOUSANDS
        and thousands.isdecimal()
        and m.words[i + 1].gap in {".", ","}
    ):
        return i + 2, int(word + thousands)
    return i + 1, int(word)


def _words(m: Utterance, i: int) -> tuple[int, int] | None:
    """The longest number word at `i`, with the smaller ones that belong to it."""
    marks = m.starting(i, "number")
    if not marks:
        return None
    end, value = marks[0].end, int(marks[0].value)
    return _smaller(m, end, value) or (end, value)


def _smaller(m: Utterance, i: int, value: int) -> tuple[int, int] | None:
    """ "e cinco" after "vinte", "five" after "twenty-", "and twenty" after "a hundred"."""
    hundreds = value >= 100 and value % 100 == 0
    if not hundreds and (value % 10 or value % 100 < 20):
        return None
    joined = m.word(i) in small_words("and_tens") or (hundreds and m.word(i) in small_words("and"))
    for mark in m.starting(i + joined, "number"):
        below = int(mark.value)
        if below < (100 if hundreds else 10) and m.plain[i - 1].isalpha():
            return _smaller(m, mark.end, value + below) or (mark.end, value + below)
    return None
