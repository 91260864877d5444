"""What the readers of times share: a moment, what comes again each year, and the small words around them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache, cached_property

import msgspec

from beerforyou.reading.times.calendar import Days, Unit, day_of, last_of
from beerforyou.reading.times.numbers import Number, numbers_in
from beerforyou.reading.words.lexicon import LANGUAGES, small_words, table
from beerforyou.reading.words.utterance import Utterance

OLDEST, NEWEST = 1950, 2099  # years that a number of four digits may be
MOST_COUNTED = 999  # units; more is no period that anybody has purchases of
LEADS = ("since", "until", "before", "after", "between", "shift")
GOODS = ("beer", "container", "distance", "style")  # what numbers beside them count
_YEARS_BACK = 9  # from one February 29 to the next there are eight years at most


class Cycle(msgspec.Struct, frozen=True):
    """What comes again each year, month or week: the days that it is in the n-th one, or None where that lacks it."""

    unit: Unit
    days: Callable[[int], Days | None]

    def latest(self, today: date) -> tuple[int, Days] | None:
        """The last one that has begun."""
        now = number_of(self.unit, today)
        for n in range(now, now - _YEARS_BACK, -1):
            if (days := self.days(n)) and days[0] <= today:
                return n, days
        return None


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Words `start` to `end` (exclusive). Without `first` nothing can begin with it, without `last` nothing end.

    `cycle`: its year (month, week) was not said; `n` is the one taken. `dated`: its year was said. `open`: all time until `last`. `since`: the day itself
    of "two weeks ago", where `first` begins that week. `weekdays`: no stretch of time but days of all weeks.
    """

    start: int
    end: int
    first: date | None = None
    last: date | None = None
    unit: Unit = Unit.DAY
    cycle: Cycle | None = None
    n: int = 0
    dated: bool = False
    open: bool = False
    counted: bool = False
    since: date | None = None
    weekdays: tuple[int, ...] = ()


def number_of(unit: Unit, day: date) -> int:
    """The number of its year, month or week."""
    if unit is Unit.YEAR:
        return day.year
    return day.year * 12 + day.month - 1 if unit is Unit.MONTH else (day.toordinal() - 1) // 7


@cache
def _roles(roles: tuple[str, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(small_words(role) for role in roles))


@cache
def day_first() -> frozenset[str]:
    """The languages that write the day before the month."""
    return frozenset(language for language in LANGUAGES if table(language)["time"]["day_first"])


class Words:
    """The words of a message as times see them."""

    def __init__(self, m: Utterance, today: date) -> None:
        self.m = m
        self.today = today
        self.depth = 0
        self.expected = -1  # the word where a time must begin: after "desde", or "a" in "março a maio"

    @cached_property
    def numbers(self) -> dict[int, Number]:
        return {number.start: number for number in numbers_in(self.m)}

    def past(self, i: int, *roles: str) -> int:
        """The first word from `i` on that plays none of these roles."""
        words = _roles(roles)
        while self.m.word(i) in words:
            i += 1
        return i

    def is_small(self, i: int, role: str) -> bool:
        return self.m.word(i) in small_words(role)

    def counts_goods(self, i: int) -> bool:
        return self.m.has_at(i, "unit", "ago", "clock", *GOODS) and not self.m.has_at(i, "month")

    def named(self, start: int, end: int, days: Callable[[int], Days | None], unit: Unit, year: int) -> Moment:
        """Of that year, or, where none was said, the last one that has begun."""
        if year:
            found = days(year)
            return Moment(
                start=start, end=end, unit=unit, first=found and found[0], last=found and found[1], dated=True
            )
        return self.latest(start, end, Cycle(Unit.YEAR, days), unit)

    def latest(self, start: int, end: int, cycle: Cycle, unit: Unit) -> Moment:
        n, (first, last) = cycle.latest(self.today) or (0, (None, None))
        return Moment(start=start, end=end, first=first, last=last, unit=unit, cycle=cycle if first else None, n=n)

    def are_many(self, i: int) -> bool:
        """ "months", but not "month's"."""
        return self.m.has_at(i, "many_units") and not self.m.words[i].owner

    def is_year(self, i: int) -> bool:
        word = self.m.word(i)
        is_one = len(word) == 4 and word.isdecimal() and OLDEST <= int(word) <= NEWEST
        return (
            is_one
            and not self.m.has_at(i + 1, "unit", "spend", *GOODS)
            and not self.m.has_at(i - 1, "top")
            and self.m.word(i - 1) != "$"
        )

    def _short_year(self, i: int, sure: bool) -> int:
        """2025 of "/25", "'25", and, where a year is to be expected, of "25"."""
        word = self.m.word(i)
        if len(word) != 2 or not word.isdecimal() or not 20 <= int(word) <= self.today.year % 100:
            return 0
        marked = any(sign in self.m.words[i].gap for sign in "/-'’")
        return 2000 + int(word) if (marked or sure) and not self.counts_goods(i + 1) else 0

    def year_at(self, i: int, sure: bool = False) -> tuple[int, int]:
        """The year said after a month or a part of one, and where its words end; 0 for none."""
        j = self.past(i, "of", "the")
        if self.is_year(j):
            return int(self.m.word(j)), j + 1
        if short := self._short_year(j, sure or j > i):
            return short, j + 1
        end, shift = self.shifted_unit(j, Unit.YEAR)
        return (self.today.year + shift, end) if end and shift <= 0 else (0, i)

    def shifted_unit(self, i: int, unit: Unit) -> tuple[int, int]:
        """Where "ano passado", "last year", "deste ano" ends (0: that is not said there), and how far back it is."""
        m = self.m
        for shift in m.starting(i, "shift"):
            for mark in m.starting(shift.end, "unit"):
                if mark.value == unit and not self.are_many(mark.start):
                    return mark.end, int(shift.value)
        for mark in m.starting(i, "unit"):
            for shift in m.starting(mark.end, "shift") if mark.value == unit else ():
                return shift.end, int(shift.value)
            if mark.value == unit and self.is_this(i, mark.end, unit):
                return mark.end, 0
        return 0, 0

    def is_this(self, i: int, end: int, unit: Unit) -> bool:
        """ "no ano", "do mês", "for the quarter": this one; but no "dia da semana", "day of the week"."""
        if unit is Unit.DAY or self.are_many(i):
            return False
        k = i - 1 if self.is_small(i - 1, "in_the") else i - 2
        led = (
            k == i - 1
            or (self.is_small(i - 1, "the") and (self.is_small(k, "in") or self.is_small(end, "entire")))
            or self.m.starts(end, "so_far")
        )
        part = self.depth > 0 or not self.m.ends(k, "unit")
        return led and part and not self.m.has_at(end, "noun_of_order")


def in_month(n: int, first: int, last: int) -> Days | None:
    """From one day to another of the n-th month; 0 is its last."""
    year, month = n // 12, n % 12 + 1
    begin, end = day_of(year, month, first), day_of(year, month, last) if last else last_of(year, month)
    return (begin, end) if begin and end and begin <= end else None


def month_of(month: int) -> Callable[[int], Days | None]:
    return lambda year: in_month(year * 12 + month - 1, 1, 0)
