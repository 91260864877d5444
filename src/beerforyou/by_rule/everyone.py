"""A question about all clients as the arguments of a statistic: what is published has a measure, a dimension and one month."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from beerforyou.reading.question import Field, Filter, Question, Span

_BY = ("beer", "brewery", "style", "type", "month", "state", "city")
_NOT_PUBLISHED = {"beside": "statistics.no_comparison", "change": "statistics.no_growth"}
_NAMED: tuple[Field, ...] = ("beer", "brewery", "style", "type", "city", "state")


def statistic(question: Question) -> dict[str, Any]:
    """What is listed is ranked, the most first."""
    slots = {
        "about": "everyone",
        "measure": "clients" if "clients" in question.measures else "quantity",
        "by": question.by[0] if question.by else "",
        "direction": question.direction,
        "limit": question.limit,
        "month": month(question.spans[0]) if question.spans else "",
    }
    named = {each.field: each.values[0] for each in question.filters}
    return {name: value for name, value in (slots | named).items() if value}


def as_question(statistic: dict[str, Any]) -> Question:
    """The other way round: what is published, as it is asked for."""
    days = [_whole_month(statistic["month"])] if statistic.get("month") else []
    return Question(
        about="everyone",
        measures=(statistic.get("measure", "quantity"),),
        by=(statistic["by"],) if statistic.get("by") else (),
        filters=tuple(Filter(field=field, values=(statistic[field],)) for field in _NAMED if statistic.get(field)),
        spans=tuple(days),
        direction=statistic.get("direction", ""),
    )


def _whole_month(text: str) -> Span:
    first = date.fromisoformat(f"{text}-01")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Span(since=first.isoformat(), until=last.isoformat())


def month(span: Span) -> str:
    """The month that it is, as 2026-03, or nothing."""
    if not span.since or not span.until:
        return ""
    since, after = date.fromisoformat(span.since), date.fromisoformat(span.until) + timedelta(days=1)
    return span.since[:7] if since.day == after.day == 1 and 28 <= (after - since).days <= 31 else ""


def cannot(question: Question) -> str:
    """The key of a sentence that says why nothing of the kind is published, or nothing."""
    if question.aggregate in _NOT_PUBLISHED:
        return _NOT_PUBLISHED[question.aggregate]
    if not {"quantity", "clients"}.issuperset(question.measures):
        return "statistics.no_money" if {"amount", "price"} & {*question.measures} else "statistics.no_averages"
    if question.aggregate not in ("total", "list") or question.having or question.only_order:
        return "statistics.no_averages"
    several = any(each.negated or len(each.values) > 1 or each.field not in _NAMED for each in question.filters)
    twice = len({each.field for each in question.filters}) < len(question.filters)
    if (
        several
        or twice
        or len(question.measures) > 1
        or len(question.by) > 1
        or len(question.spans) > 1
        or not {*question.by} <= {*_BY}
    ):
        return "statistics.one_at_a_time"
    return ""
