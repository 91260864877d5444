"""Years, months and days of the month: "outubro do ano passado", "abr/26", "5 e 9 de março", "the 14th", "15/05"."""

from __future__ import annotations

from datetime import date
from functools import cache, cached_property, partial

from msgspec.structs import replace

from beerforyou.reading.times.calendar import Days, Unit, part, whole
from beerforyou.reading.times.moment import (
    GOODS,
    LEADS,
    NEWEST,
    OLDEST,
    Cycle,
    Moment,
    Words,
    day_first,
    in_month,
    month_of,
)
from beerforyou.reading.words.lexicon import LANGUAGES, Mark, phrases, small_words, table

_MOST_LISTED = 8  # days that share a month: a longer list is no question, and its reading must end
_UNIT_OF_MONTHS = {3: Unit.QUARTER, 6: Unit.HALF}


class Dates(Words):
    def year(self, i: int) -> list[Moment]:
        if self.is_year(i):
            return [self.of_year(i, i + 1, int(self.m.word(i)))]
        if "'" in self.m.words[i].gap and (year := self._short_year(i, sure=False)):
            return [self.of_year(i, i + 1, year)]
        return []

    def of_year(self, start: int, end: int, year: int) -> Moment:
        return Moment(start=start, end=end, first=date(year, 1, 1), last=date(year, 12, 31), unit=Unit.YEAR)

    def month(self, i: int) -> list[Moment]:
        """ "março", "outubro do ano passado", "abr/26", "May 5", "March 5th and 9th, 2025"."""
        for mark in self.m.starting(i, "month"):
            if not self._is_month(mark):
                continue
            month = int(mark.value)
            by_year = self.is_small(i - 1, "month_in") or self.m.language in day_first()
            year, end = self.year_at(mark.end, sure=by_year)
            j = self.past(mark.end, "the")
            dated = not year and (self.m.word(j)[:1].isdigit() or self.m.starts(j, "ordinal"))
            groups, after = self._day_list(j) if dated else ([], 0)
            if groups:
                year, after = self.year_at(after)[0], max(after, self.year_at(after)[1])
                return self._days_of(groups, i, after, month, year)
            if not year and (shift := next(iter(self.m.starting(end, "shift")), None)):
                return [self.shifted_month(i, shift.end, month, int(shift.value))]
            return [self.named(i, end, month_of(month), Unit.MONTH, year)]
        return []

    def _is_month(self, mark: Mark) -> bool:
        """Not the verbs, numbers and manners that are spelt like months ("may I", "set", "out", "mar")."""
        m, i, end = self.m, mark.start, mark.end
        if not m.has_at(i, "doubtful") or i == self.expected:
            return True
        if m.has_at(end, "self") and not m.has_at(end, "possessive"):
            return False
        small = (self.is_small(i - 1, "in") or self.is_small(i - 1, "of")) and not self.is_small(i - 1, "in_the")
        led = small or m.ends(i, *LEADS, "unit", "month", "and_what_about")
        dated = (
            bool(self.year_at(end)[0])
            or bool(self.day(end))
            or m.starts(end, "shift", "purchases")
            or bool(self.day(i - 1))
        )
        joined = (self.is_small(end, "to") or self.is_small(end, "and")) and m.starts(
            end + 1, "month", "now", "relative_day"
        )
        return led or dated or joined or (m.is_name_like(i) and m.words[i].raw.istitle()) or len(m) == 1

    def shifted_month(self, start: int, end: int, month: int, shift: int) -> Moment:
        """ "outubro passado" is over; "outubro retrasado" the one before it; "este outubro" may go on."""
        if shift > 0:
            return Moment(start=start, end=end)
        last = self.today.year - (month >= self.today.month)
        year = self.today.year if shift == 0 else last + shift + 1
        return replace(self.named(start, end, month_of(month), Unit.MONTH, year), dated=False)

    def days(self, i: int) -> list[Moment]:
        """ "5 de março", "1 a 15 de maio", "5 e 9 do mês passado", "dia 14", "dias 5 e 9", "the 14th"."""
        m = self.m
        named = next((mark.end for mark in m.starting(i, "unit") if mark.value == Unit.DAY), i)
        groups, end = self._day_list(named)
        if not groups:
            return self._no_such_day(i, named)
        if named > i and m.ends(i, "every"):  # "todo dia 5" is one of each month
            return [Moment(start=i - 1, end=end)]
        if m.has_at(i - 1, "top", "possessive") or (self.is_small(i - 1, "these") and named == i):
            return []
        month, year, after = self._month_after(self.past(end, "of", "the"))
        if month:
            return self._days_of(groups, i, after, month, year)
        if named == i and not self._is_lone_day(i):
            return self._first_of_range(i, end, groups)
        cycles = (Cycle(Unit.MONTH, partial(in_month, first=a, last=b)) for a, b in groups)
        return [self.latest(i, end, cycle, Unit.DAY) for cycle in cycles]

    def _no_such_day(self, i: int, named: int) -> list[Moment]:
        """ "dia 45": a number after "dia", but no day's."""
        number = self.numbers.get(named)
        unlike = (
            number is not None
            and number.value > 31
            and named > i
            and not self.m.has_at(number.end, "unit", "spend", *GOODS)
        )
        return [Moment(start=i, end=number.end)] if number and unlike else []

    def _is_lone_day(self, i: int) -> bool:
        """ "on the 3rd", "the 14th": a day, while "the 3rd" is one of those shown."""
        m = self.m
        word = m.word(i)
        ordinal = (word[:1].isdigit() and not word.isdecimal()) or m.starts(i, "ordinal")
        if not ordinal or not self.is_small(i - 1, "the") or self.counts_goods(i + 1):
            return False
        bought = m.has("buy", "spend", "purchases", "order")  # "details on the 2nd" are of one shown
        led = (
            (bought and self.is_small(i - 2, "on_day"))
            or self.is_small(i - 2, "from")
            or m.ends(i - 1, *LEADS)
            or i == self.expected
        )
        if not word[:1].isdigit():  # "spend on the second" is no day
            led = m.ends(i - 1, *LEADS)
        return led or (self.day(i) or (0, 0))[0] > 10

    def _first_of_range(self, i: int, end: int, groups: list[tuple[int, int]]) -> list[Moment]:
        """The 5 of "5 a 9/3"."""
        if len(groups) == 1 and self.is_small(end, "to"):
            for last in self.written(end + 1):
                if last.first and last.unit is Unit.DAY:
                    return self._days_of(groups, i, end, last.first.month, last.first.year if last.cycle is None else 0)
        return []

    def _day_list(self, i: int) -> tuple[list[tuple[int, int]], int]:
        """First and last day of each group in "5", "5 e 9", "1 a 15", "5-9", and where the words end."""
        groups: list[tuple[int, int]] = []
        end, ranged = i, False
        while (day := self.day(i)) and len(groups) < _MOST_LISTED:
            value, end = day
            groups = [*groups[:-1], (groups[-1][0], value)] if ranged else [*groups, (value, value)]
            gap = self.m.words[end].gap.strip() if end < len(self.m) else "."
            before, ranged = ranged, self.is_small(end, "to") or gap in {"-", "–", "—"}
            if (before and ranged) or not (ranged or self.is_small(end, "and") or gap == ","):
                break
            i = self.past(end, "to" if ranged else "and", "in", "the")
            i = next((mark.end for mark in self.m.starting(i, "unit") if mark.value == Unit.DAY), i)
        return groups, end

    def day(self, i: int) -> tuple[int, int] | None:
        """The day of a month at word `i`, and where it ends. Numbers of beers, of weeks and in "9/3" are none."""
        m = self.m
        word = m.word(i)
        digits = word.rstrip("abcdefghijklmnopqrstuvwxyz") if word[:1].isdigit() else ""
        if (
            digits.isdecimal()
            and len(digits) < 3
            and (digits == word or word[len(digits) :] in small_words("day_endings"))
        ):
            value, end = int(digits), i + 1
        elif (number := self.numbers.get(i)) and not number.article:
            value, end = number.value, number.end
        elif (marks := m.starting(i, "ordinal")) and not m.has_at(i, "doubtful_weekday"):
            value, end = int(marks[0].value), marks[0].end
        else:
            return None
        slashed = end < len(m) and m.words[end].gap == "/" and m.word(end).isdecimal()
        return (value, end) if 1 <= value <= 31 and not slashed and not self.counts_goods(end) else None

    def _month_after(self, i: int) -> tuple[int, int, int]:
        """Month, year (0 for none) and end of what a day belongs to: "março de 2025", "mês passado", "this month"."""
        for mark in self.m.starting(i, "month"):
            return int(mark.value), *self.year_at(mark.end, sure=self.m.language in day_first())
        end, shift = self.shifted_unit(i, Unit.MONTH)
        first = whole(Unit.MONTH, self.today, shift)[0]
        return (first.month, first.year, end) if end and shift <= 0 else (0, 0, i)

    def _days_of(self, groups: list[tuple[int, int]], start: int, end: int, month: int, year: int) -> list[Moment]:
        return [
            self.named(start, end, partial(_in_year, month=month, first=a, last=b), Unit.DAY, year) for a, b in groups
        ]

    def written(self, i: int) -> list[Moment]:
        """ "15/05", "05/15/2026", "2026-05-15", "04/2026", "15.05.2026", "05/mar"."""
        m = self.m
        if not m.word(i)[:1].isdigit() or i + 1 >= len(m) or (gap := m.words[i + 1].gap) not in {"/", "-", "."}:
            return []
        if gap != "." and (mark := next(iter(m.starting(i + 1, "month")), None)) and (day := self.day(i)):
            year, end = self.year_at(mark.end)
            return self._days_of([(day[0], day[0])], i, end, int(mark.value), year)
        words = [m.word(i), m.word(i + 1)]
        if i + 2 < len(m) and m.words[i + 2].gap == gap:
            words.append(m.word(i + 2))
        numbers = [int(word) for word in words if word.isdecimal() and len(word) in (1, 2, 4)]
        if len(numbers) < len(words) or m.has_at(i + len(words), "container"):
            return []
        return self._written(i, i + len(words), numbers, gap)

    def _written(self, start: int, end: int, numbers: list[int], gap: str) -> list[Moment]:
        if len(numbers) == 3:
            year, month, day = numbers if numbers[0] > 31 else (numbers[2], *self._month_and_day(numbers))
            year += 2000 * (year < 100)
            known = OLDEST <= year <= NEWEST and 1 <= month <= 12
            return self._days_of([(day, day)], start, end, month, year) if known else [Moment(start=start, end=end)]
        big, small = max(numbers), min(numbers)
        if OLDEST <= big <= NEWEST and 1 <= small <= 12 and gap != ".":
            return [self.named(start, end, month_of(small), Unit.MONTH, big)]
        if gap != "/" and not (gap == "-" and (self.is_small(start - 1, "on_day") or start == self.expected)):
            return []
        month, day = self._month_and_day(numbers)
        if 1 <= month <= 12 and 1 <= day <= 31:
            return self._days_of([(day, day)], start, end, month, 0)
        if 1 <= numbers[0] <= 12 and 20 <= numbers[1] <= self.today.year % 100:
            return [self.named(start, end, month_of(numbers[0]), Unit.MONTH, 2000 + numbers[1])]
        return [Moment(start=start, end=end)] if self.is_small(start - 1, "in") or start == self.expected else []

    @cached_property
    def _day_first(self) -> bool:
        """As the first date that can only be read one way is written, else as the language does."""
        m = self.m
        for i in range(1, len(m)):
            first = m.words[i].gap == "/" and m.words[i - 1].gap != "/" and len(m.plain[i - 1]) == len(m.plain[i]) == 2
            if first and m.plain[i - 1].isdecimal() and m.plain[i].isdecimal():
                if 12 < int(m.plain[i - 1]) <= 31:
                    return True
                if 12 < int(m.plain[i]) <= 31 and int(m.plain[i]) > self.today.year % 100:
                    return False
        return m.language in day_first()

    def _month_and_day(self, numbers: list[int]) -> tuple[int, int]:
        """In the order of the language, unless only the other one makes a date."""
        month, day = (numbers[1], numbers[0]) if self._day_first else (numbers[0], numbers[1])
        return (day, month) if month > 12 >= day else (month, day)

    def part_of_year(self, i: int) -> list[Moment]:
        """ "Q1", "2S", "3T25", "Q3/25"."""
        word = self.m.word(i)
        year, end = (2000 + int(word[2:]) if len(word) == 4 and word[2:].isdecimal() else 0), i + 1
        known = _named_parts().get(word[:2] if year else word)
        if known is None:
            return []
        year, end = (year, end) if year else self.year_at(end)
        months, which = known
        unit = _UNIT_OF_MONTHS[months]
        return [self.named(i, end, partial(_part_in_year, unit=unit, which=which), unit, year)]


def _in_year(year: int, month: int, first: int, last: int) -> Days | None:
    return in_month(year * 12 + month - 1, first, last)


def _part_in_year(year: int, unit: Unit, which: int) -> Days | None:
    return part((date(year, 1, 1), date(year, 12, 31)), which, unit)


@cache
def _named_parts() -> dict[str, tuple[int, int]]:
    """ "q1", "3t": months long, and which one."""
    said = (
        (value, text) for language in LANGUAGES for value, text in table(language)["values"]["part_of_year"].items()
    )
    return {word: (int(value[0]), int(value[2:])) for value, text in said for word in phrases(text)}
