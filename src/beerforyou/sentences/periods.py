"""Days, months, weeks and spans of days in words: "October 2026", "de 1 a 15 de maio de 2026", "até ontem"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from beerforyou.sentences import Language, has, month_name, say

_ISO = {
    "month": re.compile(r"(\d{4})-(\d\d)(?:-01)?"),
    "quarter": re.compile(r"(\d{4})-Q([1-4])"),
    "week": re.compile(r"(\d{4})-W(\d\d)"),
    "day": re.compile(r"(\d{4})-(\d\d)-(\d\d)"),
    "period": re.compile(r"(?:\.\.|(\d{4}-\d\d-\d\d))/(?:\.\.|(\d{4}-\d\d-\d\d))"),
}
_DAYS = ("day", "order", "first", "last")  # columns of days


class Span(NamedTuple):
    """Both days inclusive; None where it is open."""

    since: date | None
    until: date | None


def span(since: str, until: str) -> Span:
    return Span(*(date.fromisoformat(day) if day else None for day in (since, until)))


def spelt(text: str, column: str, language: Language) -> str:
    """A cell of such a column in words, where it is what such a column holds; else as it is."""
    kind = "day" if column in _DAYS else column
    found = _ISO[kind].fullmatch(text) if kind in _ISO else None
    if found:
        try:
            return _SPELT[kind](*found.groups(""), language)
        except ValueError:  # a thirteenth month
            return text
    key = f"weekday.{text}"
    return say(key, language) if column == "weekday" and has(key, language) else text


def _month(year: str, month: str, language: Language) -> str:
    first = date(int(year), int(month), 1)
    return named(Span(first, _month_end(first)), language)


def _quarter(year: str, quarter: str, language: Language) -> str:
    return say("period.quarter", language, q=quarter, y1=year)


def _week(year: str, week: str, language: Language) -> str:
    return say("period.week", language, day=day_name(date.fromisocalendar(int(year), int(week), 1), language))


def _day(year: str, month: str, day: str, language: Language) -> str:
    return day_name(date(int(year), int(month), int(day)), language)


def _period(since: str, until: str, language: Language) -> str:
    given = span(since, until)
    open_ended = given.since is None or given.until is None
    return during(given, language).strip() or say("period.all", language) if open_ended else named(given, language)


_SPELT: dict[str, Callable[..., str]] = {
    "month": _month, "quarter": _quarter, "week": _week, "day": _day, "period": _period,
}  # fmt: skip


def day_name(day: date, language: Language) -> str:
    return named(Span(day, day), language)


@lru_cache(1024)  # as of a day: the same ones are asked about again and again
def named(given: Span, language: Language) -> str:
    """A closed span: "October 2026", "May 1 to 15, 2026"."""
    since, until = given
    assert since and until
    fields = {f"{name}{n}": text for n, day in ((1, since), (2, until)) for name, text in _parts(day, language)}
    return say(f"period.{_kind(since, until)}", language, **fields)


def _parts(day: date, language: Language) -> tuple[tuple[str, str], ...]:
    return ("d", str(day.day)), ("m", month_name(day.month, language)), ("y", str(day.year))


def _kind(since: date, until: date) -> str:
    whole = since.day == 1 and until == _month_end(until)
    if since == until:
        return "day"
    if since.year != until.year:
        years = whole and since.month == 1 and until.month == 12
        return "years" if years else "months_of_years" if whole else "days_of_years"
    if whole and (since.month, until.month) == (1, 12):
        return "year"
    if since.month == until.month:
        return "month" if whole else "days"
    return "months" if whole else "days_of_year"


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


@lru_cache(1024)
def during(given: Span, language: Language, today: date | None = None) -> str:
    """ " in October 2026", " desde maio de 2026", " até ontem"; nothing for all time. What is not over yet says so."""
    since, until = given
    yesterday = today - timedelta(days=1) if today else None
    if since is None or until is None:
        return _open(since, until, language, today, yesterday)
    if since == until and until in (today, yesterday):
        return say("during.today" if until == today else "during.yesterday", language)
    kind = _kind(since, until)
    said = say(f"during.{kind if kind in ('day', 'month', 'year') else 'days'}", language, span=named(given, language))
    return said + say("during.so_far", language) if today and since <= today < until else said


def _open(
    since: date | None, until: date | None, language: Language, today: date | None, yesterday: date | None
) -> str:
    if since:
        if since.day == 1:
            return say("during.since", language, span=named(Span(since, _month_end(since)), language))
        return say("during.since_day", language, span=day_name(since, language))
    if until is None:
        return ""
    if until in (today, yesterday):
        return say("during.until_today" if until == today else "during.until_yesterday", language)
    return say("during.until", language, span=day_name(until, language))


def ago(days: int, language: Language) -> str:
    key = {0: "today", 1: "yesterday"}.get(days, "days")
    return say(f"ago.{key}", language, n=days)


def interval_of(day: date, column: str) -> str:
    """The month, week... of a day, as such a column has it."""
    year, week, _ = day.isocalendar()
    known = {"month": f"{day:%Y-%m}", "quarter": f"{day.year}-Q{(day.month + 2) // 3}", "week": f"{year}-W{week:02}"}
    return known.get(column, str(day.year) if column == "year" else "")
