"""Stretches around today, by unit: "mês passado", "últimos 30 dias", "há dois meses", "no ano"."""

from __future__ import annotations

from functools import cached_property

from msgspec.structs import replace

from beerforyou.reading.times.calendar import DAY, Unit, counted, whole
from beerforyou.reading.times.moment import MOST_COUNTED, Moment, month_of
from beerforyou.reading.times.numbers import Number
from beerforyou.reading.times.seasons import Seasons


class Stretches(Seasons):
    def shift(self, i: int) -> list[Moment]:
        """ "este mês", "last quarter", "últimos 30 dias", "last October", "last Friday"; "next month" is not understood."""
        m = self.m
        for mark in m.starting(i, "shift"):
            if m.starts(i, "before"):  # "before last Friday"; "before last" comes behind its unit
                continue
            shift, j = int(mark.value), mark.end
            if more := m.starting(j, "shift"):  # "this past week", "nesses últimos dias"
                shift, j = int(more[0].value), more[0].end
            if found := self._shifted(i, j, shift):
                return [found]
        return []

    def _shifted(self, i: int, j: int, shift: int) -> Moment | None:
        m = self.m
        number = self.numbers.get(j)
        k = number.end if number else next((mark.end for mark in m.starting(j, "few")), j)
        k = self.past(k, "of") if k > j else k
        for unit in m.starting(k, "unit"):
            if unit.value == Unit.DAY and k == j and unit.end in self.numbers:  # "no último dia 15"
                return next((replace(day, start=i) for day in self.days(k)), None) if shift <= 0 else None
            owned = m.has_at(unit.end, "order", "purchases", "spend", "beer")  # "last weeks invoice"
            if k > j or (self.are_many(k) and not owned):
                count = number.value if number and shift in (0, -1) else 0
                return self._counted(i, unit.end, Unit(unit.value), count)
            return self._whole(i, unit.end, Unit(unit.value), shift)
        if k > j:
            return None
        for month in m.starting(j, "month"):
            return self.shifted_month(i, month.end, int(month.value), shift)
        for weekday in (*m.starting(j, "weekday"), *m.starting(j, "doubtful_weekday")):
            if not self.is_followed_by_noun(weekday.end):
                return self.shifted_weekday(i, weekday.end, int(weekday.value), shift)
        for season in m.starting(j, "season"):
            return self.of_season(i, season, shift, season.end)
        for vague in m.starting(j, "holiday"):
            return Moment(start=i, end=self.year_at(vague.end)[1])
        for quarter in self.part_of_year(j):
            if quarter.cycle and (days := quarter.cycle.days(quarter.n + min(shift + 1, 0))) and shift <= 0:
                return Moment(start=i, end=quarter.end, first=days[0], last=days[1], unit=quarter.unit)
        return None

    def _whole(self, start: int, end: int, unit: Unit, shift: int) -> Moment:
        if shift > 0:
            return Moment(start=start, end=end)
        first, last = whole(unit, self.today, shift)
        if first > self.today:  # this weekend, on a weekday
            return Moment(start=start, end=end)
        return Moment(start=start, end=end, first=first, last=last, unit=unit)

    def _counted(self, start: int, end: int, unit: Unit, count: int) -> Moment:
        if not 1 <= count <= MOST_COUNTED or unit is Unit.WEEKEND:
            return Moment(start=start, end=end)
        first, last = counted(self.today, unit, count)
        return Moment(start=start, end=end, first=first, last=last, unit=unit, counted=True)

    def unit(self, i: int) -> list[Moment]:
        """ "mês passado", "mês de outubro", "ano de 2025", "no ano", "o mês antes"."""
        m = self.m
        for mark in m.starting(i, "unit"):
            unit, j = Unit(mark.value), mark.end
            for shift in m.starting(j, "shift"):
                if m.starts(shift.end, "unit") and (
                    m.ends(i, "grouping", "every") or m.has_at(i, "regular")
                ):  # "by month this year"
                    return []
                return [
                    self._counted(i, shift.end, unit, 0)
                    if self.are_many(i)
                    else self._whole(i, shift.end, unit, int(shift.value))
                ]
            k = self.past(j, "of")
            if unit is Unit.MONTH and m.starts(k, "month"):
                self.expected = k
                return [replace(moment, start=i) for moment in self.month(k)]
            number = self.numbers.get(j)
            if number and unit is Unit.MONTH and 1 <= number.value <= 12 and not number.article:  # "mês 5"
                year, end = self.year_at(number.end)
                return [self.named(i, end, month_of(number.value), unit, year)]
            if number and unit is Unit.WEEK and not number.article:  # "semana 12"
                return [Moment(start=i, end=number.end)]
            grouped = m.ends(i, "grouping") or m.has_at(i, "regular")  # "por semana em outubro" is no week of it
            if (
                unit is Unit.WEEK
                and k > j
                and not grouped
                and (days := self.written(k) or self.days(k) or self.month(k))
            ):
                return [self._week_of(i, days[0])]
            if unit is Unit.YEAR and self.is_year(k):
                return [self.of_year(i, k + 1, int(m.word(k)))]
            if m.starts(j, "earlier", "later", "before", "after"):  # than what was said before: `shifted`
                return [
                    Moment(
                        start=i,
                        end=max(
                            mark.end for tag in ("earlier", "later", "before", "after") for mark in m.starting(j, tag)
                        ),
                    )
                ]
            if self.is_this(i, j, unit):
                return [self._latest_weekend(i, j) if unit is Unit.WEEKEND else self._whole(i, j, unit, 0)]
        return []

    def _week_of(self, start: int, days: Moment) -> Moment:
        """ "semana do dia 9" is the week with that day, "semana de 9 a 15" says all of it."""
        if days.unit is not Unit.DAY:
            return Moment(start=start, end=days.end)
        if days.first is None or days.first != days.last:
            return replace(days, start=start)
        first, last = whole(Unit.WEEK, days.first, 0)
        return Moment(start=start, end=days.end, first=first, last=last, unit=Unit.WEEK)

    def _latest_weekend(self, start: int, end: int) -> Moment:
        first, last = whole(Unit.WEEKEND, self.today, 0)
        if first > self.today:
            first, last = whole(Unit.WEEKEND, self.today, -1)
        return Moment(start=start, end=end, first=first, last=last, unit=Unit.WEEKEND)

    def number(self, i: int) -> list[Moment]:
        """ "two months ago", "3 últimos meses", "3 meses", "24 horas"."""
        m = self.m
        number = self.numbers.get(i)
        j = number.end if number else next((mark.end for mark in m.starting(i, "few")), i)
        if j == i:
            return []
        if m.starts(j, "clock") and number and not number.article:
            return [Moment(start=i, end=j + 1)]
        shift = next(iter(m.starting(j, "shift")), None)
        j = self.past(shift.end if shift else j, "of")
        for mark in m.starting(j, "unit"):
            unit, end = Unit(mark.value), mark.end
            count = number.value if number else 0
            if ago := m.starting(end, "ago"):
                return [self._ago(i, ago[0].end, unit, count)]
            if (shift or m.starts(end, "shift")) and not self.are_many(mark.start) and count > 1:
                return []  # "over 500 this month": the number counts something else
            if shift or m.starts(end, "shift"):
                return [self._counted(i, max([end, *(mark.end for mark in m.starting(end, "shift"))]), unit, count)]
            return self._bare_count(i, end, unit, number)
        return []

    def _bare_count(self, i: int, end: int, unit: Unit, number: Number | None) -> list[Moment]:
        """ "em 3 meses", "e 30 dias?" are counted; elsewhere ("a cada 3 dias", "10 anos") it is not known what is meant."""
        if number and number.article and self.m.starts(end, "onward"):  # "de uma semana pra cá"
            return [self._counted(i, end, unit, 1)]
        if number is None or number.article or self.m.ends(i, "every") or self.m.has_at(end, "distinct"):
            return []
        led = (
            i == 0 or self.is_small(i - 1, "in") or self.is_small(i - 1, "and") or i == self.expected or self._is_denied
        )
        known = led and not self.m.starts(end, "earlier", "later")
        return [self._counted(i, end, unit, number.value if known else 0)]

    def ago_lead(self, i: int) -> list[Moment]:
        """ "há dois meses", "faz 3 semanas", "há mais de um ano"."""
        m = self.m
        for lead in m.starting(i, "ago_lead"):
            j = next((mark.end for mark in m.starting(lead.end, "more_than")), lead.end)
            number = self.numbers.get(j)
            k = self.past(number.end, "of") if number else next((mark.end for mark in m.starting(j, "few")), j)
            for mark in m.starting(k, "unit"):
                if k > j or self.are_many(k):
                    end = next((ago.end for ago in m.starting(mark.end, "ago")), mark.end)
                    return [self._ago(i, end, Unit(mark.value), number.value if number else 0)]
        return []

    def _ago(self, start: int, end: int, unit: Unit, count: int) -> Moment:
        """That month, week or day; all that is older after "mais de"; the time since then where something is denied of it."""
        since = self._counted(start, end, unit, count)
        if since.first is None or self._is_denied:
            return since
        if self.m.ends(start, "more_than") or any(mark.end < end for mark in self.m.starting(start + 1, "more_than")):
            return Moment(start=start, end=end, last=since.first - DAY, open=True)
        first, last = whole(unit, self.today, -count)
        return Moment(start=start, end=end, first=first, last=last, unit=unit, since=since.first - DAY)

    @cached_property
    def _is_denied(self) -> bool:
        return self.m.has("not")
