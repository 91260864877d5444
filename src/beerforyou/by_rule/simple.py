"""What of a question's algebra this planner's SQL and sentences can say so far: one measure, one dimension, one value each."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, get_args

import msgspec

from beerforyou.reading import question as algebra

Grouping = Literal["", "beer", "brewery", "type", "style", "month", "week", "day", "weekday", "city", "state"]
Measure = Literal["quantity", "amount", "orders", "beers", "breweries", "clients"]


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`until` is exclusive; `limit` 0 means that no number was named."""

    about: Literal["me", "everyone"] = "me"
    measure: Measure = "quantity"
    by: Grouping = ""
    direction: Literal["most", "least"] = "most"
    limit: int = 0
    since: str = ""
    until: str = ""
    beer: str = ""
    brewery: str = ""
    type: str = ""
    style: str = ""
    city: str = ""
    state: str = ""


def simple(question: algebra.Question | None) -> Question:
    if question is None:
        return Question()
    span = question.spans[0] if question.spans else algebra.Span()
    until = (date.fromisoformat(span.until) + timedelta(1)).isoformat() if span.until else ""
    values = {each.field: each.values[0] for each in question.filters if not each.negated and each.field != "weekday"}
    return Question(
        about=question.about,
        measure=next((each for each in get_args(Measure) if each in question.measures), "quantity"),
        by=next((each for each in get_args(Grouping) if each in question.by), ""),
        direction=question.direction or "most",
        limit=question.limit,
        since=span.since,
        until=until,
        **values,
    )
