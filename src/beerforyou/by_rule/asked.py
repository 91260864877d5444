"""The question of a reading, as the algebra has it. For as long as readings carry the older form, which it takes too."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, get_args

from beerforyou.reading.question import Field, Filter, Question, Span


def algebra(question: Any) -> Question | None:
    if question is None or isinstance(question, Question):
        return question
    filters = tuple(
        Filter(field=field, values=(value,)) for field in get_args(Field) if (value := getattr(question, field, ""))
    )
    until = str(date.fromisoformat(question.until) - timedelta(days=1)) if question.until else ""
    ranked = question.by and (question.limit or question.by not in ("month", "week", "day"))
    return Question(
        about=question.about,
        measures=(question.measure,),
        by=(question.by,) if question.by else (),
        filters=filters,
        spans=(Span(since=question.since, until=until),) if question.since or until else (),
        direction=question.direction if ranked else "",
        limit=question.limit,
    )
