"""Parts of longer stretches: "primeira quinzena de outubro", "last week of May", "second quarter", "fim do mês"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from beerforyou.reading.times.calendar import Days, Unit, half_of, part, weekday_of
from beerforyou.reading.times.moment import MOST_COUNTED, Cycle, Moment, in_month
from beerforyou.reading.times.stretches import Stretches

Cut = Callable[..., Days | None]  # of a stretch, `which` part of it
_MOST_LISTED = 4  # "first and second": a longer list is no question, and its reading must end
_DEEPEST = 3  # "the last week of the first quarter of last year"
YEARLY = frozenset({Unit.BIMESTER, Unit.QUARTER, Unit.THIRD, Unit.HALF})  # have a number in their year


class Parts(Stretches):
    def part(self, i: int) -> list[Moment]:
        """A part of a longer stretch, or, of those that have a number in their year or month, the last one that has begun."""
        m = self.m
        before = self.numbers.get(i)
        whichs, j = self._which(before.end if before else i)
        number = before or self.numbers.get(j)
        count = number.value if number and not number.article else 1
        j = number.end if number and not before else j
        if not whichs or not 1 <= count <= MOST_COUNTED:
            return []
        for mark in m.starting(j, "half_of"):
            return self._cut(i, mark.end, Unit.HALF, whichs, half_of)
        for mark in m.starting(j, "unit"):
            if number is None and self.are_many(j) and len(whichs) == 1:  # "primeiros meses"
                return [] if -1 in whichs else [Moment(start=i, end=mark.end)]
            return self._cut(i, mark.end, Unit(mark.value), whichs, partial(part, unit=Unit(mark.value), count=count))
        for mark in (*m.starting(j, "weekday"), *m.starting(j, "doubtful_weekday")):
            return self._cut(i, mark.end, None, whichs, partial(weekday_of, weekday=int(mark.value)))
        return []

    def _which(self, i: int) -> tuple[list[int], int]:
        """ "primeira", "first and second", "última" (-1), and the word after."""
        m = self.m
        if last := [mark for mark in m.starting(i, "shift") if mark.value == "-1"]:
            return [-1], last[0].end
        found: list[int] = []
        j = i
        while (marks := m.starting(j, "ordinal")) and len(found) < _MOST_LISTED:
            found, i = [*found, int(marks[0].value)], marks[0].end
            j = self.past(i, "and", "the")
            if j == i:
                break
        return found, i

    def _cut(self, i: int, end: int, unit: Unit | None, whichs: list[int], cut: Cut) -> list[Moment]:
        """`unit` None is a weekday."""
        j = self.past(end, "of", "the")
        outer = self._longer(j) if j > end or self.m.starts(j, "month", "shift") else None
        year, after = self.year_at(end)
        outer = self.of_year(j, after, year) if year else outer
        if outer and outer.first and outer.last and not outer.open:
            return [self._cut_of(i, outer, unit or Unit.DAY, partial(cut, which=which)) for which in whichs]
        if -1 in whichs or unit is None:
            return []
        if outer is None and unit is Unit.HALF_MONTH:
            return [
                self.latest(i, end, Cycle(Unit.MONTH, partial(_part_of_month, cut, which)), unit) for which in whichs
            ]
        if outer is None and unit in YEARLY:
            return [self.named(i, end, partial(_part_of_year, cut, which), unit, 0) for which in whichs]
        return [Moment(start=i, end=outer.end if outer else end)]

    def _cut_of(self, start: int, outer: Moment, unit: Unit, cut: Callable[[Days], Days | None]) -> Moment:
        if outer.cycle:
            cycle = Cycle(outer.cycle.unit, partial(_part_of_nth, outer.cycle.days, cut))
            return self.latest(start, outer.end, cycle, unit)
        found = cut((outer.first, outer.last)) if outer.first and outer.last else None
        return Moment(start=start, end=outer.end, unit=unit, first=found and found[0], last=found and found[1])

    def _longer(self, i: int) -> Moment | None:
        """The month, quarter or year at word `i` that something is a part of."""
        if self.depth == _DEEPEST or i >= len(self.m):
            return None
        self.depth += 1
        rules = (self.written, self.part_of_year, self.year, self.part, self.shift, self.unit, self.month)
        found = next((moment for rule in rules for moment in rule(i)[:1]), None)
        self.depth -= 1
        if found is None or (found.first and found.unit in (Unit.DAY, Unit.WEEK, Unit.WEEKEND)):
            return None
        return found

    def edge(self, i: int) -> list[Moment]:
        """ "começo do mês" has no last day and "end of May" no first; alone neither is a stretch."""
        for mark in self.m.starting(i, "edge"):
            outer = self._longer(self.past(mark.end, "of", "the"))
            if outer:
                first = outer.first if mark.value == "begin" else None
                last = outer.last if mark.value == "end" else None
                return [Moment(start=i, end=outer.end, first=first, last=last)]
        return []


def _part_of_month(cut: Cut, which: int, month: int) -> Days | None:
    return cut(in_month(month, 1, 0), which=which)


def _part_of_year(cut: Cut, which: int, year: int) -> Days | None:
    return cut((date(year, 1, 1), date(year, 12, 31)), which=which)


def _part_of_nth(outer: Callable[[int], Days | None], cut: Callable[[Days], Days | None], n: int) -> Days | None:
    days = outer(n)
    return cut(days) if days else None
