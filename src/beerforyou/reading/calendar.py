"""Whole days, weeks, months, quarters, halves and years around a day."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

_LONGEST_MONTHS = 1200  # "the last 999 years" is long enough as a century


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    WEEKEND = "weekend"
    MONTH = "month"
    QUARTER = "quarter"
    HALF = "half"
    YEAR = "year"


_DAYS = {Unit.DAY: 1, Unit.WEEK: 7, Unit.WEEKEND: 7}
_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.HALF: 6, Unit.YEAR: 12}


def whole(unit: Unit, today: date, shift: int) -> tuple[date, date]:
    """First day, and the day after the last, of the unit that is `shift` units from today's. Weeks begin on Monday."""
    if unit is Unit.DAY:
        return today + timedelta(shift), today + timedelta(shift + 1)
    if unit in _DAYS:
        monday = today - timedelta(today.weekday() - 7 * shift)
        return monday + timedelta(5 if unit is Unit.WEEKEND else 0), monday + timedelta(7)
    months = _MONTHS[unit]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    return add_months(first, shift * months), add_months(first, (shift + 1) * months)


def back(today: date, unit: Unit, count: int) -> date:
    """`count` units before today."""
    if unit in _DAYS:
        return today - timedelta(count * _DAYS[unit])
    return add_months(today, -min(count * _MONTHS[unit], _LONGEST_MONTHS))


def day_in(year: int, month: int, day: int) -> date:
    """That day of the month, or the month's last when it has fewer."""
    first = date(year, month, 1)
    return min(first + timedelta(day - 1), add_months(first, 1) - timedelta(1))


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last when it has fewer."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(day.day - 1), following - timedelta(1))
