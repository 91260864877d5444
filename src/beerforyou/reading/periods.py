"""Spans of time in a message ("mês passado", "since January", "entre 1 e 15 de maio"), from today's point of view.

A month without a year is the last one of that name; the current one counts. `until` is exclusive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from beerforyou.reading.calendar import Unit, add_months, back, day_in, whole
from beerforyou.reading.lexicon import Mark
from beerforyou.reading.utterance import Utterance

_SINCE = frozenset({"desde", "since", "partir"})
_UNTIL = frozenset({"ate", "until", "till", "through"})
_TO = frozenset({"e", "a", "ate", "and", "to", "until", "till", "through", "vs", "versus", "x", "com"})
_LEADS = _SINCE | _UNTIL | _TO | {"entre", "between", "for"}
_AGO = frozenset({"ha", "faz", "in"})
_FEIRAS = {
    "segunda": 0,
    "terca": 1,
    "quarta": 2,
    "quinta": 3,
    "sexta": 4,
}  # "na segunda" is Monday, "a segunda" the second
_QUARTER = re.compile(r"q([1-4])|([1-4])t")
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th|o|a)?")


class Period(msgspec.Struct, frozen=True):
    """Words `start` to `end` (exclusive) say this span of time."""

    start: int
    end: int
    since: date
    until: date


def periods_in(m: Utterance, today: date) -> list[Period]:
    """Of overlapping ones the longest."""
    if not m.has("month", "unit", "relative_day", "weekday", "ordinal") and not any(
        word[:1].isdigit() or word[-1:].isdigit() for word in m.plain
    ):
        return []
    found: list[Period] = []
    for period in sorted(_candidates(m, today), key=lambda period: (period.start, -period.end)):
        if not found or period.start >= found[-1].end:
            found.append(period)
    return found


def span_of(m: Utterance, found: list[Period]) -> tuple[str, str]:
    """The whole time that a question is about, as ISO dates; empty where open."""
    if not found:
        return "", ""
    before = set(m.plain[max(0, found[0].start - 3) : found[0].start])
    since, until = min(period.since for period in found), max(period.until for period in found)
    if len(found) == 1 and not _SINCE.isdisjoint(before):
        return since.isoformat(), ""
    if len(found) == 1 and not _UNTIL.isdisjoint(before):
        return "", until.isoformat()
    return since.isoformat(), until.isoformat()


def _candidates(m: Utterance, today: date) -> Iterator[Period]:
    months = list(_months(m))
    yield from (_month(m, mark, today) for mark in months)
    yield from (period for mark in months if (period := _days(m, mark, today)))
    yield from _written_dates(m, today)
    yield from _shifted(m, today)
    yield from _counted(m, today)
    yield from _parts_of_year(m, today)
    yield from _weekdays(m, today)
    for mark in m.all("relative_day"):
        if not m.has_at(mark.start, "yet"):
            yield _one_day(mark.start, mark.end, today + timedelta(int(mark.value)))
    for i, word in enumerate(m.plain):
        if _is_year(word):
            yield Period(i, i + 1, date(int(word), 1, 1), date(int(word) + 1, 1, 1))


def _one_day(start: int, end: int, day: date) -> Period:
    return Period(start, end, day, day + timedelta(1))


def _is_year(word: str) -> bool:
    return len(word) == 4 and word.startswith("20") and word.isdigit()


def _months(m: Utterance) -> Iterator[Mark]:
    """Months, but not the verbs, numbers and manners that are spelt like them ("may I", "set", "out", "mar")."""
    for mark in m.all("month"):
        before, after = m.word(mark.start - 1), m.word(mark.end)
        led = m.has_at(mark.start - 1, "in_place", "of", "shift", "month") or before in _LEADS or before.isdigit()
        if len(m.plain[mark.start]) > 4 or led or after.isdigit() or m.has_at(mark.end, "purchases") or len(m) == 1:
            yield mark


def _month(m: Utterance, mark: Mark, today: date) -> Period:
    year, end = _year_of(m, mark, today)
    if m.word(mark.start - 1) in {"last", "past"} and int(mark.value) == today.month:
        year -= 1
    first = date(year, int(mark.value), 1)
    return Period(mark.start - m.ends(mark.start, "shift"), end, first, add_months(first, 1))


def _year_of(m: Utterance, mark: Mark, today: date) -> tuple[int, int]:
    """The year of a month, said after it or the last that had it, and where its words end."""
    for at in (mark.end, mark.end + 1):
        if _is_year(m.word(at)) and (at == mark.end or m.word(mark.end) in {"de", "do", "of", "in"}):
            return int(m.word(at)), at + 1
    return (today.year if int(mark.value) <= today.month else today.year - 1), mark.end


def _days(m: Utterance, mark: Mark, today: date) -> Period | None:
    """ "1 a 15 de maio", "5 de março", "May 1 and May 15", "march 5th"."""
    year, end = _year_of(m, mark, today)
    month = int(mark.value)
    at = mark.start - 1 - (m.word(mark.start - 1) in {"de", "of"})
    if last := _day(m.word(at)):
        ranged = m.word(at - 1) in _TO and (first := _day(m.word(at - 2)))
        start, first = (at - 2, first) if ranged else (at, last)
    elif (first := _day(m.word(mark.end))) and not m.has_at(mark.end + 1, "unit", "beer"):
        ranged = m.word(mark.end + 1) in _TO and (last := _day(m.word(mark.end + 2)))
        start, last, end = mark.start, last or first, max(end, mark.end + (3 if ranged else 1))
    else:
        return None
    return Period(start, end, day_in(year, month, first), day_in(year, month, last) + timedelta(1))


def _day(word: str) -> int:
    """The day of the month that a word is, 0 for none."""
    match = _DAY.fullmatch(word)
    return int(match[1]) if match and 1 <= int(match[1]) <= 31 else 0


def _written_dates(m: Utterance, today: date) -> Iterator[Period]:
    """ "15/05", "05/15/2026", "2026-05-15": the day first in Portuguese, the month first in English."""
    for i in range(1, len(m)):
        gap = m.words[i].gap
        if gap not in {"/", "-"} or not (m.plain[i - 1].isdigit() and m.plain[i].isdigit()):
            continue
        numbers = [int(word) for word in m.plain[i - 1 : i + 2] if word.isdigit() and len(word) < 5]
        third = i + 1 < len(m) and m.words[i + 1].gap == gap and len(numbers) == 3
        if day := _date_of(numbers if third else numbers[:2], m.language == "pt", today):
            yield _one_day(i - 1, i + 1 + third, day)


def _date_of(numbers: list[int], day_first: bool, today: date) -> date | None:
    if len(numbers) == 3 and numbers[0] > 31:
        year, month, day = numbers
    elif len(numbers) > 1:
        day, month = numbers[:2] if day_first else numbers[1::-1]
        year = numbers[2] if len(numbers) == 3 else today.year if month <= today.month else today.year - 1
    else:
        return None
    year += 2000 * (year < 100)
    return day_in(year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 and 2000 <= year < 2100 else None


def _shifted(m: Utterance, today: date) -> Iterator[Period]:
    """ "este mês", "mês passado", "last quarter", "ytd"."""
    for unit in m.all("unit"):
        for shift in (*m.ending(unit.start, "shift"), *m.starting(unit.end, "shift")):
            start, end = min(shift.start, unit.start), max(shift.end, unit.end)
            yield Period(start, end, *whole(Unit(unit.value), today, int(shift.value)))
    for i, word in enumerate(m.plain):
        if word in {"ytd", "mtd"}:
            yield Period(i, i + 1, *whole(Unit.YEAR if word == "ytd" else Unit.MONTH, today, 0))


def _counted(m: Utterance, today: date) -> Iterator[Period]:
    """ "últimos 30 dias", "past two weeks", "há 3 meses", "30 dias passados"."""
    for unit in m.all("unit"):
        count = _number_before(m, unit.start)
        number = unit.start - 1
        before = m.ends(number, "shift", "last") or m.word(number - 1) in _AGO
        after = m.starts(unit.end, "shift")
        if count and (before or after):
            since = back(today, Unit(unit.value), count)
            yield Period(number - before, unit.end + after, since, today + timedelta(1))


def _number_before(m: Utterance, i: int) -> int:
    word = m.word(i - 1)
    said = (int(mark.value) for mark in m.ending(i, "number"))
    return int(word) if word.isdigit() and len(word) < 4 else next(said, 0)


def _parts_of_year(m: Utterance, today: date) -> Iterator[Period]:
    """ "Q1", "primeiro trimestre", "first half of 2026"."""
    for i, word in enumerate(m.plain):
        if match := _QUARTER.fullmatch(word):
            yield _part(m, Mark("", i, i + 1), 3, int(match[1] or match[2]), today)
    for ordinal in m.all("ordinal"):
        for unit in m.starting(ordinal.end, "unit"):
            if unit.value in {"quarter", "half"}:
                words = Mark("", ordinal.start, unit.end)
                yield _part(m, words, 3 if unit.value == "quarter" else 6, int(ordinal.value), today)


def _part(m: Utterance, words: Mark, months: int, number: int, today: date) -> Period:
    year, end = next(
        ((int(m.word(at)), at + 1) for at in (words.end, words.end + 1) if _is_year(m.word(at))), (0, words.end)
    )
    first = add_months(date(year or today.year, 1, 1), months * (min(number, 12 // months) - 1))
    first = add_months(first, -12) if not year and first > today else first
    return Period(words.start, end, first, add_months(first, months))


def _weekdays(m: Utterance, today: date) -> Iterator[Period]:
    """ "last Friday", "na terça", "sexta passada": the last one before today."""
    for mark in m.all("weekday"):
        led = m.ends(mark.start, "shift") or m.word(mark.start - 1) in {"na", "no", "on", "desde", "since"}
        if led or m.starts(mark.end, "shift"):
            start = mark.start - m.ends(mark.start, "shift")
            yield _one_day(start, mark.end + m.starts(mark.end, "shift"), _last(today, int(mark.value)))
    for mark in m.all("ordinal"):
        if (
            m.word(mark.start - 1) == "na"
            and m.plain[mark.start] in _FEIRAS
            and not m.has_at(mark.end, "dimension", "option")
        ):
            yield _one_day(mark.start, mark.end, _last(today, _FEIRAS[m.plain[mark.start]]))


def _last(today: date, weekday: int) -> date:
    return today - timedelta((today.weekday() - weekday - 1) % 7 + 1)
