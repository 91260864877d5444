"""The slots of a question about purchases: of whom, what is measured, by what, how many, when, about which beer."""

from __future__ import annotations

from datetime import date
from typing import Literal

from beerforyou.catalogue.brewery import Place
from beerforyou.reading.message import Message
from beerforyou.reading.periods import Period, span_of
from beerforyou.reading.reading import Dimension, Measure, Question


def question_in(
    m: Message, about: Literal["me", "everyone"], place: Place, brewery: str, type: str, periods: list[Period]
) -> Question:
    since, until = span_of(m, periods)
    by = _dimension(m, periods)
    style = next((mark.value for mark in m.all("style")), "")
    return Question(
        about=about, measure=_measure(m), by=by, direction="least" if _least(m) else "most", limit=limit_in(m, periods),
        since=since, until=until, brewery=brewery, type=type, style=style, city=place.city, state=place.state,
    )  # fmt: skip


def limit_in(m: Message, periods: list[Period]) -> int:
    """The number of results asked for: "top 3", "as cinco"; not a day, not a number of days."""
    dated = {i for period in periods for i in range(period.start, period.end)}
    numbers = [(i, int(word)) for i, word in enumerate(m.plain) if word.isdigit() and len(word) <= 3 and i not in dated]
    numbers += [
        (mark.start, int(mark.value))
        for mark in m.all("number")
        if mark.start not in dated and m.plain[mark.start] not in {"um", "uma", "one"}
    ]
    return min(numbers)[1] if numbers else 0


def _measure(m: Message) -> Measure:
    if m.has("spend"):
        return "amount"
    counted = [mark for mark in m.all("how_many")]
    for mark in counted:
        ahead = range(mark.end, min(mark.end + 3, len(m)))
        nouns = [(i, d.value) for i in ahead for d in m.all("dimension") if d.start == i]
        if any("order" in m.at(i) and not m.at(i) & {"i", "past"} for i in ahead[:1]):
            return "orders"
        if nouns and nouns[0][1] == "brewery":
            return "breweries"
        if nouns and nouns[0][1] == "beer" and m.has("distinct"):
            return "beers"
    return "quantity"


def _dimension(m: Message, periods: list[Period]) -> Dimension:
    dated = {i for period in periods for i in range(period.start, period.end)}
    found = [mark for mark in m.all("dimension") if mark.start not in dated]
    grouped = [
        mark for mark in found if mark.start and m.plain[mark.start - 1] in {"por", "by", "per", "cada", "each", "a"}
    ]
    asked = [
        mark
        for mark in found
        if mark.start and m.plain[mark.start - 1] in {"qual", "quais", "que", "which", "what", "top", "cada"}
    ]
    adverb = [
        mark
        for mark in found
        if mark.value in {"month", "week", "day"} and m.plain[mark.start].endswith(("ly", "al", "ais", "mente"))
    ]
    ranked = found if m.has("most", "least", "popular", "compare") or limit_in(m, periods) else []
    for marks in (grouped, asked, adverb, ranked):
        if marks:
            return marks[0].value  # type: ignore[return-value]
    if len(periods) > 1 and m.has("compare"):
        return "month"
    return "beer" if ranked or (m.has("most", "least") and m.has("buy")) else ""


def _least(m: Message) -> bool:
    return m.has("least")
