"""When: the spans of time of a message, and which of them are told apart."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import msgspec

from beerforyou.reading.evidence import NONE, Words, runs
from beerforyou.reading.periods import periods_in
from beerforyou.reading.question import Span
from beerforyou.reading.utterance import Utterance

_SINCE = frozenset({"desde", "since", "partir", "from"})
_UNTIL = frozenset({"ate", "until", "till", "through"})


class Times(msgspec.Struct, frozen=True):
    """`words` say `spans`; `unknown` are positions that speak of time and were not understood."""

    spans: tuple[Span, ...] = ()
    words: Words = NONE
    unknown: Words = NONE
    weekdays: tuple[int, ...] = ()
    weekdays_words: Words = NONE


def spans_in(m: Utterance, today: date) -> Times:
    found = periods_in(m, today)
    words = {i for period in found for i in range(period.start, period.end)}
    spans = [Span(since=p.since.isoformat(), until=(p.until - timedelta(1)).isoformat()) for p in found]
    if len(found) == 1:
        near = range(max(0, found[0].start - 3), found[0].start)
        since, until = ([i for i in near if m.plain[i] in leads] for leads in (_SINCE, _UNTIL))
        if since:
            spans = [Span(since=spans[0].since)]
        elif until:
            spans = [Span(until=spans[0].until)]
        words.update(since or until)
    return Times(tuple(spans), frozenset(words))


def joined(m: Utterance, times: Times, compared: bool) -> tuple[Span, ...]:
    """The spans in the order of time; "between March and May" is one, unless the two are compared."""
    spans = tuple(sorted(dict.fromkeys(times.spans)))
    if len(spans) != 2 or compared or not range_words(m, times):
        return spans
    return (Span(since=spans[0].since, until=spans[-1].until),)


def range_words(m: Utterance, times: Times) -> Words:
    """The words that make one span of two: "between", "to"."""
    said = runs(times.words)
    inside = {i for one, other in pairwise(said) for i in range(one.stop, other.start) if m.has_at(i, "span_to")}
    before = range(max(0, said[0].start - 2), said[0].start) if said else range(0)
    return frozenset({i for i in before if m.has_at(i, "span_between")} | inside)
