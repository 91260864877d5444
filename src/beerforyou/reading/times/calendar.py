"""Whole days, weeks, fortnights, months and so on around a day, and parts of them. A stretch is its first and its last day."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from enum import StrEnum

Days = tuple[date, date]
DAY = timedelta(1)
_LONGEST_MONTHS = 1200  # "the last 999 years" is long enough as a century


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    WEEKEND = "weekend"
    FORTNIGHT = "fortnight"  # fourteen days
    HALF_MONTH = "half_month"  # to the 15th, or from the 16th
    MONTH = "month"
    BIMESTER = "bimester"
    QUARTER = "quarter"
    THIRD = "third"
    HALF = "half"
    YEAR = "year"


DAYS = {Unit.DAY: 1, Unit.WEEK: 7, Unit.FORTNIGHT: 14, Unit.HALF_MONTH: 15}
MONTHS = {Unit.MONTH: 1, Unit.BIMESTER: 2, Unit.QUARTER: 3, Unit.THIRD: 4, Unit.HALF: 6, Unit.YEAR: 12}


def whole(unit: Unit, day: date, shift: int) -> Days:
    """The unit that is `shift` units from the one of `day`. Weeks begin on Monday; a fortnight is the one up to `day`."""
    if unit in MONTHS:
        months = MONTHS[unit]
        first = add_months(date(day.year, (day.month - 1) // months * months + 1, 1), shift * months)
        return first, add_months(first, months) - DAY
    if unit is Unit.HALF_MONTH:
        month, second = divmod((day.year * 12 + day.month - 1) * 2 + (day.day > 15) + shift, 2)
        return half_month(month // 12, month % 12 + 1, bool(second))
    if unit is Unit.DAY:
        return day + shift * DAY, day + shift * DAY
    if unit is Unit.FORTNIGHT:
        last = day + min(shift + 1, 0) * 14 * DAY
        return last - 13 * DAY, last
    monday = day - timedelta(day.weekday() - 7 * shift)
    return monday + timedelta(5 if unit is Unit.WEEKEND else 0), monday + timedelta(6)


def counted(today: date, unit: Unit, count: int) -> Days:
    """As many days (or days of as many weeks, months...) as that, today's included."""
    if unit in MONTHS:
        return add_months(today, -min(count * MONTHS[unit], _LONGEST_MONTHS)) + DAY, today
    return today - (count * DAYS.get(unit, 7) - 1) * DAY, today


def half_month(year: int, month: int, second: bool) -> Days:
    return (date(year, month, 16), last_of(year, month)) if second else (date(year, month, 1), date(year, month, 15))


def day_of(year: int, month: int, day: int) -> date | None:
    """That day, if the month has it."""
    return date(year, month, day) if 1 <= day <= monthrange(year, month)[1] else None


def last_of(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last when it has fewer."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def part(days: Days, which: int, unit: Unit, count: int = 1) -> Days | None:
    """`count` units of a longer stretch, from the `which`-th on; -1 are the last ones. None where it has no such part."""
    first, last = days
    if unit is Unit.HALF_MONTH:
        second = which in (2, -1)
        inside = (last - first).days < 31 and first.day == 1 and which in (1, 2, -1)
        return half_month(first.year, first.month, second) if inside else None
    if unit in MONTHS:
        months = MONTHS[unit]
        begin = add_months(last + DAY, -months * count) if which < 0 else add_months(first, (which - 1) * months)
        end = add_months(begin, months * count) - DAY
        aligned = first.day == 1 and begin.day == 1
        return (begin, end) if aligned and first <= begin and end <= last else None
    if unit not in DAYS:
        return None
    length = DAYS[unit] * count * DAY
    begin = last + DAY - length if which < 0 else first + (which - 1) * DAYS[unit] * DAY
    end = min(begin + length - DAY, last)
    return (begin, end) if first <= begin <= end else None


def half_of(days: Days, which: int) -> Days | None:
    """The first (1) or the second half of a month (to the 15th), or of what has an even number of months."""
    first, last = days
    second = which != 1
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if first.day != 1 or (last + DAY).day != 1:
        return None
    if months == 1:
        return half_month(first.year, first.month, second)
    middle = add_months(first, months // 2)
    return None if months % 2 else (middle, last) if second else (first, middle - DAY)


def weekday_of(days: Days, which: int, weekday: int) -> Days | None:
    """The `which`-th Monday (0) to Sunday (6) of a stretch, -1 the last."""
    first, last = days
    if which < 0:
        day = last - ((last.weekday() - weekday) % 7) * DAY
    else:
        day = first + ((weekday - first.weekday()) % 7 + 7 * (which - 1)) * DAY
    return (day, day) if first <= day <= last else None
