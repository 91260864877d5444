"""The slots of a question about purchases: of whom, what is measured, by what, how many, when, about which beer."""

from __future__ import annotations

from datetime import date, timedelta

from beerforyou.reading.lexicon import Mark
from beerforyou.reading.names import LIKELY
from beerforyou.reading.reading import Grouping, Intent, Measure, Question
from beerforyou.reading.slots import Slots

_GROUPING = frozenset({"por", "by", "per", "cada", "each", "a"})
_ASKING = frozenset({"qual", "quais", "que", "which", "what", "whats", "top"})
_TIMES: dict[str, Grouping] = {"month": "month", "week": "week", "day": "day"}


def question_in(s: Slots, intent: Intent) -> Question:
    since, until = _whole_time(s)
    name = s.name(LIKELY)
    return Question(
        about="me" if intent == "own_data" else "everyone",
        measure=_measure(s, intent),
        by=_grouping(s),
        direction="least" if s.m.has("least") else "most",
        limit=_limit(s),
        since=since,
        until=until,
        brewery=name.text if name else "",
        type="" if intent == "statistics" and s.type == "bar" else s.type,  # "all bars" are who buys
        style=next((mark.value for mark in s.m.all("style")), ""),
        city=s.place.city,
        state=s.place.state,
    )


def _whole_time(s: Slots) -> tuple[str, str]:
    """From the first span's begin to the last one's end, that day excluded; empty where open."""
    since = min((span.since for span in s.times.spans), default="")
    until = max((span.until or "9" for span in s.times.spans), default="9")
    return since, "" if until == "9" else (date.fromisoformat(until) + timedelta(1)).isoformat()


def _limit(s: Slots) -> int:
    """The number of results asked for: "top 3", "as cinco"; not a day, not a number of days."""
    dated = _dated(s)
    numbers = [(i, int(word)) for i, word in enumerate(s.m.plain) if word.isdigit() and len(word) < 4]
    numbers += [(mark.start, int(mark.value)) for mark in s.m.all("number") if s.m.plain[mark.start] != "one"]
    return min(((i, number) for i, number in numbers if i not in dated), default=(0, 0))[1]


def _dated(s: Slots) -> set[int]:
    return {i for period in s.periods for i in range(period.start, period.end)}


def _measure(s: Slots, intent: Intent) -> Measure:
    if intent == "statistics" and s.m.has("how_many") and s.m.has("clients", "buyer") and not s.m.has("spend"):
        return "clients"
    if s.m.has("spend"):
        return "amount"
    for mark in s.m.all("how_many"):
        if s.m.has_at(mark.end, "order") and not s.m.has_at(mark.end, "i", "past"):
            return "orders"
        following = range(mark.end, mark.end + 3)
        counted = [noun.value for i in following for noun in s.m.starting(i, "dimension")]
        if "brewery" in counted:
            return "breweries"
        if "beer" in counted and s.m.has("distinct"):
            return "beers"
    return "quantity"


def _grouping(s: Slots) -> Grouping:
    """What comes after "por", else after "qual", else a ranking's noun, else "monthly" and the like."""
    m = s.m
    dated = _dated(s)
    nouns = [mark for mark in m.all("dimension") if mark.start not in dated]
    ranked = m.has("most", "least", "popular", "compare") or _limit(s) > 0
    grouped = [mark for mark in nouns if m.word(mark.start - 1) in _GROUPING]
    asked = [mark for mark in nouns if m.word(mark.start - 1) in _ASKING]
    regular = [mark for mark in nouns if mark.value in _TIMES and _is_adverb(m.plain[mark.start])]
    for marks in (grouped, asked, regular, nouns if ranked else []):
        if marks:
            return _value(marks[0])
    if len(s.periods) > 1 and m.has("compare"):
        return "month"
    return "beer" if ranked and m.has("buy", "popular", "beer") else ""


def _is_adverb(word: str) -> bool:
    return word.endswith(("ly", "al", "ais", "mente"))


def _value(mark: Mark) -> Grouping:
    by: dict[str, Grouping] = {
        "beer": "beer", "brewery": "brewery", "type": "type", "style": "style", "weekday": "weekday", "city": "city",
        "state": "state", **_TIMES,
    }  # fmt: skip
    return by[mark.value]
