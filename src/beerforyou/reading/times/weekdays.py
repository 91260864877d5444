"""Days of the week: one ("last Friday", "na terça"), or those of all weeks ("aos sábados", "every Friday")."""

from __future__ import annotations

from datetime import date
from functools import partial

from msgspec.structs import replace

from beerforyou.reading.times.calendar import DAY, Days, Unit
from beerforyou.reading.times.dates import Dates
from beerforyou.reading.times.moment import LEADS, Cycle, Moment, number_of
from beerforyou.reading.words.lexicon import Mark


class Weekdays(Dates):
    def weekdays(self, i: int) -> list[Moment]:
        """ "aos sábados", "weekends", "toda sexta"."""
        m = self.m
        for mark in m.starting(i, "weekdays"):
            if not m.ends(i, "which"):
                counted = any(number.end == i for number in self.numbers.values())
                return [
                    Moment(
                        start=self._every(i),
                        end=mark.end,
                        weekdays=() if counted else tuple(int(day) for day in mark.value),
                    )
                ]
        for mark in (*m.starting(i, "weekday"), *m.starting(i, "doubtful_weekday"), *m.starting(i, "unit")):
            if (
                m.ends(i, "every")
                and (mark.tag != "unit" or mark.value == Unit.WEEKEND)
                and not self.is_followed_by_noun(mark.end)
            ):
                days = (6, 7) if mark.tag == "unit" else (int(mark.value) + 1,)
                return [Moment(start=self._every(i), end=mark.end, weekdays=days)]
        return []

    def _every(self, i: int) -> int:
        """Where "every", "todas as" before it begins."""
        return min((mark.start for mark in self.m.ending(i, "every")), default=i)

    def weekday(self, i: int) -> list[Moment]:
        """ "last Friday", "na terça", "sexta passada": the last one before today. "segunda" alone is the second."""
        m = self.m
        for mark in (*m.starting(i, "weekday"), *m.starting(i, "doubtful_weekday")):
            shift = next(iter(m.starting(mark.end, "shift")), None)
            if shift:
                return [self.shifted_weekday(i, shift.end, int(mark.value), int(shift.value))]
            if dated := self._dated_weekday(mark):
                return [dated]
            if mark.tag == "doubtful_weekday" and not self._is_weekday(mark):
                continue
            return [self._latest_weekday(i, mark.end, int(mark.value))]
        return []

    def _is_weekday(self, mark: Mark) -> bool:
        i = mark.start
        led = self.is_small(i - 1, "on_day") or self.m.ends(i, *LEADS, "past") or i == self.expected
        ranged = self.is_small(mark.end, "to") and self.m.starts(mark.end + 1, "weekday", "doubtful_weekday")
        return (led or ranged) and not self.is_followed_by_noun(mark.end)

    def is_followed_by_noun(self, i: int) -> bool:
        return self.m.has_at(i, "noun_of_order", "dimension", "option", "unit", "half_of", "brewery", "beer", "style")

    def _dated_weekday(self, mark: Mark) -> Moment | None:
        """ "sexta, 13 de março": the date, if it is one."""
        j = self.past(mark.end, "the")
        named = self.m.has_at(j, "month", "unit") or self.m.word(j)[:1].isdigit()
        for date_said in (self.written(j) or self.month(j) or self.days(j)) if named else ():
            if date_said.unit is Unit.DAY and date_said.first == date_said.last:
                right = date_said.first is not None and date_said.first.weekday() == int(mark.value)
                return replace(date_said, start=mark.start) if right else Moment(start=mark.start, end=date_said.end)
        return None

    def _latest_weekday(self, start: int, end: int, weekday: int) -> Moment:
        days = partial(_weekday_in, weekday=weekday)
        n = number_of(Unit.WEEK, self.today) - (weekday >= self.today.weekday())
        day = days(n)[0]
        return Moment(start=start, end=end, first=day, last=day, cycle=Cycle(Unit.WEEK, days), n=n)

    def shifted_weekday(self, start: int, end: int, weekday: int, shift: int) -> Moment:
        if shift > 0:
            return Moment(start=start, end=end)
        last = self._latest_weekday(start, end, weekday).first
        if last is None or (shift == 0 and self.today.weekday() == weekday):
            last = self.today
        day = last + min(shift + 1, 0) * 7 * DAY
        return Moment(start=start, end=end, first=day, last=day)


def _weekday_in(week: int, weekday: int) -> Days:
    day = date.fromordinal(week * 7 + 1 + weekday)
    return day, day
