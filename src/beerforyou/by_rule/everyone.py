"""A question about all clients as the arguments of a statistic: what is published has a measure, a dimension and one month."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from beerforyou.reading.question import Question, Span

_BY = ("beer", "brewery", "style", "type", "month", "state", "city")
_NAMED = ("beer", "brewery", "style", "type", "city", "state")


def statistic(question: Question) -> dict[str, Any]:
    by = question.by[0] if question.by and question.by[0] in _BY else ""
    slots = {
        "about": "everyone",
        "measure": "clients" if "clients" in question.measures else "quantity",
        "by": by,
        "direction": question.direction,
        "limit": question.limit,
        "month": month(question.spans[0]) if len(question.spans) == 1 else "",
    }
    named = {each.field: each.values[0] for each in question.filters if each.field in _NAMED and not each.negated}
    return {name: value for name, value in (slots | named).items() if value}


def month(span: Span) -> str:
    """The month that it is, as 2026-03, or nothing."""
    if not span.since or not span.until:
        return ""
    since, after = date.fromisoformat(span.since), date.fromisoformat(span.until) + timedelta(days=1)
    return span.since[:7] if since.day == after.day == 1 and 28 <= (after - since).days <= 31 else ""


def cannot(question: Question) -> str:
    """The key of a sentence that says why nothing of the kind is published, or nothing."""
    several = any(each.negated or len(each.values) > 1 for each in question.filters)
    plain = question.aggregate in ("total", "list") and not question.having and not question.only_order
    return "" if plain and not several and len(question.spans) < 2 and len(question.by) < 2 else "of_everyone"
