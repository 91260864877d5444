"""The offline planner's SQL: a question's slots as one SELECT over the views that prompts/sql.md describes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from beerforyou.by_rule.simple import Question

DEFAULT_ROWS = 10
CALENDAR = {"month": "'YYYY-MM'", "week": "'IYYY-\"W\"IW'", "day": "'YYYY-MM-DD'", "weekday": "'ID'"}
BEER = "(beer, coalesce(brewery_id, brewery))"  # one beer under all spellings of its brewery
MEASURES = {
    "quantity": "sum(quantity)",
    "amount": "sum(amount)",
    "orders": "count(DISTINCT purchased_on)",
    "beers": f"count(DISTINCT {BEER})",
    "breweries": "count(DISTINCT coalesce(brewery_id, brewery))",
}


def write(question: Question, ids: Sequence[str] = (), names: Sequence[str] = ()) -> str:
    """`ids` and `names` are the brewery of the question, as the catalogue and the client's purchases know it."""
    measure = f"{MEASURES[question.measure]} AS {question.measure}"
    where = " AND ".join(_conditions(question, ids, names))
    source = f"FROM my_purchases{' WHERE ' + where if where else ''}"
    if not question.by:
        return f"SELECT {measure} {source}"
    return f"SELECT {_keys(question)}, {measure} {source} {_ranked(question)}"


def statistic(question: Question) -> dict[str, Any]:
    """The same of all clients: what is published is asked for by measure, dimension and one month."""
    by = question.by if question.by in ("beer", "brewery", "style", "type", "month", "state", "city") else ""
    slots = {
        "about": "everyone", "measure": "clients" if question.measure == "clients" else "quantity", "by": by,
        "direction": question.direction, "limit": question.limit, "month": _month(question), "beer": question.beer,
        "brewery": question.brewery, "style": question.style, "type": question.type, "city": question.city,
        "state": question.state,
    }  # fmt: skip
    return {name: value for name, value in slots.items() if value}


def _month(question: Question) -> str:
    """The month that the question is about, when it is one."""
    if not question.since or not question.until:
        return ""
    since, until = date.fromisoformat(question.since), date.fromisoformat(question.until)
    return question.since[:7] if since.day == until.day == 1 and 28 <= (until - since).days <= 31 else ""


def _keys(question: Question) -> str:
    if question.by in CALENDAR:
        return f"to_char(purchased_on, {CALENDAR[question.by]}) AS {question.by}"
    if question.by == "beer":
        return "beer, min(brewery) AS brewery"
    return "min(brewery) AS brewery" if question.by == "brewery" else question.by


def _ranked(question: Question) -> str:
    groups = {"beer": "beer, coalesce(brewery_id, brewery)", "brewery": "coalesce(brewery_id, brewery)"}
    group = groups.get(question.by, "1")
    known = "" if question.by in CALENDAR or question.by in groups else f" HAVING {question.by} <> ''"
    if question.by in CALENDAR and not question.limit:
        return f"GROUP BY {group} ORDER BY 1"
    way = "DESC" if question.direction == "most" else "ASC"
    return f"GROUP BY {group}{known} ORDER BY {question.measure} {way}, 1 LIMIT {question.limit or DEFAULT_ROWS}"


def _conditions(question: Question, ids: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    if question.since:
        yield f"purchased_on >= {_quoted(question.since)}"
    if question.until:
        yield f"purchased_on < {_quoted(question.until)}"
    if question.beer:
        yield f"beer ILIKE {_contains(question.beer)}"
    if question.brewery:
        known = [f"brewery_id IN ({', '.join(map(_quoted, ids))})"] if ids else []
        spelt = ", ".join(_quoted(name.lower()) for name in names or (question.brewery,))
        yield f"({' OR '.join([*known, f'lower(brewery) IN ({spelt})'])})"
    if question.type:
        yield f"type = {_quoted(question.type)}"
    if question.style:
        yield f"style ILIKE {_contains(question.style)}"
    for field in ("city", "state"):
        if place := getattr(question, field):
            yield f"lower({field}) = {_quoted(place.lower())}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _contains(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return _quoted(f"%{escaped}%")
