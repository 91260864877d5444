"""Spans of time in a message ("mês passado", "since January", "entre 1 e 15 de maio"), from today's point of view.

A month without a year is the last one of that name; the current one counts. `until` is exclusive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from beerforyou.reading.lexicon import Mark
from beerforyou.reading.message import Message

_ISO_DATE = re.compile(r"^(20\d\d)$")
MONTHS_OF = {"month": 1, "quarter": 3, "half": 6, "year": 12}
DAYS_OF = {"day": 1, "week": 7, "weekend": 7}
_UNTIL = {"ate", "until", "till", "through"}
_SINCE = {"desde", "since", "partir"}
_RANGE = {"e", "a", "ate", "and", "to", "until", "till", "through", "com", "vs", "versus", "x"}


class Period(msgspec.Struct, frozen=True):
    """Words `start` to `end` (exclusive) say this span of time; None where it is open."""

    start: int
    end: int
    since: date | None
    until: date | None


def periods_in(m: Message, today: date) -> list[Period]:
    found: list[Period] = []
    for period in sorted(_candidates(m, today), key=lambda p: (p.start, -p.end)):
        if not found or period.start >= found[-1].end:
            found.append(period)
    return found


def span_of(m: Message, found: list[Period]) -> tuple[str, str]:
    """The whole time that a question is about, as ISO dates; empty where open."""
    if not found:
        return "", ""
    before = m.plain[max(0, found[0].start - 3) : found[0].start]
    first, last = found[0], found[-1]
    if len(found) == 1 and _SINCE & set(before):
        return _iso(first.since), ""
    if len(found) == 1 and _UNTIL & set(before):
        return "", _iso(first.until)
    sinces = [p.since for p in found if p.since]
    untils = [p.until for p in found if p.until]
    return _iso(min(sinces, default=None)), _iso(max(untils, default=None)) if last else ""


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _candidates(m: Message, today: date) -> Iterator[Period]:
    yield from _days_of_month(m, today)
    yield from _months(m, today)
    yield from _shifted(m, today)
    yield from _counted(m, today)
    yield from _quarters(m, today)
    yield from _weekdays(m, today)
    for mark in m.all("relative_day"):
        if m.has_at(mark.start, "yet"):
            continue
        day = today + timedelta(int(mark.value))
        yield Period(mark.start, mark.end, day, day + timedelta(1))
    for i, word in enumerate(m.plain):
        if _is_year(word):
            yield Period(i, i + 1, date(int(word), 1, 1), date(int(word) + 1, 1, 1))


def _is_year(word: str) -> bool:
    return len(word) == 4 and word.startswith("20") and word.isdigit()


def _month_marks(m: Message) -> Iterator[Mark]:
    """Months, but not the verbs, numbers and manners that are spelt like them ("may I", "set", "out", "mar")."""
    for mark in m.all("month"):
        word = m.plain[mark.start]
        led = mark.start > 0 and (m.at(mark.start - 1) & {"in_place", "of", "shift"} or m.plain[mark.start - 1] in _SINCE | _UNTIL | _RANGE | {"entre", "between", "for"} or m.plain[mark.start - 1].isdigit())  # fmt: skip
        dated = mark.end < len(m) and m.plain[mark.end].isdigit()
        if len(word) > 4 or led or dated or len(m) == 1 or m.ends(mark.start, "month"):
            yield mark


def _months(m: Message, today: date) -> Iterator[Period]:
    for mark in _month_marks(m):
        year, end = _year_after(m, mark.end)
        month = int(mark.value)
        year = year or (today.year if month <= today.month else today.year - 1)
        if m.ends(mark.start, "shift") and m.plain[mark.start - 1] in {"last", "past"} and month == today.month:
            year -= 1
        yield Period(mark.start, end, date(year, month, 1), _add_months(date(year, month, 1), 1))


def _year_after(m: Message, i: int) -> tuple[int, int]:
    """A year at word `i`, "de" before it or not, and where its words end; 0 for none."""
    for at in (i, i + 1):
        if at < len(m) and _is_year(m.plain[at]) and (at == i or m.plain[i] in {"de", "do", "of", "in"}):
            return int(m.plain[at]), at + 1
        if at < len(m) and m.starts(at, "unit") and False:
            break
    return 0, i


def _days_of_month(m: Message, today: date) -> Iterator[Period]:
    """ "1 a 15 de maio", "5 de março", "May 1 and May 15", "march 5th"."""
    for mark in _month_marks(m):
        year, end = _year_after(m, mark.end)
        month = int(mark.value)
        year = year or (today.year if month <= today.month else today.year - 1)
        before = [i for i in range(max(0, mark.start - 4), mark.start) if _day(m.plain[i])]
        after = [mark.end] if mark.end < len(m) and _day(m.plain[mark.end]) and not _is_unit(m, mark.end + 1) else []
        if before and m.plain[mark.start - 1] in {"de", "of", m.plain[before[-1]]}:
            days = [_date(year, month, _day(m.plain[i])) for i in before]
            if len(before) == 1 or m.plain[before[-1] - 1] in _RANGE:
                yield Period(before[0], end, days[0], days[-1] + timedelta(1))
        elif after:
            end = max(end, after[0] + 1)
            first = last = _date(year, month, _day(m.plain[after[0]]))
            if end + 1 < len(m) and m.plain[end] in _RANGE and _day(m.plain[end + 1]):
                last, end = _date(year, month, _day(m.plain[end + 1])), end + 2
            yield Period(mark.start, end, first, last + timedelta(1))


def _is_unit(m: Message, i: int) -> bool:
    return bool(m.at(i) & {"unit", "beer"})


def _day(word: str) -> int:
    digits = word.rstrip("stndrhao")
    return int(digits) if digits.isdigit() and 1 <= int(digits) <= 31 and len(digits) <= 2 else 0


def _date(year: int, month: int, day: int) -> date:
    return min(date(year, month, 1) + timedelta(day - 1), _add_months(date(year, month, 1), 1) - timedelta(1))


def _shifted(m: Message, today: date) -> Iterator[Period]:
    """ "este mês", "mês passado", "last quarter"."""
    for unit in m.all("unit"):
        for shift in m.all("shift"):
            if shift.end == unit.start or unit.end == shift.start:
                start, end = min(shift.start, unit.start), max(shift.end, unit.end)
                yield Period(start, end, *_whole(unit.value, today, int(shift.value)))
    for i, word in enumerate(m.plain):
        if word in {"ytd", "mtd"}:
            yield Period(i, i + 1, *_whole("year" if word == "ytd" else "month", today, 0))


def _whole(unit: str, today: date, shift: int) -> tuple[date, date]:
    if unit == "day":
        return today + timedelta(shift), today + timedelta(shift + 1)
    if unit in DAYS_OF:
        monday = today - timedelta(today.weekday() - 7 * shift)
        return (monday, monday + timedelta(7)) if unit == "week" else (monday + timedelta(5), monday + timedelta(7))
    months = MONTHS_OF[unit]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    return _add_months(first, shift * months), _add_months(first, (shift + 1) * months)


def _counted(m: Message, today: date) -> Iterator[Period]:
    """ "últimos 30 dias", "past two weeks", "há 3 meses"."""
    for unit in m.all("unit"):
        count = _number_before(m, unit.start)
        lead = unit.start - 1
        if count and lead > 0 and (m.ends(lead, "shift", "last") or m.plain[lead - 1] in {"ha", "faz", "in"}):
            back = m.ends(lead, "shift", "last")
            yield Period(lead - 1 if back else lead, unit.end, _back(today, unit.value, count), today + timedelta(1))
        elif count and unit.end < len(m) and m.starts(unit.end, "shift"):
            yield Period(lead, unit.end + 1, _back(today, unit.value, count), today + timedelta(1))


def _number_before(m: Message, i: int) -> int:
    if i < 1:
        return 0
    if m.plain[i - 1].isdigit() and len(m.plain[i - 1]) <= 3:
        return int(m.plain[i - 1])
    return next((int(mark.value) for mark in m.all("number") if mark.end == i), 0)


def _back(today: date, unit: str, count: int) -> date:
    if unit in DAYS_OF:
        return today - timedelta(min(count * DAYS_OF[unit], 36500))
    return _add_months(today, -min(count * MONTHS_OF[unit], 1200))


def _quarters(m: Message, today: date) -> Iterator[Period]:
    """ "Q1", "primeiro trimestre", "first half of 2026"."""
    for i, word in enumerate(m.plain):
        if re.fullmatch(r"[q][1-4]|[1-4]t", word):
            yield _part(m, i, i + 1, 3, int(word.strip("qt")), today)
    for ordinal in m.all("ordinal"):
        for unit in m.all("unit"):
            if ordinal.end == unit.start and unit.value in {"quarter", "half"}:
                yield _part(m, ordinal.start, unit.end, MONTHS_OF[unit.value], int(ordinal.value), today)


def _part(m: Message, start: int, end: int, months: int, number: int, today: date) -> Period:
    year, end = _year_after(m, end)
    first = date(year or today.year, 1, 1)
    first = _add_months(first, months * (min(number, 12 // months) - 1))
    if not year and first > today:
        first = _add_months(first, -12)
    return Period(start, end, first, _add_months(first, months))


def _weekdays(m: Message, today: date) -> Iterator[Period]:
    """ "last Friday", "na terça", "sexta passada": the last one before today."""
    for mark in m.all("weekday"):
        led = mark.start > 0 and (
            m.ends(mark.start, "shift") or m.plain[mark.start - 1] in {"na", "no", "on", "desde", "since"}
        )
        if led or m.starts(mark.end, "shift"):
            day = today - timedelta((today.weekday() - int(mark.value) - 1) % 7 + 1)
            yield Period(mark.start, mark.end, day, day + timedelta(1))


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(day.day - 1), following - timedelta(1))
